"""Who is on duty, and where nobody is: the questions that escalation, pages and programs ask. Nothing here is written.

One is *there* by a standing shift, unless on leave, switched off or no longer of the post's role and area; then the
deputy is, if that one is there. The people of a post are asked in this order: on duty, deputy, on call.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Length

from citysafety import areas, workdays
from citysafety.accounts.models import User
from citysafety.accounts.roles import Role

from .models import Leave, Post, Shift
from .presence import (
    NO_CALENDAR,
    NO_POST,
    NO_SHIFT,
    OFF_HOURS,
    ON_LEAVE,
    ORDER,
    Gap,
    Presence,
    Span,
    gaps_in,
    merged,
    midnight,
    presences,
    staffed_spans,
)
from .services import calendar

MOST_OTHERS = 20  # people without a roster whom one may ask when nobody is on duty
LONGEST_LOOK = timedelta(days=62)
MOMENT = timedelta(microseconds=1)
NO_DAYS = workdays.Calendar({})  # for posts that do not ask which days are worked
LOOKS_UP = frozenset({Role.OPERATOR, Role.DISPATCHER, Role.SUPERVISOR, Role.LEADER, Role.AUDITOR})


@dataclass(frozen=True, slots=True)
class OnDuty:
    """One person on duty at a post now: as who (``primary``, ``deputy``, ``backup``), and until when."""

    person: User
    post: Post
    shift: Shift
    way: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Level:
    """The posts of a role at one level of the area, with who is there. ``reason``: why nobody is, "" where somebody is."""

    area_code: str
    posts: tuple[Post, ...]
    people: tuple[OnDuty, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Duty:
    """The answer to "who is on duty": the nearest level that has a post, and the way on where nobody is there.

    ``levels`` go from the nearest up the area to the city. ``others`` are people of the role by area, whatever the roster,
    the nearest first and nobody on leave; they are looked for only where nobody is on duty at any level.
    """

    role: str
    area_code: str
    at: datetime
    levels: tuple[Level, ...]
    others: tuple[User, ...] = ()

    @property
    def people(self) -> tuple[OnDuty, ...]:
        """Who is on duty at the nearest level that has a post."""
        return self.levels[0].people if self.levels else ()

    @property
    def nobody(self) -> bool:
        return not self.people

    @property
    def reason(self) -> str:
        """Why nobody is: ``no_post``, ``no_shift``, ``on_leave``, ``off_hours``; "" where somebody is."""
        return self.levels[0].reason if self.levels else NO_POST

    @property
    def next_level(self) -> Level | None:
        """The next level up that has somebody on duty, where the nearest has nobody."""
        return next((level for level in self.levels[1:] if level.people), None) if self.nobody else None

    @property
    def to_ask(self) -> tuple[User, ...]:
        """Whom to turn to now: who is on duty here, else at the next level, else the people without a roster."""
        level = self.next_level
        on_duty = self.people or (level.people if level else ())
        return tuple(dict.fromkeys(one.person for one in on_duty)) or self.others


@dataclass(frozen=True, slots=True)
class PostGap:
    """A gap, and whose."""

    post: Post
    gap: Gap


@dataclass(frozen=True, slots=True)
class Roster:
    """The posts of a look with their shifts, who is really there, and the gaps, by post."""

    start: datetime
    end: datetime
    posts: tuple[Post, ...]
    shifts: dict[int, list[Shift]]
    there: dict[int, list[Presence]]
    gaps: dict[int, list[Gap]]
    away: dict[int, list[Span]]


@dataclass(frozen=True, slots=True)
class Ask:
    """One question of many: who is on duty for an area in a role, of a department where the role has departments."""

    role: str
    area_code: str
    department_id: int | None = None


def on_duty(*, role: str, area_code: str, at: datetime, department_id: int | None = None) -> Duty:
    """Return who is on duty for an area in a role, and whom to turn to where nobody is. Pure of notices.

    Queries: at most 3, however many posts and people, and 1 more where nobody is on duty at any level.
    """
    ask = Ask(role, area_code, department_id)
    return duties([ask], at)[ask]


def duties(asks: Iterable[Ask], at: datetime) -> dict[Ask, Duty]:
    """Answer many questions at once, each as :func:`on_duty` does. Queries: as one question's, however many there are."""
    asks = list(dict.fromkeys(asks))
    lines = {ask: areas.lineage(ask.area_code) for ask in asks}
    wanted = {
        "role__in": {ask.role for ask in asks},
        "area_code__in": {area for line in lines.values() for area in line},
    }
    posts = list(Post.objects.active().filter(**wanted).order_by("id")) if asks else []
    shifts = _shifts(posts, at, at + MOMENT)
    there = _there(shifts, _away(shifts, at, at + MOMENT))
    levels = {
        ask: _levels(
            [
                p
                for p in posts
                if (p.role, p.department_id) == (ask.role, ask.department_id) and p.area_code in lines[ask]
            ],
            shifts,
            there,
            at,
        )
        for ask in asks
    }
    alone = [ask for ask in asks if not any(level.people for level in levels[ask])]
    people = _people_there(alone, at)
    return {ask: Duty(ask.role, ask.area_code, at, tuple(levels[ask]), others=people.get(ask, ())) for ask in asks}


