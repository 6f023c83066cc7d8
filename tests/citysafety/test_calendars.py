"""Calendars as rows."""

from datetime import UTC, date, datetime

import pytest

from citysafety.calendars import services
from citysafety.calendars.models import CalendarYear, Day
from citysafety.outbox.models import OutboxEntry

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh():
    services.forget()
    yield
    services.forget()


def test_seeding_knows_holidays_and_make_up_days_and_keeps_edits():
    assert services.seed_years(2025, 2026) == 2
    Day.objects.filter(date=date(2026, 10, 1)).update(name_zh="国庆节（改）")
    assert services.seed_years(2025, 2026) == 0

    calendar = services.load()
    assert calendar.off[date(2026, 10, 1)] == "国庆节（改）"
    assert date(2026, 10, 10) in calendar.on
    assert calendar.years == {2025, 2026}
    assert OutboxEntry.objects.filter(topic="calendar.changed").count() == 1


def test_a_missing_next_year_is_warned_of_from_november():
    services.seed_years(2026, 2026)

    assert services.missing_year_warning(datetime(2026, 10, 31, tzinfo=UTC)) == ""
    assert "2027" in services.missing_year_warning(datetime(2026, 11, 1, tzinfo=UTC))
    services.seed_provisional(2027)
    assert services.missing_year_warning(datetime(2026, 11, 1, tzinfo=UTC)) == ""
    assert CalendarYear.objects.get(year=2027).status == "provisional"


def test_the_calendar_is_kept_for_a_moment_and_costs_no_query(django_assert_num_queries):
    services.seed_years(2026, 2026)
    services.calendar()

    with django_assert_num_queries(0):
        services.calendar()
