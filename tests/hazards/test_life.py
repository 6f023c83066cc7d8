"""The whole life by chance: who may do what is written down a second time, and nothing else is ever accepted.

People of every role try every step at every case, at any time of any day, with and without what a step asks; so do those
who check again what was closed, and the public. Beside the city runs a naive oracle of it. After each try the rows, the
history and the figures must be what the oracle says, and the due time what counting ten minutes by ten minutes gives.
"""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from citysafety.calendars.services import forget
from grid.models import Matter
from hazards.listings.seeds import seed_majors
from hazards.rechecks.models import RecheckRule
from hazards.seeds import seed_limits
from tests.factories import make_city
from tests.running import scales

from .life.clocks import BEGIN, LIMITS
from .life.machine import EVERY_STEP, Life


@pytest.fixture
def ground(db):
    city = make_city()
    for code, hours in LIMITS.items():
        unit = "urgent_hours" if code == "XF-002" else "work_hours"
        Matter.objects.filter(code=code).update(
            **{f"{stage}_amount": n for stage, n in hours.items()},
            **{f"{stage}_unit": unit for stage in hours},
            sample_recheck=True,
        )
    seed_limits()
    seed_majors(at=BEGIN - timedelta(days=1))
    matter, often = Matter.objects.get(code="XF-001"), {"every": "week", "at_least": 1, "since": BEGIN.date()}
    RecheckRule.objects.create(matter=matter, severity="general", percent=50, **often)
    RecheckRule.objects.create(severity="major", percent=100, **often)
    forget()
    Life.tried.clear()
    yield city
    forget()


@scales(short=6, long=250)
def test_l1_no_forbidden_step_is_ever_taken_and_every_one_taken_is_in_the_history(ground, scale, say):
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=scale, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck), database=None,
            phases=[Phase.generate],  # to make a failure smaller takes longer than to read it
        ),
    )  # fmt: skip
    taken = {action for action, outcome in Life.tried if outcome == "taken"}
    refused = {action for action, outcome in Life.tried if outcome != "taken"}
    if scale > 50:
        assert (EVERY_STEP - taken, EVERY_STEP - refused) == (set(), set()), (
            "each kind of step was taken, and refused, in some life"
        )
    outcomes = Counter()
    for (_action, outcome), n in Life.tried.items():
        outcomes["taken" if outcome == "taken" else "refused"] += n
    say(
        f"L1: {scale} lives, {outcomes.total()} steps tried: {outcomes['taken']} taken ({len(taken)} kinds), all in the history; "
        f"{outcomes['refused']} refused ({len(refused)} kinds), none left a trace; due times against counting by tens of minutes "
        f"and figures against rows: 0 wrong"
    )
