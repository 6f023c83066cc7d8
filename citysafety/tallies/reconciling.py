"""Hold the kept figures against the rows they were made from."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection

from . import figures, sql
from .figures import Recount
from .models import OPEN

# The last period of each subject, waiting ones too: what its change wrote, dealt or not.
CURRENT = """
SELECT DISTINCT ON (subject_id) subject_id, area, extra_area, category, state, now, amounts, unit
FROM tallies_period WHERE kind = %s ORDER BY subject_id, since DESC NULLS FIRST, id DESC"""
EARNED = """
SELECT DISTINCT subject_id, day, key FROM tallies_period, unnest(today) key WHERE kind = %s"""

Progress = Callable[[str, int], None]


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
    current, earned = _periods(kind)
    count = 0
    for count, row in enumerate(recount(), start=1):
        if count % 10_000 == 0:
            progress(kind, count)
        subject = Recount(*row)
        key = str(subject.subject_id)
        saw = current.pop(key, None)
        if saw is None:
            yield f"{kind} {key}: no period"
            continue
        fresh = (
            subject.area, subject.extra_area or "", subject.category, subject.state,
            frozenset(subject.now), {figure: float(value) for figure, value in (subject.amounts or {}).items()}, subject.unit,
        )  # fmt: skip
        if saw != fresh:
            yield f"{kind} {key}: period {_shown(saw)}, row {_shown(fresh)}"
        days = {(day, figure) for day, keys in (subject.today or {}).items() for figure in keys}
        if days != earned.pop(key, set()):
            yield f"{kind} {key}: figures of the day differ, the row says {sorted(map(str, days))}"
    progress(kind, count)
    for key in current:
        yield f"{kind} {key}: a period without a row"


def _periods(kind: str) -> tuple[dict[str, tuple], dict[str, set]]:
    """Return what each subject's last period says, and what the subject earned on which day."""
    with connection.cursor() as cursor:
        cursor.execute(CURRENT, [kind])
        current = {
            subject: (
                area,
                extra,
                category,
                state,
                frozenset(now),
                {k: float(v) for k, v in _loaded(amounts).items()},
                unit,
            )
            for subject, area, extra, category, state, now, amounts, unit in cursor
        }
        cursor.execute(EARNED, [kind])
        earned: dict[str, set] = {}
        for subject, day, key in cursor:
            earned.setdefault(subject, set()).add((day, key))
    return current, earned


def _loaded(amounts: Any) -> dict:
    return json.loads(amounts) if isinstance(amounts, str) else amounts


def _shown(saw: tuple) -> str:
    return " ".join(str(sorted(part) if isinstance(part, frozenset) else part) for part in saw if part)
