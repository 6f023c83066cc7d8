"""HTTP doors of inspections under /api/v1/inspections/: parse, one call, answer."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from citysafety.api import Conflict, Unprocessable, answer_once, area_asked, known_answer, uuid_in
from citysafety.evidence import services as evidence
from citysafety.evidence.doors import ClaimInput, role_asked, take_photo
from citysafety.viewsets import CountTwin, Historied
from grid.models import Premises

from ..api import LocationInput
from ..photographed import Photographed
from . import selectors
from .filters import InspectionFilter, PlanFilter
from .models import INSPECTORS, VIEWERS, CheckedKind, Inspection, InspectionPlan, Outcome
from .present import inspection_answer, plan_answer, result_answer, version_answer
from .services import InspectionRefused, Looked, NotOpen, Visit, may_inspect, photo_came, record_inspection

TO = "inspections/"


class Viewers(BasePermission):
    """Roles that have a part in inspections; to all others their lists are not there."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.is_authenticated) and request.user.role in VIEWERS


class LookedInput(serializers.Serializer):
    item = serializers.CharField(max_length=12)
    result = serializers.ChoiceField(choices=Outcome.choices)
    words = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")
    hazard = serializers.UUIDField(required=False, allow_null=True, default=None, help_text="Its id, where it fails.")


class VisitInput(serializers.Serializer):
    id = serializers.UUIDField()
    premises = serializers.CharField(max_length=24)
    checklist_version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    position = LocationInput(required=False, allow_null=True, default=None)
    results = LookedInput(many=True, allow_empty=False)
    inspected_at = serializers.DateTimeField()
    words = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    of = serializers.UUIDField(required=False, allow_null=True, default=None, help_text="What is inspected again.")


class InspectionViews(CountTwin, Historied, Photographed, viewsets.GenericViewSet):
    """Inspections: record one, look at those of one's area, see what is due."""

    permission_classes = (Viewers,)
    filterset_class = InspectionFilter
    beside_filters = ("area",)
    ordering = ("-received_at", "id")
    history_order = ("round",)

    def get_queryset(self) -> QuerySet[Inspection]:
        if getattr(self, "swagger_fake_view", False):
            return Inspection.objects.none()
        return selectors.inspections_seen_by(self.request.user)

    def filter_queryset(self, rows: QuerySet) -> QuerySet:
        rows = super().filter_queryset(rows)
        asked = self.request.query_params.get("area")
        return rows.filter(area_code__startswith=area_asked(self.request)) if asked else rows

    def photos_of(self, record: Inspection) -> QuerySet:
        return selectors.photos(record)

    def history_of(self, record: Inspection) -> QuerySet[Inspection]:
        """The first visit and its re-inspections."""
        return selectors.rounds_of(record)

    def history_row(self, row: Inspection) -> dict[str, Any]:
        return inspection_answer(row)

    @extend_schema(parameters=[OpenApiParameter("area", str)], responses=OpenApiTypes.OBJECT)
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([inspection_answer(row) for row in page])

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(_whole(self.get_object(), request.user))

    @extend_schema(request=VisitInput, responses={201: OpenApiTypes.OBJECT, 200: OpenApiTypes.OBJECT})
    def create(self, request: Request) -> Response:
        """Record an inspection once; every item that failed becomes a hazard, or is linked to the one that is open."""
        if request.user.role not in INSPECTORS:
            raise PermissionDenied(_("Your role inspects no premises."))
        claimed = uuid_in(request.data)
        if claimed and (known := known_answer(claimed, request, to=TO)):
            return known
        given = VisitInput(data=request.data)
        given.is_valid(raise_exception=True)
        data = dict(given.validated_data)
        place = self._place(data.pop("premises"))
        try:
            return answer_once(
                data["id"], request, lambda: (status.HTTP_201_CREATED, _recorded(place, data, request.user)), to=TO
            )
        except IntegrityError as error:
            if taken(data):
                raise Unprocessable({"id": _("This id was used for something else.")}) from error
            raise

    def _place(self, code: str) -> Premises:
        place = selectors.premises_open_to(self.request.user).filter(code=code).first()
        if place is None or not may_inspect(self.request.user, place):
            raise Http404
        return place

    @extend_schema(parameters=[OpenApiParameter("premises", str, required=True)], responses=OpenApiTypes.OBJECT)
    @action(detail=False, methods=["get"], pagination_class=None, filterset_class=None)
    def checklist(self, request: Request) -> Response:
        """Say what is looked at in a premises today."""
        code = request.query_params.get("premises", "")
        place = get_object_or_404(selectors.premises_open_to(request.user), code=code)
        kind = get_object_or_404(CheckedKind, kind=place.kind_id)
        version = selectors.version_in_force(kind.checklist_id, timezone.localdate())
        if version is None:
            raise Http404
        return Response(version_answer(version))

    @extend_schema(
        parameters=[OpenApiParameter("role", str, description="code of an item that failed"), ClaimInput],
        request=OpenApiTypes.BINARY,
        responses={200: OpenApiTypes.OBJECT, 201: OpenApiTypes.OBJECT},
    )
    def photo(self, request: Request, pk: str, sha256: str) -> Response:
        """Take a photo of an item that failed, from who inspected."""
        inspection = self.get_object()
        if inspection.inspector_id != request.user.pk:
            raise PermissionDenied(_("Only who inspected adds photos to an inspection."))
        role = role_asked(request, sorted(selectors.failed_items(inspection)))
        photo = {"kind": "inspection", "subject_id": str(inspection.pk), "role": role, "sha256": sha256}
        at = timezone.now()
        if at > inspection.photos_until and not evidence.is_there(**photo):
            words = _("Photos of this inspection were taken until %(until)s; it is %(now)s.")
            times = {"until": f"{localtime(inspection.photos_until):%F %H:%M}", "now": f"{localtime(at):%F %H:%M}"}
            raise Conflict(words % times)
        answer = take_photo(request, **photo, step_id=None)
        photo_came(inspection, role, at=at)
        return answer


