"""Announce facts; the relay carries them on after commit."""

from collections.abc import Iterable
from datetime import datetime

from django.db import connection, transaction

from .facts import Fact
from .models import OutboxEntry

BELL = "outbox"  # the channel of LISTEN and NOTIFY; the relay also sweeps, so a lost bell costs a second
RING = ("SELECT pg_notify(%s, '')", [BELL])  # delivered at commit, and once however often a transaction rings


def announce(fact: Fact, *, at: datetime | None = None) -> OutboxEntry:
    """Record a fact in the caller's transaction, to be relayed after commit.

    ``at`` is when it happened, by the database clock if not given. Two statements.

    :raises RuntimeError: outside a transaction, where a crash could separate
        the change from its announcement.
    """
    return announce_all([fact], at=at)[0]


def announce_all(facts: Iterable[Fact], *, at: datetime | None = None) -> list[OutboxEntry]:
    """Record many facts in the caller's transaction, in their order. Two statements.

    :raises RuntimeError: outside a transaction.
    """
    must_be_inside()
    entries = OutboxEntry.objects.bulk_create(entry_of(fact, at=at) for fact in facts)
    with connection.cursor() as cursor:
        cursor.execute(*RING)
    return entries


def keep_working(*, at: datetime | None = None) -> None:
    """Keep when periodic work was last done, by the database clock if not given; never an earlier time. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO outbox_head (id, position, worked_at) VALUES (1, 0, coalesce(%s, clock_timestamp()))"
            " ON CONFLICT (id) DO UPDATE SET worked_at = greatest(outbox_head.worked_at, excluded.worked_at)",
            [at],
        )


def must_be_inside() -> None:
    """Refuse to announce outside a transaction. :raises RuntimeError:"""
    if not connection.in_atomic_block:
        raise RuntimeError("announce() belongs inside the transaction of the change")


def entry_of(fact: Fact, *, at: datetime | None = None) -> OutboxEntry:
    """Return the row of a fact, unsaved, for who writes it together with the rows of the change and RINGs himself."""
    return OutboxEntry(
        topic=fact.topic,
        area_code=fact.area_code,
        extra_area=fact.extra_area,
        kind=fact.kind,
        subject_id=str(fact.subject_id),
        live=fact.live(),
        payload=fact.payload(),
        **({} if at is None else {"at": at}),
    )


def prune_relayed(*, before: datetime, limit: int = 5000) -> int:
    """Delete the oldest relayed facts, at most ``limit`` at a time; return how many went.

    The head keeps the last position, so none is ever dealt twice.
    """
    with transaction.atomic():
        oldest = OutboxEntry.objects.exclude(position=None).order_by("position").values("pk")[:limit]
        return OutboxEntry.objects.filter(pk__in=oldest, relayed_at__lt=before).delete()[0]
