from django.urls import path, re_path
from rest_framework.routers import SimpleRouter

from citysafety.evidence.doors import PictureBytes

from .api import HazardViews
from .bulk.api import BulkRunView, BulkView
from .evaluation.api import DoubtViews, EvaluationView
from .listings.api import CriterionViews, ListingViews

router = SimpleRouter()
router.register("hazards", HazardViews, basename="hazard")
router.register("criteria", CriterionViews, basename="criterion")
router.register("listings", ListingViews, basename="listing")
router.register("evaluation/doubts", DoubtViews, basename="doubt")
LISTING = r"^listings/(?P<pk>[0-9a-fA-F-]{36})"

urlpatterns = [
    path("evaluation/", EvaluationView.as_view(), name="api-evaluation"),
    path("hazards/bulk/", BulkView.as_view(), name="api-hazards-bulk"),
    path("hazards/bulk/<uuid:run_id>/", BulkRunView.as_view(), name="api-hazards-bulk-run"),
    re_path(
        r"^hazards/(?P<pk>[0-9a-fA-F-]{36})/photos/(?P<sha256>[0-9a-fA-F]{64})/?$",
        HazardViews.as_view({"put": "photo"}, parser_classes=[PictureBytes]),
        name="hazard-photo",
    ),
    re_path(LISTING + r"/document\.pdf$", ListingViews.as_view({"get": "pdf"}), name="listing-pdf"),
    re_path(
        LISTING + r"/pages/(?P<page>[0-9]{1,2})\.png$",
        ListingViews.as_view({"get": "picture"}),
        name="listing-page-picture",
    ),
    *router.urls,
]
