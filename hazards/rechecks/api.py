"""HTTP doors of re-checks under /api/v1/rechecks/: parse, one call, answer."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from citysafety.accounts.rights import sentence
from citysafety.api import answer_once, area_asked, known_answer, uuid_in
from citysafety.evidence.doors import ClaimInput, role_asked, step_asked, take_photo
from citysafety.viewsets import CountTwin, Historied, steps_answer

from ..api import LocationInput
from ..photographed import Photographed
from ..refusals import told
from . import selectors, services
from .filters import RecheckFilter
from .lifecycle import LIFECYCLE
from .models import VIEWERS, Recheck
from .present import recheck_answer, step_answer


class Viewers(BasePermission):
    """Roles that have a part in re-checks; to all others their lists are not there."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.is_authenticated) and request.user.role in VIEWERS


class StepFields(serializers.Serializer):
    id = serializers.UUIDField()
    version = serializers.IntegerField(min_value=1, required=False, allow_null=True, default=None)
    reason = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    words = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    location = LocationInput(required=False, allow_null=True, default=None)
    checker = serializers.CharField(max_length=150, required=False, allow_blank=True, default="")


class RecheckViews(CountTwin, Historied, Photographed, viewsets.GenericViewSet):
    """Re-checks: lists, photos of the visit, steps."""

    permission_classes = (Viewers,)
    filterset_class = RecheckFilter
    beside_filters = ("area",)
    ordering = ("due_on", "id")

    def get_queryset(self) -> QuerySet[Recheck]:
        if getattr(self, "swagger_fake_view", False):
            return Recheck.objects.none()
        return selectors.rechecks_seen_by(self.request.user)

    def filter_queryset(self, rows: QuerySet[Recheck]) -> QuerySet[Recheck]:
        rows = super().filter_queryset(rows)
        asked = self.request.query_params.get("area")
        return rows.filter(area_code__startswith=area_asked(self.request)) if asked else rows

    def photos_of(self, record: Recheck) -> QuerySet:
        return selectors.photos(record)

    def history_of(self, record: Recheck) -> QuerySet:
        return selectors.history(record)

    def history_row(self, row: Any) -> dict[str, Any]:
        return step_answer(row)

    @extend_schema(parameters=[OpenApiParameter("area", str)], responses=OpenApiTypes.OBJECT)
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([recheck_answer(row) for row in page])

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(recheck_answer(self.get_object()))

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"])
    def steps(self, request: Request, pk: str) -> Response:
        rows = services.steps_open_to(request.user, self.get_object())
        return Response(steps_answer(rows))

    @extend_schema(
        parameters=[OpenApiParameter("role", str), OpenApiParameter("step", str), ClaimInput],
        request=OpenApiTypes.BINARY,
        responses={200: OpenApiTypes.OBJECT, 201: OpenApiTypes.OBJECT},
    )
    def photo(self, request: Request, pk: str, sha256: str) -> Response:
        """Take a photo of what the checker found."""
        recheck = self.get_object()
        role, step_id = role_asked(request, ["after"]), step_asked(request)
        if recheck.checker_id != request.user.pk:
            raise PermissionDenied(sentence("denied.checker"))
        return take_photo(
            request, kind="recheck", subject_id=str(recheck.pk), role=role, sha256=sha256, step_id=step_id
        )

    @extend_schema(request=StepFields, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"], url_path=f"(?P<verb>{'|'.join(LIFECYCLE.actions)})", url_name="step")
    def take(self, request: Request, pk: str, verb: str) -> Response:
        """Take a step. Order of refusals: 401, 404, known id, 403, 409, 400, 422."""
        recheck = self.get_object()
        to = f"rechecks/{recheck.pk}/{verb}"
        if (claimed := uuid_in(request.data)) and (known := known_answer(claimed, request, to=to)):
            return known
        with told():
            services.permitted(request.user, verb, recheck)
        given = StepFields(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        step = services.RecheckInput(
            id=data["id"], version=data["version"], words=data["words"] or data["reason"], checker=data["checker"],
            **(data["location"] or {}),
        )  # fmt: skip
        return answer_once(step.id, request, lambda: self._taken(recheck, verb, step), to=to)

    def _taken(self, recheck: Recheck, verb: str, step: services.RecheckInput) -> tuple[int, dict[str, Any]]:
        """Call the service and turn its refusals into answers."""
        at, is_done = timezone.now(), recheck.state != "due"
        with told(
            lambda: recheck_answer(self.get_object()),
            why=lambda refusal: _("It was done before.") if is_done else str(refusal),
        ):
            services.take_recheck_step(recheck_id=recheck.pk, action=verb, given=step, actor=self.request.user, at=at)
        # Given to another, it may be out of sight for who gave it.
        rows = Recheck.objects.select_related(*selectors.RELATED).defer(*selectors.SHAPES)
        return 200, recheck_answer(rows.get(pk=recheck.pk))
