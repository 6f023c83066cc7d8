from django.urls import path

from . import pages

urlpatterns = [path("chain/<slug:kind>/<uuid:subject_id>/", pages.chain, name="chain")]
