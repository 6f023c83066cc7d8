"""HTTP doors of write-off lists under /api/v1/writeoffs/: parse, one call, answer."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from citysafety.api import Conflict, Unprocessable, answer_once, area_asked
from citysafety.viewsets import CountTwin

from ..refusals import told
from . import selectors, services
from .canonical import digest, still_matches
from .filters import WriteOffFilter
from .models import VIEWERS, WriteOffList
from .present import case_answer, item_answer, list_answer, signature_answer


class Viewers(BasePermission):
    """Roles that have a part in write-off lists; to all others they are not there."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.is_authenticated) and request.user.role in VIEWERS


class WishFields(serializers.Serializer):
    id = serializers.UUIDField()
    title = serializers.CharField(max_length=120)
    area = serializers.CharField(max_length=15, required=False, allow_blank=True, default="")
    query = serializers.CharField(
        max_length=2000, required=False, allow_blank=True, default="", help_text="As in the address of /hazards/."
    )


class OutFields(serializers.Serializer):
    hazard = serializers.UUIDField()
    reason = serializers.CharField(max_length=500)


class BackFields(serializers.Serializer):
    hazard = serializers.UUIDField()


class SignFields(serializers.Serializer):
    sha256 = serializers.CharField(max_length=64)


class WriteOffViews(CountTwin, viewsets.GenericViewSet):
    """Write-off lists: drafts, their cases, freezing, signing, checking the hash."""

    permission_classes = (Viewers,)
    filterset_class = WriteOffFilter
    beside_filters = ("area",)
    ordering = ("-made_at", "id")
    lookup_value_regex = "[0-9a-fA-F-]{36}"

    def get_queryset(self) -> QuerySet[WriteOffList]:
        if getattr(self, "swagger_fake_view", False):
            return WriteOffList.objects.none()
        return selectors.lists_seen_by(self.request.user)

    def filter_queryset(self, rows: QuerySet[WriteOffList]) -> QuerySet[WriteOffList]:
        rows = super().filter_queryset(rows)
        asked = self.request.query_params.get("area")
        return rows.filter(area_code__startswith=area_asked(self.request)) if asked else rows

    def get_object(self) -> WriteOffList:
        """Return the list of the address. Unknown, unseen or no UUID: 404."""
        try:
            return get_object_or_404(self.get_queryset(), pk=UUID(self.kwargs["pk"]))
        except ValueError as error:
            raise Http404 from error

    @extend_schema(parameters=[OpenApiParameter("area", str)], responses=OpenApiTypes.OBJECT)
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([list_answer(row) for row in page])

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Show a list; a draft with how many cases it holds now, a frozen one with its signatures."""
        return Response(self._whole(self.get_object()))

    @extend_schema(request=WishFields, responses={201: OpenApiTypes.OBJECT, 200: OpenApiTypes.OBJECT})
    def create(self, request: Request) -> Response:
        """Make a draft from a filter."""
        if not services.makes(request.user):
            raise PermissionDenied(_("Only supervisors and dispatchers make write-off lists."))
        given = WishFields(data=request.data)
        given.is_valid(raise_exception=True)
        wish = services.Wish(**given.validated_data)

        def make() -> tuple[int, Any]:
            with told():
                row = services.make_list(wish=wish, by=request.user, at=timezone.now())
            return 201, self._whole(self.get_queryset().get(pk=row.pk))

        try:
            return answer_once(wish.id, request, make, to="writeoffs/")
        except IntegrityError as error:
            if WriteOffList.objects.filter(pk=wish.id).exists():
                raise Unprocessable({"id": _("This id was used for something else.")}) from error
            raise

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"], filterset_class=None)
    def items(self, request: Request, pk: str) -> Response:
        """List the rows of a frozen list, or the cases that a draft holds now."""
        row = self.get_object()
        if row.is_frozen:
            self.ordering = ("position",)
            return self.get_paginated_response(
                [item_answer(one) for one in self.paginate_queryset(selectors.items(row))]
            )
        self.ordering = ("written_off_at", "number")
        return self.get_paginated_response([case_answer(one) for one in self.paginate_queryset(selectors.preview(row))])

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"], url_path="items/count", pagination_class=None, filterset_class=None)
    def items_count(self, request: Request, pk: str) -> Response:
        row = self.get_object()
        rows = selectors.items(row) if row.is_frozen else services.cases_of(row)
        return Response({"count": rows.order_by().count()})

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None)
    def verify(self, request: Request, pk: str) -> Response:
        """Recompute the hash of a frozen list from its rows."""
        row = self.get_object()
        if not row.is_frozen:
            raise Conflict(_("A draft has no hash yet."))
        return Response({"sha256": row.sha256, "recomputed": digest(row), "matches": still_matches(row)})

    @extend_schema(request=OutFields, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"], url_path="take-out", filterset_class=None)
    def take_out(self, request: Request, pk: str) -> Response:
        """Take a case out of a draft, with the reason."""
        return self._done(OutFields, lambda row, data: services.take_out(
            list_id=row.pk, hazard_id=data["hazard"], reason=data["reason"], by=request.user, at=timezone.now()
        ))  # fmt: skip

    @extend_schema(request=BackFields, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"], url_path="put-back", filterset_class=None)
    def put_back(self, request: Request, pk: str) -> Response:
        """Put a case back into a draft."""
        return self._done(
            BackFields, lambda row, data: services.put_back(list_id=row.pk, hazard_id=data["hazard"], by=request.user)
        )

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"], filterset_class=None)
    def freeze(self, request: Request, pk: str) -> Response:
        """Copy the cases as they stand and hash them."""
        return self._done(None, lambda row, data: services.freeze(list_id=row.pk, by=request.user, at=timezone.now()))

    @extend_schema(request=SignFields, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"], filterset_class=None)
    def sign(self, request: Request, pk: str) -> Response:
        """Sign a frozen list by its hash."""
        return self._done(
            SignFields,
            lambda row, data: services.sign(list_id=row.pk, sha256=data["sha256"], by=request.user, at=timezone.now()),
        )

    def _done(self, fields: Any, act: Callable[[WriteOffList, dict[str, Any]], Any]) -> Response:
        """Act on the list of the address and answer with how it stands then."""
        row = self.get_object()
        data: dict[str, Any] = {}
        if fields:
            given = fields(data=self.request.data)
            given.is_valid(raise_exception=True)
            data = given.validated_data
        with told():
            act(row, data)
        return Response(self._whole(self.get_object()))

    def _whole(self, row: WriteOffList) -> dict[str, Any]:
        answer = list_answer(row)
        if not row.is_frozen:
            return answer | {"cases": services.cases_of(row).order_by().count()}
        signed = row.signatures.all()
        return answer | {"signed": [signature_answer(one) for one in signed], "reopened_since": selectors.reopened(row)}
