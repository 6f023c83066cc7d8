"""HTTP doors of the register under /api/v1/: systems, devices, and addresses that nobody knows. They read."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import viewsets
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from citysafety.accounts.roles import Role
from citysafety.api import area_asked
from citysafety.viewsets import CountTwin

from ..models import Device, System, UnknownDevice
from . import present, selectors
from .filters import DeviceFilter

AREA = [OpenApiParameter("area", str)]


class People(BasePermission):
    """Devices have companies and plates: for people, not for wall screens."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.is_authenticated) and request.user.role != Role.KIOSK


class Readers(BasePermission):
    """Who reads the addresses that nobody knows: the whole city's business, no area's."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.is_authenticated) and request.user.role in selectors.UNKNOWN_READERS


class DeviceViews(CountTwin, viewsets.GenericViewSet):
    """GET /api/v1/devices/: the devices of the caller's area, by number; handlers: those of their department."""

    permission_classes = (People,)
    queryset = Device.objects.none()
    filterset_class = DeviceFilter
    beside_filters = ("area",)
    ordering = ("code",)
    lookup_field = "code"
    lookup_value_regex = "[^/]+"

    def get_queryset(self) -> QuerySet[Device]:
        rows = selectors.devices_seen_by(self.request.user, area_asked(self.request))
        return selectors.with_online(rows, timezone.now())

    @extend_schema(parameters=AREA, responses=OpenApiTypes.OBJECT)
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([present.device_answer(row) for row in page])

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def retrieve(self, request: Request, code: str) -> Response:
        rows = selectors.with_online(selectors.devices_seen_by(request.user), timezone.now())
        device = get_object_or_404(rows, code=code)
        streams = [present.datastream_answer(one) for one in selectors.datastreams_of(device)]
        return Response(present.device_answer(device) | {"datastreams": streams})


class SystemViews(CountTwin, viewsets.GenericViewSet):
    """GET /api/v1/systems/: the systems, how far they are joined, and their devices in the caller's area."""

    permission_classes = (People,)
    queryset = System.objects.none()
    beside_filters = ("area",)
    ordering = ("position", "code")
    lookup_field = "code"
    lookup_value_regex = "[-a-zA-Z0-9_]+"

    def get_queryset(self) -> QuerySet[System]:
        area_asked(self.request)
        return System.objects.order_by("position", "code")

    @extend_schema(parameters=AREA, responses=OpenApiTypes.OBJECT)
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        found = selectors.standings(request.user, at=timezone.now(), area=area_asked(request))
        by_code = {one.system.pk: one for one in found}
        return self.get_paginated_response([present.system_answer(by_code[row.pk]) for row in page])

    @extend_schema(parameters=AREA, responses=OpenApiTypes.OBJECT)
    def retrieve(self, request: Request, code: str) -> Response:
        found = selectors.standings(request.user, at=timezone.now(), area=area_asked(request), code=code)
        if not found:
            raise Http404
        return Response(present.system_answer(found[0]))


class UnknownViews(CountTwin, viewsets.GenericViewSet):
    """GET /api/v1/devices/unknown/: addresses that speak and that no device has, the newest first."""

    permission_classes = (Readers,)
    queryset = UnknownDevice.objects.none()
    ordering = ("-last_at", "-id")

    def get_queryset(self) -> QuerySet[UnknownDevice]:
        return selectors.unknown_listed()

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([present.unknown_answer(row) for row in page])
