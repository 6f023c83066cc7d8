"""Overdue notices for screens and programs."""

from typing import Any
from urllib.parse import quote

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from citysafety.accounts.models import Role
from citysafety.api import (
    Conflict,
    Unprocessable,
    answer_once,
    area_asked,
    known_answer,
    uuid_in,
    whole_number,
)
from citysafety.documents import services as documents
from citysafety.documents.models import Document
from citysafety.documents.pdf import MissingGlyphs, pictures
from citysafety.evidence.doors import role_asked, step_asked, take_photo
from citysafety.tallies.api import told_at_the_door
from citysafety.viewsets import CountTwin, Historied, not_possible, steps_answer
from hazards.models import Hazard
from hazards.refusals import told

from . import selectors, services
from .filters import NoticeFilter
from .lifecycle import LIFECYCLE, NoticeState
from .models import OverdueNotice
from .present import notice_answer, overdue_answer, step_answer, trial_answer
from .services.steps import NoticeInput, permitted, steps_open_to

WATCHERS = frozenset({Role.SUPERVISOR, Role.LEADER, Role.AUDITOR})
PAGE_WIDTH_PX = 1000
MOST_AT_ONCE = 100


class StepFields(serializers.Serializer):
    id = serializers.UUIDField()
    version = serializers.IntegerField(min_value=1, required=False, allow_null=True, default=None)
    reason = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    words = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    sha256 = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")


class DraftFields(serializers.Serializer):
    id = serializers.UUIDField()
    hazard = serializers.UUIDField()


class WordsFields(serializers.Serializer):
    version = serializers.IntegerField(min_value=1)
    title = serializers.CharField(max_length=200)
    body = serializers.CharField(max_length=4000)
    addressee = serializers.CharField(max_length=120)
    copies = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class TrialFields(serializers.Serializer):
    hazards = serializers.ListField(child=serializers.UUIDField(), max_length=MOST_AT_ONCE)