def _people_there(asks: Sequence[Ask], at: datetime) -> dict[Ask, tuple[User, ...]]:
    """Return the people of the role whatever the roster, the nearest first and nobody on leave. Queries: 1, none for no asks."""
    if not asks:
        return {}
    lines = {ask: areas.lineage(ask.area_code) for ask in asks}
    away = Leave.objects.during(at, at + MOMENT).filter(person=OuterRef("pk"))
    wanted = {
        "role__in": {ask.role for ask in asks},
        "area_code__in": {area for line in lines.values() for area in line},
    }
    rows = (
        User.objects.filter(is_active=True, **wanted).exclude(Exists(away)).order_by(Length("area_code").desc(), "pk")
    )
    if all(ask.department_id is not None for ask in asks):
        rows = rows.filter(department__in={ask.department_id for ask in asks})
    found = list(rows)
    return {
        ask: tuple(
            one
            for one in found
            if one.role == ask.role and one.area_code in lines[ask] and ask.department_id in (None, one.department_id)
        )[:MOST_OTHERS]
        for ask in asks
    }


def levels_of(posts: Iterable[Post], at: datetime) -> list[Level]:
    """Return the levels of posts of one role, the nearest to the place first, with who is there. Queries: 2 beside the posts."""
    posts = list(posts)
    shifts = _shifts(posts, at, at + MOMENT)
    return _levels(posts, shifts, _there(shifts, _away(shifts, at, at + MOMENT)), at)


def _levels(
    posts: Iterable[Post], shifts: dict[int, list[Shift]], there: dict[int, list[Presence]], at: datetime
) -> list[Level]:
    by_area: dict[str, list[Post]] = defaultdict(list)
    for post in posts:
        by_area[post.area_code].append(post)
    found = []
    for area, some in sorted(by_area.items(), key=lambda row: -len(row[0])):
        people = [one for post in some for one in now_at(post, there[post.pk], at)]
        people.sort(key=lambda one: (ORDER[one.way], one.shift.begins, one.person.pk))
        reason = "" if people else why_nobody(some, shifts, at)
        found.append(Level(area, tuple(some), tuple(people), reason))
    return found


def now_at(post: Post, there: Iterable[Presence], at: datetime) -> list[OnDuty]:
    """Return who of those who are there is there now."""
    return [OnDuty(p.person, post, p.shift, p.way, p.ends) for p in there if p.begins <= at < p.ends]


def why_nobody(posts: Sequence[Post], shifts: dict[int, list[Shift]], at: datetime) -> str:
    """Return why nobody is there: all of a shift away, none planned, or none needed at this time."""
    days = calendar_for(posts)
    if any(shift.begins <= at < shift.ends for post in posts for shift in shifts[post.pk]):
        return ON_LEAVE
    return NO_SHIFT if any(any(staffed_spans(post, at, at + MOMENT, days)) for post in posts) else OFF_HOURS


def calendar_for(posts: Iterable[Post]) -> workdays.Calendar:
    """Return the calendar where posts depend on working days. Queries: its own (citysafety/calendars/services.py), or none."""
    return calendar() if any(post.staffed == Post.Staffed.WORKING for post in posts) else NO_DAYS


def people_of(role: str, line: Sequence[str], department_id: int | None = None) -> QuerySet[User]:
    """Return the people of a role whose area of duty is one of these, the nearest first. Queries: 1."""
    people = User.objects.filter(is_active=True, role=role, area_code__in=line)
    if department_id is not None:
        people = people.filter(department_id=department_id)
    return people.order_by(Length("area_code").desc(), "pk")


def candidates(post: Post) -> QuerySet[User]:
    """Return the people who may stand at a post, those of the post's own area first. Queries: 1."""
    return people_of(post.role, areas.lineage(post.area_code), post.department_id)


def fits(person: User, post: Post) -> bool:
    """Test whether a person may stand at a post: active, of its role, its area covered, of its department if it has one."""
    return (
        person.is_active
        and person.role == post.role
        and person.covers(post.area_code)
        and (post.department_id is None or person.department_id == post.department_id)
    )


