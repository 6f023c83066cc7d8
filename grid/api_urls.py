from django.urls import path
from rest_framework.routers import SimpleRouter

from . import api
from .rezoning.api import RezoningViews

router = SimpleRouter()
router.register("matters", api.MatterViews, basename="matter")
router.register("cells", api.CellViews, basename="cell")
router.register("workers", api.WorkerViews, basename="worker")
router.register("premises", api.PremisesViews, basename="premises")
router.register("grid/components", api.ComponentViews, basename="component")
router.register("departments", api.DepartmentViews, basename="department")
router.register("rezonings", RezoningViews, basename="rezoning")
router.register("divisions", api.DivisionViews, basename="division")

urlpatterns = [path("grid/", api.GridView.as_view(), name="grid-sources"), *router.urls]
