"""What viewsets of several APIs have in common: the twin that counts, a record's history, the steps that are open.

Apart from ``citysafety.api``, which REST framework itself loads while it is only half loaded.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from .lifecycle import Lifecycle, Step


def not_possible(lifecycle: Lifecycle, action: str, record: Any) -> str:
    """Say that the state of a record has no such step, in the reader's language."""
    words = {"action": lifecycle.steps_named(action)[0].label, "state": record.get_state_display()}
    return _("“%(action)s” is not possible from “%(state)s”.") % words


def steps_answer(steps: Iterable[Step]) -> list[dict[str, Any]]:
    """Return the steps that somebody may take now as an API offers them, in the reader's language."""
    return [
        {"action": s.action, "label": str(s.label), "requires": list(s.requires), "basis": _(s.basis)} for s in steps
    ]


class CountTwin:
    """Adds ``…/count/`` beside a viewset's list: the same filters, ``{"count": n}`` counted from rows."""

    @action(detail=False, methods=["get"], pagination_class=None, url_path="count")
    def count(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        rows = self.filter_queryset(self.get_queryset())
        return Response({"count": rows.order_by().count()})


class Historied:
    """Adds ``…/history/`` and its count to a viewset whose records have UUIDs: a cursor page, the oldest row first."""

    lookup_value_regex = "[0-9a-fA-F-]{36}"
    history_order: tuple[str, ...] = ("version",)

    def get_object(self) -> Any:
        """Return the record of the address. Unknown, unseen or no UUID: 404."""
        try:
            return get_object_or_404(self.get_queryset(), pk=UUID(self.kwargs["pk"]))
        except ValueError as error:
            raise Http404 from error

    def history_of(self, record: Any) -> QuerySet:
        """Return the rows of a record's history."""
        raise NotImplementedError

    def history_row(self, row: Any) -> dict[str, Any]:
        """Return one of them as the API shows it."""
        raise NotImplementedError

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"])
    def history(self, request: Request, pk: str) -> Response:
        self.ordering = self.history_order
        page = self.paginate_queryset(self.history_of(self.get_object()))
        return self.get_paginated_response([self.history_row(row) for row in page])

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"], url_path="history/count")
    def history_count(self, request: Request, pk: str) -> Response:
        return Response({"count": self.history_of(self.get_object()).count()})
