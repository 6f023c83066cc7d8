"""The evaluation of an area: counts in one statement, shares and scores by the formulas in force."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import numpy
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from citysafety import worktime
from citysafety.accounts.models import Department, User
from citysafety.calendars.services import calendar
from citysafety.workcolumns import WorkColumns
from grid.models import Cell, Division, Matter, MatterClass

from ..lifecycle import REOPENINGS, STAGES
from .models import EvaluationRule, Indicator
from .spans import PAUSE_REACHES, Days
from .words import BITS, COUNTS, OWN, summed


@dataclass(frozen=True, slots=True)
class Dimension:
    """By what cases are told apart: how it is called, its key in SQL, and the filter that keeps one row's cases."""

    label: Any
    key: str
    narrows: str
    join: str = ""


BY_USER = "LEFT JOIN accounts_user r ON r.id = h.reporter_id AND r.role = 'grid_worker'"
DIMENSIONS = {
    "department": Dimension(_("Department"), "coalesce(e.unit, h.department_id)", "department"),
    "county": Dimension(
        _("County"), "CASE WHEN length(h.area_code) >= 6 THEN left(h.area_code, 6)::bigint END", "area"
    ),
    "township": Dimension(
        _("Township"), "CASE WHEN length(h.area_code) >= 9 THEN left(h.area_code, 9)::bigint END", "area"
    ),
    "class": Dimension(
        _("Class of matters"), "m.matter_class_id", "category", "JOIN grid_matter m ON m.id = h.matter_id"
    ),
    "matter": Dimension(_("Matter"), "h.matter_id", "matter"),
    "worker": Dimension(_("Grid worker"), "r.id", "reporter", BY_USER),
}
MOST_ROWS = 200  # on the page; the file and the API have all
# Everything that happened within the days is read by its index, and of each case that it happened to just its row: the
# rows are looked up one by one (OFFSET 0 keeps the planner from reading the whole table for them).
HAPPENED = f"""
WITH happened AS MATERIALIZED (
  SELECT hazard, unit, bit_or(bit) AS b FROM (
    SELECT hazard_id AS hazard, NULL::bigint AS unit,
           CASE action WHEN 'dispatch' THEN {BITS["dispatch"]} ELSE {BITS["write_off"]} END AS bit
    FROM hazards_step WHERE action IN ('dispatch', 'write_off') AND at >= %(start)s AND at < %(end)s
    UNION ALL
    SELECT hazard_id, NULL, CASE action {{cases}} END
    FROM hazards_step WHERE action IN ({{actions}}) AND at >= %(start)s AND at < %(end)s
    UNION ALL
    SELECT s.hazard_id, u.department_id, {BITS["returned_by"]}
    FROM hazards_step s JOIN accounts_user u ON u.id = s.actor_id
    WHERE %(by_unit)s AND s.action = 'return' AND s.at >= %(start)s AND s.at < %(end)s
    UNION ALL
    SELECT hazard_id, NULL, {BITS["fail"]} FROM hazards_recheck
    WHERE state = 'fails' AND done_at >= %(start)s AND done_at < %(end)s
    UNION ALL
    SELECT hazard_id, NULL, {BITS["marked"]} + CASE stage WHEN 'rectify' THEN {BITS["own_marked"]} ELSE 0 END
    FROM hazards_mark WHERE at >= %(start)s AND at < %(end)s
    UNION ALL
    SELECT hazard_id, NULL, {BITS["stood"]} FROM hazards_clockchange c
    WHERE kind = 'pause' AND is_granted AND decided_at >= %(paused_since)s AND decided_at < %(end)s
      AND (ended_at IS NULL OR ended_at >= %(start)s)
      AND NOT EXISTS (SELECT FROM hazards_mark k WHERE k.hazard_id = c.hazard_id AND k.at < c.decided_at)
    UNION ALL
    SELECT id, NULL, {BITS["received"]} FROM hazards_hazard WHERE received_at >= %(start)s AND received_at < %(end)s
  ) one GROUP BY hazard, unit
)"""
WEIGHED = {action: BITS[action] for action in ("accept", "return", "fail", "ask_extension", "grant_extension")}
WEIGHED |= dict.fromkeys(REOPENINGS, BITS["reopen"])
HAPPENED = HAPPENED.format(
    cases=" ".join(f"WHEN '{action}' THEN {bit}" for action, bit in WEIGHED.items()),
    actions=", ".join(f"'{action}'" for action in WEIGHED),
)
# A case as it stood when the days ended: what came after them changes nothing of them. Only of what has changed since is
# more read than its row: where it lay, whose it was, whether it was late.
THEN = "z.changed_at >= %(end)s"
CASE = f"""LEFT JOIN (
  SELECT DISTINCT ON (hazard_id) hazard_id, area_code, dedicated_cell_id
  FROM hazards_formerplace WHERE until >= %(end)s ORDER BY hazard_id, until
) f ON f.hazard_id = e.hazard
CROSS JOIN LATERAL (
  SELECT coalesce(f.area_code, z.area_code) AS area_code, z.matter_id, z.reporter_id, z.severity,
    CASE WHEN f.hazard_id IS NULL THEN z.dedicated_cell_id ELSE f.dedicated_cell_id END AS dedicated_cell_id,
    CASE WHEN {THEN} THEN (
      SELECT s.department_id FROM hazards_step s WHERE s.hazard_id = z.id AND s.at < %(end)s ORDER BY s.version DESC LIMIT 1
    ) ELSE z.department_id END AS department_id,
    z.late AND (NOT ({THEN}) OR EXISTS (SELECT FROM hazards_mark k WHERE k.hazard_id = z.id AND k.at < %(end)s)) AS late,
    z.late AND EXISTS (
      SELECT FROM hazards_mark k WHERE k.hazard_id = z.id AND k.stage = 'rectify' AND k.at < %(end)s
    ) AS own_late,
    CASE WHEN z.pinned_at < %(end)s THEN z.pinned_at END AS pinned_at
  FROM hazards_hazard z WHERE z.id = e.hazard OFFSET 0
) h"""
RULES = {key: count.sql for key, count in COUNTS.items()} | dict(OWN.values())
SUMS = ", ".join(
    f"count(*) FILTER (WHERE {rule}), coalesce(sum(weight) FILTER (WHERE {rule}), 0)::bigint" for rule in RULES.values()
)


