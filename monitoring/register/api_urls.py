from rest_framework.routers import SimpleRouter

from . import api

router = SimpleRouter()
router.register("systems", api.SystemViews, basename="system")
router.register("devices/unknown", api.UnknownViews, basename="unknown-device")  # before the numbers of devices
router.register("devices", api.DeviceViews, basename="device")

urlpatterns = router.urls
