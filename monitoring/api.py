"""HTTP doors of alarms under /api/v1/: lists, steps, shelvings, maintenance. Parse, one call, answer."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from citysafety.api import Light, answer_once, area_asked, known_answer, uuid_in, whole_number
from citysafety.lifecycle import StepNotAllowed
from citysafety.tallies.api import told_at_the_door
from citysafety.viewsets import CountTwin, Historied, not_possible, steps_answer
from hazards.refusals import told

from . import selectors
from .filters import AlarmFilter, MaintenanceFilter, ShelvingFilter
from .lifecycle import LIFECYCLE, VERBS
from .models import READERS, Alarm, Maintenance, Shelving
from .present import alarm_answer, maintenance_answer, shelving_answer, step_answer
from .services.maintenance import Works, begin_maintenance, end_maintenance
from .services.steps import AlarmInput, KeptFrom, end_shelving, permitted, steps_open_to, take_step


class Readers(BasePermission):
    """Roles whose work alarms are; to all others what keeps alarms quiet is not there."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.is_authenticated) and request.user.role in READERS


class StepFields(Light):
    id = serializers.UUIDField()
    version = serializers.IntegerField(min_value=1, required=False, allow_null=True, default=None)
    reason = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    words = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    department = serializers.CharField(max_length=32, required=False, allow_blank=True, default="")
    until = serializers.DateTimeField(required=False, allow_null=True, default=None)
    matter = serializers.CharField(max_length=16, required=False, allow_blank=True, default="")
    criterion = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class WorksFields(serializers.Serializer):
    id = serializers.UUIDField()
    area = serializers.CharField(max_length=15)
    kind = serializers.CharField(max_length=32, required=False, allow_blank=True, default="")
    begins_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    reason = serializers.CharField(max_length=500)


class EndFields(serializers.Serializer):
    id = serializers.UUIDField()


