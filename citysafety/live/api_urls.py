"""Addresses of the live line, under /api/v1/."""

from django.urls import path

from .api import Since

urlpatterns = [path("live/since/<int:position>/", Since.as_view(), name="live-since")]
