"""Figures for screens and programs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from citysafety.accounts.rights import opens_lists
from citysafety.api import Gone, area_asked, whole_number

from . import figures, selectors

AREA = OpenApiParameter("area", str, description="Area code; the caller's own area without one.")
AT = OpenApiParameter("at", OpenApiTypes.INT64, description="Position; the head without one. 410 when it is too old.")
FIGURE = OpenApiParameter("figure", str, required=True, description="Key of a figure.")
MOST_DAYS = 400


class FigureOutput(serializers.Serializer):
    key = serializers.CharField()
    kind = serializers.ChoiceField([figures.COUNT, figures.SUM, figures.RATIO])
    value = serializers.FloatField(allow_null=True)
    unit = serializers.CharField()
    definition = serializers.CharField()
    list = serializers.CharField(
        help_text="API address of the list, pinned to the same position; empty for readers whose list is only a part"
    )
    page = serializers.CharField(help_text="page that shows the list to a reader")
    field = serializers.CharField(help_text="of a sum: the field summed")
    numerator = serializers.CharField()
    denominator = serializers.CharField()


class BoardOutput(serializers.Serializer):
    position = serializers.IntegerField()
    as_of = serializers.DateTimeField()
    figures = FigureOutput(many=True)


class SeriesOutput(serializers.Serializer):
    figure = serializers.CharField()
    days = serializers.ListField(child=serializers.DictField(), help_text="{day, value}, oldest first")


class CategoriesOutput(serializers.Serializer):
    position = serializers.IntegerField()
    as_of = serializers.DateTimeField()
    figure = serializers.CharField()
    categories = serializers.DictField(child=serializers.FloatField())


def figure_asked(request: Request) -> str:
    """Return the counted figure that a query names. Unknown: 404."""
    key = request.query_params.get("figure", "")
    if not figures.is_counted(key):
        raise Http404
    return key


@contextmanager
def told_at_the_door() -> Iterator[None]:
    """Answer what cannot be read for a figure's list: 410 position too old, 400 position ahead or no such figure."""
    try:
        yield
    except selectors.PositionGone as error:
        raise Gone(_("This position is no longer readable; ask for the figures again.")) from error
    except selectors.PositionAhead as error:
        raise ValidationError({"at": str(error)}) from error
    except KeyError as error:
        raise ValidationError({"figure": _("There is no such figure.")}) from error


class FigureView(APIView):
    """What reading figures at a position may answer instead: 400 ahead of the head, 410 too old."""

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, (selectors.PositionGone, selectors.PositionAhead)):
            try:
                with told_at_the_door():
                    raise exc
            except APIException as told:
                exc = told
        return super().handle_exception(exc)


class Figures(FigureView):
    @extend_schema(parameters=[AREA, AT], responses=BoardOutput)
    def get(self, request: Request) -> Response:
        """Show every figure of an area at one position, each with the list that makes it."""
        area = area_asked(request)
        board = selectors.board(area, whole_number(request, "at"))
        rows = [shown(figure, board.figures[figure.key], area, board.position) for figure in figures.registered()]
        if not opens_lists(request.user):
            rows = [{**row, "list": "", "page": ""} for row in rows]
        return Response({"position": board.position, "as_of": board.as_of, "figures": rows})


class Series(FigureView):
    @extend_schema(parameters=[AREA, AT, FIGURE, OpenApiParameter("days", int)], responses=SeriesOutput)
    def get(self, request: Request) -> Response:
        """Show a figure of the day for the last days, today's included."""
        area, key = area_asked(request), figure_asked(request)
        last_n = whole_number(request, "days", 30)
        if not 1 <= last_n <= MOST_DAYS:
            words = _("%(seen)s days were asked for; expected 1 to %(most)s.") % {"seen": last_n, "most": MOST_DAYS}
            raise ValidationError({"days": words})
        if not figures.is_daily(key):
            raise ValidationError({"figure": _("%(key)s is not a figure of the day.") % {"key": key}})
        days = selectors.days(key, area, last_n, whole_number(request, "at"))
        return Response({"figure": key, "days": [{"day": day, "value": value} for day, value in days]})


class ByCategory(FigureView):
    @extend_schema(parameters=[AREA, AT, FIGURE], responses=CategoriesOutput)
    def get(self, request: Request) -> Response:
        """Show a count by category."""
        area, at = area_asked(request), whole_number(request, "at")
        key = request.query_params.get("figure") or "hazards.open"
        if not figures.is_counted(key):
            raise Http404
        place = selectors.standing(at)
        categories = selectors.by_category(key, area, at)
        return Response({"position": place.position, "as_of": place.as_of, "figure": key, "categories": categories})


def shown(figure: figures.Figure, value: Any, area: str, position: int) -> dict[str, Any]:
    """Return a figure as the API shows it, in the caller's language."""
    return {
        "key": figure.key,
        "kind": figure.kind,
        "value": value,
        "unit": str(figure.unit),
        "definition": str(figure.definition),
        "list": figure.list_at(area, position),
        "page": figure.page_of(area),
        "field": figure.field,
        "numerator": figure.numerator,
        "denominator": figure.denominator,
    }
