from rest_framework.routers import SimpleRouter

from .api import WriteOffViews

router = SimpleRouter()
router.register("writeoffs", WriteOffViews, basename="writeoff")

urlpatterns = router.urls
