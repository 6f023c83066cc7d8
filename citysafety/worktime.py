"""Time limits in the three units of the GB/T 30428.8 handbooks, over a calendar given as a value. Pure.

``urgent_hours`` 紧急工作时 run round the clock. ``work_hours`` 工作时 run in the sessions of working days.
``work_days`` 工作日: each working day counts as one, whatever its hours, so that a limit of n days begun at 10:20
ends at 10:20 of the n-th following working day. What begins outside the sessions begins with the next one.

Every unit is a clock that never runs backwards: a limit ends when the clock has moved on by its amount, so that
pauses and extensions keep what is used up. A year that the calendar lacks is never guessed: there is no due time then.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, partial
from math import isfinite

from .workdays import (
    CITY_TIME,
    DAY_US,
    DEFAULT_SESSIONS,
    MICRO,
    WORK_DAY_S,
    Calendar,
    Day,
    MissingYear,
    Season,
    Session,
    Year,
    moment_of,
    since_midnight,
    wall_of,
)

__all__ = [
    "CITY_TIME",
    "DEFAULT_SESSIONS",
    "UNITS",
    "WORK_DAY_S",
    "Amount",
    "Arithmetic",
    "Calendar",
    "Day",
    "Days",
    "Due",
    "MissingYear",
    "Season",
    "Session",
    "Span",
    "Year",
    "consumed",
    "due",
    "due_after",
    "limit_s",
    "missing_year",
    "parts",
]

UNITS = ("urgent_hours", "work_hours", "work_days")
HOUR_S = 3_600
MOST_SPANS = 12  # shown one by one; the middle of longer limits is summed up
FARTHEST_S = 10 * 366 * 86_400  # a limit longer than ten years is a slip of the pen

Amount = int | float | Decimal


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time that counts, or one that does not and why.

    ``counted_s`` are seconds of the unit's clock. ``why`` is "" or ``make-up`` (that counts), ``summary`` (the middle
    of a long limit, both kinds), or what keeps the clock still: ``lunch``, ``night`` (before or after the sessions),
    ``weekend``, ``holiday``. Make-up days and holidays have their name.
    """

    start: datetime
    end: datetime
    counted_s: float
    why: str = ""
    name_zh: str = ""
    name_en: str = ""

    def as_dict(self) -> dict[str, object]:
        """Return plain values, ready for JSON."""
        return {
            "from": self.start.isoformat(),
            "to": self.end.isoformat(),
            "counted_s": self.counted_s,
            "why": self.why,
            "name_zh": self.name_zh,
            "name_en": self.name_en,
        }


@dataclass(frozen=True, slots=True)
class Days:
    """How many of the days that a limit touches are of one kind: ``worked``, ``make-up``, ``weekend``, ``holiday``."""

    kind: str
    count: int
    name_zh: str = ""
    name_en: str = ""


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """How a due time was reached: the spans add up to the limit less what was used up before.

    At most ``MOST_SPANS`` spans; of a longer limit the first and last day are shown and the middle is summed up.
    ``days`` are those from start to due on which the clock ran, and those off between. ``years`` are the calendars used,
    ``edited`` those special days between, of another source than their year.
    """

    unit: str
    amount: Amount
    start: datetime
    due: datetime
    limit_s: float
    used_before_s: float
    spans: tuple[Span, ...]
    days: tuple[Days, ...]
    years: tuple[tuple[int, Year], ...]
    summed_up: bool
    edited: tuple[tuple[date, Day], ...] = ()

    @property
    def provisional(self) -> bool:
        """Whether a calendar was used that is not announced yet."""
        return any(year.status != "announced" for _, year in self.years)

    def as_dict(self) -> dict[str, object]:
        """Return plain values, ready for JSON."""
        amount = self.amount
        kinds = dict.fromkeys((days.kind for days in self.days), 0)
        for days in self.days:
            kinds[days.kind] += days.count
        named = [{"kind": d.kind, "count": d.count, "name_zh": d.name_zh, "name_en": d.name_en} for d in self.days]
        return {
            "unit": self.unit,
            "amount": float(amount) if isinstance(amount, Decimal) else amount,
            "start": self.start.isoformat(),
            "due": self.due.isoformat(),
            "limit_s": self.limit_s,
            "used_before_s": self.used_before_s,
            "spans": [span.as_dict() for span in self.spans],
            "summed_up": self.summed_up,
            "days": kinds,
            "named_days": [days for days in named if days["name_zh"]],
            "calendar": [{"year": n, "status": year.status, "source": year.source} for n, year in self.years],
            "edited_days": [
                {"date": day.isoformat(), "name_zh": row.name_zh, "name_en": row.name_en, "source": row.source}
                for day, row in self.edited
            ],
            "provisional": self.provisional,
        }


