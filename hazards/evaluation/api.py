"""HTTP doors of the evaluation under /api/v1/evaluation/."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from citysafety.api import Conflict, area_asked, number_in
from citysafety.filtering import Switch
from citysafety.viewsets import CountTwin

from . import doubting, services
from .asking import asked_for
from .models import Finding
from .selectors import Row, Table
from .words import COUNTS, formula_words

ASKED = [OpenApiParameter(name, str) for name in ("area", "by", "period", "on", "from", "to", "times")]
LIST = "/api/v1/hazards/"


class EvaluationView(APIView):
    """The evaluation of an area: counts with their lists, shares, scores and ranks."""

    @extend_schema(parameters=ASKED, responses={200: OpenApiTypes.OBJECT, 202: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> Response:
        """Show the table; 202 while that of many days is being worked out."""
        look = asked_for(_plain(request))
        if look.refused:
            raise ValidationError(look.refused)
        if look.table is None:
            words = _("It is being worked out; ask again in a few seconds.")
            return Response({"detail": words}, status=202, headers={"Retry-After": "3"})
        return Response(table_answer(look.table))


def _plain(request: Request) -> Any:
    """Return Django's request with the account that the token names."""
    plain = request._request
    plain.user = request.user
    return plain


def table_answer(table: Table) -> dict[str, Any]:
    """Return a table as the API shows it."""
    return {
        "area": table.area,
        "by": table.dimension,
        "from": table.days.first,
        "to": table.days.last,
        "as_of": table.as_of,
        "least": table.rule.least,
        "ranked": table.ranked,
        "counts": [{"key": one.key, "label": str(one.label), "definition": str(one.rule)} for one in COUNTS.values()],
        "indicators": [
            {
                "code": one.code, "name": one.name, "numerator": formula_words(one.numerator),
                "denominator": formula_words(one.denominator), "weight": one.weight, "full_at": one.full_at,
                "none_at": one.none_at, "basis": one.basis,
            }
            for one in table.indicators
        ],
        "rows": [_row_answer(row, table) for row in table.rows],
        "total": _row_answer(table.total, table) if table.total else None,
    }  # fmt: skip


def _row_answer(row: Row, table: Table) -> dict[str, Any]:
    return {
        "key": row.key,
        "name": row.name,
        "counts": {
            key: {"value": number, "weighed": row.weighed[key], "list": row.list_of(key, table.days, path=LIST)}
            for key, number in row.counts.items()
        },
        "indicators": {
            share.indicator.code: {"value": share.value, "of": share.of, "too_few": share.is_small, "look": share.look}
            for share in row.shares
        },
        "hours_used": row.times,
        "score": row.score,
        "rank": row.rank,
        "too_few": row.is_small,
    }


class DoubtFilter(django_filters.FilterSet):
    """Filters of doubts."""

    detector = django_filters.CharFilter(field_name="detector__code", label=gettext_lazy("detector"))
    set_aside = Switch(method="by_set_aside", label=gettext_lazy("set aside"))

    class Meta:
        model = Finding
        fields: list[str] = []

    def by_set_aside(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        return rows.filter(set_aside__isnull=not value)


class ReasonFields(serializers.Serializer):
    reason = serializers.CharField(max_length=2000)


class DoubtViews(CountTwin, viewsets.GenericViewSet):
    """Doubts: what gives reason to ask, and setting one aside."""

    filterset_class = DoubtFilter
    beside_filters = ("area",)
    ordering = ("-found_at", "-pk")
    lookup_value_regex = r"\d{1,18}"

    def get_queryset(self) -> QuerySet[Finding]:
        if getattr(self, "swagger_fake_view", False):
            return Finding.objects.none()
        if not doubting.sees_workers(self.request.user):
            raise PermissionDenied
        return doubting.seen_by(self.request.user, area_asked(self.request))

    @extend_schema(parameters=[OpenApiParameter("area", str)], responses=OpenApiTypes.OBJECT)
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([_doubt_answer(one) for one in doubting.shown(page, request.user)])

    @extend_schema(request=ReasonFields, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"], url_path="set-aside", pagination_class=None, filterset_class=None)
    def set_aside(self, request: Request, pk: str) -> Response:
        finding = get_object_or_404(doubting.seen_by(request.user), pk=number_in(pk))
        given = ReasonFields(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            services.set_aside(
                finding=finding, reason=given.validated_data["reason"], by=request.user, at=timezone.now()
            )
        except services.NotAllowed as refusal:
            raise PermissionDenied(_("Supervisors of the area set doubts aside.")) from refusal
        except services.SetAsideBefore as refusal:
            raise Conflict(_("Somebody has set it aside already.")) from refusal
        [shown] = doubting.shown([doubting.seen_by(request.user).get(pk=finding.pk)], request.user)
        return Response(_doubt_answer(shown))


def _doubt_answer(shown: doubting.Shown) -> dict[str, Any]:
    one = shown.finding
    aside = getattr(one, "set_aside", None)
    return {
        "id": one.pk,
        "detector": one.detector.code,
        "name": one.detector.name,
        "about": one.kind,
        "subject": shown.subject,
        "area": one.area_code,
        "from": one.first,
        "to": one.last,
        "words": shown.words,
        "figures": one.figures,
        "limits": one.detector.thresholds,
        "cases": [{"id": pk, "number": number} for pk, number in shown.cases],
        "found_at": one.found_at,
        "set_aside": {"by": aside.by.name, "at": aside.at, "reason": aside.reason} if aside else None,
    }
