"""What the pages of rosters show: who is there now, and a week of days by posts. Built from rosters, without queries."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils.formats import date_format

from citysafety import areas
from citysafety.names import chosen
from citysafety.workdays import CITY_TIME, Calendar, MissingYear

from .models import Post, Shift
from .presence import BACKUP, DEPUTY, OFF_HOURS, ORDER, PRIMARY, midnight
from .rosters import OnDuty, Roster, now_at, why_nobody
from .rosterwords import REASONS, WAYS

SIGNS = {PRIMARY: ("tick", "restored"), DEPUTY: ("half", ""), BACKUP: ("clock", "ended")}
NOON = time(12)


@dataclass(frozen=True, slots=True)
class NowRow:
    """A post with who is there now; where nobody is, why, and who is at the next level."""

    post: Post
    people: tuple[tuple[OnDuty, Any, str, str], ...]  # with words, sign and look
    reason: Any
    is_gap: bool
    following: OnDuty | None
    is_above: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A shift in a day of the week: its hours, and who is really there."""

    shift: Shift
    hours: str
    people: tuple[tuple[str, str, Any], ...]  # name, way, words
    is_backup: bool
    is_away: bool


@dataclass(frozen=True, slots=True)
class CellGap:
    """A gap in a day of the week: its hours on that day, and why."""

    hours: str
    reason: Any


@dataclass(frozen=True, slots=True)
class DayHead:
    """A day of the week as its column is headed: holiday or make-up day by name."""

    day: date
    words: str
    note: str
    works: bool | None
    is_today: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """A day of a post: its shifts and gaps in the order of their begins."""

    day: DayHead
    items: tuple[Entry | CellGap, ...]


def now_rows(look: Roster, at: datetime, own_area: str) -> list[NowRow]:
    """Return who is there now, by post; ``look`` must hold the posts above as well, for whom to turn to."""
    there = {post.pk: now_at(post, look.there[post.pk], at) for post in look.posts}
    rows = []
    for post in look.posts:
        people = sorted(there[post.pk], key=lambda one: (ORDER[one.way], one.person.pk))
        reason = "" if people else why_nobody([post], look.shifts, at)
        rows.append(
            NowRow(
                post,
                tuple((one, WAYS[one.way], *SIGNS[one.way]) for one in people),
                REASONS.get(reason, ""),
                is_gap=bool(reason) and reason != OFF_HOURS,
                following=None if people else _next_up(post, look.posts, there),
                is_above=not post.area_code.startswith(own_area),
            )
        )
    return rows


def _next_up(post: Post, posts: Iterable[Post], there: dict[int, list[OnDuty]]) -> OnDuty | None:
    """Return who is there at the next post of the same role up the area, if anybody is."""
    line = areas.lineage(post.area_code)[:-1]
    above = [one for one in posts if one.role == post.role and one.area_code in line and there[one.pk]]
    nearest = max(above, key=lambda one: len(one.area_code), default=None)
    return there[nearest.pk][0] if nearest else None


def days_of(start: datetime, days: Calendar, today: date) -> list[DayHead]:
    """Return the days of a week, holidays and make-up days by name."""
    first = start.astimezone(CITY_TIME).date()
    heads = []
    for day in (first + timedelta(days=n) for n in range(7)):
        special = days.days.get(day)
        try:
            works: bool | None = days.works(day)
        except MissingYear:
            works = None
        note = chosen(special.name_zh, special.name_en) if special else ""
        heads.append(DayHead(day, date_format(day, "D"), note, works, day == today))
    return heads


def week_rows(look: Roster, heads: Iterable[DayHead]) -> list[tuple[Post, list[Cell]]]:
    """Return the posts of a week with a cell for each day."""
    heads = list(heads)
    return [(post, [_cell(post, look, head) for head in heads]) for post in look.posts]


def _cell(post: Post, look: Roster, head: DayHead) -> Cell:
    """Return a day of a post: shifts that begin on it or last over its noon, and its gaps, cut at midnight."""
    begin, end = midnight(head.day, CITY_TIME), midnight(head.day + timedelta(days=1), CITY_TIME)
    noon = datetime.combine(head.day, NOON, CITY_TIME)
    items: list[tuple[datetime, Entry | CellGap]] = []
    for shift in look.shifts[post.pk]:
        is_new = begin <= shift.begins < end
        if is_new or (shift.begins < begin and shift.ends > noon):
            items.append((shift.begins, _entry(shift, look, is_new=is_new)))
    for gap in look.gaps[post.pk]:
        if gap.begins < end and gap.ends > begin:
            start = max(gap.begins, begin)
            items.append((start, CellGap(_hours(start, min(gap.ends, end)), REASONS[gap.reason])))
    items.sort(key=lambda item: item[0])
    return Cell(head, tuple(item for _begins, item in items))


def _entry(shift: Shift, look: Roster, *, is_new: bool) -> Entry:
    mine = [one for one in look.there[shift.post_id] if one.shift.pk == shift.pk]
    people = dict.fromkeys((one.person.name, one.way) for one in mine)
    return Entry(
        shift,
        _hours(shift.begins, shift.ends) if is_new else "…",
        tuple((name, way, WAYS[way]) for name, way in people),
        is_backup=shift.kind == BACKUP,
        is_away=not any(one.way != DEPUTY for one in mine),
    )


def _hours(begins: datetime, ends: datetime) -> str:
    """Return hours as a wall clock shows them; midnight is where a day ends."""
    first, last = begins.astimezone(CITY_TIME), ends.astimezone(CITY_TIME)
    until = "24:00" if last.time() == time() else f"{last:%H:%M}"
    if last - first > timedelta(days=1):
        until = f"{last:%m-%d} {until}" if last.time() != time() else f"{last - timedelta(days=1):%m-%d} {until}"
    return f"{first:%H:%M}–{until}"


def gap_count(look: Roster) -> int:
    """Return how many gaps a look has."""
    return sum(len(gaps) for gaps in look.gaps.values())
