from django.urls import path, re_path
from rest_framework.routers import SimpleRouter

from citysafety.evidence.doors import PictureBytes

from .api import HazardViews
from .evaluation.api import DoubtViews, EvaluationView

router = SimpleRouter()
router.register("hazards", HazardViews, basename="hazard")
router.register("evaluation/doubts", DoubtViews, basename="doubt")

urlpatterns = [
    path("evaluation/", EvaluationView.as_view(), name="api-evaluation"),
    re_path(
        r"^hazards/(?P<pk>[0-9a-fA-F-]{36})/photos/(?P<sha256>[0-9a-fA-F]{64})/?$",
        HazardViews.as_view({"put": "photo"}, parser_classes=[PictureBytes]),
        name="hazard-photo",
    ),
    *router.urls,
]
