"""Tables that are cut into days of the city: days are made ahead, and leave whole when they are old.

Rows of days that nobody made (a device's clock that is years off) lie in the table's rest; when their day is made they
move there. Django knows no partitions: these tables are made by SQL and never by a model.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from django.db import connection, transaction

from citysafety.workdays import CITY_TIME

TABLES = {  # and by which time they are cut
    "monitoring_reading": "measured_at",
    "monitoring_fix": "measured_at",
    "monitoring_rawmessage": "received_at",
}
AHEAD_DAYS = 3
LOCK = 0x0DA7  # two makers would make the same day


def name_of(table: str, day: date) -> str:
    return f"{table}_{day:%Y%m%d}"


def bounds(day: date) -> tuple[datetime, datetime]:
    """Return the first moment of a day of the city and of the day after."""
    begins = datetime.combine(day, time(), CITY_TIME)
    return begins, datetime.combine(day + timedelta(days=1), time(), CITY_TIME)


def made(table: str) -> list[date]:
    """Return the days that a table has, oldest first. Queries: 1."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT right(c.relname, 8) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = %s::regclass AND c.relname ~ '_[0-9]{8}$' ORDER BY 1",
            [table],
        )
        return [date(int(text[:4]), int(text[4:6]), int(text[6:])) for (text,) in cursor.fetchall()]


def make(first: date, last: date) -> int:
    """Make the days from one to another of every table, both included; return how many were new."""
    return sum(_make(table, column, day) for table, column in TABLES.items() for day in _missing(table, first, last))


def _missing(table: str, first: date, last: date) -> Iterator[date]:
    there = set(made(table))
    wanted = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return (day for day in wanted if day not in there)


@transaction.atomic
def _make(table: str, column: str, day: date) -> bool:
    """Make one day, with what lies of it in the rest; return whether it was new."""
    begins, ends = bounds(day)
    name, between = name_of(table, day), {"begins": begins, "ends": ends}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute("SELECT to_regclass(%s)", [name])
        if cursor.fetchone()[0]:
            return False
        cursor.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING INDEXES)")
        cursor.execute(
            f"WITH moved AS (DELETE FROM {table}_rest WHERE {column} >= %(begins)s AND {column} < %(ends)s RETURNING *)"
            f" INSERT INTO {name} SELECT * FROM moved",
            between,
        )
        cursor.execute(
            f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM (%(begins)s) TO (%(ends)s)", between
        )
    return True


def drop_before(table: str, day: date) -> int:
    """Drop the days before one; return how many went. What lies in the rest stays: nobody knows how old it is."""
    old = [one for one in made(table) if one < day]
    with connection.cursor() as cursor:
        for one in old:
            cursor.execute(f"DROP TABLE {name_of(table, one)}")
    return len(old)


def keep(today: date, *, readings_days: int, raw_days: int) -> None:
    """Make the days that come and drop those that are over; any number of calls do it once."""
    make(today - timedelta(days=1), today + timedelta(days=AHEAD_DAYS))
    for table in TABLES:
        days = raw_days if table == "monitoring_rawmessage" else readings_days
        drop_before(table, today - timedelta(days=days))
