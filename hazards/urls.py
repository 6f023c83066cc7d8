from django.urls import path

from . import pages
from .evaluation import pages as evaluation

urlpatterns = [
    path("hazards/", pages.hazards, name="hazards"),
    path("hazards/export.<sheet:kind>", pages.hazards_sheet, name="hazards-sheet"),
    path("hazards/evaluation/", evaluation.evaluation, name="evaluation"),
    path("hazards/evaluation/export.<sheet:kind>", evaluation.evaluation_sheet, name="evaluation-sheet"),
    path("hazards/evaluation/doubts/", evaluation.doubts, name="evaluation-doubts"),
    path("hazards/evaluation/doubts/<int:pk>/set-aside/", evaluation.set_aside, name="evaluation-set-aside"),
    path("hazards/<uuid:hazard_id>/", pages.hazard, name="hazard-page"),
]