@dataclass(frozen=True, slots=True)
class Share:
    """An indicator of a row: its value, of how many cases, and how it looks; neither colour nor points for too few."""

    indicator: Indicator
    value: float | None
    of: int  # cases
    is_small: bool

    @property
    def percent(self) -> float | None:
        return None if self.value is None else 100 * self.value

    @property
    def look(self) -> str:
        if self.value is None or self.is_small:
            return ""
        points = self.indicator.points(self.value)
        return "good" if points >= 1 else "bad" if points <= 0 else "fair"


@dataclass(slots=True)
class Row:
    """A department, an area, a class, a matter or a worker: its counts, what pinned ones count, shares, score and rank."""

    key: str
    name: str
    counts: dict[str, int]
    weighed: dict[str, int]
    narrowed: dict[str, str]
    shares: list[Share] = field(default_factory=list)
    score: float | None = None
    rank: int | None = None
    is_small: bool = False
    times: dict[str, float] = field(default_factory=dict)  # by stage: hours on average

    def list_of(self, count: str, days: Days, *, path: str = "") -> str:
        """Return the address of the list that makes a count."""
        narrowed = self.narrowed
        if "department" in narrowed:
            if count == "returned":
                narrowed = {name: value for name, value in narrowed.items() if name != "department"}
                narrowed["returned_by"] = self.narrowed["department"]
            elif count in OWN:
                count = OWN[count][0]
        return f"{path or reverse('hazards')}?{urlencode({'counted': f'{count}:{days}', **narrowed})}"


@dataclass(frozen=True, slots=True)
class Table:
    """The evaluation of an area over some days."""

    area: str
    dimension: str
    days: Days
    rule: EvaluationRule
    indicators: list[Indicator]
    rows: list[Row]
    total: Row | None  # of all cases, also those of no row; not for whom only one row is
    ranked: int
    as_of: datetime


def evaluate(area: str, dimension: str, days: Days, *, with_times: bool = False) -> Table:
    """Evaluate the work of some days in an area. Queries: 4; 1 more for a cell, 1 more with times. However many rows."""
    rule, indicators = EvaluationRule.present(), list(Indicator.objects.filter(active=True))
    found, total = _counts(area, dimension, days)
    names = _names(dimension, found)
    rows = [
        Row(code, name, *found[key], {"area": area} | {DIMENSIONS[dimension].narrows: code})
        for key, (code, name) in names.items()
        if key in found
    ]
    whole = Row("", "", *total, {"area": area})
    for row in (*rows, whole):
        _judge(row, indicators, rule.least)
    if with_times:
        times = _times(area, dimension, days)
        for key, row in zip((key for key in names if key in found), rows, strict=True):
            row.times = times.get(key, {})
        whole.times = times.get(None, {})
    ranked = _rank(rows)
    rows.sort(key=lambda row: (row.rank is None, row.rank or 0, -row.counts["should_close"], row.name))
    return Table(area, dimension, days, rule, indicators, rows, whole, ranked, timezone.now())


def _asked(area: str, dimension: str, days: Days) -> tuple[str, dict[str, Any]]:
    """Return the condition of an area, and what the statements are asked with. Queries: 1 for a cell, else 0."""
    asked: dict[str, Any] = {
        "start": days.start, "end": days.end, "paused_since": days.start - PAUSE_REACHES,
        "by_unit": dimension == "department", "area": f"{area}%",
    }  # fmt: skip
    if len(area) == 15 and (cell := Cell.objects.filter(code=area, kind="dedicated").values_list("pk").first()):
        return "h.dedicated_cell_id = %(cell)s", asked | {"cell": cell[0]}
    return "h.area_code LIKE %(area)s", asked


