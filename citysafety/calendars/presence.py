"""Who is really there, and where nobody is: arithmetic of periods. No database, no clock.

A period is half open: its end no longer belongs to it, so that shifts that follow each other neither meet nor part.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import Any

from citysafety import workdays

Span = tuple[datetime, datetime]

PRIMARY, DEPUTY, BACKUP = "primary", "deputy", "backup"  # the order in which people of a post are asked
ORDER = {PRIMARY: 0, DEPUTY: 1, BACKUP: 2}

NO_POST, NO_SHIFT, ON_LEAVE = "no_post", "no_shift", "on_leave"
OFF_HOURS, TOO_FEW, NO_CALENDAR = "off_hours", "too_few", "no_calendar"


@dataclass(frozen=True, slots=True)
class Presence:
    """One person at one post for one stretch of a shift, as who the person is there."""

    begins: datetime
    ends: datetime
    person: Any
    shift: Any
    way: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which a post has fewer people than it must. ``missing``: how many; ``reason``: why."""

    begins: datetime
    ends: datetime
    missing: int
    reason: str


def without(span: Span, holes: Iterable[Span]) -> tuple[list[Span], list[Span]]:
    """Return what is left of a period outside of others, and what lies inside of them."""
    begin, end = span
    left, inside = [], []
    for hole_begin, hole_end in sorted(holes):
        if hole_end <= begin or hole_begin >= end:
            continue
        if hole_begin > begin:
            left.append((begin, hole_begin))
        stop = min(hole_end, end)
        inside.append((max(begin, hole_begin), stop))
        begin = stop
        if begin >= end:
            break
    if begin < end:
        left.append((begin, end))
    return left, inside


def presences(shifts: Iterable[Any], away: Mapping[int, Sequence[Span]], fits: Any) -> list[Presence]:
    """Return who is there by shifts: each person but for leave, and then the deputy, if that one is there.

    ``away``: leave by person. ``fits(person, shift)`` tells whether someone may still stand there: who left the service,
    or another role took, is not there whatever the roster says.
    """
    found = []
    for shift in shifts:
        whole = (shift.begins, shift.ends)
        own = shift.person if fits(shift.person, shift) else None
        there, gone = without(whole, away.get(shift.person_id, ())) if own else ([], [whole])
        way = BACKUP if shift.kind == BACKUP else PRIMARY
        found += [Presence(*span, own, shift, way) for span in there]
        if shift.deputy_id is None or not fits(shift.deputy, shift):
            continue
        for span in gone:
            stands_in, _gone = without(span, away.get(shift.deputy_id, ()))
            found += [Presence(*one, shift.deputy, shift, DEPUTY) for one in stands_in]
    return found


def staffed_spans(
    post: Any, start: datetime, end: datetime, calendar: workdays.Calendar
) -> tuple[list[Span], list[Span]]:
    """Return when a post must be staffed between two moments, and the days of which that is not known.

    Working time of a year that the calendar lacks is not known, and not guessed.
    """
    if post.staffed == "always":
        return [(start, end)], []
    zone, known, unknown = calendar.zone, [], []
    day, last = start.astimezone(zone).date() - timedelta(days=1), end.astimezone(zone).date()
    while day <= last:
        try:
            known += _of_day(post, day, calendar)
        except workdays.MissingYear:
            unknown.append((midnight(day, zone), midnight(day + timedelta(days=1), zone)))
        day += timedelta(days=1)
    return merged(clipped(known, start, end)), merged(clipped(unknown, start, end))


def _of_day(post: Any, day: date, calendar: workdays.Calendar) -> list[Span]:
    """Return the times of a day of the city at which a post must be staffed; those of a night begin on it."""
    sessions = calendar.sessions_of(day) if post.staffed == "working" else ((post.begins, post.ends),)
    return [hours_of(day, begins, ends, calendar.zone) for begins, ends in sessions]


def hours_of(day: date, begins: time, ends: time, zone: tzinfo) -> Span:
    """Return hours that begin on a day; what ends no later than it begins ends on the next."""
    until = day if ends > begins else day + timedelta(days=1)
    return datetime.combine(day, begins, zone), datetime.combine(until, ends, zone)


def midnight(day: date, zone: tzinfo) -> datetime:
    """Return the first moment of a day of the city."""
    return datetime.combine(day, time(), zone)


def clipped(spans: Iterable[Span], start: datetime, end: datetime) -> list[Span]:
    """Return what of periods lies between two moments."""
    cut = ((max(begin, start), min(stop, end)) for begin, stop in spans)
    return [(begin, stop) for begin, stop in cut if begin < stop]


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return periods in order, those that touch or overlap made one."""
    out: list[Span] = []
    for begin, end in sorted(spans):
        if out and begin <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((begin, end))
    return out


def gaps_in(required: Iterable[Span], minimum: int, shifts: Sequence[Any], there: Sequence[Presence]) -> list[Gap]:
    """Return where fewer people are there than must be, each stretch with its reason; neighbours alike are one."""
    out: list[Gap] = []
    for start, end in required:
        edges = {start, end}
        for one in (*shifts, *there):
            edges |= {moment for moment in (one.begins, one.ends) if start < moment < end}
        cuts = sorted(edges)
        for begin, stop in pairwise(cuts):
            people = {one.person.pk for one in there if one.begins <= begin < one.ends}
            if len(people) >= minimum:
                continue
            planned = any(shift.begins <= begin < shift.ends for shift in shifts)
            reason = TOO_FEW if people else ON_LEAVE if planned else NO_SHIFT
            missing = minimum - len(people)
            if out and out[-1].ends == begin and (out[-1].missing, out[-1].reason) == (missing, reason):
                out[-1] = Gap(out[-1].begins, stop, missing, reason)
            else:
                out.append(Gap(begin, stop, missing, reason))
    return out
