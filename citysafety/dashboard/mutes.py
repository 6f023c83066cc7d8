"""Screens that were made silent: each time is written down, and can be read where the screens are heard."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from .models import Mute

LENGTHS = (15, 30, 60)  # minutes; a mute that does not end by itself is none that a city can afford
REMEMBERED = timedelta(hours=24)  # shown on walls; the table keeps all


def mute(*, id: UUID, by: Any, screen_id: int | None, area: str, minutes: int, at: datetime) -> Mute:
    """Write down that a screen is silent from now on."""
    until = at + timedelta(minutes=minutes)
    return Mute.objects.create(id=id, by=by, screen_id=screen_id, area_code=area, begun_at=at, until=until)


def end(*, id: UUID, by: Any, at: datetime) -> bool:
    """Write down that a screen sounds again before its time; tell whether there was such a mute of this account."""
    rows = Mute.objects.filter(pk=id, by=by)
    rows.filter(ended_at=None, until__gt=at).update(ended_at=at)
    return rows.exists()


def lately(area: str, at: datetime) -> QuerySet[Mute]:
    """Return the mutes of the last day on walls of an area, the newest first. Queries: 1."""
    rows = Mute.objects.filter(begun_at__gt=at - REMEMBERED, area_code__startswith=area)
    return rows.select_related("by", "screen").order_by("-begun_at")
