"""Addresses of the lean service."""

from django.urls import path

from .views import Hazards, Reports

urlpatterns = [path("reports/", Reports.as_view()), path("hazards/", Hazards.as_view())]
