"""Re-zonings under /api/v1/rezonings/: parse, one call, answer. Verbs are acted on once, however often they are sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import django_filters
from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from citysafety.accounts.rights import sentence
from citysafety.api import Conflict, Unprocessable, answer_once, area_asked, known_answer, uuid_in
from citysafety.lifecycle import StepNotAllowed
from citysafety.viewsets import CountTwin, Historied, not_possible
from citysafety.workdays import CITY_TIME

from .. import selectors
from ..lifecycle import LIFECYCLE, PENDING, VERBS, RezoningState
from ..models import DraftCell, Rezoning, RezoningStep
from ..models.rezoning import VIEWERS
from ..services import draft_rezoning, take_rezoning_step
from ..services.rezoning import NotAllowed, Refused, StaleVersion, StepInput, permitted, steps_open_to
from .present import draft_answer, preview_answer, rezoning_answer, step_answer
from .preview import preview
from .sketch import Drawing


class Viewers(IsAuthenticated):
    """Re-zonings are open to those who draft, approve or audit them."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return super().has_permission(request, view) and request.user.role in VIEWERS


class RezoningFilter(django_filters.FilterSet):
    """Filters of the list; ``pending`` keeps what is neither in force nor ended."""

    state = django_filters.MultipleChoiceFilter(choices=RezoningState, label=gettext_lazy("state"))
    cell = django_filters.CharFilter(method="by_cell", label=gettext_lazy("cell"))

    class Meta:
        model = Rezoning
        fields: list[str] = []

    def by_cell(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        return rows.filter(pk__in=selectors.rezonings_of_cell(value))


class PointField(serializers.ListField):
    """[longitude, latitude] in WGS 84."""

    def __init__(self, **more: Any) -> None:
        child = serializers.FloatField(min_value=-180, max_value=180)
        super().__init__(child=child, min_length=2, max_length=2, **more)


class DrawingFields(serializers.Serializer):
    operation = serializers.ChoiceField(choices=Drawing.OPERATIONS)
    cells = serializers.ListField(
        child=serializers.CharField(max_length=20), max_length=2, required=False, default=list
    )
    line = serializers.ListField(child=PointField(), max_length=200, required=False, default=list)
    geojson = serializers.DictField(required=False, allow_null=True, default=None)

    def drawing(self) -> Drawing:
        data = self.validated_data
        line = tuple((lon, lat) for lon, lat in data["line"])
        return Drawing(operation=data["operation"], cells=tuple(data["cells"]), line=line, geojson=data["geojson"])


class Moment(serializers.DateTimeField):
    def __init__(self, **more: Any) -> None:
        super().__init__(default_timezone=CITY_TIME, required=False, allow_null=True, **more)


class RezoningDraftFields(DrawingFields):
    id = serializers.UUIDField()
    reason = serializers.CharField(max_length=1000)
    basis = serializers.CharField(max_length=200)
    effective_at = Moment(default=None)


class RezonedCellFields(serializers.Serializer):
    code = serializers.CharField(max_length=15)
    name_zh = serializers.CharField(max_length=120, required=False, allow_blank=True)
    name_en = serializers.CharField(max_length=160, required=False, allow_blank=True)
    worker = serializers.CharField(max_length=16, required=False, allow_blank=True, allow_null=True)
    nobody_yet = serializers.BooleanField(required=False, default=False)


class RezoningStepFields(serializers.Serializer):
    id = serializers.UUIDField()
    version = serializers.IntegerField(min_value=1)
    words = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    reason = serializers.CharField(max_length=1000, required=False, allow_blank=True)
    basis = serializers.CharField(max_length=200, required=False, allow_blank=True)
    effective_at = Moment()
    cells = RezonedCellFields(many=True, required=False)


def step_input(verb: str, data: dict[str, Any], drawing: Drawing | None = None) -> StepInput:
    """Return what a step is given. ``reason`` is the words of a step, but that of the re-zoning where this is settled."""
    settles = verb == "settle"
    return StepInput(
        id=data["id"], version=data["version"], drawing=drawing, cells=data.get("cells") or () if settles else (),
        words=data.get("words") or ("" if settles else data.get("reason") or ""),
        reason=data.get("reason") if settles else None, basis=data.get("basis") if settles else None,
        effective_at=data.get("effective_at"), is_dated=settles and "effective_at" in data,
    )  # fmt: skip


class RezoningViews(CountTwin, Historied, viewsets.GenericViewSet):
    """Re-zonings of the own area: drafted, looked at, stepped."""

    permission_classes = (Viewers,)
    filterset_class = RezoningFilter
    beside_filters = ("area",)
    ordering = ("-drafted_at", "id")

    def get_queryset(self) -> QuerySet[Rezoning]:
        if getattr(self, "swagger_fake_view", False):
            return Rezoning.objects.none()
        return selectors.rezonings_seen_by(self.request.user)

    def filter_queryset(self, rows: QuerySet[Rezoning]) -> QuerySet[Rezoning]:
        rows = super().filter_queryset(rows)
        asked = self.request.query_params.get("area")
        return rows.filter(area_code__startswith=area_asked(self.request)) if asked else rows

    def history_of(self, record: Rezoning) -> QuerySet[RezoningStep]:
        return record.steps.select_related("actor")

    def history_row(self, row: RezoningStep) -> dict[str, Any]:
        return step_answer(row)

    @extend_schema(parameters=[OpenApiParameter("area", str)], responses=OpenApiTypes.OBJECT)
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([rezoning_answer(row) for row in page])

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self._whole(self.get_object()))

    def _whole(self, rezoning: Rezoning) -> dict[str, Any]:
        drafts = DraftCell.objects.filter(rezoning=rezoning).select_related("worker").order_by("code")
        return rezoning_answer(rezoning) | {"cells": [draft_answer(draft) for draft in drafts]}

    @extend_schema(request=RezoningDraftFields, responses={201: OpenApiTypes.OBJECT, 200: OpenApiTypes.OBJECT})
    def create(self, request: Request) -> Response:
        """Draft a re-zoning: split a cell along a line, join two, or new outlines as GeoJSON."""
        if (claimed := uuid_in(request.data)) and (known := known_answer(claimed, request, to="rezonings/")):
            return known
        given = RezoningDraftFields(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data

        def draft() -> tuple[int, Any]:
            rezoning = draft_rezoning(
                id=data["id"], drawing=given.drawing(), reason=data["reason"], basis=data["basis"],
                effective_at=data["effective_at"], actor=request.user, at=timezone.now(),
            )  # fmt: skip
            return 201, self._whole(self.get_queryset().get(pk=rezoning.pk))

        with told():
            return answer_once(data["id"], request, draft, to="rezonings/")

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"])
    def preview(self, request: Request, pk: str) -> Response:
        """Say what would move, from where to where, and what stays; of one that is in force there is nothing to say."""
        rezoning = self.get_object()
        if rezoning.state not in PENDING:
            raise Conflict(_("It is no draft any more; what moved stands in the history of each case."))
        return Response(preview_answer(preview(rezoning, timezone.now())))

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"])
    def steps(self, request: Request, pk: str) -> Response:
        """Say which steps the caller may take now."""
        rows = steps_open_to(request.user, self.get_object())
        return Response([{"action": s.action, "label": str(s.label), "requires": list(s.requires)} for s in rows])

    @extend_schema(request=RezoningStepFields, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"], url_path=f"(?P<verb>{'|'.join(VERBS)})", url_name="step")
    def take(self, request: Request, pk: str, verb: str) -> Response:
        """Take a step. Refusals in this order: 404, known id, 403, 409, 400."""
        rezoning = self.get_object()
        to = f"rezonings/{rezoning.pk}/{verb}/"
        if (claimed := uuid_in(request.data)) and (known := known_answer(claimed, request, to=to)):
            return known
        with told():
            permitted(request.user, verb, rezoning)
        self._must_be_open(rezoning, verb, request.data)
        given = RezoningStepFields(data=request.data)
        given.is_valid(raise_exception=True)
        drawing = None
        if verb == "draw":
            drawn = DrawingFields(data=request.data)
            drawn.is_valid(raise_exception=True)
            drawing = drawn.drawing()
        step = step_input(verb, given.validated_data, drawing)

        def act() -> tuple[int, Any]:
            take_rezoning_step(rezoning_id=rezoning.pk, action=verb, given=step, actor=request.user, at=timezone.now())
            return 200, self._whole(self.get_queryset().get(pk=rezoning.pk))

        try:
            with told():
                return answer_once(step.id, request, act, to=to)
        except Conflict as refusal:
            refusal.present = self._whole(self.get_queryset().get(pk=rezoning.pk))
            raise

    def _must_be_open(self, rezoning: Rezoning, verb: str, data: Any) -> None:
        words = ""
        try:
            LIFECYCLE.step(rezoning.state, verb)
        except StepNotAllowed:
            words = not_possible(LIFECYCLE, verb, rezoning)
        seen = data.get("version") if hasattr(data, "get") else None
        if not words and type(seen) is int and seen != rezoning.version:
            words = _("You saw version %(seen)s; the present one is %(now)s.") % {"seen": seen, "now": rezoning.version}
        if words:
            raise Conflict(words, present=self._whole(rezoning))


@contextmanager
def told() -> Iterator[None]:
    """Tell what the services refuse as the API tells it: 403, 409, 422, or 400 naming the fields."""
    try:
        yield
    except NotAllowed as refusal:
        raise PermissionDenied(sentence(refusal.rule)) from refusal
    except (StepNotAllowed, StaleVersion) as refusal:
        raise Conflict(_("It changed in the meantime.")) from refusal
    except Refused as refusal:
        raise ValidationError(refusal.errors) from refusal
    except IntegrityError as refusal:
        if "_pkey" not in str(refusal):
            raise
        raise Unprocessable({"id": _("This id was used for something else.")}) from refusal
