"""Working time over columns says what working time of one limit says."""

import random
from datetime import UTC, date, datetime, time, timedelta

import numpy
import pytest

from citysafety import worktime
from citysafety.workcolumns import WorkColumns, ms_of
from citysafety.worktime import Calendar, Day, Season, Year

SEASONS = (
    worktime.Season(1, 1, worktime.DEFAULT_SESSIONS),
    Season(
        6,
        1,
        (
            (time(8, 30), time(12)),
            (time(14, 30), time(18)),
        ),
    ),
)  # fmt: skip
DAYS = {
    date(2026, 2, day): Day(working=day in (14, 28), name_zh="春节", name_en="Spring Festival")
    for day in (14, 16, 17, 18, 19, 20, 23, 28)
}
CALENDAR = Calendar({2025: Year(), 2026: Year(), 2027: Year("provisional")}, DAYS, SEASONS)
START = datetime(2025, 6, 1, tzinfo=UTC)
MOST_APART = timedelta(milliseconds=2)  # sessions that are no whole share of eight hours are rounded


@pytest.fixture(scope="module")
def cases():
    rnd = random.Random(3)
    return [
        (
            START + timedelta(seconds=rnd.randrange(540 * 86_400)),
            rnd.choice(worktime.UNITS),
            rnd.choice((1, 2, 4, 5, 10, 30)),
            rnd.choice((0, 0, 1800, 90_000)),
        )
        for _n in range(2000)
    ]


def test_due_times_agree_one_by_one(cases):
    columns = WorkColumns(CALENDAR, START)
    start = numpy.array([ms_of(case[0]) for case in cases])
    unit = numpy.array([worktime.UNITS.index(case[1]) for case in cases])
    amount = numpy.array([case[2] for case in cases])
    found = columns.due(start, unit, amount, numpy.array([case[3] * 1000 for case in cases]))
    for (at, name, many, used), due in zip(cases, found, strict=True):
        expected = worktime.due_after(at, many, name, CALENDAR, consumed_s=used).at
        assert abs(datetime.fromtimestamp(due / 1000, UTC) - expected) <= MOST_APART, (at, name, many, used)


def test_consumed_time_agrees_one_by_one(cases):
    columns = WorkColumns(CALENDAR, START)
    start = numpy.array([ms_of(case[0]) for case in cases])
    end = start + 5 * 86_400_000 + numpy.arange(len(cases)) * 60_000
    unit = numpy.array([worktime.UNITS.index(case[1]) for case in cases])
    for n, used in enumerate(columns.used(start, end, unit)):
        until = datetime.fromtimestamp(int(end[n]) / 1000, UTC)
        assert used / 1000 == pytest.approx(worktime.consumed(cases[n][0], until, cases[n][1], CALENDAR), abs=0.002)


def test_a_year_that_no_calendar_knows_has_no_due_time():
    columns = WorkColumns(CALENDAR, START)
    late = numpy.array([ms_of(datetime(2027, 12, 30, 4, tzinfo=UTC))])
    units = numpy.array([worktime.UNITS.index("work_days")])
    assert columns.due(late, units, numpy.array([10]), numpy.array([0])).tolist() == [0]