class NoticeViews(CountTwin, Historied, viewsets.GenericViewSet):
    """Overdue notices: lists, drafts, the bytes to be signed, steps."""

    filterset_class = NoticeFilter
    beside_filters = ("area", "figure", "at")
    ordering = ("-drafted_at", "id")

    def get_queryset(self) -> QuerySet[OverdueNotice]:
        if getattr(self, "swagger_fake_view", False):
            return OverdueNotice.objects.none()
        return selectors.notices_seen_by(self.request.user)

    def filter_queryset(self, rows: QuerySet[OverdueNotice]) -> QuerySet[OverdueNotice]:
        """Apply the filters; ``figure`` with ``at`` gives the list that made a figure at a position."""
        rows = super().filter_queryset(rows)
        asked = self.request.query_params
        area = area_asked(self.request) if asked.get("area") else ""
        at = whole_number(self.request, "at")
        if figure := asked.get("figure"):
            with told_at_the_door():
                return selectors.pinned(rows, figure=figure, area=area or area_asked(self.request), at=at)
        return rows.filter(area_code__startswith=area) if area else rows

    def history_of(self, record: OverdueNotice) -> QuerySet:
        return selectors.history(record)

    def history_row(self, row: Any) -> dict[str, Any]:
        return step_answer(row)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([notice_answer(notice) for notice in page])

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(notice_answer(services.opened(self.get_object(), by=request.user, at=timezone.now())))

    @extend_schema(request=DraftFields, responses={201: OpenApiTypes.OBJECT, 200: OpenApiTypes.OBJECT})
    def create(self, request: Request) -> Response:
        """Draft a notice about an overdue hazard that has none."""
        _supervisors_only(request)
        given = DraftFields(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        hazard = get_object_or_404(
            Hazard.objects.visible_to(request.user).select_related("matter", "department", "cell", "dedicated_cell"),
            pk=data["hazard"],
        )

        def draft() -> tuple[int, dict[str, Any]]:
            try:
                notice = services.draft_notice(hazard=hazard, rule=None, by=request.user, at=timezone.now())
            except services.NotOverdue as error:
                raise Conflict(
                    _("The hazard is not overdue with a unit, or has a notice that is not ended.")
                ) from error
            return 201, notice_answer(selectors.notices_seen_by(request.user).get(pk=notice.pk))

        return answer_once(data["id"], request, draft, to="supervision/")

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=False, methods=["get"], pagination_class=None, filterset_class=None)
    def overdue(self, request: Request) -> Response:
        """Show overdue hazards by how much they are over in their own time, each with its live notice."""
        _watchers_only(request)
        rows = selectors.overdue_rows(selectors.overdue_hazards(area_asked(request)), timezone.now())
        return Response({"results": [overdue_answer(row) for row in rows]})

    @extend_schema(request=TrialFields, responses=OpenApiTypes.OBJECT)
    @action(detail=False, methods=["post"], pagination_class=None, filterset_class=None)
    def trial(self, request: Request) -> Response:
        """Say what signing would do with each hazard; nothing is written."""
        _supervisors_only(request)
        given = TrialFields(data=request.data)
        given.is_valid(raise_exception=True)
        rows = selectors.trial(request.user, given.validated_data["hazards"], timezone.now())
        return Response({"rows": [trial_answer(row) for row in rows]})

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"])
    def steps(self, request: Request, pk: str) -> Response:
        rows = steps_open_to(request.user, self.get_object())
        return Response(steps_answer(rows))

    @extend_schema(request=WordsFields, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"])
    def words(self, request: Request, pk: str) -> Response:
        """Change the words of a draft."""
        notice = self.get_object()
        _may(request, "discard", notice)
        given = WordsFields(data=request.data)
        given.is_valid(raise_exception=True)
        data = dict(given.validated_data)
        if data.pop("version") != notice.version or notice.state != NoticeState.DRAFT:
            raise Conflict(_("It changed in the meantime."), present=_present(notice, request))
        try:
            documents.revise(notice.document_id, **data, at=timezone.now())
        except documents.WrongState as error:
            raise Conflict(str(error), present=_present(notice, request)) from error
        return Response(notice_answer(self.get_object()))

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"])
    def prepare(self, request: Request, pk: str) -> Response:
        """Give the notice its number and make the bytes to be signed; asked again, the same ones are shown."""
        notice = self.get_object()
        _may(request, "issue", notice)
        if notice.document.state != Document.State.PREPARED:
            try:
                documents.prepare(notice.document_id, by=request.user, at=timezone.now())
            except documents.WrongState as error:
                raise Conflict(str(error), present=_present(notice, request)) from error
            except MissingGlyphs as error:
                words = _("The fonts for documents lack these characters: %(seen)s.") % {"seen": error}
                raise Unprocessable({"body": words}) from error
        return Response(notice_answer(self.get_object()))

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"])
    def put_back(self, request: Request, pk: str) -> Response:
        """Leave a notice that lies before its signer unsigned: a draft again, its number void for the reason."""
        notice = self.get_object()
        _may(request, "issue", notice)
        reason = str(request.data.get("reason") or "").strip()[:200] if hasattr(request.data, "get") else ""
        if not reason:
            raise ValidationError({"reason": _("This step needs words.")})
        documents.put_back_if_prepared(notice.document_id, reason=reason, at=timezone.now())
        return Response(notice_answer(self.get_object()))

    @extend_schema(responses={200: OpenApiTypes.BINARY})
    def pdf(self, request: Request, pk: str) -> HttpResponse:
        """Show the document as it stands: a draft marked as one, or the very bytes that are or were signed."""
        notice = services.opened(self.get_object(), by=request.user, at=timezone.now())
        return _file(_bytes_of(notice), "application/pdf", f"{notice.document.full_number or 'draft'}.pdf")

    @extend_schema(responses={200: OpenApiTypes.BINARY})
    def picture(self, request: Request, pk: str, page: str) -> HttpResponse:
        """Show a page of the document's bytes as a picture."""
        shown = pictures(_bytes_of(self.get_object()), width_px=PAGE_WIDTH_PX)
        number = int(page)
        if not 1 <= number <= len(shown):
            raise Http404
        answer = _file(shown[number - 1], "image/png", f"page-{number}.png")
        answer["X-Pages"] = str(len(shown))
        return answer

    @extend_schema(request=OpenApiTypes.BINARY, responses={200: OpenApiTypes.OBJECT, 201: OpenApiTypes.OBJECT})
    def photo(self, request: Request, pk: str, sha256: str) -> Response:
        """Take a photo that shows what the unit has done."""
        notice = self.get_object()
        role, step_id = role_asked(request, ("answer",)), step_asked(request)
        if notice.department_id != request.user.department_id or request.user.role != Role.DEPARTMENT_HANDLER:
            raise PermissionDenied(_("Only the unit that a notice was issued to answers it."))
        return take_photo(
            request, kind="supervision", subject_id=str(notice.pk), role=role, sha256=sha256, step_id=step_id
        )

    @extend_schema(request=StepFields, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"], url_path=f"(?P<verb>{'|'.join(LIFECYCLE.actions)})", url_name="step")
    def take(self, request: Request, pk: str, verb: str) -> Response:
        """Take a step. Order of refusals: 401, 404, known id, 403, 409, 400 or 422."""
        notice = self.get_object()
        to = f"supervision/{notice.pk}/{verb}"
        if (claimed := uuid_in(request.data)) and (known := known_answer(claimed, request, to=to)):
            return known
        _may(request, verb, notice)
        given = StepFields(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        step = NoticeInput(
            id=data["id"], version=data["version"], words=data["words"] or data["reason"], sha256=data["sha256"]
        )

        def act() -> tuple[int, dict[str, Any]]:
            with told(lambda: _present(notice, request), why=lambda _refusal: not_possible(LIFECYCLE, verb, notice)):
                services.take_step(notice_id=notice.pk, action=verb, given=step, actor=request.user, at=timezone.now())
            return 200, _present(notice, request)

        return answer_once(step.id, request, act, to=to)


def _watchers_only(request: Request) -> None:
    if request.user.role not in WATCHERS:
        raise PermissionDenied(_("Your role has no part in supervision."))


def _supervisors_only(request: Request) -> None:
    if request.user.role != Role.SUPERVISOR:
        raise PermissionDenied(_("Only supervisors draft and sign notices."))


def _may(request: Request, verb: str, notice: OverdueNotice) -> None:
    with told():
        permitted(request.user, verb, notice)


def _present(notice: OverdueNotice, request: Request) -> dict[str, Any]:
    return notice_answer(selectors.notices_seen_by(request.user).get(pk=notice.pk))


def _bytes_of(notice: OverdueNotice) -> bytes:
    document = Document.objects.select_related("kind", "sealed").get(pk=notice.document_id)
    try:
        return documents.preview(document, at=timezone.now())
    except MissingGlyphs as error:
        words = _("The fonts for documents lack these characters: %(seen)s.") % {"seen": error}
        raise Unprocessable({"body": words}) from error


def _file(data: bytes, mime: str, name: str) -> HttpResponse:
    answer = HttpResponse(data, content_type=mime)
    answer["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(name)}"
    answer["Cache-Control"] = "private, no-store"
    return answer
