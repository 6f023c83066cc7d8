from django.urls import path

from . import pages

urlpatterns = [
    path("inspections/", pages.due, name="inspections"),
    path("inspections/done/", pages.done, name="inspections-done"),
    path("inspections/new/", pages.new, name="inspection-new"),
    path("inspections/premises/<str:code>/", pages.place, name="inspections-of-premises"),
    path("inspections/<uuid:inspection_id>/", pages.inspection, name="inspection-page"),
]
