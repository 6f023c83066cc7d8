from django.urls import include, path

from . import pages

urlpatterns = [
    path("", include("monitoring.register.urls")),
    path("monitoring/alarms/", pages.alarms, name="alarms"),
    path("monitoring/alarms/export.<sheet:kind>", pages.alarms_sheet, name="alarms-sheet"),
    path("monitoring/alarms/quality/", pages.quality, name="alarms-quality"),
    path("monitoring/alarms/<uuid:alarm_id>/", pages.alarm, name="alarm-page"),
]
