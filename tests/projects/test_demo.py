"""The demo's supervision: notices at every stop of their life, whenever the cases were due."""

from datetime import datetime, timedelta

import pytest

from citysafety.accounts import tokens
from citysafety.accounts.demo import LABEL
from citysafety.management.supervised import supervise
from citysafety.worktime import CITY_TIME
from hazards.models import Hazard
from projects.models import OverdueNotice
from tests.factories import person

NOW = datetime(2026, 12, 7, 10, 0, tzinfo=CITY_TIME)  # a Monday


@pytest.mark.parametrize(
    "due", [datetime(2026, 12, 1, 18, 0, tzinfo=CITY_TIME), datetime(2026, 11, 30, 18, 0, tzinfo=CITY_TIME)]
)
def test_a_case_that_was_due_when_the_offices_closed_gets_its_notice(office, due):
    hazard, _at = office.overdue()
    Hazard.objects.filter(pk=hazard.pk).update(due_at=due)
    tokens.issue(person("supervisor", area="3705"), LABEL)
    assert supervise(NOW) == 1
    notice = OverdueNotice.objects.get()
    assert due < notice.drafted_at < NOW - timedelta(days=1)
