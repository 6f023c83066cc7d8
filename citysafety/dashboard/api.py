"""What the wall's page reads: the whole look, and the rows of hazards that the news has named."""

import uuid
from typing import Any

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from citysafety.accounts import kiosk
from citysafety.api import answer_once, area_asked, whole_number
from grid.rules import masked

from . import mutes, selectors
from .rights import may_watch

MOST_IDS = 100


class MayWatch(IsAuthenticated):
    def has_permission(self, request: Request, view: APIView) -> bool:
        return super().has_permission(request, view) and may_watch(request.user)


class WallItem(serializers.Serializer):
    id = serializers.UUIDField()
    number = serializers.CharField()
    matter = serializers.CharField()
    severity = serializers.CharField()
    state = serializers.CharField()
    area = serializers.CharField()
    place = serializers.CharField()
    lon = serializers.FloatField()
    lat = serializers.FloatField()
    at = serializers.DateTimeField(help_text="last change")
    overdue = serializers.BooleanField()
    due_at = serializers.DateTimeField(allow_null=True)


class WallItemsOutput(serializers.Serializer):
    items = WallItem(many=True)


class WallSnapshot(APIView):
    permission_classes = [MayWatch]

    @extend_schema(
        parameters=[
            OpenApiParameter("area", str, description="Area code; the caller's own without one."),
            OpenApiParameter(
                "at_least", OpenApiTypes.INT64, description="Position; a kept look of it or later will do."
            ),
        ],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request) -> Response:
        """Show everything the wall shows of an area: figures, days, categories, parts, newest and overdue hazards."""
        look = selectors.recent_wall(area_asked(request), whole_number(request, "at_least"))
        return Response({**look, "at": timezone.now().isoformat()})


class Unanswered(serializers.Serializer):
    id = serializers.UUIDField()
    since = serializers.DateTimeField()


class WallPointsOutput(serializers.Serializer):
    area = serializers.CharField()
    position = serializers.IntegerField(help_text="facts after it are not in the points")
    states = serializers.ListField(child=serializers.CharField(), help_text="what the numbers in `state` mean")
    ids = serializers.ListField(child=serializers.UUIDField())
    lon = serializers.ListField(child=serializers.FloatField())
    lat = serializers.ListField(child=serializers.FloatField())
    state = serializers.ListField(child=serializers.IntegerField())
    major = serializers.ListField(child=serializers.IntegerField(), help_text="rows, counted from 0")
    overdue = serializers.ListField(child=serializers.IntegerField(), help_text="rows, counted from 0")
    unanswered = Unanswered(many=True, help_text="major ones that nobody has accepted or refused yet")


class WallPoints(APIView):
    permission_classes = [MayWatch]

    @extend_schema(
        parameters=[
            OpenApiParameter("area", str, description="Area code; the caller's own without one."),
            OpenApiParameter(
                "at_least", OpenApiTypes.INT64, description="Position; kept points of it or later will do."
            ),
        ],
        responses=WallPointsOutput,
    )
    def get(self, request: Request) -> Response:
        """Show every open hazard of an area as a point, in columns: where, in which state, major, overdue; no more."""
        return Response(selectors.recent_points(area_asked(request), whole_number(request, "at_least")))


class MuteInput(serializers.Serializer):
    id = serializers.UUIDField(help_text="made by the screen; a repeat changes nothing")
    minutes = serializers.ChoiceField(mutes.LENGTHS)


class MuteOutput(serializers.Serializer):
    id = serializers.UUIDField()
    who = serializers.CharField(help_text="the screen's name, or the family name of who sat before it")
    begun_at = serializers.DateTimeField()
    until = serializers.DateTimeField(help_text="when the sounds came back, or will")


class MutesOutput(serializers.Serializer):
    results = MuteOutput(many=True)


class Mutes(APIView):
    permission_classes = [MayWatch]

    @extend_schema(
        parameters=[OpenApiParameter("area", str, description="Area code; the caller's own without one.")],
        responses=MutesOutput,
    )
    def get(self, request: Request) -> Response:
        """Show which walls of an area were made silent in the last 24 hours."""
        rows = mutes.lately(area_asked(request), timezone.now())
        return Response({"results": [MuteOutput(_mute(row)).data for row in rows]})

    @extend_schema(
        parameters=[OpenApiParameter("area", str, description="Area code; the caller's own without one.")],
        request=MuteInput,
        responses={201: MuteOutput},
    )
    def post(self, request: Request) -> Response:
        """Write down that the sounds of a screen are off for 15, 30 or 60 minutes."""
        given, area = MuteInput(data=request.data), area_asked(request)
        given.is_valid(raise_exception=True)
        claimed, minutes = given.validated_data["id"], given.validated_data["minutes"]

        def act() -> tuple[int, Any]:
            screen = request.session.get(kiosk.SESSION_KEY)
            made = mutes.mute(
                id=claimed, by=request.user, screen_id=screen, area=area, minutes=minutes, at=timezone.now()
            )
            return 201, MuteOutput(_mute(made)).data

        return answer_once(claimed, request, act, to=f"wall/mutes?area={area}")


class MuteEnd(APIView):
    permission_classes = [IsAuthenticated]  # for one's own mutes

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Write down that a screen sounds again; ended before or run out: nothing changes. Another account's: 404."""
        if not mutes.end(id=pk, by=request.user, at=timezone.now()):
            raise Http404
        return Response(status=204)


def _mute(row: Any) -> dict[str, Any]:
    who = row.screen.label if row.screen else masked(row.by.name_zh or row.by.name)
    return {"id": row.id, "who": who, "begun_at": row.begun_at, "until": row.ended_at or row.until}


class WallItems(APIView):
    permission_classes = [MayWatch]

    @extend_schema(
        parameters=[
            OpenApiParameter("ids", str, required=True, description="Ids of hazards, parted by commas; at most 100.")
        ],
        responses=WallItemsOutput,
    )
    def get(self, request: Request) -> Response:
        """Show the wall-safe rows of hazards in the caller's area; what is foreign or unknown is left out."""
        if not request.user.area_code:
            raise Http404
        rows: list[dict[str, Any]] = selectors.items(asked_ids(request), request.user.area_code)
        return Response({"items": rows})


def asked_ids(request: Request) -> list[uuid.UUID]:
    """Return the ids of the query. :raises ValidationError: 400, when there are too many or one is none."""
    texts = [text for text in request.query_params.get("ids", "").split(",") if text]
    if len(texts) > MOST_IDS:
        words = _("%(seen)s hazards were asked for; expected at most %(most)s.")
        raise ValidationError({"ids": words % {"seen": len(texts), "most": MOST_IDS}})
    return [_id(text) for text in texts]


def _id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise ValidationError({"ids": _("“%(seen)s” is not a UUID.") % {"seen": text[:40]}}) from error
