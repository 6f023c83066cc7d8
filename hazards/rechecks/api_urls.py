from django.urls import re_path
from rest_framework.routers import SimpleRouter

from citysafety.evidence.doors import PictureBytes

from .api import RecheckViews

router = SimpleRouter()
router.register("rechecks", RecheckViews, basename="recheck")

urlpatterns = [
    re_path(
        r"^rechecks/(?P<pk>[0-9a-fA-F-]{36})/photos/(?P<sha256>[0-9a-fA-F]{64})/?$",
        RecheckViews.as_view({"put": "photo"}, parser_classes=[PictureBytes]),
        name="recheck-photo",
    ),
    *router.urls,
]
