"""Sums by minute, hour and day agree with a plain recount, however late and in what order values come."""

import random
from collections import defaultdict
from datetime import datetime, timedelta

import pytest
from django.db import connection

from citysafety.workdays import CITY_TIME
from monitoring import partitions
from monitoring.models import Rollup
from monitoring.register.charts import drawn, points_of, ticks
from monitoring.rollups import forget_minutes, roll_up
from tests.factories import make_city, person

from .worlds import station

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 23, 23, 30, tzinfo=CITY_TIME)  # half an hour before a day of the city ends


def write(rows, *, stored_at) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO monitoring_reading (datastream_id, measured_at, value, quality, received_at, stored_at)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [(*row, stored_at, stored_at) for row in rows],
        )


def recount() -> dict:
    """Sum up every good and doubtful reading afresh."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT datastream_id, measured_at, value FROM monitoring_reading WHERE quality IN ('g', 'd')")
        rows = cursor.fetchall()
    found = defaultdict(list)
    for stream, measured, value in rows:
        local = measured.astimezone(CITY_TIME)
        minute = local.replace(second=0, microsecond=0)
        for span, begins in (("m", minute), ("h", minute.replace(minute=0)), ("d", minute.replace(hour=0, minute=0))):
            found[stream, span, begins].append(value)
    return {key: (len(some), min(some), max(some), round(sum(some), 6)) for key, some in found.items()}


def kept() -> dict:
    rows = Rollup.objects.values_list("datastream", "span", "begins_at", "count", "least", "most", "total")
    return {
        (stream, span, begins.astimezone(CITY_TIME)): (count, least, most, round(total, 6))
        for stream, span, begins, count, least, most, total in rows
    }


def test_sums_agree_with_a_recount_as_values_come_late():
    streams = [one.pk for one in station(channels=("a21028-Rtd", "a21005-Rtd")).datastreams.all()]
    partitions.make(START.date(), START.date() + timedelta(days=1))
    rnd = random.Random(7)
    rows = {
        (rnd.choice(streams), START + timedelta(seconds=rnd.randrange(5400)), round(rnd.uniform(0, 9), 2)): rnd.choice(
            "ggggdb"
        )
        for _n in range(600)
    }
    rows = [(*key, flag) for key, flag in rows.items()]
    rnd.shuffle(rows)  # a third of them comes hours later
    write(rows[:400], stored_at=START + timedelta(minutes=95))
    assert roll_up(at=START + timedelta(minutes=96)) > 0
    assert kept() == recount()
    write(rows[400:], stored_at=START + timedelta(hours=9))
    roll_up(at=START + timedelta(hours=9, minutes=1))
    assert kept() == recount()
    before = kept()
    roll_up(at=START + timedelta(hours=9, minutes=2))  # what overlaps is made anew and comes to the same
    assert kept() == before


def test_what_ended_after_the_run_is_not_lost():
    [stream] = [one.pk for one in station().datastreams.all()]
    partitions.make(START.date(), START.date())
    roll_up(at=START + timedelta(minutes=10))
    write([(stream, START, 4.0, "g")], stored_at=START + timedelta(minutes=9))  # its transaction was open meanwhile
    roll_up(at=START + timedelta(minutes=11))
    assert kept() == recount() != {}


def test_minutes_leave_and_hours_stay():
    [stream] = [one.pk for one in station().datastreams.all()]
    partitions.make(START.date(), START.date())
    write([(stream, START, 4.0, "g")], stored_at=START)
    roll_up(at=START + timedelta(minutes=1))
    assert forget_minutes(before=START + timedelta(days=1)) == 1
    assert sorted(Rollup.objects.values_list("span", flat=True)) == ["d", "h"]


def test_the_chart_breaks_where_nothing_was_measured_and_reads_what_is_not_summed_up():
    device = station()
    [stream] = device.datastreams.all()
    partitions.make(START.date(), START.date())
    write([(stream.pk, START + timedelta(minutes=n), float(n), "g") for n in (0, 1, 2, 50, 51)], stored_at=START)
    at = START + timedelta(hours=1)
    readings = points_of(stream, span="day", at=at)
    assert [point.mean for point in readings] == [0, 1, 2, 50, 51]
    assert drawn(readings, span="day", at=at).line.count("M") == 2
    roll_up(at=at)
    assert [point.mean for point in points_of(stream, span="day", at=at)] == [0, 1, 2, 50, 51]
    assert [point.count for point in points_of(stream, span="week", at=at)] == [3, 2]
    assert drawn([], span="day", at=at) is None


@pytest.mark.parametrize(
    ("low", "high"), [(0, 51), (-3.2, 7.7), (5, 5), (0, 0), (0.0012, 0.0019), (99_900, 100_100), (-4, -4)]
)
def test_marks_enclose_the_values_and_are_few(low, high):
    marks = ticks(low, high)
    assert marks[0] <= low <= high <= marks[-1]
    assert marks[0] < marks[-1]
    assert 2 <= len(marks) <= 6


def test_a_datastream_page_is_for_those_who_see_its_device(client):
    make_city()
    [stream] = station().datastreams.all()
    for user, status in (
        (person("supervisor"), 200),
        (person("supervisor", area="370503"), 404),
        (person("kiosk"), 403),
    ):
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        assert client.get(f"/monitoring/datastreams/{stream.pk}/?span=week").status_code == status
