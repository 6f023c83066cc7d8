"""HTTP doors of hazards under /api/v1/hazards/: parse, one call, answer."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from citysafety.api import (
    Conflict,
    Light,
    Together,
    Unprocessable,
    answer_once,
    answer_together,
    area_asked,
    known_answer,
    uuid_in,
    whole_number,
)
from citysafety.coordinates import DATUMS, to_wgs84
from citysafety.evidence.doors import ClaimInput, role_asked, step_asked, take_photo
from citysafety.lifecycle import StepNotAllowed
from citysafety.tallies.api import told_at_the_door
from citysafety.viewsets import CountTwin, Historied, not_possible, steps_answer
from grid.models import Matter

from . import selectors, services
from .filters import HazardFilter, within
from .lifecycle import EVIDENCE_GIVERS, FILERS, LIFECYCLE, PhotoRole, kept_from
from .listings import selectors as listings
from .listings.present import plan_answer, stop_answer
from .models import Hazard, Severity, Step
from .photographed import Photographed
from .present import clock_answer, hazard_answer, near_answer, standard_answer, step_answer
from .public import desk as public_side
from .refusals import told
from .services.given import StepInput
from .services.reporting import Filing, filing_of
from .services.steps import steps_open_to
from .standard import reached


class LocationInput(Light):
    lon = serializers.FloatField(min_value=-180, max_value=180)
    lat = serializers.FloatField(min_value=-90, max_value=90)
    accuracy_m = serializers.FloatField(min_value=0, max_value=100_000, required=False, allow_null=True)
    datum = serializers.ChoiceField(choices=DATUMS, default="wgs84")

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        """Leave with WGS 84, whatever came in."""
        lon, lat = to_wgs84(given["lon"], given["lat"], given["datum"])
        return {"lon": lon, "lat": lat, "accuracy_m": given.get("accuracy_m")}


class FilingInput(Light):
    id = serializers.UUIDField()
    matter = serializers.CharField(max_length=16)
    severity = serializers.ChoiceField(choices=Severity.choices, required=False, allow_blank=True, default="")
    criterion = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    description = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    location = LocationInput()
    cell = serializers.CharField(max_length=15, required=False, allow_null=True, allow_blank=True, default=None)
    component = serializers.CharField(max_length=16, required=False, allow_null=True, allow_blank=True, default=None)
    occurred_at = serializers.DateTimeField()
    handled_on_spot = serializers.BooleanField(required=False, default=False)


class NearInput(serializers.Serializer):
    """A place where somebody is about to file, and what."""

    matter = serializers.SlugRelatedField("code", queryset=Matter.objects.active())
    lon = serializers.FloatField(min_value=-180, max_value=180)
    lat = serializers.FloatField(min_value=-90, max_value=90)
    accuracy_m = serializers.FloatField(min_value=0, max_value=100_000, required=False, allow_null=True, default=None)
    datum = serializers.ChoiceField(choices=DATUMS, default="wgs84")


class StepFields(Light):
    id = serializers.UUIDField()
    version = serializers.IntegerField(min_value=1, required=False, allow_null=True, default=None)
    reason = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    words = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    department = serializers.CharField(max_length=32, required=False, allow_blank=True, default="")
    location = LocationInput(required=False, allow_null=True, default=None)
    amount = serializers.IntegerField(min_value=1, max_value=999, required=False, allow_null=True, default=None)
    cause = serializers.CharField(max_length=16, required=False, allow_blank=True, default="")
    until = serializers.DateTimeField(required=False, allow_null=True, default=None)
    matter = serializers.CharField(max_length=16, required=False, allow_blank=True, default="")
    into = serializers.CharField(max_length=36, required=False, allow_blank=True, default="")
    cell = serializers.CharField(max_length=15, required=False, allow_blank=True, default="")
    criterion = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    unit = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    person = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    measures = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    funds = serializers.CharField(max_length=20, required=False, allow_blank=True, default="")
    finish_on = serializers.DateField(required=False, allow_null=True, default=None)
    contingency = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    since = serializers.DateTimeField(required=False, allow_null=True, default=None)
    scope = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    basis = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


# What few steps ask for; the second line is asked of major hazards only.
BESIDE_FIELDS = (
    "amount", "cause", "until", "matter", "into", "cell",
    "criterion", "unit", "person", "measures", "funds", "finish_on", "contingency", "since", "scope", "basis",
)  # fmt: skip


class HazardViews(CountTwin, Historied, Photographed, viewsets.GenericViewSet):
    """Hazards: file, look, take steps."""

    filterset_class = HazardFilter
    beside_filters = ("area", "figure", "at")
    ordering = ("-received_at", "id")

    def get_queryset(self) -> QuerySet[Hazard]:
        if getattr(self, "swagger_fake_view", False):
            return Hazard.objects.none()
        return selectors.hazards_seen_by(self.request.user).shapeless()

    def filter_queryset(self, rows: QuerySet[Hazard]) -> QuerySet[Hazard]:
        """Apply the filters; ``figure`` with ``at`` gives the list that made a figure at a position."""
        rows = super().filter_queryset(rows)
        asked = self.request.query_params
        area = area_asked(self.request) if asked.get("area") else ""
        at = whole_number(self.request, "at")
        if figure := asked.get("figure"):
            with told_at_the_door():
                return selectors.pinned(rows, figure=figure, area=area or area_asked(self.request), at=at)
        return within(rows, area, asked) if area else rows

    def photos_of(self, record: Hazard) -> QuerySet:
        return selectors.photos(record)

    def history_of(self, record: Hazard) -> QuerySet:
        return selectors.history(record)

    def history_row(self, row: Any) -> dict[str, Any]:
        return step_answer(row)

    @extend_schema(
        parameters=[OpenApiParameter(n, str) for n in ("area", "figure", "at")], responses=OpenApiTypes.OBJECT
    )
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(selectors.lines(self.filter_queryset(self.get_queryset())))
        return self.get_paginated_response([hazard_answer(line) for line in selectors.labelled(page)])

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(hazard_answer(self.get_object()))

    @extend_schema(request=FilingInput, responses={201: OpenApiTypes.OBJECT, 200: OpenApiTypes.OBJECT})
    def create(self, request: Request) -> Response:
        if request.user.role not in FILERS:
            raise PermissionDenied(_("Your role files no hazards."))
        given = FilingInput(data=request.data)
        if not given.is_valid():
            # An id that is known is answered before fields are looked at; with good fields the receipt itself tells.
            claimed = uuid_in(request.data)
            if claimed and (known := known_answer(claimed, request, to=_to(None, ""))):
                return known
            raise ValidationError(given.errors)
        data = dict(given.validated_data)
        place = data.pop("location")
        data["claimed_on_spot"] = data.pop("handled_on_spot")
        filing = Filing(**{**data, **place, "cell": data["cell"] or None, "component": data["component"] or None})

        try:
            draft = services.draft_hazard(filing=filing, reporter=request.user, at=timezone.now())
        except services.FilingRefused as refusal:
            if known := known_answer(filing.id, request, to=_to(None, "")):  # what was taken then may be refused today
                return known
            raise ValidationError({refusal.field: str(refusal)}) from refusal
        answer = hazard_answer(draft.hazard)
        if len(draft.candidates) > 1:
            answer["cell_candidates"] = draft.candidates
        created = status.HTTP_201_CREATED, answer
        return _once(filing.id, lambda: answer_together(filings, filing.id, request, draft, created, to=_to(None, "")))

    @extend_schema(parameters=[NearInput], responses=OpenApiTypes.OBJECT)
    @action(detail=False, methods=["get"], pagination_class=None, filterset_class=None)
    def near(self, request: Request) -> Response:
        """Say which open cases at a place may be the one that somebody is about to file; those the caller may see."""
        given = NearInput(data=request.query_params)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        lon, lat = to_wgs84(data["lon"], data["lat"], data["datum"])
        found = selectors.near_place(
            request.user, matter=data["matter"], lon=lon, lat=lat, accuracy_m=data["accuracy_m"], at=timezone.now()
        )
        return Response({"results": [near_answer(one) for one in found]})

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"])
    def steps(self, request: Request, pk: str) -> Response:
        hazard = self.get_object()
        rows = steps_open_to(request.user, hazard, timezone.now())
        return Response(steps_answer(rows))

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"])
    def standard(self, request: Request, pk: str) -> Response:
        """Read the case as the seven steps of GB/T 30428.8, with when it reached each."""
        rows = selectors.history(self.get_object()).values_list("target", "at")
        return Response(standard_answer(reached(rows)))

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"])
    def clock(self, request: Request, pk: str) -> Response:
        """Say how the due time of each stage was reached."""
        return Response(clock_answer(self.get_object(), timezone.now()))

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"])
    def major(self, request: Request, pk: str) -> Response:
        """Show what only major hazards have: every version of the plan, and every order to stop work, the newest first."""
        hazard = self.get_object()
        return Response(
            {
                "plans": [plan_answer(plan) for plan in listings.plans(hazard)],
                "stops": [stop_answer(stop) for stop in listings.stops(hazard)],
            }
        )

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"])
    def public(self, request: Request, pk: str) -> Response:
        """Say whether the public reported it, how satisfied the reporter is, and for who handles it how to call back."""
        return Response(public_side.public_answer(request.user, self.get_object()))

    @extend_schema(
        parameters=[OpenApiParameter("role", str), OpenApiParameter("step", str), ClaimInput],
        request=OpenApiTypes.BINARY,
        responses={200: OpenApiTypes.OBJECT, 201: OpenApiTypes.OBJECT},
    )
    def photo(self, request: Request, pk: str, sha256: str) -> Response:
        hazard = self.get_object()
        role, step_id = role_asked(request, PhotoRole.values), step_asked(request)
        if request.user.role not in EVIDENCE_GIVERS:
            raise PermissionDenied(_("Your role looks at cases and adds no evidence to them."))
        return take_photo(request, kind="hazard", subject_id=str(hazard.pk), role=role, sha256=sha256, step_id=step_id)

    @extend_schema(request=StepFields, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"], url_path=f"(?P<verb>{'|'.join(LIFECYCLE.actions)})", url_name="step")
    def take(self, request: Request, pk: str, verb: str) -> Response:
        hazard = self.get_object()
        claimed = uuid_in(request.data)
        if claimed and (known := known_answer(claimed, request, to=_to(hazard, verb))):
            return known
        with told():
            services.steps.permitted(request.user, verb, hazard)
        _must_be_open(hazard, verb, request.data)
        given = StepFields(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        place = data["location"] or {}
        step = StepInput(
            words=data["words"] or data["reason"],
            lon=place.get("lon"),
            lat=place.get("lat"),
            accuracy_m=place.get("accuracy_m"),
            **{name: data[name] for name in ("id", "version", "department", *BESIDE_FIELDS)},
        )
        return _once(
            step.id,
            lambda: answer_once(step.id, request, lambda: _take(hazard.pk, verb, step, request), to=_to(hazard, verb)),
        )


def _to(hazard: Hazard | None, verb: str) -> str:
    return f"hazards/{hazard.pk if hazard else ''}/{verb}"


filings = Together(filing_of)  # phones that file at the same moment share a transaction


def _once(claimed: UUID, answer: Callable[[], Response]) -> Response:
    """Answer once; an id that imported history has is somebody else's."""
    try:
        return answer()
    except IntegrityError as error:
        if Hazard.objects.filter(pk=claimed).exists() or Step.objects.filter(pk=claimed).exists():
            raise Unprocessable({"id": _("This id was used for something else.")}) from error
        raise


