"""HTTP doors of listings and of the catalogue of criteria: parse, one call, answer."""

from typing import Any
from urllib.parse import quote

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from citysafety.accounts.models import Role
from citysafety.api import Conflict, Unprocessable, answer_once, area_asked, known_answer, uuid_in
from citysafety.documents import services as documents
from citysafety.documents.models import Document
from citysafety.documents.pdf import MissingGlyphs, pictures
from citysafety.lifecycle import StepNotAllowed
from citysafety.viewsets import CountTwin, Historied, not_possible, steps_answer

from ..models import Criterion, Hazard, Level, Listing
from ..refusals import told
from ..selectors import criteria_for
from . import selectors, services
from .filters import CriterionFilter, ListingFilter
from .lifecycle import LIFECYCLE, SIGNS
from .present import criterion_answer, listing_answer, step_answer

PAGE_WIDTH_PX = 1000


class StepFields(serializers.Serializer):
    id = serializers.UUIDField()
    version = serializers.IntegerField(min_value=1, required=False, allow_null=True, default=None)
    reason = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    words = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    sha256 = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")
    until_day = serializers.DateField(required=False, allow_null=True, default=None)


class ProposalFields(serializers.Serializer):
    id = serializers.UUIDField()
    hazard = serializers.UUIDField()
    level = serializers.ChoiceField(choices=Level.choices)
    leader = serializers.CharField(max_length=80)
    requirement_zh = serializers.CharField(max_length=500)
    requirement_en = serializers.CharField(max_length=800, required=False, allow_blank=True, default="")
    finish_by = serializers.DateField()


class CriterionViews(CountTwin, mixins.ListModelMixin, viewsets.GenericViewSet):
    """GET /api/v1/criteria/: what makes a hazard a major one, readable by every role."""

    filterset_class = CriterionFilter
    ordering = ("code",)

    def get_queryset(self) -> QuerySet[Criterion]:
        return criteria_for()

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([criterion_answer(one) for one in page])


