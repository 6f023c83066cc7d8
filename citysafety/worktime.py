"""Time limits in the three units of GB/T 30428.8 handbooks, over a calendar given as a value. Pure.

``urgent_hours`` 紧急工作时 run round the clock; ``work_hours`` 工作时 run in the sessions of working days;
``work_days`` 工作日: the n-th following working day at the same time of day. What starts outside the sessions
starts with the next one. A year that the calendar does not know is never guessed: there is no due time then.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

UNITS = ("urgent_hours", "work_hours", "work_days")
CITY_TIME = ZoneInfo("Asia/Shanghai")
ONE_DAY = timedelta(days=1)
MOST_SPANS = 14  # shown one by one; longer limits are summed up
FARTHEST_DAYS = 3 * 366

Session = tuple[time, time]
DEFAULT_SESSIONS: tuple[Session, ...] = ((time(8), time(12)), (time(14), time(18)))


class MissingYear(LookupError):
    """The calendar has no rows of a year."""

    def __init__(self, year: int) -> None:
        super().__init__(f"calendar {year} missing")
        self.year = year


@dataclass(frozen=True, slots=True)
class Season:
    """Sessions from a day of the year on, until the next season begins."""

    month: int
    day: int
    sessions: tuple[Session, ...]


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which days are worked: years known, days off and make-up days that differ from the week, sessions."""

    years: frozenset[int]
    off: Mapping[date, str] = field(default_factory=dict)  # weekday not worked → why
    on: Mapping[date, str] = field(default_factory=dict)  # weekend day worked → why
    seasons: tuple[Season, ...] = (Season(1, 1, DEFAULT_SESSIONS),)
    zone: tzinfo = CITY_TIME

    def works(self, day: date) -> bool:
        """Test whether a day is worked. :raises MissingYear: the year is unknown."""
        if day.year not in self.years:
            raise MissingYear(day.year)
        return day in self.on or (day.weekday() < 5 and day not in self.off)

    def why_off(self, day: date) -> str:
        """Return why a day is not worked: the holiday's name, or ``weekend``."""
        return self.off.get(day, "weekend")

    def sessions(self, day: date) -> list[tuple[datetime, datetime]]:
        """Return the sessions of a day, aware; none when it is not worked."""
        if not self.works(day):
            return []
        at = bisect_right([(s.month, s.day) for s in self.seasons], (day.month, day.day)) - 1
        season = self.seasons[at]  # before the first season of a year, the last one of the year before goes on
        return [
            (datetime.combine(day, begin, self.zone), datetime.combine(day, end, self.zone))
            for begin, end in season.sessions
        ]

    def sessions_from(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the sessions from a moment on, the first one cut at it."""
        day = start.astimezone(self.zone).date()
        for _ in range(FARTHEST_DAYS):
            for begin, end in self.sessions(day):
                if end > start:
                    yield max(begin, start), end
            day += ONE_DAY


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time that counts, or one that does not and why."""

    start: datetime
    end: datetime
    counted_s: int
    why: str = ""

    def as_dict(self) -> dict[str, object]:
        return {
            "from": self.start.isoformat(),
            "to": self.end.isoformat(),
            "counted_s": self.counted_s,
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """How a due time was reached: spans when they are few, else days by kind; the sum in seconds or days."""

    spans: tuple[Span, ...]
    days: Mapping[str, int]
    unit: str
    amount: float

    def as_dict(self) -> dict[str, object]:
        return {
            "unit": self.unit,
            "amount": self.amount,
            "spans": [span.as_dict() for span in self.spans],
            "days": dict(self.days),
        }


@dataclass(frozen=True, slots=True)
class Due:
    """When a limit ends, or why that cannot be said; ``reason`` reads ``calendar 2027 missing``."""

    at: datetime | None
    reason: str = ""
    arithmetic: Arithmetic | None = None


def day_seconds(calendar: Calendar, day: date) -> int:
    """Return the working seconds of a day."""
    return int(sum((end - begin).total_seconds() for begin, end in calendar.sessions(day)))


def due(start: datetime, amount: float, unit: str, calendar: Calendar) -> Due:
    """Return when a limit of so many units that starts at an aware moment ends, with its arithmetic.

    :raises ValueError: unknown unit, an amount that is not positive, a naive start.
    """
    return due_after(start, amount, unit, calendar, consumed_s=0)


def due_after(start: datetime, amount: float, unit: str, calendar: Calendar, *, consumed_s: float) -> Due:
    """Return when a limit ends that goes on at ``start`` with ``consumed_s`` of it used up before.

    Consumed time is counted as :func:`consumed` counts it: round the clock for urgent hours, else in sessions.
    """
    if unit not in UNITS:
        raise ValueError(f"{unit!r} is not a unit we know; expected one of {', '.join(UNITS)}")
    if amount <= 0:
        raise ValueError(f"a limit of {amount} {unit}; expected more than 0")
    if start.tzinfo is None:
        raise ValueError(f"{start} has no time zone")
    start = start.astimezone(calendar.zone)
    try:
        if unit == "urgent_hours":
            left = max(0.0, amount * 3600 - consumed_s)
            end = start + timedelta(seconds=left)
            return Due(end, "", Arithmetic((Span(start, end, int(left)),), {}, unit, amount))
        if unit == "work_days" and not consumed_s:
            return _due_in_days(start, int(amount), calendar)
        seconds = amount * (3600 if unit == "work_hours" else _seconds_of_a_day(calendar, start))
        return _due_in_seconds(start, max(0.0, seconds - consumed_s), calendar, unit, amount)
    except MissingYear as missing:
        return Due(None, str(missing))


def _seconds_of_a_day(calendar: Calendar, start: datetime) -> int:
    begin, _ = next(calendar.sessions_from(start))
    return day_seconds(calendar, begin.date())


def _due_in_days(start: datetime, amount: int, calendar: Calendar) -> Due:
    """The n-th following working day, at the time of day the limit really starts."""
    began, _ = next(calendar.sessions_from(start))
    days: dict[str, int] = {}
    day, left = began.date(), amount
    while left:
        day += ONE_DAY
        kind = _kind(calendar, day)
        days[kind] = days.get(kind, 0) + 1
        left -= kind in ("worked", "make-up")
    end = datetime.combine(day, began.timetz())
    sessions = calendar.sessions(day)
    inside = [s for s in sessions if s[0] <= end <= s[1]]
    if not inside:  # another season's hours: the last moment worked before that time of day, or the day's first
        before = [s[1] for s in sessions if s[1] <= end]
        end = before[-1] if before else sessions[0][0]
    return Due(end, "", Arithmetic((Span(began, end, 0),), days, "work_days", amount))


def _kind(calendar: Calendar, day: date) -> str:
    if calendar.works(day):
        return "make-up" if day in calendar.on else "worked"
    return calendar.why_off(day)


def _due_in_seconds(start: datetime, seconds: float, calendar: Calendar, unit: str, amount: float) -> Due:
    spans: list[Span] = []
    days: dict[str, int] = {}
    left, last = seconds, start
    for begin, end in calendar.sessions_from(start):
        if begin > last:
            spans.append(Span(last, begin, 0, _gap(calendar, last, begin)))
        used = min(left, (end - begin).total_seconds())
        until = begin + timedelta(seconds=used)
        spans.append(Span(begin, until, int(used)))
        left, last = left - used, until
        if left <= 0:
            break
    day = start.date()
    while day <= last.date():
        kind = _kind(calendar, day)
        days[kind] = days.get(kind, 0) + 1
        day += ONE_DAY
    shown = tuple(spans) if len(spans) <= MOST_SPANS else ()
    return Due(last, "", Arithmetic(shown, days, unit, amount))


def _gap(calendar: Calendar, start: datetime, end: datetime) -> str:
    """Say why nothing is counted between two sessions."""
    if start.date() == end.date():
        sessions = calendar.sessions(start.date())
        return "before work" if sessions and start < sessions[0][0] else "lunch"
    day = start.date() + ONE_DAY if calendar.works(start.date()) else start.date()
    why = []
    while day < end.date():
        why.append(calendar.why_off(day))
        day += ONE_DAY
    return "、".join(dict.fromkeys(why)) if why else "night"


def consumed(start: datetime, end: datetime, unit: str, calendar: Calendar) -> float | None:
    """Return the seconds of a limit that pass between two aware moments; None where a calendar year is missing."""
    if unit not in UNITS:
        raise ValueError(f"{unit!r} is not a unit we know; expected one of {', '.join(UNITS)}")
    if end <= start:
        return 0.0
    if unit == "urgent_hours":
        return (end - start).total_seconds()
    total, day, last = 0.0, start.astimezone(calendar.zone).date(), end.astimezone(calendar.zone).date()
    try:
        while day <= last:
            for begin, close in calendar.sessions(day):
                total += max(0.0, (min(close, end) - max(begin, start)).total_seconds())
            day += ONE_DAY
    except MissingYear:
        return None
    return total