def roster(posts: Iterable[Post], start: datetime, end: datetime) -> Roster:
    """Return the roster of posts between two moments. Queries: 2 beside the posts, and the calendar's own.

    :raises ValueError: more than 62 days, or none.
    """
    if not timedelta() < end - start <= LONGEST_LOOK:
        raise ValueError(f"{start} to {end}: expected more than nothing and at most {LONGEST_LOOK.days} days")
    posts = tuple(posts)
    shifts = _shifts(posts, start, end)
    away = _away(shifts, start, end)
    there = _there(shifts, away)
    days = calendar_for(posts)
    gaps = {post.pk: _gaps_of(post, start, end, days, shifts[post.pk], there[post.pk]) for post in posts}
    return Roster(start, end, posts, shifts, there, gaps, away)


def gaps(area_code: str, start: datetime, end: datetime) -> list[PostGap]:
    """Return when posts of an area that must be staffed are not, in the order of their begins. Queries: 3.

    Working time of a year that the calendar lacks is told as a gap of its own reason, ``no_calendar``: nobody knows.
    """
    found = roster(Post.objects.active().within(area_code), start, end)
    rows = [PostGap(post, gap) for post in found.posts for gap in found.gaps[post.pk]]
    return sorted(rows, key=lambda row: (row.gap.begins, row.post.area_code, row.post.pk))


def _gaps_of(
    post: Post, start: datetime, end: datetime, days: workdays.Calendar, shifts: list[Shift], there: list[Presence]
) -> list[Gap]:
    known, unknown = staffed_spans(post, start, end, days)
    found = gaps_in(known, post.minimum, shifts, there)
    found += [Gap(begin, stop, post.minimum, NO_CALENDAR) for begin, stop in unknown]
    return sorted(found, key=lambda gap: gap.begins)


def _shifts(posts: Sequence[Post], start: datetime, end: datetime) -> dict[int, list[Shift]]:
    """Return the standing shifts of posts by post, each with its post and people. Queries: 1, none without posts."""
    by_post: dict[int, list[Shift]] = {post.pk: [] for post in posts}
    if not posts:
        return by_post
    own = {post.pk: post for post in posts}
    rows = Shift.objects.during(start, end).filter(post__in=posts).select_related("person", "deputy")
    for shift in rows.order_by("begins", "pk"):
        shift.post = own[shift.post_id]
        by_post[shift.post_id].append(shift)
    return by_post


def _away(shifts: dict[int, list[Shift]], start: datetime, end: datetime) -> dict[int, list[Span]]:
    """Return the leave of everyone in these shifts, by person. Queries: 1, none without shifts.

    Looked for over the whole of the shifts, so that a presence ends when it really does.
    """
    rows = [shift for some in shifts.values() for shift in some]
    away: dict[int, list[Span]] = defaultdict(list)
    if not rows:
        return away
    people = {who for shift in rows for who in (shift.person_id, shift.deputy_id) if who}
    begin, stop = min(shift.begins for shift in rows), max(shift.ends for shift in rows)
    found = Leave.objects.during(min(begin, start), max(stop, end)).filter(person__in=people)
    for who, begins, ends in found.values_list("person", "begins", "ends"):
        away[who].append((begins, ends))
    return {who: merged(spans) for who, spans in away.items()}


def _there(shifts: dict[int, list[Shift]], away: dict[int, list[Span]]) -> dict[int, list[Presence]]:
    def fitting(person: User, shift: Shift) -> bool:
        return fits(person, shift.post)

    return {post: presences(rows, away, fitting) for post, rows in shifts.items()}


# -- what pages ask ----------------------------------------------------------------------------------


def posts_around(user: Any, area_code: str) -> QuerySet[Post]:
    """Return the posts that answer for an area inside the own one, those above it included, the widest area first.

    Those above are for calling them: name, phone and who is there now; their rosters are not shown. A handler sees the
    own department's alone.
    """
    seen = Post.objects.active().select_related("department").order_by(Length("area_code"), "area_code", "id")
    if user.role not in LOOKS_UP:
        return seen.visible_to(user).within(area_code)
    return seen.filter(Q(area_code__startswith=area_code) | Q(area_code__in=areas.lineage(area_code), department=None))


def own_shifts(user: Any, at: datetime, count: int = 6) -> list[Shift]:
    """Return the running and next shifts of a person, and those the person is deputy in. Queries: 1."""
    rows = Shift.objects.standing().of(user).filter(ends__gt=at, post__active=True)
    return list(rows.select_related("post", "person", "deputy").order_by("begins", "pk")[:count])


def week_of(day: date) -> tuple[datetime, datetime]:
    """Return the week of a day of the city, Monday to Monday."""
    monday = day - timedelta(days=day.weekday())
    return midnight(monday, workdays.CITY_TIME), midnight(monday + timedelta(days=7), workdays.CITY_TIME)