class ListingViews(CountTwin, Historied, viewsets.GenericViewSet):
    """Listings: lists, proposals, the bytes to be signed, steps."""

    filterset_class = ListingFilter
    beside_filters = ("area",)
    ordering = ("-proposed_at", "id")

    def get_queryset(self) -> QuerySet[Listing]:
        if getattr(self, "swagger_fake_view", False):
            return Listing.objects.none()
        return selectors.listings_seen_by(self.request.user)

    def filter_queryset(self, rows: QuerySet[Listing]) -> QuerySet[Listing]:
        rows = super().filter_queryset(rows)
        area = area_asked(self.request) if self.request.query_params.get("area") else ""
        return rows.filter(area_code__startswith=area) if area else rows

    def history_of(self, record: Listing) -> QuerySet:
        return selectors.history(record)

    def history_row(self, row: Any) -> dict[str, Any]:
        return step_answer(row)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([listing_answer(listing) for listing in page])

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(listing_answer(self.get_object()))

    @extend_schema(request=ProposalFields, responses={201: OpenApiTypes.OBJECT, 200: OpenApiTypes.OBJECT})
    def create(self, request: Request) -> Response:
        """Propose that a major hazard is put on the list."""
        if request.user.role != Role.SUPERVISOR:
            raise PermissionDenied(_("Only supervisors propose a listing."))
        given = ProposalFields(data=request.data)
        given.is_valid(raise_exception=True)
        data = dict(given.validated_data)
        claimed, hazard_id = data.pop("id"), data.pop("hazard")
        hazard = get_object_or_404(Hazard.objects.visible_to(request.user).only("pk"), pk=hazard_id)

        def act() -> tuple[int, dict[str, Any]]:
            proposal = services.Proposal(**data)
            try:
                with told():
                    listing = services.propose(
                        hazard_id=hazard.pk, proposal=proposal, by=request.user, at=timezone.now()
                    )
            except services.NotListable as refusal:
                raise Conflict(str(refusal)) from refusal
            return 201, self._answer(listing.pk)

        return answer_once(claimed, request, act, to="listings/")

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"])
    def steps(self, request: Request, pk: str) -> Response:
        rows = services.steps_open_to(request.user, self.get_object())
        return Response(steps_answer(rows))

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"])
    def prepare(self, request: Request, pk: str) -> Response:
        """Give the paper that is due its number and make the bytes to be signed; asked again, the same ones are shown."""
        listing = self.get_object()
        self._may(listing, services.paper_to_sign(listing) or SIGNS[0])
        try:
            services.prepare(listing_id=listing.pk, by=request.user, at=timezone.now())
        except (StepNotAllowed, documents.WrongState) as error:
            raise Conflict(str(error), present=self._answer(listing.pk)) from error
        except MissingGlyphs as error:
            raise _glyphs(error) from error
        return Response(self._answer(listing.pk))

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"])
    def put_back(self, request: Request, pk: str) -> Response:
        """Leave a paper that lies before its signer unsigned: a draft again, its number void for the reason."""
        listing = self.get_object()
        self._may(listing, services.paper_to_sign(listing) or SIGNS[0])
        reason = str(request.data.get("reason") or "").strip()[:200] if hasattr(request.data, "get") else ""
        if not reason:
            raise ValidationError({"reason": _("This step needs words.")})
        documents.put_back_if_prepared(services.paper_of(listing).pk, reason=reason, at=timezone.now())
        return Response(self._answer(listing.pk))

    @extend_schema(responses={200: OpenApiTypes.BINARY})
    def pdf(self, request: Request, pk: str) -> HttpResponse:
        """Show the paper as it stands; ``?paper=notice`` the notice where a clearing was drafted after it."""
        listing = self.get_object()
        paper = _asked_paper(request, listing)
        return _file(_bytes_of(paper), "application/pdf", f"{paper.full_number or 'draft'}.pdf")

    @extend_schema(responses={200: OpenApiTypes.BINARY})
    def picture(self, request: Request, pk: str, page: str) -> HttpResponse:
        """Show a page of the paper's bytes as a picture."""
        shown = pictures(_bytes_of(_asked_paper(request, self.get_object())), width_px=PAGE_WIDTH_PX)
        number = int(page)
        if not 1 <= number <= len(shown):
            raise Http404
        answer = _file(shown[number - 1], "image/png", f"page-{number}.png")
        answer["X-Pages"] = str(len(shown))
        return answer

    @extend_schema(request=StepFields, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"], url_path=f"(?P<verb>{'|'.join(LIFECYCLE.actions)})", url_name="step")
    def take(self, request: Request, pk: str, verb: str) -> Response:
        """Take a step. Order of refusals: 401, 404, known id, 403, 409, 400."""
        listing = self.get_object()
        to = f"listings/{listing.pk}/{verb}"
        if (claimed := uuid_in(request.data)) and (known := known_answer(claimed, request, to=to)):
            return known
        self._may(listing, verb)
        given = StepFields(data=request.data)
        given.is_valid(raise_exception=True)
        data = dict(given.validated_data)
        reason = data.pop("reason")
        step = services.ListingInput(**{**data, "words": data["words"] or reason})

        def act() -> tuple[int, dict[str, Any]]:
            with told(lambda: self._answer(listing.pk), why=lambda refusal: _why_not(refusal, listing, verb)):
                services.take_step(
                    listing_id=listing.pk, action=verb, given=step, actor=request.user, at=timezone.now()
                )
            return 200, self._answer(listing.pk)

        return answer_once(step.id, request, act, to=to)

    def _answer(self, pk: Any) -> dict[str, Any]:
        return listing_answer(selectors.listings_seen_by(self.request.user).get(pk=pk))

    def _may(self, listing: Listing, verb: str) -> None:
        with told():
            services.permitted(self.request.user, verb, listing)


def _why_not(refusal: StepNotAllowed, listing: Listing, verb: str) -> str:
    """Say why a step is not open: what keeps it, or that the state has none."""
    is_step = any(step.source == listing.state for step in LIFECYCLE.steps_named(verb))
    return str(refusal) if is_step else not_possible(LIFECYCLE, verb, listing)


def _asked_paper(request: Request, listing: Listing) -> Document:
    pk = listing.document_id if request.query_params.get("paper") == "notice" else services.paper_of(listing).pk
    return Document.objects.select_related("kind", "sealed").get(pk=pk)


def _bytes_of(document: Document) -> bytes:
    try:
        return documents.preview(document, at=timezone.now())
    except MissingGlyphs as error:
        raise _glyphs(error) from error


def _glyphs(error: MissingGlyphs) -> Unprocessable:
    return Unprocessable({"body": _("The fonts for documents lack these characters: %(seen)s.") % {"seen": error}})


def _file(data: bytes, mime: str, name: str) -> HttpResponse:
    answer = HttpResponse(data, content_type=mime)
    answer["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(name)}"
    answer["Cache-Control"] = "private, no-store"
    return answer
