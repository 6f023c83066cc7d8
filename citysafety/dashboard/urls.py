"""Pages of the wall, of trends and of leaders."""

from django.urls import path

from . import pages

urlpatterns = [
    path("wall/", pages.wall, name="wall"),
    path("trends/", pages.trends, name="trends"),
    path("leader/", pages.leader, name="leader"),
]
