"""Where the news stands, and what is new since a position."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Min, Q
from django.utils.translation import gettext as _

from .models import OutboxEntry

MOST_BEHIND = 1000  # positions; who is further behind loads afresh (engineering W26)


class PositionGone(Exception):
    """The position can no longer be read from: pruned, or too far behind."""


class PositionAhead(ValueError):
    """The position has not been dealt yet; the message says so to people."""

    def __init__(self, position: int, last: int) -> None:
        words = _("The news has not come to position %(at)s yet; the last is %(last)s.")
        super().__init__(words % {"at": position, "last": last})


@dataclass(frozen=True, slots=True)
class HeadOfNews:
    """The last position dealt and when, how long ago the relay was last seen alive (None: never), and periodic work done."""

    position: int
    as_of: datetime
    silent_s: float | None = None
    worked_at: datetime | None = None

    def idle_since(self, at: datetime) -> datetime | None:
        """Return since when no periodic work is done, None while that is shorter than PERIODIC_SILENT_MINUTES."""
        patience = timedelta(minutes=settings.PERIODIC_SILENT_MINUTES)
        return self.worked_at if self.worked_at and at - self.worked_at > patience else None


def head() -> HeadOfNews:
    """Return the last position dealt; 0 as of now while nothing has happened. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(h.position, 0), coalesce(h.as_of, now()),"
            " extract(epoch FROM clock_timestamp() - h.beat_at)::float8, h.worked_at"
            " FROM (SELECT 1) one LEFT JOIN outbox_head h ON h.id = 1"
        )
        return HeadOfNews(*cursor.fetchone())


def now() -> datetime:
    """Return the moment by the database's clock, which all hosts share. One query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def entries_after(position: int, area: str = "") -> tuple[int, list[OutboxEntry]]:
    """Return the head and every fact of an area after a position, oldest first. Three queries.

    Readers go by position, never by id or time: positions are dealt in commit order
    by one writer, so nothing can appear behind a reader's back.

    :raises PositionGone: pruned, or more than a thousand positions behind.
    :raises PositionAhead: it has not been dealt yet.
    """
    last = head().position
    if position > last:
        raise PositionAhead(position, last)
    if position < 0 or last - position > MOST_BEHIND:
        raise PositionGone(position)
    oldest = OutboxEntry.objects.aggregate(oldest=Min("position"))["oldest"]
    if position < last and (oldest is None or oldest > position + 1):
        raise PositionGone(position)
    entries = OutboxEntry.objects.filter(position__gt=position, position__lte=last).order_by("position")
    if area:
        entries = entries.filter(Q(area_code__startswith=area) | Q(extra_area=area))
    return last, list(entries)
