"""What a screen missed, for those that cannot hold a socket open."""

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from citysafety.accounts.roles import CONSOLE
from citysafety.api import Gone, area_asked
from citysafety.outbox import selectors

from . import presence


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


class AtTheConsole(IsAuthenticated):
    def has_permission(self, request: Request, view: APIView) -> bool:
        return super().has_permission(request, view) and request.user.role in CONSOLE


class PresenceInput(serializers.Serializer):
    page = serializers.UUIDField(help_text="of the browser's page, made by it")
    kind = serializers.CharField(max_length=24, required=False, allow_blank=True, default="")
    id = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="of the case; none: it was closed"
    )


class PresenceOutput(serializers.Serializer):
    seen = serializers.BooleanField(help_text="whether others can see it now")
    for_s = serializers.IntegerField(help_text="to be renewed within so many seconds")


class PresenceDoor(APIView):
    permission_classes = [AtTheConsole]

    @extend_schema(request=PresenceInput, responses=PresenceOutput)
    def post(self, request: Request) -> Response:
        """Say which case a page of the console has open, or that it has none; others see a masked name for seconds."""
        given = PresenceInput(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        if data["id"] is None:
            seen = presence.leave(request.user.pk, data["page"])
        else:
            area = presence.area_of(request.user, data["kind"], data["id"])
            if area is None:
                raise Http404
            seen = presence.enter(request.user, data["page"], data["kind"], data["id"], area)
        return Response({"seen": seen, "for_s": presence.LASTS_S})