@dataclass(frozen=True)
class Due:
    """When a limit ends, or why that cannot be said: ``reason`` reads ``calendar 2027 missing``."""

    at: datetime | None
    reason: str = ""
    explain: Callable[[], Arithmetic] | None = field(default=None, compare=False, repr=False)

    @cached_property
    def arithmetic(self) -> Arithmetic | None:
        """How it was reached, worked out when it is asked for: most due times are only stored."""
        return self.explain() if self.explain else None


def missing_year(reason: str) -> int | None:
    """Return the year that a reason says is missing, for a door that words it in the reader's language."""
    words = reason.split()
    return int(words[1]) if len(words) == 3 and words[::2] == ["calendar", "missing"] and words[1].isdigit() else None


def limit_s(amount: Amount, unit: str) -> float:
    """Return a limit in seconds of its unit's clock: 3,600 an hour, 28,800 a working day.

    :raises ValueError: unknown unit; an amount not above zero, or of more than ten years.
    """
    return _limit(amount, unit) / MICRO


def _limit(amount: Amount, unit: str) -> int:
    _check(unit)
    if not isfinite(amount) or amount <= 0:
        raise ValueError(f"a limit of {amount} {unit}; expected more than 0")
    seconds = Fraction(amount) * (WORK_DAY_S if unit == "work_days" else HOUR_S)
    if seconds > FARTHEST_S:
        raise ValueError(f"a limit of {amount} {unit}; expected at most ten years")
    return round(seconds * MICRO)


def _check(unit: str) -> None:
    if unit not in UNITS:
        raise ValueError(f"unit {unit!r}: expected one of {', '.join(UNITS)}")


def parts(seconds: float, unit: str) -> tuple[int, int, int]:
    """Return days, hours and minutes of a stretch of a unit's clock: a working day is 8 h, one round the clock 24 h.

    What counts in working hours has no days. Whole minutes, rounded down.
    """
    _check(unit)
    a_day = {"urgent_hours": 86_400, "work_days": WORK_DAY_S}.get(unit)
    days, rest = divmod(int(seconds), a_day) if a_day else (0, int(seconds))
    return days, rest // HOUR_S, rest % HOUR_S // 60


# -- the verbs ----------------------------------------------------------------------------------
def due(start: datetime, amount: Amount, unit: str, calendar: Calendar) -> Due:
    """Return when a limit of so many units that begins at an aware moment ends, with its arithmetic.

    :raises ValueError: unknown unit; an amount not above zero; a naive start.
    """
    return due_after(start, amount, unit, calendar, consumed_s=0)


def due_after(start: datetime, amount: Amount, unit: str, calendar: Calendar, *, consumed_s: float) -> Due:
    """Return when a limit ends that goes on at ``start`` with ``consumed_s`` of it, by :func:`consumed`, used up before.

    After a pause ``start`` is the resumption; an extension is a larger amount. A limit all used up is due at once.

    :raises ValueError: unknown unit; an amount not above zero; a naive start; a negative or endless ``consumed_s``.
    """
    limit = _limit(amount, unit)
    if not isfinite(consumed_s) or consumed_s < 0:
        raise ValueError(f"{consumed_s} s consumed; expected 0 or more")
    begin = wall_of(start, calendar.zone)
    left = limit - round(consumed_s * MICRO)
    try:
        end = begin + max(0, left) if unit == "urgent_hours" else _reach(begin, left, unit, calendar)
        at = moment_of(end, calendar.zone)
        return Due(at, "", partial(_explain, begin, end, unit, amount, consumed_s, calendar))
    except MissingYear as missing:
        return Due(None, str(missing))


