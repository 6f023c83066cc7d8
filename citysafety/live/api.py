"""What a screen missed, for those that cannot hold a socket open."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from citysafety.api import Gone, area_asked
from citysafety.outbox import selectors


class ItemOutput(serializers.Serializer):
    position = serializers.IntegerField()
    topic = serializers.CharField()
    area = serializers.CharField()
    kind = serializers.CharField()
    id = serializers.CharField()
    state = serializers.CharField()
    level = serializers.CharField()
    lon = serializers.FloatField(allow_null=True)
    lat = serializers.FloatField(allow_null=True)
    at = serializers.DateTimeField()


class SinceOutput(serializers.Serializer):
    position = serializers.IntegerField()
    items = ItemOutput(many=True)


class Since(APIView):
    @extend_schema(
        parameters=[OpenApiParameter("area", str, description="Area code; the caller's own area without one.")],
        responses=SinceOutput,
    )
    def get(self, request: Request, position: int) -> Response:
        """Return the facts of an area after a position; 410 when it is pruned or more than 1,000 behind."""
        area = area_asked(request)
        try:
            last, entries = selectors.entries_after(position, area)
        except selectors.PositionGone as error:
            raise Gone(_("This position can no longer be resumed from; load afresh.")) from error
        except selectors.PositionAhead as error:
            raise ValidationError({"position": str(error)}) from error
        return Response({"position": last, "items": [entry.item() for entry in entries]})