class DueViews(CountTwin, viewsets.GenericViewSet):
    """GET /api/v1/inspections/due/: the plan of the caller's area, what is late first."""

    permission_classes = (Viewers,)
    filterset_class = PlanFilter
    beside_filters = ("area",)
    ordering = ("due_on", "premises_id")

    def get_queryset(self) -> QuerySet[InspectionPlan]:
        if getattr(self, "swagger_fake_view", False):
            return InspectionPlan.objects.none()
        return selectors.plans_seen_by(self.request.user)

    def filter_queryset(self, rows: QuerySet) -> QuerySet:
        return super().filter_queryset(rows).filter(area_code__startswith=area_asked(self.request))

    @extend_schema(parameters=[OpenApiParameter("area", str)], responses=OpenApiTypes.OBJECT)
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        today = timezone.localdate()
        return self.get_paginated_response([plan_answer(row, today) for row in page])


def _recorded(place: Premises, data: dict[str, Any], inspector: Any) -> dict[str, Any]:
    """Call the service and turn its refusals into answers."""
    position = data["position"] or {}
    visit = Visit(
        id=data["id"],
        version=data["checklist_version"],
        inspected_at=data["inspected_at"],
        words=data["words"],
        of=data["of"],
        results=list(_looked(data["results"])),
        **{name: position.get(name) for name in ("lon", "lat", "accuracy_m")},
    )
    try:
        row = record_inspection(place=place, visit=visit, inspector=inspector, at=timezone.now())
    except InspectionRefused as refusal:
        raise ValidationError(refusal.errors) from refusal
    except NotOpen as refusal:
        raise Conflict(str(refusal)) from refusal
    return _whole(row, inspector)


def _looked(rows: Iterable[dict[str, Any]]) -> Iterable[Looked]:
    for row in rows:
        yield Looked(**{name: value for name, value in row.items() if name != "hazard" or value})


def _whole(row: Inspection, reader: Any) -> dict[str, Any]:
    return inspection_answer(row) | {"results": [result_answer(found) for found in selectors.results_of(row, reader)]}


def taken(data: dict[str, Any]) -> bool:
    """Test whether an id of a filing is somebody's already: of an inspection, or of a hazard."""
    wanted: list[UUID] = [one["hazard"] for one in data["results"] if one["hazard"]]
    return Inspection.objects.filter(pk=data["id"]).exists() or selectors.Hazard.objects.filter(pk__in=wanted).exists()
