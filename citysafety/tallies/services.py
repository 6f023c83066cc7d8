"""Record what a subject counts in; fold the records of dealt facts into the tallies."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from citysafety.areas import LEVELS
from citysafety.bulk import copy_packed
from citysafety.outbox.models import Head, OutboxEntry
from citysafety.workdays import CITY_TIME

from . import sql
from .columns import COLUMNS, Sums
from .figures import is_counted, is_daily
from .models import OPEN, Fold, Period


def record(entry: OutboxEntry, **standing: Any) -> Period:
    """Record what a subject counts in from this fact on. One statement, in the transaction of the change.

    Takes what :func:`period_of` takes, and raises what it raises.
    """
    period = period_of(entry, **standing)
    period.save(force_insert=True)
    return period


def period_of(
    entry: OutboxEntry,
    *,
    kind: str,
    subject_id: Any,
    area: str,
    extra_area: str = "",
    category: str = "",
    unit: str = "",
    state: str = "",
    now: Iterable[str] = (),
    today: Iterable[str] = (),
    amounts: Mapping[str, Any] | None = None,
    day: date,
    previous: Period | int | None,
) -> Period:
    """Return the row that says what a subject counts in from a fact on, unsaved.

    ``now``: figures it counts in while the period lasts; ``today``: figures it earned by this very change,
    on ``day`` (Asia/Shanghai); ``amounts``: numbers it adds to sums while the period lasts. ``previous`` is the
    subject's last period (or its id), None for its first; the caller holds the subject's lock. ``extra_area``
    is one more cell (a dedicated one) that shows the subject; ``category`` is counted down to townships, ``unit`` (the
    code of the department that answers) down to counties.

    :raises ValueError: for a figure that is not registered, or one of the moment given as one of the day.
    """
    now, today, amounts = list(now), list(today), dict(amounts or {})
    _refuse_unknown(now, today, amounts)
    if extra_area and len(extra_area) != LEVELS[-1]:
        raise ValueError("the extra area is a cell: it has no areas around it")
    return Period(
        kind=kind,
        subject_id=str(subject_id),
        entry=entry,
        previous_id=previous.pk if isinstance(previous, Period) else previous,
        day=day,
        area=area,
        extra_area=extra_area,
        category=category,
        unit=unit,
        state=state,
        now=now,
        today=today,
        amounts=amounts,
    )


def _refuse_unknown(now: list[str], today: list[str], amounts: Mapping[str, Any]) -> None:
    for key in (*now, *today, *amounts):
        if not is_counted(key):
            raise ValueError(f"no count or sum {key!r} is registered")
    if any(is_daily(key) for key in (*now, *amounts)) or not all(is_daily(key) for key in today):
        raise ValueError("figures of the day end in _today and are earned; others last with the period")


def fold(entries: list[OutboxEntry]) -> None:
    """Fold the periods of a batch of dealt facts into the tallies; runs in the relay's transaction.

    ``entries`` are consecutive positions, oldest first. Five statements whatever the size of the batch.
    """
    first, last = entries[0], entries[-1]
    with connection.cursor() as cursor:
        # The first fold of all, or of all since a rebuild, needs a floor to stand on.
        cursor.execute(
            "INSERT INTO tallies_fold (position, as_of) SELECT %s, %s WHERE NOT EXISTS (SELECT 1 FROM tallies_fold)",
            [first.position - 1, first.relayed_at],
        )
        cursor.execute(sql.DEAL, {"ids": [entry.pk for entry in entries]})
        if cursor.rowcount:
            bounds = {"low": first.position - 1, "high": last.position, "open": OPEN}
            cursor.execute(sql.END_PREVIOUS, bounds)
            cursor.execute(sql.FOLD, bounds)
    Fold.objects.create(position=last.position, as_of=last.relayed_at)


def rebuild() -> int:
    """Recount every tally from the periods, at the head, in one transaction; return the number of tallies.

    For imported history, whose periods are copied in with since and until set. The relay waits
    meanwhile; positions before the head are no longer readable afterwards.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        Head.objects.get_or_create(pk=1)
        head = Head.objects.select_for_update().get(pk=1)
        cursor.execute("SET LOCAL work_mem = '256MB'")  # else the sums over all areas go through files
        cursor.execute("DELETE FROM tallies_fold")
        cursor.execute("DELETE FROM tallies_tally")
        cursor.execute(sql.REBUILD, {"open": OPEN, "position": head.position})
        counted = cursor.rowcount
        Fold.objects.create(position=head.position, as_of=head.as_of)
        return counted


def sums(head: Head) -> Sums:
    """Return sums for what very many periods add at the head of the news."""
    last = head.as_of.astimezone(CITY_TIME).date()
    return Sums(last - timedelta(days=sql.DAYS_KEPT_BELOW - 1))


def all_with(more: Sums, head: Head) -> int:
    """Write every tally anew with what imported periods add, at the head; return the number of tallies.

    The caller holds the head, in a transaction, and has copied the periods in; only imports may do this. Positions
    before the head are no longer readable afterwards.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT figure, area, category, day, (value * 10000)::bigint FROM tallies_tally WHERE until = %s", [OPEN]
        )
        more.keep(cursor.fetchall())
        cursor.execute("TRUNCATE tallies_tally")
        number, rows = more.packed(head.position)
        copy_packed("tallies_tally", COLUMNS, rows)
    Fold.objects.all().delete()
    Fold.objects.create(position=head.position, as_of=head.as_of)
    return number


def prune(*, before: datetime, limit: int = 50_000) -> int:
    """Delete versions that only positions dealt before a moment would read; return how many tallies went.

    The last fold before the moment stays: it is the floor of everything after it. Old days of villages and cells go too.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(position) FROM tallies_fold WHERE as_of < %s", [before])
        floor = cursor.fetchone()[0]
        if floor is None:
            return 0
        cursor.execute("DELETE FROM tallies_fold WHERE position < %s", [floor])
        cursor.execute(sql.FORGET, {"limit": limit})
        forgotten = cursor.rowcount
        cursor.execute(
            "DELETE FROM tallies_tally WHERE id IN"
            " (SELECT id FROM tallies_tally WHERE until <= %s AND until < %s LIMIT %s)",
            [floor, OPEN, limit],
        )
        return cursor.rowcount + forgotten
