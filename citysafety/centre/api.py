"""What the console's page reads and does: the queue, search, and dispatches that can be undone."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from citysafety.accounts.models import Department
from citysafety.api import answer_once, area_asked, whole_number

from . import selectors, services
from .models import HeldDispatch
from .rights import may_operate
from .search import search

LONGEST_TEXT = 80
MOST_ROWS = 1000
ASKED = (
    OpenApiParameter("filter", str, description="One of the queue's filters; all without one."),
    OpenApiParameter("area", str, description="Area code; the caller's own without one."),
    OpenApiParameter("matter", str, description="Code of a matter."),
)
KNOWN = {"filter", "area", "matter", "after", "page_size", "format"}


class AtTheConsole(IsAuthenticated):
    def has_permission(self, request: Request, view: APIView) -> bool:
        return super().has_permission(request, view) and may_operate(request.user)


class ConsoleView(APIView):
    permission_classes = [AtTheConsole]


class RowOutput(serializers.Serializer):
    kind = serializers.CharField(help_text="hazard or supervision (an overdue notice)")
    id = serializers.UUIDField()
    version = serializers.IntegerField()
    number = serializers.CharField()
    what = serializers.CharField()
    place = serializers.CharField()
    area = serializers.CharField()
    state = serializers.CharField()
    whose = serializers.CharField(help_text="what it waits for, in words")
    severity = serializers.CharField()
    overdue = serializers.BooleanField()
    due = serializers.DictField(help_text="kind (late, soon, left, none), words, at")
    since = serializers.DateTimeField()
    lon = serializers.FloatField()
    lat = serializers.FloatField()


class QueueOutput(serializers.Serializer):
    position = serializers.IntegerField()
    as_of = serializers.DateTimeField()
    filter = serializers.CharField()
    area = serializers.CharField()
    counts = serializers.DictField(child=serializers.IntegerField())
    results = RowOutput(many=True)
    next = serializers.CharField(allow_null=True, help_text="for after=, the next page")


class CountOutput(serializers.Serializer):
    count = serializers.IntegerField()


class FoundOutput(serializers.Serializer):
    cases = RowOutput(many=True)
    places = serializers.ListField(child=serializers.DictField())


def asked(request: Request, given: Mapping[str, str] | None = None) -> selectors.Asked:
    """Return what part of the queue a query asks for. Unknown filter: 400; foreign area: 404."""
    given = request.query_params if given is None else given
    if unknown := sorted(set(given) - KNOWN):
        words = _("There is no filter of this name; there are: %(names)s.")
        raise ValidationError({name: words % {"names": ", ".join(sorted(KNOWN))} for name in unknown})
    key = given.get("filter") or "all"
    if key not in selectors.BY_KEY:
        words = _("“%(seen)s” was not understood; expected %(expected)s.")
        raise ValidationError({"filter": words % {"seen": key[:40], "expected": ", ".join(selectors.BY_KEY)}})
    return selectors.Asked(selectors.BY_KEY[key], area_asked(request), given.get("matter", "")[:16])


class Queue(ConsoleView):
    @extend_schema(
        parameters=[*ASKED, OpenApiParameter("after", str), OpenApiParameter("page_size", int)], responses=QueueOutput
    )
    def get(self, request: Request) -> Response:
        """Show what needs somebody, late first, then major, then the oldest; with the counts of all filters."""
        most = whole_number(request, "page_size", 200) or 200
        if most > MOST_ROWS:
            raise ValidationError({"page_size": _("At most %(most)s rows a page.") % {"most": MOST_ROWS}})
        try:
            page = selectors.queue(
                request.user, asked(request), at=timezone.now(), after=request.query_params.get("after", ""), most=most
            )
        except selectors.UnknownMark as error:
            raise ValidationError({"after": _("This is no mark of a page.")}) from error
        return Response(page)


class QueueCount(ConsoleView):
    @extend_schema(parameters=list(ASKED), responses=CountOutput)
    def get(self, request: Request) -> Response:
        """Count the rows of a filter."""
        return Response({"count": selectors.count(request.user, asked(request))})


class Search(ConsoleView):
    @extend_schema(
        parameters=[OpenApiParameter("q", str, required=True), OpenApiParameter("area", str)], responses=FoundOutput
    )
    def get(self, request: Request) -> Response:
        """Find open cases, places, premises and matters by number, words, Chinese, English or pinyin."""
        text = request.query_params.get("q", "")[:LONGEST_TEXT].replace("\x00", "")
        return Response(search(request.user, text, area_asked(request), timezone.now()))


class TrialInput(serializers.Serializer):
    hazards = serializers.ListField(child=serializers.UUIDField(), max_length=services.MOST_AT_ONCE)


class ItemInput(serializers.Serializer):
    id = serializers.UUIDField()
    hazard = serializers.UUIDField()
    version = serializers.IntegerField(min_value=1)
    department = serializers.CharField(max_length=32)


class HoldInput(serializers.Serializer):
    id = serializers.UUIDField()
    items = ItemInput(many=True, allow_empty=False, max_length=services.MOST_AT_ONCE)

    def validate_items(self, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for name in ("id", "hazard"):
            if len({one[name] for one in items}) != len(items):
                raise serializers.ValidationError(_("Each case and each id once only."))
        return items


class UndoInput(serializers.Serializer):
    ids = serializers.ListField(child=serializers.UUIDField(), max_length=services.MOST_AT_ONCE)


class Trial(ConsoleView):
    @extend_schema(request=TrialInput, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        """Say of each case whether the caller may dispatch it, and propose an office; nothing is written."""
        given = TrialInput(data=request.data)
        given.is_valid(raise_exception=True)
        verdicts = services.trial(request.user, given.validated_data["hazards"])
        return Response({"results": [_verdict(verdict) for verdict in verdicts]})


class Dispatches(ConsoleView):
    @extend_schema(parameters=[OpenApiParameter("batch", OpenApiTypes.UUID)], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """Show the dispatches that the caller gave in the last hour, or those of one batch."""
        now, text = timezone.now(), request.query_params.get("batch", "")
        try:
            batch = UUID(text) if text else None
        except ValueError as error:
            raise ValidationError({"batch": _("“%(seen)s” is not a UUID.") % {"seen": text[:40]}}) from error
        rows = selectors.held_by(request.user, now, batch)
        return Response({"now": now.isoformat(), "results": [_held(row) for row in rows]})

    @extend_schema(request=HoldInput, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        """Dispatch several cases: each goes out in ten seconds, whatever the browser does, unless it is undone."""
        given = HoldInput(data=request.data)
        given.is_valid(raise_exception=True)
        batch = given.validated_data["id"]
        wanted = [services.Wanted(**item) for item in given.validated_data["items"]]

        def act() -> tuple[int, dict[str, Any]]:
            now = timezone.now()
            refusals = services.hold(batch=batch, wanted=wanted, actor=request.user, at=now)
            results = [
                {
                    "id": str(one.id),
                    "hazard": str(one.hazard),
                    "state": "refused" if refusals[one.hazard] else "held",
                    "refusal": refusals[one.hazard],
                    "words": services.refusal_words(refusals[one.hazard]),
                }
                for one in wanted
            ]
            send_at = (now + services.HOLD).isoformat()
            return 200, {"now": now.isoformat(), "send_at": send_at, "results": results}

        return answer_once(batch, request, act, to="centre/dispatches")


class Undo(ConsoleView):
    @extend_schema(request=UndoInput, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        """Take back dispatches that have not gone out; the answer says of each what became of it."""
        given = UndoInput(data=request.data)
        given.is_valid(raise_exception=True)
        rows = services.undo(ids=given.validated_data["ids"], actor=request.user, at=timezone.now())
        if not rows:
            raise Http404
        return Response({"results": [_held(row) for row in rows]})


def _held(row: HeldDispatch) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "batch": str(row.batch),
        "hazard": str(row.hazard_id),
        "number": row.hazard.number,
        "department": row.department.name,
        "state": row.state,
        "state_words": row.get_state_display(),
        "refusal": row.refusal,
        "words": services.refusal_words(row.refusal),
        "send_at": row.send_at.isoformat(),
    }


def _verdict(verdict: services.Verdict) -> dict[str, Any]:
    hazard, offices = verdict.hazard, verdict.offices
    return {
        "hazard": str(verdict.hazard_id),
        "number": hazard.number if hazard else "",
        "what": hazard.matter.name if hazard else "",
        "version": hazard.version if hazard else None,
        "refusal": verdict.refusal,
        "words": services.refusal_words(verdict.refusal),
        "proposed": offices.proposed if offices else "",
        "offices": [_office(one) for one in offices.around] if offices else [],
    }


def _office(office: Department) -> dict[str, str]:
    return {"code": office.code, "name": office.name}
