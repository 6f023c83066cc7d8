"""Figures at a position: what a board shows, and which subjects make it.

Positions stay readable for an hour at least; older ones raise :class:`PositionGone`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from citysafety.outbox.selectors import PositionAhead, PositionGone

from . import figures, sql
from .models import NO_DAY, OPEN, UNIT, Period, Tally

__all__ = ["Board", "PositionAhead", "PositionGone", "board", "boards", "by_category", "cell_counts", "days", "members"]

CITY_TIME = ZoneInfo("Asia/Shanghai")
CELL_DIGITS = 15
CATEGORY_DIGITS = 9  # categories are kept down to townships; below, the few periods are counted


@dataclass(frozen=True, slots=True)
class Board:
    """Every figure of an area at one position; a ratio of nothing is None."""

    position: int
    as_of: datetime
    figures: dict[str, int | float | None]


@dataclass(frozen=True, slots=True)
class Standing:
    """A readable position: when it was dealt, its day, and the fold to start from."""

    position: int
    as_of: datetime
    floor: int

    @property
    def day(self) -> date:
        return self.as_of.astimezone(CITY_TIME).date()


# A position and its fold, in one row. A position inside a batch was dealt with it, so it has the batch's time.
STANDING = """
standing AS (
  SELECT head.position AS head, coalesce(%(at)s, head.position) AS position,
    (SELECT max(f.position) FROM tallies_fold f WHERE f.position <= coalesce(%(at)s, head.position)) AS low,
    coalesce(
      (SELECT f.as_of FROM tallies_fold f WHERE f.position >= coalesce(%(at)s, head.position) ORDER BY f.position LIMIT 1),
      head.as_of) AS as_of,
    EXISTS (SELECT 1 FROM tallies_fold) AS folded
  FROM (SELECT coalesce(max(h.position), 0) AS position, coalesce(max(h.as_of), now()) AS as_of FROM outbox_head h) head
)"""

BOARDS = """
WITH {standing},
asked AS (
  SELECT a.area, f.figure,
    CASE WHEN f.daily THEN (s.as_of AT TIME ZONE 'Asia/Shanghai')::date ELSE DATE '0001-01-01' END AS day
  FROM unnest(%(areas)s::text[]) a(area), unnest(%(keys)s::text[], %(daily)s::bool[]) f(figure, daily), standing s
),
folded AS (
  SELECT q.area, q.figure, v.value
  FROM asked q, standing s, LATERAL (
    SELECT t.value, t.until FROM tallies_tally t
    WHERE t.figure = q.figure AND t.category = '' AND t.day = q.day AND t.area = q.area AND {version}
  ) v WHERE {lasts}
){rest}
SELECT s.head, s.position, s.low, s.as_of, s.folded, NULL, NULL, NULL FROM standing s
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, area, figure, sum(value) FROM (SELECT * FROM folded {late}) value GROUP BY area, figure"""

AT_HEAD = BOARDS.format(standing=STANDING, version=f"t.until = {OPEN}", lasts="true", rest="", late="")
AT_POSITION = BOARDS.format(
    standing=STANDING,
    # The newest version that is old enough, by index; it counts if it lasted until the fold.
    version="t.since <= s.low ORDER BY t.since DESC LIMIT 1",
    lasts="v.until > s.low",
    rest=f""",
{sql.STEPS.replace("%(low)s", "(SELECT low FROM standing)").replace("%(high)s", "(SELECT position FROM standing)")},
{sql.SPREAD},
late AS (
  SELECT q.area, q.figure, p.delta FROM asked q JOIN spread p
    ON p.figure = q.figure AND p.area = q.area AND p.day = q.day AND p.category = ''
)""",
    late="UNION ALL SELECT * FROM late",
)


def board(area: str, at: int | None = None) -> Board:
    """Return every registered figure of an area, at the head or at an earlier position. One query, one snapshot.

    :raises PositionGone: the position is no longer readable.
    :raises PositionAhead: the position has not been dealt yet.
    """
    return boards([area], at)[area]


def boards(areas: Iterable[str], at: int | None = None) -> dict[str, Board]:
    """Return the boards of several areas, all at the same position. One query, one snapshot.

    :raises PositionGone: the position is no longer readable.
    :raises PositionAhead: the position has not been dealt yet.
    """
    areas = list(areas)
    kept = [f.key for f in figures.registered() if f.kind != figures.RATIO]
    daily = [figures.is_daily(key) for key in kept]
    with connection.cursor() as cursor:
        cursor.execute(
            AT_HEAD if at is None else AT_POSITION,
            {"at": at, "areas": areas, "keys": kept, "daily": daily},
        )
        first, *rows = sorted(cursor.fetchall(), key=lambda row: row[0] is None)
    standing = _readable(*first[:5])
    values = {area: dict.fromkeys(kept, 0) for area in areas}
    for *_, area, key, value in rows:
        values[area][key] = number(value)
    return {area: Board(standing.position, standing.as_of, _with_ratios(values[area])) for area in areas}


def _readable(head: int, position: int, low: int | None, as_of: datetime, folded: bool) -> Standing:
    if position > head or position < 0:
        raise PositionAhead(position, head)
    if low is None and folded:
        raise PositionGone(position)
    return Standing(position, as_of, low or 0)


def standing(at: int | None = None) -> Standing:
    """Return what a position stands on. One query. Raises as :func:`board` does."""
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {STANDING} SELECT head, position, low, as_of, folded FROM standing", {"at": at})
        return _readable(*cursor.fetchone())


def _with_ratios(values: dict) -> dict:
    """Return values in the order of registration, with each ratio of its two counts, not rounded: whoever writes it does that once."""
    board: dict[str, int | float | None] = {}
    for figure in figures.registered():
        if figure.kind == figures.RATIO:
            whole = values.get(figure.denominator, 0)
            board[figure.key] = values.get(figure.numerator, 0) / whole if whole else None
        else:
            board[figure.key] = values[figure.key]
    return board


def number(value: Decimal) -> int | float:
    """Return a sum as JSON shows it: an integer where it is one."""
    return int(value) if value == value.to_integral_value() else float(value)


def members(kind: str, key: str, area: str, at: int | None = None) -> QuerySet[Period]:
    """Return the periods, one a subject, that a figure counts in an area at a position: what its list shows.

    One query to place the position; the rows are the caller's. Raises as :func:`board` does.
    """
    place = standing(at)
    periods = Period.objects.filter(_in(area), kind=kind, since__lte=place.position)
    # Conditions on empty lists repeat the indexes' own, so that the planner may use them.
    if figures.is_daily(key):
        return _earned(periods, key, place.day)
    lasting = Q(until=OPEN)
    if at is not None:
        lasting |= Q(until__gt=place.position, until__lt=OPEN)
    if figures.figure(key).kind == figures.SUM:
        return periods.filter(lasting, amounts__has_key=key)
    return periods.filter(lasting, ~Q(now=[]), now__contains=[key])


def earned_by(unit: str, kind: str, key: str, day: date) -> QuerySet[Period]:
    """Return the periods, one a subject, in which a unit earned a figure of a day, whosever the subject is now."""
    return _earned(Period.objects.filter(kind=kind, since__isnull=False), key, day).filter(unit=unit)


def _earned(periods: QuerySet[Period], key: str, day: date) -> QuerySet[Period]:
    """Keep the periods in which a figure of a day was earned, the first of each subject."""
    earlier = Period.objects.filter(
        Q(since__lt=OuterRef("since")) | Q(since=OuterRef("since"), id__lt=OuterRef("id")),
        kind=OuterRef("kind"),
        subject_id=OuterRef("subject_id"),
        day=day,
        today__contains=[key],
    )
    return periods.filter(~Q(today=[]), ~Exists(earlier), day=day, today__contains=[key])


def _in(area: str) -> Q:
    here = Q(area__startswith=area)
    return here | Q(extra_area=area) if len(area) == CELL_DIGITS else here


def by_category(figure: str, area: str, at: int | None = None) -> dict[str, int | float]:
    """Return a count in an area by category; categories without any are absent.

    Two queries at the head; at an earlier position, or below townships, the periods are counted:
    two queries for each registered kind of subject. Raises as :func:`board` does.
    """
    if at is None and len(area) <= CATEGORY_DIGITS:
        day = standing().day if figures.is_daily(figure) else NO_DAY
        rows = Tally.objects.filter(figure=figure, area=area, day=day, until=OPEN)
        rows = rows.exclude(category="").exclude(category__startswith=UNIT)
        return {category: number(value) for category, value in rows.values_list("category", "value")}
    totals: dict[str, int | float] = {}
    for kind in figures.subjects():
        rows = members(kind, figure, area, at).exclude(category="").order_by()
        for category, count in rows.values_list("category").annotate(count=Count("pk")):
            totals[category] = totals.get(category, 0) + count
    return totals


def days(figure: str, area: str, last_n: int, at: int | None = None) -> list[tuple[date, int | float]]:
    """Return a figure of the day for the last days up to the position's own, oldest first, zeros too.

    Two queries; the position's own day is read at the position, earlier days at the head. Below townships, where old
    days are not kept, they are counted: one query more. Raises as :func:`board` does.

    :raises ValueError: for a figure of the moment, which has no days.
    """
    if not figures.is_daily(figure):
        raise ValueError(f"{figure} is not a figure of the day")
    place = standing(at)
    first = place.day - timedelta(days=last_n - 1)
    rows = Tally.objects.filter(figure=figure, category="", area=area, until=OPEN, day__gte=first, day__lte=place.day)
    values = {day: number(value) for day, value in rows.values_list("day", "value")}
    kept_from = place.day - timedelta(days=sql.DAYS_KEPT_BELOW - 1)
    if len(area) > CATEGORY_DIGITS and first < kept_from:
        old = Period.objects.filter(
            ~Q(today=[]),
            _in(area),
            kind__in=list(figures.subjects()),
            day__in=[first + timedelta(days=n) for n in range((kept_from - first).days)],
            since__isnull=False,
            today__contains=[figure],
        )
        values |= dict(old.values_list("day").annotate(Count("subject_id", distinct=True)).order_by())
    if at is not None:
        values[place.day] = board(area, at).figures[figure]
    return [(day, values.get(day, 0)) for day in (first + timedelta(days=n) for n in range(last_n))]


def cell_counts(counts: Sequence[str], area: str) -> str:
    """Return counts of the moment for every cell of an area that has any, at the head, as JSON: {code: [n, …]}. One query.

    PostgreSQL writes the text: six thousand cells are a few milliseconds there, many here. A count has one row a cell, so the
    counts are joined, not summed, which would sort them first.
    """
    one = (
        "(SELECT area, value::bigint AS n FROM tallies_tally WHERE figure = %s AND category = '' AND day = %s AND until = %s"
        " AND area LIKE %s AND length(area) = %s)"
    )
    joined = " FULL JOIN ".join(f"{one} AS c{n}" + (" USING (area)" if n else "") for n in range(len(counts)))
    pair = " || ',' || ".join(f"coalesce(c{n}.n, 0)" for n in range(len(counts)))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT '{{' || coalesce(string_agg('\"' || area || '\":[' || {pair} || ']', ','), '') || '}}' FROM {joined}",
            [value for key in counts for value in (key, NO_DAY, OPEN, f"{area}%", CELL_DIGITS)],
        )
        return cursor.fetchone()[0]
