"""R12: due times agree with a naive walk, over every turn of a year and every make-up day, and are never guessed."""

import random
from datetime import date, datetime, time, timedelta

import pytest
import time_machine
from chinese_calendar import constants as announced
from django.test import Client

from citysafety.worktime import CITY_TIME, due, missing_year
from tests.citysafety.official import FIRST, LAST, OFFICIAL
from tests.citysafety.test_worktime import walked_days, walked_hours
from tests.running import scales

DAY = timedelta(days=1)


def starts_near(day: date, rnd: random.Random) -> list[datetime]:
    """Return moments of the three days before and after one, at the edges of working time and in between."""
    edges = [time(0), time(7, 59), time(8), time(11, 59), time(12), time(13, 30), time(14), time(17, 59), time(18)]
    days = [day + n * DAY for n in range(-3, 4)]
    return [datetime.combine(one, rnd.choice(edges), CITY_TIME) for one in days]


@scales(short=400, long=20_000)
def test_r12_deadlines_are_right_from_2004_to_2026(scale: int, say) -> None:
    rnd = random.Random(12)
    turns = [date(year, 1, 1) for year in range(FIRST + 1, LAST + 1)]
    made_up = [day for day in announced.workdays if FIRST <= day.year <= LAST]
    starts = [start for day in (*turns, *made_up) for start in starts_near(day, rnd)]
    first = datetime(FIRST, 1, 1, tzinfo=CITY_TIME)
    minutes = (datetime(LAST, 10, 1, tzinfo=CITY_TIME) - first) // timedelta(minutes=1)
    starts += [first + timedelta(minutes=rnd.randrange(minutes)) for _ in range(scale)]
    starts = [start for start in starts if first <= start < datetime(LAST, 10, 1, tzinfo=CITY_TIME)]
    wrong, cases = [], 0
    for start in starts:
        hours, days = rnd.randint(1, 24), rnd.randint(1, 20)
        for unit, amount, walked in (("work_hours", hours, walked_hours), ("work_days", days, walked_days)):
            cases += 1
            found, expected = due(start, amount, unit, OFFICIAL).at, walked(start, amount)
            if found != expected:
                wrong.append(f"{start} + {amount} {unit}: {found}, walked {expected}")
    missing = [datetime(LAST, 12, rnd.randint(20, 31), rnd.randint(0, 23), tzinfo=CITY_TIME) for _ in range(scale)]
    guessed = [start for start in missing if missing_year(due(start, 30, "work_days", OFFICIAL).reason) != LAST + 1]
    say(
        f"R12: {cases} deadlines against a naive walk, {len(turns)} turns of a year, {len(made_up)} make-up days: "
        f"mismatches {len(wrong)}; {len(missing)} that reach into a missing year, guessed {len(guessed)}"
    )
    assert wrong == []
    assert guessed == []


@pytest.mark.django_db
@pytest.mark.parametrize("days", [-1, 1])
def test_a_host_whose_clock_is_a_day_off_is_not_ready(days: int) -> None:
    """Due times start from the clock of the host that takes the request, so it must agree with the database's."""
    assert Client().get("/readyz").status_code == 200
    with time_machine.travel(datetime.now(CITY_TIME) + days * DAY):
        answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["clock"].startswith("+86" if days > 0 else "-86")
