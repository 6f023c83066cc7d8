"""Pages of the wall and of leaders."""

from django.urls import path

from . import pages

urlpatterns = [
    path("wall/", pages.wall, name="wall"),
    path("leader/", pages.leader, name="leader"),
]
