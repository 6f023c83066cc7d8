from django.urls import path

from . import pages

urlpatterns = [
    path("hazards/", pages.hazards, name="hazards"),
    path("hazards/<uuid:hazard_id>/", pages.hazard, name="hazard-page"),
]
