from django.urls import path

from . import pages

urlpatterns = [
    path("centre/", pages.centre, name="centre"),
    path("centre/hazard/<uuid:subject_id>/", pages.hazard, name="centre-hazard"),
    path("centre/supervision/<uuid:subject_id>/", pages.supervision, name="centre-supervision"),
]
