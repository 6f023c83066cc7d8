from django.urls import path

from . import pages

urlpatterns = [
    path("monitoring/", pages.overview, name="monitoring"),
    path("monitoring/systems/<slug:code>/", pages.system, name="monitoring-system"),
    path("monitoring/systems/<slug:code>/move/", pages.move_system, name="monitoring-system-move"),
    path("monitoring/register/", pages.register, name="monitoring-register"),
    path("monitoring/unknown/", pages.unknown, name="monitoring-unknown"),
    path("monitoring/unknown/<int:pk>/<slug:verb>/", pages.settle_unknown, name="monitoring-unknown-settle"),
    path("monitoring/devices/", pages.devices, name="monitoring-devices"),
    path("monitoring/devices/export.<sheet:kind>", pages.devices_sheet, name="monitoring-devices-sheet"),
    path("monitoring/devices/new/", pages.new_device, name="monitoring-device-new"),
    path("monitoring/devices/<str:code>/", pages.device, name="monitoring-device"),
    path("monitoring/devices/<str:code>/edit/", pages.edit_device, name="monitoring-device-edit"),
    path("monitoring/devices/<str:code>/move/", pages.move_device, name="monitoring-device-move"),
    path("monitoring/datastreams/<int:pk>/", pages.datastream, name="monitoring-datastream"),
]
