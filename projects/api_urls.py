from django.urls import re_path
from rest_framework.routers import SimpleRouter

from citysafety.evidence.doors import PictureBytes

from .api import NoticeViews

router = SimpleRouter()
router.register("supervision", NoticeViews, basename="supervision")
NOTICE = r"^supervision/(?P<pk>[0-9a-fA-F-]{36})"

urlpatterns = [
    re_path(
        NOTICE + r"/photos/(?P<sha256>[0-9a-fA-F]{64})/?$",
        NoticeViews.as_view({"put": "photo"}, parser_classes=[PictureBytes]),
        name="supervision-photo",
    ),
    re_path(NOTICE + r"/document\.pdf$", NoticeViews.as_view({"get": "pdf"}), name="supervision-pdf"),
    re_path(
        NOTICE + r"/pages/(?P<page>[0-9]{1,2})\.png$", NoticeViews.as_view({"get": "picture"}), name="supervision-page"
    ),
    *router.urls,
]
