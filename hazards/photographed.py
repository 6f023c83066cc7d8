"""Photos of a record as the API lists them: of a case, an inspection, a re-check."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from citysafety.evidence import telling

from .present import photo_answer


class Photographed:
    """Adds ``…/photos/`` and its count to a viewset: a cursor page with the trust record of each, the oldest first."""

    def photos_of(self, record: Any) -> QuerySet:
        """Return the photos of a record."""
        raise NotImplementedError

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"])
    def photos(self, request: Request, pk: str) -> Response:
        self.ordering = ("at", "pk")
        page = self.paginate_queryset(self.photos_of(self.get_object()))
        judged = telling.judged(page, request.user)
        return self.get_paginated_response([photo_answer(row, judged[row.pk]) for row in page])

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"], url_path="photos/count")
    def photos_count(self, request: Request, pk: str) -> Response:
        return Response({"count": self.photos_of(self.get_object()).count()})
