"""Patterns that give reason to ask, each one statement over some days with its limits; none of them proves anything.

Each finds rows of: key of the subject, its area, figures by name, ids of cases. None reads more than its days.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from ..public.models import ACCOUNT
from .models import Finding

Subject = Finding.Subject
MOST_CASES = 30  # named with a doubt, the newest; the figures count all
MOST_DOUBT_M = 100  # of a position, as where verifications are checked


@dataclass(frozen=True, slots=True)
class Doubt:
    """What a detector has found."""

    subject: int
    area: str
    figures: dict[str, Any]
    cases: list[UUID]


def _area(name: str) -> str:
    """Return the SQL for the area that a person's cases have in common: the county, else the city."""
    return (
        f"CASE WHEN min(left({name}, 6)) = max(left({name}, 6)) THEN min(left({name}, 6)) ELSE min(left({name}, 4)) END"
    )


def _newest(key: str, order: str, where: str = "") -> str:
    only = f" FILTER (WHERE {where})" if where else ""
    return f"(array_agg({key} ORDER BY {order} DESC){only})[1:{MOST_CASES}]"


RECEIVED = "h.received_at >= %(start)s AND h.received_at < %(end)s"
# Many people share the account of the public: what it files at one place says nothing of anybody.
NOT_THE_PUBLIC = f"<> ALL (SELECT id FROM accounts_user WHERE username = '{ACCOUNT}')"
CLOSED = "w.action = 'write_off' AND w.at >= %(start)s AND w.at < %(end)s"
QUICK = "h.handled_on_spot AND s.at <= h.received_at + %(within_minutes)s * interval '1 minute'"

ON_THE_SPOT = f"""
SELECT h.reporter_id, {_area("h.area_code")}, jsonb_build_object('cases', count(*) FILTER (WHERE {QUICK}), 'of', count(*)),
       {_newest("h.id", "h.received_at", QUICK)}
FROM hazards_hazard h
LEFT JOIN LATERAL (
  SELECT at FROM hazards_step
  WHERE h.handled_on_spot AND hazard_id = h.id AND action = 'handle_on_spot' AND actor_id = h.reporter_id
  ORDER BY version DESC LIMIT 1
) s ON true
WHERE {RECEIVED}
GROUP BY h.reporter_id
HAVING count(*) FILTER (WHERE {QUICK}) >= %(least)s AND count(*) FILTER (WHERE {QUICK}) * 100 >= count(*) * %(percent)s"""

# Neighbours are the other base cells of the same village or, where it has no other, of the same township.
SILENT_CELL = f"""
WITH reported AS (
  SELECT h.cell_id, count(*) AS n FROM hazards_hazard h WHERE {RECEIVED} AND h.cell_id IS NOT NULL GROUP BY h.cell_id
), base AS (
  SELECT c.id, c.code, coalesce(r.n, 0) AS n FROM grid_cell c LEFT JOIN reported r ON r.cell_id = c.id
  WHERE c.kind = 'base' AND c.active
    AND NOT EXISTS (  -- a cell that began within the days had no time to report
      SELECT FROM grid_gridversion v WHERE v.id = c.version_id AND v.activated_at >= %(start)s
        AND EXISTS (SELECT FROM grid_succession s WHERE s.new_id = c.id)
    )
), around AS (
  SELECT id, code, n,
         count(*) OVER village - 1 AS near, sum(n) OVER village AS near_n,
         count(*) OVER town - 1 AS town, sum(n) OVER town AS town_n
  FROM base
  WINDOW village AS (PARTITION BY left(code, 12)), town AS (PARTITION BY left(code, 9))
)
SELECT id, code,
       jsonb_build_object('neighbours', CASE WHEN near > 0 THEN near ELSE town END,
                          'reports', CASE WHEN near > 0 THEN near_n ELSE town_n END),
       '{{}}'::uuid[]
FROM around
WHERE n = 0 AND CASE WHEN near > 0 THEN near_n >= near * %(neighbours_each)s
                     ELSE town > 0 AND town_n >= town * %(neighbours_each)s END
  AND EXISTS (SELECT 1 FROM hazards_hazard h WHERE h.received_at < %(start)s)"""

