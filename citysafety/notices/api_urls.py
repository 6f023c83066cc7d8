"""Addresses of the notices under /api/v1/."""

from rest_framework.routers import SimpleRouter

from .api import NoticeViews

router = SimpleRouter()
router.register("notices", NoticeViews, basename="api-notice")
urlpatterns = router.urls
