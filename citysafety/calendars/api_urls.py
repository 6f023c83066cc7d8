from django.urls import path
from rest_framework.routers import SimpleRouter

from .api import GapsView, HandoverViews, LeaveViews, NowView, PostViews, ShiftViews, SwapViews

router = SimpleRouter()
router.register("duty/posts", PostViews, basename="duty-posts")
router.register("duty/shifts", ShiftViews, basename="duty-shifts")
router.register("duty/swaps", SwapViews, basename="duty-swaps")
router.register("duty/leaves", LeaveViews, basename="duty-leaves")
router.register("duty/handovers", HandoverViews, basename="duty-handovers")

urlpatterns = [
    path("duty/now/", NowView.as_view(), name="duty-now"),
    path("duty/gaps/", GapsView.as_view(), name="duty-gaps"),
    *router.urls,
]
