"""Pages of the wall."""

from django.urls import path

from . import pages

urlpatterns = [
    path("wall/", pages.wall, name="wall"),
]