LATE_HOUR = (
    "c.due_at IS NOT NULL AND c.stopped_at <= c.due_at"
    " AND c.stopped_at > c.due_at - %(within_minutes)s * interval '1 minute'"
)
LONG = "(c.unit = 'work_days' OR c.amount >= %(limit_hours)s)"  # a limit of an hour or two always ends in its last hour
# The rectification of what was written off, by the department that did it, against the others of its county.
LAST_HOUR = f"""
WITH done AS (
  SELECT h.id, h.department_id, left(d.area_code, 6) AS district, w.at, coalesce({LATE_HOUR}, false) AS is_last
  FROM hazards_step w
  JOIN hazards_hazard h ON h.id = w.hazard_id AND h.department_id IS NOT NULL
  JOIN accounts_department d ON d.id = h.department_id
  JOIN hazards_clock c ON c.hazard_id = h.id AND c.stage = 'rectify' AND {LONG}
  WHERE {CLOSED}
), unit AS (
  SELECT department_id, district, count(*) AS n, count(*) FILTER (WHERE is_last) AS last,
         {_newest("id", "at", "is_last")} AS cases
  FROM done GROUP BY department_id, district
), beside AS (
  SELECT *, sum(n) OVER same - n AS others, sum(last) OVER same - last AS others_last FROM unit
  WINDOW same AS (PARTITION BY district)
)
SELECT department_id, district,
       jsonb_build_object('cases', last, 'of', n, 'others', others_last, 'others_of', others), cases
FROM beside
WHERE last >= %(least)s AND others > 0 AND last * others > %(times)s * others_last * n"""

MORE_TIME = f"""
WITH given AS (
  SELECT h.department_id, count(*) AS n, (array_agg(DISTINCT h.id))[1:{MOST_CASES}] AS cases
  FROM hazards_step s JOIN hazards_hazard h ON h.id = s.hazard_id AND h.department_id IS NOT NULL
  WHERE s.action IN ('grant_extension', 'pause') AND s.at >= %(start)s AND s.at < %(end)s
  GROUP BY h.department_id
), sent AS (
  SELECT department_id, count(*) AS n FROM hazards_step
  WHERE action IN ('dispatch') AND at >= %(start)s AND at < %(end)s GROUP BY department_id
), unit AS (
  SELECT s.department_id, s.n AS sent, coalesce(g.n, 0) AS n, g.cases FROM sent s LEFT JOIN given g USING (department_id)
), beside AS (SELECT *, sum(sent) OVER () - sent AS others_of, sum(n) OVER () - n AS others FROM unit)
SELECT b.department_id, d.area_code,
       jsonb_build_object('cases', n, 'of', sent, 'others', others, 'others_of', others_of), cases
FROM beside b JOIN accounts_department d ON d.id = b.department_id
WHERE n >= %(least)s AND others_of > 0 AND n * others_of > %(times)s * others * sent"""

AWAY = "ST_DistanceSphere(v.location, h.location)"
FAR_VERIFIED = f"""
SELECT v.actor_id, {_area("h.area_code")},
       jsonb_build_object('cases', count(DISTINCT h.id), 'metres', round(max({AWAY}))), {_newest("h.id", "v.at")}
FROM (SELECT DISTINCT w.hazard_id FROM hazards_step w WHERE {CLOSED}) w
JOIN hazards_step v ON v.hazard_id = w.hazard_id AND v.action = 'verify' AND v.location IS NOT NULL AND v.actor_id IS NOT NULL
JOIN hazards_hazard h ON h.id = w.hazard_id
WHERE {AWAY} > %(metres)s + least(coalesce(h.accuracy_m, 0), {MOST_DOUBT_M})
GROUP BY v.actor_id HAVING count(DISTINCT h.id) >= %(least)s"""

PHOTOS = f"""
SELECT a.by_id, {_area("h.area_code")},
       jsonb_build_object('cases', count(DISTINCT h.id),
         'again', count(*) FILTER (WHERE t.doubts && ARRAY['same_bytes', 'same_picture']::varchar[]),
         'far', count(*) FILTER (WHERE t.doubts && ARRAY['far']::varchar[])),
       (array_agg(DISTINCT h.id))[1:{MOST_CASES}]
FROM evidence_trust t JOIN evidence_attachment a ON a.id = t.attachment_id AND a.kind = 'hazard'
JOIN hazards_hazard h ON h.id = a.subject_id::uuid
WHERE t.verdict = 'look' AND t.at >= %(start)s AND t.at < %(end)s
  AND t.doubts && ARRAY['same_bytes', 'same_picture', 'far']::varchar[]
  AND a.by_id {NOT_THE_PUBLIC}
GROUP BY a.by_id HAVING count(DISTINCT h.id) >= %(least)s"""

WITHIN = "ORDER BY received_at RANGE BETWEEN %(within_minutes)s * interval '1 minute' PRECEDING AND CURRENT ROW"
# A batch is what one person files within minutes, with the same words or at the same place (about ten metres).
BATCH = f"""
WITH filed AS (
  SELECT h.id, h.reporter_id, h.received_at, h.area_code, nullif(h.description, '') AS words,
         round(ST_X(h.location)::numeric, 4) AS x, round(ST_Y(h.location)::numeric, 4) AS y
  FROM hazards_hazard h WHERE {RECEIVED} AND h.reporter_id {NOT_THE_PUBLIC}
), runs AS (
  SELECT reporter_id, area_code, array_agg(id) OVER same AS ids, 'words' AS same
  FROM filed WHERE words IS NOT NULL WINDOW same AS (PARTITION BY reporter_id, words {WITHIN})
  UNION ALL
  SELECT reporter_id, area_code, array_agg(id) OVER same, 'place'
  FROM filed WINDOW same AS (PARTITION BY reporter_id, x, y {WITHIN})
), largest AS (
  SELECT DISTINCT ON (reporter_id) reporter_id, area_code, ids, same FROM runs WHERE cardinality(ids) >= %(least)s
  ORDER BY reporter_id, cardinality(ids) DESC
)
SELECT reporter_id, left(area_code, 6), jsonb_build_object('cases', cardinality(ids), 'same', same), ids[1:{MOST_CASES}]
FROM largest"""

