from django.urls import include, path
from rest_framework.routers import SimpleRouter

from .api import AlarmViews, MaintenanceViews, ShelvingViews

router = SimpleRouter()
router.register("alarms", AlarmViews, basename="alarm")
router.register("shelvings", ShelvingViews, basename="shelving")
router.register("maintenance", MaintenanceViews, basename="maintenance")

urlpatterns = [path("", include("monitoring.register.api_urls")), *router.urls]
