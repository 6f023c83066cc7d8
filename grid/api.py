"""HTTP doors of the grid under /api/v1/: parse, one call, answer. Areas deny by default; foreign ones answer 404."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from citysafety import areas
from citysafety.accounts.models import Department
from citysafety.accounts.rights import area_q
from citysafety.accounts.roles import Role
from citysafety.api import area_asked, whole_number
from citysafety.coordinates import DATUMS, to_wgs84
from citysafety.tallies.api import told_at_the_door
from citysafety.viewsets import CountTwin

from . import figures, present, selectors
from .filters import CellFilter, ComponentFilter, MatterFilter, PremisesFilter, WorkerFilter
from .locate import in_frame, locate
from .models import Cell, Division, Matter

LIST_PARAMETERS = [OpenApiParameter(name, str) for name in ("area", "figure", "at")]


class AreaList(CountTwin, viewsets.GenericViewSet):
    """A list cut to the caller's area; ``figure`` with ``at`` gives the list that made a figure at a position."""

    beside_filters = ("area", "figure", "at")
    area_field = "area_code"
    subject = ""

    def filter_queryset(self, rows: QuerySet) -> QuerySet:
        asked = self.request.query_params
        area = area_asked(self.request)
        figure = asked.get("figure")
        if figure and figures.SUBJECT_OF.get(figure) != self.subject:
            raise ValidationError({"figure": _("This list makes no figure %(key)s.") % {"key": figure}})
        rows = super().filter_queryset(rows)
        if not figure:
            return rows.filter(**{f"{self.area_field}__startswith": area})
        at = whole_number(self.request, "at")
        with told_at_the_door():
            return selectors.pinned(rows, kind=self.subject, figure=figure, area=area, at=at)

    def present(self, row: Any) -> dict[str, Any]:
        raise NotImplementedError

    @extend_schema(parameters=LIST_PARAMETERS, responses=OpenApiTypes.OBJECT)
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([self.present(row) for row in page])


class MatterViews(CountTwin, viewsets.GenericViewSet):
    """GET /api/v1/matters/: the catalogue, readable by every role, with an ETag so that a phone asks cheaply."""

    queryset = Matter.objects.none()
    filterset_class = MatterFilter
    ordering = ("code",)
    lookup_field = "code"
    lookup_value_regex = "[^/]+"

    def get_queryset(self) -> QuerySet[Matter]:
        return selectors.matters_offered()

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def list(self, request: Request) -> HttpResponse:
        etag = f'"{selectors.catalogue_stamp()}-{get_language()}"' if not request.query_params.get("search") else None
        known = get_conditional_response(request, etag=etag) if etag else None
        if known is not None:
            return known
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        response = self.get_paginated_response([present.matter_answer(matter) for matter in page])
        if etag:
            response["ETag"] = etag
            response["Cache-Control"] = "private, no-cache"
        return response

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def retrieve(self, request: Request, code: str) -> Response:
        return Response(present.matter_answer(get_object_or_404(self.get_queryset(), code=code)))


class LocateInput(serializers.Serializer):
    lon = serializers.FloatField(min_value=-180, max_value=180)
    lat = serializers.FloatField(min_value=-90, max_value=90)
    accuracy_m = serializers.FloatField(min_value=0, max_value=100_000, required=False, allow_null=True, default=None)
    datum = serializers.ChoiceField(choices=DATUMS, default="wgs84")


class CellViews(AreaList):
    """GET /api/v1/cells/ and what a cell, a point and the map ask."""

    queryset = Cell.objects.none()
    filterset_class = CellFilter
    ordering = ("code",)
    subject = "cell"
    lookup_field = "code"
    lookup_value_regex = r"\d{15}"

    def get_queryset(self) -> QuerySet[Cell]:
        return selectors.cells_listed(timezone.localdate())

    def present(self, row: Cell) -> dict[str, Any]:
        return present.cell_answer(row)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def retrieve(self, request: Request, code: str) -> Response:
        cell = get_object_or_404(self.get_queryset().filter(area_q(request.user)), code=code)
        found = selectors.responsible(cell, timezone.localdate())
        outline = Cell.objects.values_list("geometry", flat=True).get(pk=cell.pk)
        answer = present.cell_answer(cell) | {"responsible": present.responsible_answer(found, request.user)}
        answer |= present.ended_answer(cell, selectors.successors(cell))
        return Response(answer | {"geometry": {"type": "MultiPolygon", "coordinates": outline.coords}})

    @extend_schema(parameters=[LocateInput], responses=OpenApiTypes.OBJECT)
    @action(detail=False, methods=["get"], pagination_class=None, filterset_class=None)
    def locate(self, request: Request) -> Response:
        """Say which cells a point lies in and who is responsible; workers may file anywhere, so any place answers."""
        given = LocateInput(data=request.query_params)
        given.is_valid(raise_exception=True)
        lon, lat = to_wgs84(given.validated_data["lon"], given.validated_data["lat"], given.validated_data["datum"])
        if not in_frame(lon, lat):
            message = _("%(lon).5f, %(lat).5f lies outside the city.") % {"lon": lon, "lat": lat}
            raise ValidationError({"lon": message})
        place = locate(lon, lat, given.validated_data["accuracy_m"])
        codes = {place.cell_code, place.dedicated_code, *(one["code"] for one in place.candidates)} - {""}
        today = timezone.localdate()
        cells = {cell.code: cell for cell in selectors.cells_listed(today).filter(code__in=codes)}
        people = selectors.responsible_for(cells.values(), today) if cells else {}

        def told(code: str) -> dict[str, Any] | None:
            if code not in cells:
                return None
            who = present.responsible_answer(people[cells[code].pk], request.user)
            return present.cell_answer(cells[code]) | {"responsible": who, "mine": who["mine"]}

        return Response(
            {
                "lon": round(lon, 6), "lat": round(lat, 6), "area": place.area_code, "cell": told(place.cell_code),
                "base": told(place.cell_code) if place.cell_kind == Cell.Kind.BASE else None,
                "sea": told(place.cell_code) if place.cell_kind == Cell.Kind.SEA else None,
                "dedicated": told(place.dedicated_code),
                "candidates": [told(one["code"]) for one in place.candidates if one["code"] in cells],
            }
        )  # fmt: skip

    @extend_schema(parameters=LIST_PARAMETERS[:1], responses=OpenApiTypes.OBJECT)
    @action(detail=False, methods=["get"], pagination_class=None, filterset_class=None)
    def state(self, request: Request) -> HttpResponse:
        """Say how heavy each cell's burden is: ``cells`` maps a code to [open, overdue]; cells without are left out."""
        return HttpResponse(selectors.burden(area_asked(request)), content_type="application/json")


