"""Addresses of sockets."""

from django.urls import path, re_path

from .consumers import live, nowhere

websocket_urlpatterns = [path("ws/live/", live), re_path("", nowhere)]
