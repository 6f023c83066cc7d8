"""Addresses of the live line, under /api/v1/."""

from django.urls import path

from .api import PresenceDoor, Since

urlpatterns = [
    path("live/since/<int:position>/", Since.as_view(), name="live-since"),
    path("live/presence/", PresenceDoor.as_view(), name="presence"),
]