class People(BasePermission):
    """Lists with names of persons are for people, not for wall screens."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.is_authenticated) and request.user.role != Role.KIOSK


class WorkerViews(AreaList):
    """GET /api/v1/workers/: workers of the caller's area."""

    permission_classes = (People,)

    queryset = Cell.objects.none()
    filterset_class = WorkerFilter
    ordering = ("number",)
    subject = "worker"

    def get_queryset(self) -> QuerySet:
        return selectors.workers_listed(timezone.localdate())

    def present(self, row: Any) -> dict[str, Any]:
        return present.worker_answer(row, timezone.localdate())


class PremisesViews(AreaList):
    """GET /api/v1/premises/: the register of premises of the caller's area."""

    permission_classes = (People,)

    queryset = Cell.objects.none()
    filterset_class = PremisesFilter
    ordering = ("code",)
    subject = "premises"

    def get_queryset(self) -> QuerySet:
        return selectors.premises_listed()

    def present(self, row: Any) -> dict[str, Any]:
        return present.premises_answer(row)


class NearByInput(serializers.Serializer):
    lon = serializers.FloatField(min_value=-180, max_value=180)
    lat = serializers.FloatField(min_value=-90, max_value=90)
    within_m = serializers.FloatField(min_value=1, max_value=500, required=False, default=30)
    datum = serializers.ChoiceField(choices=DATUMS, default="wgs84")


class ComponentViews(AreaList):
    """GET /api/v1/grid/components/: the components of the caller's area, and those around a point."""

    permission_classes = (People,)

    queryset = Cell.objects.none()
    filterset_class = ComponentFilter
    ordering = ("code",)
    subject = "component"
    lookup_field = "code"
    lookup_value_regex = r"\d{16}"

    def get_queryset(self) -> QuerySet:
        return selectors.components_listed()

    def present(self, row: Any) -> dict[str, Any]:
        return present.component_answer(row)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def retrieve(self, request: Request, code: str) -> Response:
        rows = self.get_queryset().filter(area_q(request.user))
        return Response(present.component_answer(get_object_or_404(rows, code=code)))

    @extend_schema(parameters=[NearByInput], responses=OpenApiTypes.OBJECT)
    @action(detail=False, methods=["get"], pagination_class=None, filterset_class=None)
    def near(self, request: Request) -> Response:
        """Name the components within some metres of a point, 30 without a word, the nearest first."""
        given = NearByInput(data=request.query_params)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        lon, lat = to_wgs84(data["lon"], data["lat"], data["datum"])
        found = selectors.components_near(request.user, lon=lon, lat=lat, within_m=data["within_m"])
        return Response({"results": [present.component_answer(one) | {"metres": far} for one, far in found]})


class DepartmentFilter(django_filters.FilterSet):
    area = django_filters.CharFilter(method="by_area")
    search = django_filters.CharFilter(method="by_words")

    class Meta:
        model = Department
        fields: list[str] = []

    def by_area(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """Keep offices inside an area, and those whose area holds it: they too may take its cases."""
        area = area_asked(self.request)
        return rows.filter(Q(area_code__startswith=area) | Q(area_code__in=areas.lineage(area)))

    def by_words(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        return rows.filter(Q(code__istartswith=value) | Q(name_zh__icontains=value) | Q(name_en__icontains=value))


class DepartmentViews(CountTwin, viewsets.GenericViewSet):
    """GET /api/v1/departments/: offices a case may go to; names of offices are no secret in the city."""

    queryset = Department.objects.none()
    filterset_class = DepartmentFilter
    ordering = ("code",)

    def get_queryset(self) -> QuerySet[Department]:
        return Department.objects.select_related("parent")

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([present.department_answer(row) for row in page])


class DivisionFilter(django_filters.FilterSet):
    parent = django_filters.CharFilter(method="by_parent")
    level = django_filters.ChoiceFilter(choices=Division.Level)

    class Meta:
        model = Division
        fields: list[str] = []

    def by_parent(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        try:
            return rows.filter(parent=areas.normal(value))
        except areas.UnknownArea as error:
            raise Http404 from error


class DivisionViews(CountTwin, viewsets.GenericViewSet):
    """GET /api/v1/divisions/?parent=: names and codes of divisions, public facts."""

    queryset = Division.objects.none()
    filterset_class = DivisionFilter
    ordering = ("code",)

    def get_queryset(self) -> QuerySet[Division]:
        return Division.objects.defer("outline")

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([present.division_answer(row) for row in page])


class GridView(APIView):
    """GET /api/v1/grid/: the version of the cells, where its tiles and base layers are, and the credits to show."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return Response(selectors.map_sources())
