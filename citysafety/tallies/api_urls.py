"""Addresses of the figures, under /api/v1/."""

from django.urls import path

from .api import ByCategory, Figures, Series

urlpatterns = [
    path("figures/", Figures.as_view(), name="figures"),
    path("figures/series/", Series.as_view(), name="figures-series"),
    path("figures/by-category/", ByCategory.as_view(), name="figures-by-category"),
]
