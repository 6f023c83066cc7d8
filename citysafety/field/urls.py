"""Addresses of the phone's pages."""

from django.urls import path

from . import pages

app_name = "field"

urlpatterns = [
    path("field/", pages.home, name="home"),
    path("field/ping/", pages.ping, name="ping"),
    path("field/report/", pages.report, name="report"),
    path("field/queue/", pages.queue, name="queue"),
    path("field/cases/", pages.cases, name="cases"),
    path("field/cases/<uuid:hazard_id>/", pages.case, name="case"),
    path("field/cases/<uuid:hazard_id>/<slug:action>/", pages.step, name="step"),
]
