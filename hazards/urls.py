from django.urls import path

from . import pages

urlpatterns = [
    path("hazards/", pages.hazards, name="hazards"),
    path("hazards/export.<sheet:kind>", pages.hazards_sheet, name="hazards-sheet"),
    path("hazards/<uuid:hazard_id>/", pages.hazard, name="hazard-page"),
]
