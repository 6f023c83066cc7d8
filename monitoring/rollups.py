"""Sums by minute, hour and day of the city, for charts: what was stored since the last run, with the buckets it falls into.

A bucket that anything falls into, however late, is made anew from its readings: any number of runs come to the same.
"""

from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from citysafety.workdays import CITY_TIME

from .models import Rollup, RollupMark
from .partitions import bounds

OVERLAP = timedelta(minutes=5)  # rows are seen when their transaction ends, which may be later than they were stored
FIRST = timedelta(days=2)  # back from the first run
LOCK = 0x0DA8

TOUCHED = """
CREATE TEMP TABLE touched ON COMMIT DROP AS SELECT DISTINCT datastream_id, date_trunc('minute', measured_at) AS begins_at
FROM monitoring_reading WHERE stored_at >= %(since)s AND stored_at < %(until)s"""
DAYS = "SELECT DISTINCT (begins_at AT TIME ZONE %s)::date FROM touched ORDER BY 1"
SUMMED = """
INSERT INTO monitoring_rollup (datastream_id, span, begins_at, count, least, most, total)
{rows}
ON CONFLICT (datastream_id, span, begins_at) DO UPDATE
SET count = excluded.count, least = excluded.least, most = excluded.most, total = excluded.total"""
# Each bucket is looked up by itself: what a run costs goes by the buckets touched, not by what a day holds. The bounds of
# the day are constants, so that other days are not looked at.
MINUTES = SUMMED.format(
    rows="""
SELECT t.datastream_id, 'm', t.begins_at, s.* FROM touched t CROSS JOIN LATERAL (
  SELECT count(*), min(r.value), max(r.value), sum(r.value) FROM monitoring_reading r
  WHERE r.datastream_id = t.datastream_id AND r.measured_at >= t.begins_at
    AND r.measured_at < t.begins_at + interval '1 minute' AND r.measured_at >= %(begins)s AND r.measured_at < %(ends)s
    AND r.quality IN ('g', 'd')) s
WHERE t.begins_at >= %(begins)s AND t.begins_at < %(ends)s AND s.count > 0"""
)
WIDER = SUMMED.format(
    rows="""
SELECT t.datastream_id, %(span)s, t.begins_at, s.*
FROM (SELECT DISTINCT datastream_id, date_trunc(%(unit)s, begins_at, %(zone)s) AS begins_at FROM touched) t
CROSS JOIN LATERAL (
  SELECT sum(r.count) AS count, min(r.least), max(r.most), sum(r.total) FROM monitoring_rollup r
  WHERE r.datastream_id = t.datastream_id AND r.span = %(of)s AND r.begins_at >= t.begins_at
    AND r.begins_at < t.begins_at + %(length)s) s
WHERE s.count > 0"""
)
WIDER_SPANS = (
    (Rollup.Span.HOUR, "hour", Rollup.Span.MINUTE, timedelta(hours=1)),
    (Rollup.Span.DAY, "day", Rollup.Span.HOUR, timedelta(days=1)),  # the city's clock is never put forward
)


@transaction.atomic
def roll_up(*, at: datetime) -> int:
    """Bring the sums up to a moment; return how many minutes were made anew. Statements: 10, and 1 for each day touched."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        mark = RollupMark.objects.filter(pk=1).first() or RollupMark(pk=1, stored_until=at - FIRST)
        cursor.execute(TOUCHED, {"since": mark.stored_until - OVERLAP, "until": at})
        touched = cursor.rowcount
        if touched:
            cursor.execute("ANALYZE touched")
            cursor.execute(DAYS, [str(CITY_TIME)])
            for (day,) in cursor.fetchall():
                _minutes(cursor, day)
            for span, unit, of, length in WIDER_SPANS:
                given = {"span": span, "unit": unit, "of": of, "length": length, "zone": str(CITY_TIME)}
                cursor.execute(WIDER, given)
        cursor.execute("DROP TABLE touched")
        mark.stored_until = max(at, mark.stored_until)
        mark.save()
    return touched


def _minutes(cursor: Any, day: date) -> None:
    begins, ends = bounds(day)
    cursor.execute(MINUTES, {"begins": begins, "ends": ends})


def forget_minutes(*, before: datetime) -> int:
    """Drop the sums by minute that are older than the readings they stand for; hours and days stay."""
    return Rollup.objects.filter(span=Rollup.Span.MINUTE, begins_at__lt=before).delete()[0]