def _counts(area: str, dimension: str, days: Days) -> tuple[dict[int, Any], tuple[dict[str, int], dict[str, int]]]:
    """Return by key the counts of cases and what they weigh, and those of all cases. Queries: 1, 2 for a cell."""
    by = DIMENSIONS[dimension]
    where, asked = _asked(area, dimension, days)
    sql = f"""{HAPPENED}
    SELECT GROUPING(key) AS whole, key, {SUMS} FROM (
      SELECT {by.key} AS key, e.b, h.late, h.own_late, CASE WHEN h.pinned_at IS NULL THEN 1 ELSE coalesce(l.pin_weight, 1) END AS weight
      FROM happened e {CASE} {by.join}
      LEFT JOIN hazards_limitrule l ON l.severity = h.severity AND l.active
      WHERE {where}
    ) one GROUP BY GROUPING SETS ((key), ())"""
    with connection.cursor() as cursor:
        cursor.execute(sql, asked)
        lines = cursor.fetchall()
    found, total = {}, None
    for whole, key, *sums in lines:
        pair = tuple(dict(zip(RULES, sums[n::2], strict=True)) for n in (0, 1))
        for one in pair:
            for count, (own, _sql) in OWN.items():
                of_its_own = one.pop(own)
                if dimension == "department" and not whole:
                    one[count] = of_its_own
        if whole:
            total = pair
        elif key is not None and pair[0] and any(pair[0].values()):
            found[key] = pair
    return found, total  # type: ignore[return-value]  # the empty grouping set always gives a line


def _names(dimension: str, keys: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Return by key the code and name of each row. Queries: 1."""
    keys = list(keys)
    if dimension in ("county", "township"):
        rows = Division.objects.filter(code__in=[str(key) for key in keys]).only("code", "name_zh", "name_en")
        names = {int(row.code): (row.code, row.name) for row in rows}
        return {key: names.get(key, (str(key), str(key))) for key in keys}
    if dimension == "worker":
        return {user.pk: (str(user.pk), user.name) for user in User.objects.filter(pk__in=keys)}
    model = {"department": Department, "class": MatterClass, "matter": Matter}[dimension]
    return {row.pk: (row.code, row.name) for row in model.objects.filter(pk__in=keys)}


def _judge(row: Row, indicators: list[Indicator], least: int) -> None:
    row.is_small = row.counts["should_close"] < least
    points = weights = 0.0
    for indicator in indicators:
        whole = summed(indicator.denominator, row.weighed)
        value = summed(indicator.numerator, row.weighed) / whole if whole > 0 else None
        of = summed(indicator.denominator, row.counts)
        share = Share(indicator, value, of, is_small=of < least)
        row.shares.append(share)
        if value is not None and not share.is_small:
            points += indicator.weight * indicator.points(value)
            weights += indicator.weight
    if weights and not row.is_small:
        row.score = 100 * points / weights


def _rank(rows: list[Row]) -> int:
    """Give equal scores equal ranks; return how many rows are ranked."""
    ranked = sorted((row for row in rows if row.score is not None), key=lambda row: -(row.score or 0))
    for place, row in enumerate(ranked, start=1):
        before = ranked[place - 2] if place > 1 else None
        is_level = before is not None and round(before.score or 0, 6) == round(row.score or 0, 6)
        row.rank = before.rank if before is not None and is_level else place
    return len(ranked)


def _times(area: str, dimension: str, days: Days) -> dict[int | None, dict[str, float]]:
    """Return by key (None: all) how many hours of working time each stage of what was closed used on average. Queries: 1.

    What ran before is kept with the clock; the last run is counted over the calendar, in columns.
    """
    by = DIMENSIONS[dimension]
    where, asked = _asked(area, dimension, days)
    sql = f"""
    WITH e AS MATERIALIZED (
      SELECT DISTINCT hazard_id AS hazard, NULL::bigint AS unit FROM hazards_step
      WHERE action = 'write_off' AND at >= %(start)s AND at < %(end)s
    )
    SELECT coalesce({by.key}, 0), c.stage, c.unit, c.consumed_s,
           (extract(epoch FROM c.started_at) * 1000)::bigint, (extract(epoch FROM c.stopped_at) * 1000)::bigint
    FROM e {CASE} {by.join} JOIN hazards_clock c ON c.hazard_id = e.hazard
    WHERE {where} AND c.stage IN ('accept', 'rectify', 'verify') AND c.stopped_at IS NOT NULL"""
    with connection.cursor() as cursor:
        cursor.execute(sql, asked)
        lines = cursor.fetchall()
    if not lines:
        return {}
    keys, stages, units, before, started, stopped = (numpy.array(column) for column in zip(*lines, strict=True))
    unit = numpy.array([worktime.UNITS.index(name) for name in units])
    used = before + WorkColumns(calendar(), timezone.now()).used(started, stopped, unit) / 1000
    times: dict[int | None, dict[str, float]] = {None: {}}
    for stage in STAGES:
        here = stages == str(stage)
        if not here.any():
            continue
        times[None][str(stage)] = float(used[here].mean()) / 3600
        known, which = numpy.unique(keys[here], return_inverse=True)
        means = numpy.bincount(which, used[here]) / numpy.bincount(which) / 3600
        for key, mean in zip(known.tolist(), means.tolist(), strict=True):
            times.setdefault(key, {})[str(stage)] = mean
    return times