def _must_be_open(hazard: Hazard, verb: str, data: Any) -> None:
    """Refuse what the present state does not allow before looking at fields: 409 comes before 400."""
    try:
        words = kept_from(LIFECYCLE.step(hazard.state, verb), hazard)
    except StepNotAllowed:
        words = not_possible(LIFECYCLE, verb, hazard)
    if words:
        raise Conflict(words, present=hazard_answer(hazard))
    seen = data.get("version") if hasattr(data, "get") else None
    if type(seen) is int and seen != hazard.version:  # whatever else it is, the fields say
        words = _("You saw version %(seen)s; the present one is %(now)s.") % {"seen": seen, "now": hazard.version}
        raise Conflict(words, present=hazard_answer(hazard))


def _take(hazard_id: UUID, verb: str, step: StepInput, request: Request) -> tuple[int, dict[str, Any]]:
    """Call the service and turn its refusals into answers. That a step was open a moment ago was seen before."""

    def present() -> dict[str, Any]:
        return hazard_answer(selectors.hazards_seen_by(request.user).shapeless().get(pk=hazard_id))

    def why(refusal: StepNotAllowed) -> str:
        too_late = isinstance(refusal, services.TooLateToReopen)
        return str(refusal) if too_late else _("It changed in the meantime.")

    with told(present, why=why):
        hazard = services.take_step(hazard_id=hazard_id, action=verb, given=step, actor=request.user, at=timezone.now())
    return status.HTTP_200_OK, hazard_answer(hazard)