class AlarmViews(CountTwin, Historied, viewsets.GenericViewSet):
    """Alarms: lists, one, its history, steps."""

    filterset_class = AlarmFilter
    beside_filters = ("area", "figure", "at")
    ordering = ("-raised_at", "id")

    def get_queryset(self) -> QuerySet[Alarm]:
        if getattr(self, "swagger_fake_view", False):
            return Alarm.objects.none()
        return selectors.alarms_seen_by(self.request.user)

    def filter_queryset(self, rows: QuerySet[Alarm]) -> QuerySet[Alarm]:
        """Apply the filters; ``figure`` with ``at`` gives the list that made a figure at a position."""
        rows = super().filter_queryset(rows)
        asked = self.request.query_params
        area = area_asked(self.request) if asked.get("area") else ""
        at = whole_number(self.request, "at")
        if figure := asked.get("figure"):
            with told_at_the_door():
                return selectors.pinned(rows, figure=figure, area=area or area_asked(self.request), at=at)
        return rows.filter(area_code__startswith=area) if area else rows

    def history_of(self, record: Alarm) -> QuerySet:
        return selectors.history(record)

    def history_row(self, row: Any) -> dict[str, Any]:
        return step_answer(row)

    @extend_schema(
        parameters=[OpenApiParameter(n, str) for n in ("area", "figure", "at")], responses=OpenApiTypes.OBJECT
    )
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([alarm_answer(alarm) for alarm in page])

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(alarm_answer(self.get_object()))

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"])
    def steps(self, request: Request, pk: str) -> Response:
        return Response(steps_answer(steps_open_to(request.user, self.get_object())))

    @extend_schema(request=StepFields, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"], url_path=f"(?P<verb>{'|'.join(VERBS)})", url_name="step")
    def take(self, request: Request, pk: str, verb: str) -> Response:
        """Take a step. Order of refusals: 401, 404, known id, 403, 400, 409."""
        alarm = self.get_object()
        to = f"alarms/{alarm.pk}/{verb}"
        if (claimed := uuid_in(request.data)) and (known := known_answer(claimed, request, to=to)):
            return known
        with told():
            permitted(request.user, verb, alarm)
        given = StepFields(data=request.data)
        given.is_valid(raise_exception=True)
        data = dict(given.validated_data)
        words = data.pop("words") or data.pop("reason")
        data.pop("reason", None)
        step = AlarmInput(words=words, **data)

        def act() -> tuple[int, dict[str, Any]]:
            def why(refusal: StepNotAllowed) -> str:
                return str(refusal) if isinstance(refusal, KeptFrom) else not_possible(LIFECYCLE, verb, alarm)

            with told(lambda: _present(alarm), why=why):
                take_step(alarm_id=alarm.pk, action=verb, given=step, actor=request.user, at=timezone.now())
            return 200, _present(alarm)

        return answer_once(step.id, request, act, to=to)


def _present(alarm: Alarm) -> dict[str, Any]:
    """Return an alarm as it stands now; assigned to others, it may be out of sight for who assigned it."""
    return alarm_answer(selectors.named(Alarm.objects.all()).get(pk=alarm.pk))


class ShelvingViews(CountTwin, viewsets.GenericViewSet):
    """What is shelved: lists, and an end before its time."""

    permission_classes = (Readers,)
    filterset_class = ShelvingFilter
    lookup_value_regex = r"\d{1,9}"
    ordering = ("-began_at", "id")

    def get_queryset(self) -> QuerySet[Shelving]:
        if getattr(self, "swagger_fake_view", False):
            return Shelving.objects.none()
        return Shelving.objects.visible_to(self.request.user).select_related("rule", "by")

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([shelving_answer(row) for row in page])

    @extend_schema(request=EndFields, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str) -> Response:
        """End a shelving before its time; its open alarm is heard again."""
        row = self.get_object()
        given = EndFields(data=request.data)
        given.is_valid(raise_exception=True)

        def act() -> tuple[int, dict[str, Any]]:
            with told(lambda: shelving_answer(self.get_object())):
                end_shelving(shelving_id=row.pk, by=request.user, at=timezone.now())
            return 200, shelving_answer(self.get_object())

        return answer_once(given.validated_data["id"], request, act, to=f"shelvings/{row.pk}/end")


class MaintenanceViews(CountTwin, viewsets.GenericViewSet):
    """Works on the devices of an area: lists, new ones, an end before their time."""

    permission_classes = (Readers,)
    filterset_class = MaintenanceFilter
    beside_filters = ("area",)
    lookup_value_regex = r"\d{1,9}"
    ordering = ("-begins_at", "id")

    def get_queryset(self) -> QuerySet[Maintenance]:
        if getattr(self, "swagger_fake_view", False):
            return Maintenance.objects.none()
        return Maintenance.objects.visible_to(self.request.user).select_related("kind", "by")

    def filter_queryset(self, rows: QuerySet[Maintenance]) -> QuerySet[Maintenance]:
        rows = super().filter_queryset(rows)
        asked = self.request.query_params.get("area")
        return rows.filter(area_code__startswith=area_asked(self.request)) if asked else rows

    @extend_schema(parameters=[OpenApiParameter("area", str)], responses=OpenApiTypes.OBJECT)
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([maintenance_answer(row) for row in page])

    @extend_schema(request=WorksFields, responses={201: OpenApiTypes.OBJECT, 200: OpenApiTypes.OBJECT})
    def create(self, request: Request) -> Response:
        """Say that an area is worked on: alarms of its devices are kept quiet meanwhile."""
        if (claimed := uuid_in(request.data)) and (known := known_answer(claimed, request, to="maintenance/")):
            return known
        given = WorksFields(data=request.data)
        given.is_valid(raise_exception=True)
        data = dict(given.validated_data)
        claimed = data.pop("id")

        def act() -> tuple[int, dict[str, Any]]:
            with told():
                row = begin_maintenance(works=Works(**data), by=request.user, at=timezone.now())
            return 201, maintenance_answer(row)

        return answer_once(claimed, request, act, to="maintenance/")

    @extend_schema(request=EndFields, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str) -> Response:
        """End works before their time; what still stands is heard again."""
        row = self.get_object()
        given = EndFields(data=request.data)
        given.is_valid(raise_exception=True)

        def act() -> tuple[int, dict[str, Any]]:
            with told(lambda: maintenance_answer(self.get_object())):
                end_maintenance(maintenance_id=row.pk, by=request.user, at=timezone.now())
            return 200, maintenance_answer(self.get_object())

        return answer_once(given.validated_data["id"], request, act, to=f"maintenance/{row.pk}/end")
