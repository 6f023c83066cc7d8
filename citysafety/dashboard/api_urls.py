"""Addresses that the wall's page reads, under /api/v1/."""

from django.urls import path

from .api import MuteEnd, Mutes, WallItems, WallPoints, WallSnapshot

urlpatterns = [
    path("wall/", WallSnapshot.as_view(), name="wall-snapshot"),
    path("wall/points/", WallPoints.as_view(), name="wall-points"),
    path("wall/items/", WallItems.as_view(), name="wall-items"),
    path("wall/mutes/", Mutes.as_view(), name="wall-mutes"),
    path("wall/mutes/<uuid:pk>/end/", MuteEnd.as_view(), name="wall-mute-end"),
]
