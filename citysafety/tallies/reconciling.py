"""Hold the kept figures against the rows they were made from."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import connection

from . import figures, sql
from .figures import Recount
from .models import OPEN

# Every period of a kind, those of a subject together and in their order, waiting ones last: dealt or not, they count.
PERIODS = """
SELECT subject_id, area, extra_area, category, state, now, amounts, unit, day, today
FROM tallies_period WHERE kind = %s ORDER BY subject_id USING ~<~, since, id"""

Progress = Callable[[str, int], None]


class Kept(NamedTuple):
    """What the periods of one subject say: the last one, and what all of them earned on which day."""

    subject_id: str
    last: tuple
    earned: set[tuple[date, str]]


def differences(progress: Progress = lambda what, count: None) -> Iterator[str]:
    """Yield a line for every difference: rows ↔ periods ↔ tallies, and areas ↔ their parts.

    Call it inside one REPEATABLE READ transaction: then a working relay and working people do not matter.
    """
    for kind, recount in figures.subjects().items():
        yield from _subjects_that_differ(kind, recount, progress)
    with connection.cursor() as cursor:
        for what, query in (("tallies", sql.DIFFERENCES), ("areas and their parts", sql.PARTS)):
            cursor.execute(query, {"open": OPEN})
            progress(what, cursor.rowcount)
            for figure, area, category, day, kept, counted in cursor.fetchall():
                place = " ".join(str(part) for part in (area, category, day) if part)
                yield f"{what}: {figure} {place}: kept {kept.normalize():f}, counted {counted.normalize():f}"


def _subjects_that_differ(kind: str, recount: Callable[[], Any], progress: Progress) -> Iterator[str]:
    """Read rows and periods side by side, both in the order of their subjects: one subject of each is in memory."""
    count = 0
    for key, row, kept in _side_by_side((Recount(*row) for row in recount()), _kept(kind)):
        count += row is not None
        if row is not None and count % 10_000 == 0:
            progress(kind, count)
        if row is None:
            yield f"{kind} {key}: a period without a row"
        elif kept is None:
            yield f"{kind} {key}: no period"
        else:
            yield from (f"{kind} {key}: {words}" for words in _unlike(row, kept))
    progress(kind, count)


def _side_by_side(rows: Iterator[Recount], kept: Iterator[Kept]) -> Iterator[tuple[str, Recount | None, Kept | None]]:
    """Yield each subject with what the two say of it, None where one knows nothing.

    :raises ValueError: rows come in another order than that of their subjects as texts.
    """
    row, period, before = next(rows, None), next(kept, None), ""
    while row is not None or period is not None:
        keys = [str(one.subject_id) for one in (row, period) if one is not None]
        key = min(keys)
        if key < before:
            raise ValueError(f"subject {key} came after {before}: a recount goes by the subjects' ids as texts")
        before = key
        mine = row if row is not None and str(row.subject_id) == key else None
        theirs = period if period is not None and period.subject_id == key else None
        yield key, mine, theirs
        row = next(rows, None) if mine is not None else row
        period = next(kept, None) if theirs is not None else period


def _unlike(row: Recount, kept: Kept) -> Iterator[str]:
    amounts = {figure: float(value) for figure, value in (row.amounts or {}).items()}
    fresh = (row.area, row.extra_area or "", row.category, row.state, frozenset(row.now), amounts, row.unit)
    if kept.last != fresh:
        yield f"period {_shown(kept.last)}, row {_shown(fresh)}"
    days = {(day, figure) for day, keys in (row.today or {}).items() for figure in keys}
    if days != kept.earned:
        yield f"figures of the day differ, the row says {sorted(map(str, days))}"


def _kept(kind: str) -> Iterator[Kept]:
    """Yield what the periods of each subject say, in the order of the subjects."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(PERIODS, [kind])
        for subject, found in groupby(cursor, key=itemgetter(0)):
            periods = list(found)
            earned = {(day, key) for *_said, day, today in periods for key in today}
            _subject, area, extra, category, state, now, amounts, unit, _day, _today = periods[-1]
            sums = {figure: float(value) for figure, value in _loaded(amounts).items()}
            yield Kept(subject, (area, extra, category, state, frozenset(now), sums, unit), earned)


def _loaded(amounts: Any) -> dict:
    return json.loads(amounts) if isinstance(amounts, str) else amounts


def _shown(saw: tuple) -> str:
    return " ".join(str(sorted(part) if isinstance(part, frozenset) else part) for part in saw if part)