# A merged case leaves every count: whoever merges what is not of one matter, or lies apart, is asked why.
MERGED = f"""
SELECT m.merged_by_id, {_area("d.area_code")},
       jsonb_build_object('cases', count(*), 'matters', count(*) FILTER (WHERE d.matter_id <> o.matter_id)),
       {_newest("d.id", "m.merged_at")}
FROM hazards_merger m
JOIN hazards_hazard d ON d.id = m.duplicate_id JOIN hazards_hazard o ON o.id = m.into_id
WHERE m.undone_at IS NULL AND m.merged_at >= %(start)s AND m.merged_at < %(end)s
  AND (d.matter_id <> o.matter_id OR ST_DistanceSphere(d.location, o.location)
       > %(metres)s + least(coalesce(d.accuracy_m, 0), {MOST_DOUBT_M}) + least(coalesce(o.accuracy_m, 0), {MOST_DOUBT_M}))
GROUP BY m.merged_by_id HAVING count(*) >= %(least)s"""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a detector looks for: about whom, by which statement."""

    kind: str
    sql: str


PATTERNS = {
    "on_the_spot": Pattern(Subject.WORKER, ON_THE_SPOT),
    "silent_cell": Pattern(Subject.CELL, SILENT_CELL),
    "last_hour": Pattern(Subject.DEPARTMENT, LAST_HOUR),
    "more_time": Pattern(Subject.DEPARTMENT, MORE_TIME),
    "far_verified": Pattern(Subject.WORKER, FAR_VERIFIED),
    "photos": Pattern(Subject.WORKER, PHOTOS),
    "batch": Pattern(Subject.WORKER, BATCH),
    "merged": Pattern(Subject.WORKER, MERGED),
}


def doubts(code: str, thresholds: Mapping[str, int], start: datetime, end: datetime) -> Iterator[Doubt]:
    """Yield what a detector finds between two moments. Queries: 1."""
    with connection.cursor() as cursor:
        cursor.execute(PATTERNS[code].sql, {**thresholds, "start": start, "end": end})
        lines = cursor.fetchall()
    for subject, area, figures, cases in lines:
        yield Doubt(subject, area, json.loads(figures), cases or [])  # Django leaves jsonb as text


def sentence(code: str, figures: Mapping[str, Any], thresholds: Mapping[str, int]) -> str:
    """Say a doubt in words: what was seen, and that it may have good reasons."""
    words = {**thresholds, **figures}
    match code:
        case "on_the_spot":
            return (
                _(
                    "%(cases)s of %(of)s own reports were handled on the spot by the same person within %(within_minutes)s minutes. Were these hazards at all?"
                )
                % words
            )
        case "silent_cell":
            return (
                _(
                    "Nothing was reported here in %(days)s days; %(neighbours)s neighbouring cells reported %(reports)s. Does somebody walk here?"
                )
                % words
            )
        case "last_hour":
            return (
                _(
                    "%(cases)s of %(of)s rectifications were reported within the last %(within_minutes)s minutes before the limit; of the others of the county %(others)s of %(others_of)s. Was the work done then?"
                )
                % words
            )
        case "more_time":
            return (
                _(
                    "%(cases)s extensions and pauses with %(of)s dispatches; all others %(others)s with %(others_of)s. Is there a reason that the work is harder here?"
                )
                % words
            )
        case "far_verified":
            return _(
                "%(cases)s verifications were sent from farther than %(limit)s m from the case, the farthest from %(metres)s m. Was somebody there?"
            ) % {**words, "limit": thresholds["metres"], "metres": figures["metres"]}
        case "photos":
            return (
                _(
                    "Photos of %(cases)s cases ask for a look: %(again)s show what another case shows, %(far)s were taken far away."
                )
                % words
            )
        case "merged":
            return (
                _(
                    "%(cases)s cases were merged into ones that lie farther than %(metres)s m away or are of another matter (%(matters)s). Were they the same hazard?"
                )
                % words
            )
        case "batch" if figures["same"] == "words":
            return (
                _(
                    "%(cases)s cases were filed within %(within_minutes)s minutes with the same words. Are they different hazards?"
                )
                % words
            )
        case _:
            return (
                _(
                    "%(cases)s cases were filed within %(within_minutes)s minutes at the same place. Are they different hazards?"
                )
                % words
            )
