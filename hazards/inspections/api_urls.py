from django.urls import re_path
from rest_framework.routers import SimpleRouter

from citysafety.evidence.doors import PictureBytes

from .api import DueViews, InspectionViews

router = SimpleRouter()
router.register("inspections/due", DueViews, basename="inspection-due")
router.register("inspections", InspectionViews, basename="inspection")

urlpatterns = [
    re_path(
        r"^inspections/(?P<pk>[0-9a-fA-F-]{36})/photos/(?P<sha256>[0-9a-fA-F]{64})/?$",
        InspectionViews.as_view({"put": "photo"}, parser_classes=[PictureBytes]),
        name="inspection-photo",
    ),
    *router.urls,
]