def consumed(start: datetime, end: datetime, unit: str, calendar: Calendar) -> float | None:
    """Return the seconds of a unit's clock that pass between two aware moments, 0 if ``end`` is not after ``start``.

    None where the calendar lacks a year between them: that is not nothing, and must not be read as 0.

    :raises ValueError: unknown unit; naive moments.
    """
    _check(unit)
    begin, until = wall_of(start, calendar.zone), wall_of(end, calendar.zone)
    if until <= begin:
        return 0.0
    try:
        return _passed(begin, until, unit, calendar) / MICRO
    except MissingYear:
        return None


def _year(wall: int) -> int:
    return date.fromordinal(wall // DAY_US).year


def _passed(begin: int, end: int, unit: str, calendar: Calendar) -> int:
    if unit == "urgent_hours":
        return end - begin
    first, last = _year(begin), _year(end - 1)  # midnight of New Year asks nothing of the new year
    whole = sum(calendar.run(year).total(unit) for year in range(first, last))
    return whole + calendar.run(last).shows(unit, end) - calendar.run(first).shows(unit, begin)


def _reach(begin: int, left: int, unit: str, calendar: Calendar) -> int:
    """Return the moment at which ``left`` µs of the unit's clock have passed. :raises MissingYear: it is not known."""
    if left < 0 or (left == 0 and unit == "work_hours"):
        return begin
    year = _year(begin)
    shown = calendar.run(year).shows(unit, begin) + left
    while (found := calendar.run(year).when(unit, shown)) is None:
        shown -= calendar.run(year).total(unit)
        year += 1
    return max(begin, found)


# -- the arithmetic -----------------------------------------------------------------------------
def _explain(begin: int, end: int, unit: str, amount: Amount, used: float, calendar: Calendar) -> Arithmetic:
    spans: tuple[Span, ...] = (_span(begin, end, end - begin, calendar),)
    days: tuple[Days, ...] = ()
    years: tuple[tuple[int, Year], ...] = ()
    summed_up = False
    edited: tuple[tuple[date, Day], ...] = ()
    if unit != "urgent_hours":
        spans, summed_up = _spans(begin, end, unit, calendar)
        days = _days(begin, end, calendar)
        years = tuple((year, calendar.years[year]) for year in range(_year(begin), _year(end) + 1))
        edited = tuple(_edited(begin, end, calendar))
    return Arithmetic(
        unit=unit,
        amount=amount,
        start=moment_of(begin, calendar.zone),
        due=moment_of(end, calendar.zone),
        limit_s=_limit(amount, unit) / MICRO,
        used_before_s=used,
        spans=spans,
        days=days,
        years=years,
        summed_up=summed_up,
        edited=edited,
    )


def _edited(begin: int, end: int, calendar: Calendar) -> Iterator[tuple[date, Day]]:
    """Yield the special days from begin to end that somebody else says than who says their year."""
    for ordinal in range(begin // DAY_US, end // DAY_US + 1):
        day = date.fromordinal(ordinal)
        special = calendar.days.get(day)
        if special is not None and special.source and special.source != calendar.years[day.year].source:
            yield day, special


def _span(begin: int, end: int, counted: int, calendar: Calendar, why: str = "", day: Day | None = None) -> Span:
    names = (day.name_zh, day.name_en) if day else ("", "")
    return Span(moment_of(begin, calendar.zone), moment_of(end, calendar.zone), counted / MICRO, why, *names)


def _sessions(begin: int, end: int, calendar: Calendar) -> list[tuple[int, int]]:
    """Return the sessions between two moments, the outer ones cut at them."""
    found: list[tuple[int, int]] = []
    for year in range(_year(begin), _year(end) + 1):
        run = calendar.run(year)
        first = max(0, bisect_right(run.begins, begin) - 1)
        for piece in run.pieces[first : bisect_left(run.begins, end)]:
            if piece.end > begin:
                found.append((max(piece.begin, begin), min(piece.end, end)))
    return found


def _spans(begin: int, end: int, unit: str, calendar: Calendar) -> tuple[tuple[Span, ...], bool]:
    """Return the spans between two moments, and whether their middle had to be summed up."""
    sessions = _sessions(begin, end, calendar)
    if len(sessions) <= MOST_SPANS:
        spans = tuple(_walk(begin, end, sessions, unit, calendar))
        if len(spans) <= MOST_SPANS:
            return spans, False
    after_first, before_last = (sessions[0][0] // DAY_US + 1) * DAY_US, sessions[-1][0] // DAY_US * DAY_US
    if after_first < before_last:
        head = _walk(begin, after_first, [s for s in sessions if s[1] <= after_first], unit, calendar)
        middle = _passed(after_first, before_last, unit, calendar)
        tail = _walk(before_last, end, [s for s in sessions if s[0] >= before_last], unit, calendar)
        spans = (*head, _span(after_first, before_last, middle, calendar, "summary"), *tail)
        if len(spans) <= MOST_SPANS:
            return spans, True
    return (_span(begin, end, _passed(begin, end, unit, calendar), calendar, "summary"),), True


def _walk(begin: int, end: int, sessions: list[tuple[int, int]], unit: str, calendar: Calendar) -> Iterator[Span]:
    last = begin
    for session_begin, session_end in sessions:
        yield from _gap(last, session_begin, calendar)
        special = calendar.days.get(date.fromordinal(session_begin // DAY_US))
        why = "make-up" if special and special.working else ""
        counted = _passed(session_begin, session_end, unit, calendar)
        yield _span(session_begin, session_end, counted, calendar, why, special if why else None)
        last = session_end
    yield from _gap(last, end, calendar)


def _gap(begin: int, end: int, calendar: Calendar) -> Iterator[Span]:
    """Yield why nothing counts between two moments: one span, or one for each run of days off of the same kind."""
    if begin >= end:
        return
    first, last = begin // DAY_US, (end - 1) // DAY_US
    runs: list[tuple[int, str, Day | None]] = []  # begin, why, the holiday
    for ordinal in range(first, last + 1):
        day = date.fromordinal(ordinal)
        if not calendar.works(day):
            special = calendar.days.get(day)
            why = "holiday" if special else "weekend"
            if not runs or (why, special and special.name_zh) != (runs[-1][1], runs[-1][2] and runs[-1][2].name_zh):
                runs.append((ordinal * DAY_US, why, special))
    if not runs:
        yield _span(begin, end, 0, calendar, _pause(begin, end, calendar))
        return
    edges = [begin, *(at for at, _, _ in runs[1:]), end]
    for (_, why, special), since, until in zip(runs, edges, edges[1:], strict=False):
        yield _span(since, until, 0, calendar, why, special)


def _pause(begin: int, end: int, calendar: Calendar) -> str:
    """Return what keeps the clock still within one working day or from one to the next."""
    if begin // DAY_US != (end - 1) // DAY_US:
        return "night"
    sessions = calendar.sessions_of(date.fromordinal(begin // DAY_US))
    within = begin % DAY_US
    inside = since_midnight(sessions[0][0]) <= within < since_midnight(sessions[-1][1])
    return "lunch" if inside else "night"


def _days(begin: int, end: int, calendar: Calendar) -> tuple[Days, ...]:
    counts: dict[tuple[str, str, str], int] = {}
    ran = {session_begin // DAY_US for session_begin, _end in _sessions(begin, end, calendar)}
    for ordinal in range(begin // DAY_US, end // DAY_US + 1):
        day = date.fromordinal(ordinal)
        special = calendar.days.get(day)
        worked = calendar.works(day)
        if worked and ordinal not in ran:  # begun after hours, or due as the day begins
            continue
        kind = ("worked" if worked else "weekend") if special is None else ("make-up" if worked else "holiday")
        key = (kind, special.name_zh, special.name_en) if special else (kind, "", "")
        counts[key] = counts.get(key, 0) + 1
    return tuple(Days(kind, count, name_zh, name_en) for (kind, name_zh, name_en), count in counts.items())
