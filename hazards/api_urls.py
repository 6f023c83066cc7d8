from rest_framework.routers import SimpleRouter

from .api import HazardViews

router = SimpleRouter()
router.register("hazards", HazardViews, basename="hazard")

urlpatterns = router.urls
