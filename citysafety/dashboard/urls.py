"""Pages of the wall and of trends."""

from django.urls import path

from . import pages

urlpatterns = [
    path("wall/", pages.wall, name="wall"),
    path("trends/", pages.trends, name="trends"),
]
