"""Calendars as rows: seeding, edits, the kept value, and what is said while a year is missing."""

import uuid
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from types import SimpleNamespace

import chinese_calendar
import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils.translation import override

from citysafety import worktime
from citysafety.calendars import services, words
from citysafety.calendars.checks import next_year_is_known
from citysafety.calendars.models import CalendarYear, Day, Hours
from citysafety.outbox.models import OutboxEntry
from tests.citysafety.official import at

pytestmark = pytest.mark.django_db
OCTOBER, NOVEMBER = at("2026-10-31 23:59"), at("2026-11-01 00:00")


@pytest.fixture(autouse=True)
def _fresh():
    services.forget()
    yield
    services.forget()


@pytest.fixture
def minutes_later(monkeypatch):
    """Return a function that lets the time for which the calendar is kept run out."""
    shift = [0.0]
    monkeypatch.setattr(services, "clock", SimpleNamespace(monotonic=lambda: shift[0]))

    def later() -> None:
        shift[0] += 120

    return later


@pytest.fixture
def administrator(django_user_model):
    return django_user_model.objects.create_superuser(
        username=f"admin-{uuid.uuid4().hex[:6]}", email="", password="a long enough one", role="administrator"
    )


# -- seeding ------------------------------------------------------------------------------------
def test_every_day_of_2004_to_2026_is_worked_or_free_as_the_seed_package_says():
    assert services.seed_years() == list(range(2004, 2027))

    days = [date(2004, 1, 1) + timedelta(n) for n in range((date(2027, 1, 1) - date(2004, 1, 1)).days)]
    calendar = services.load().city
    assert [day for day in days if calendar.works(day) != chinese_calendar.is_workday(day)] == []


def test_holidays_have_their_names_in_both_languages_and_their_source():
    services.seed_years(2026, 2026)

    names = Day.objects.values_list("date", "working", "name_zh", "name_en")
    assert list(names.filter(date__in=["2026-10-03", "2026-10-10"]).order_by("date")) == [
        (date(2026, 10, 3), False, "国庆节", "National Day"),  # a Saturday inside the holiday
        (date(2026, 10, 10), True, "国庆节调休上班", "Make-up day for National Day"),
    ]
    assert set(Day.objects.values_list("source", flat=True)) == {services.SOURCE}


def test_every_holiday_name_is_chinese_and_english():
    services.seed_years()

    for chinese, english in Day.objects.values_list("name_zh", "name_en"):
        assert not chinese.isascii()
        assert english.isascii()
        assert english


def test_seeding_again_writes_nothing_announces_nothing_and_keeps_edits():
    services.seed_years(2025, 2026)
    Day.objects.filter(date="2026-10-01").update(name_zh="国庆节（改）")
    Day.objects.filter(date="2026-10-10").delete()

    assert services.seed_years(2025, 2026) == []

    assert Day.objects.get(date="2026-10-01").name_zh == "国庆节（改）"
    assert not Day.objects.filter(date="2026-10-10").exists()
    assert OutboxEntry.objects.filter(topic="calendar.changed").count() == 1


def test_seeding_announces_the_years_that_arrived_once():
    services.seed_years(2025, 2026, at=NOVEMBER)

    entry = OutboxEntry.objects.get()
    assert (entry.topic, entry.kind, entry.subject_id, entry.area_code) == ("calendar.changed", "calendar", "", "3705")
    assert (entry.payload, entry.at) == ({"years": [2025, 2026]}, NOVEMBER)


def test_a_provisional_year_has_the_week_and_the_holidays_of_fixed_date_and_says_what_it_is():
    assert services.seed_provisional(2027)
    assert not services.seed_provisional(2027)

    calendar = services.load().city
    assert calendar.years == {2027: worktime.Year("provisional", services.PROVISIONAL_SOURCE)}
    assert [
        day
        for day in map(date.fromordinal, range(date(2027, 9, 27).toordinal(), date(2027, 10, 11).toordinal()))
        if not calendar.works(day)
    ] == [
        date(2027, 10, 1),
        date(2027, 10, 2),
        date(2027, 10, 3),
        date(2027, 10, 9),
        date(2027, 10, 10),
    ]
    assert OutboxEntry.objects.get().subject_id == "2027"


def test_the_announced_year_replaces_the_provisional_one_but_not_what_the_city_entered():
    services.seed_provisional(2026)
    Day.objects.create(date=date(2026, 8, 3), working=False, name_zh="台风停工", name_en="Typhoon", source="市政府通知")

    assert services.seed_years(2026, 2026) == [2026]

    assert CalendarYear.objects.get().status == "announced"
    assert set(Day.objects.values_list("source", flat=True)) == {services.SOURCE, "市政府通知"}
    assert services.load().city.works(date(2026, 10, 10))
    assert not services.load().city.works(date(2026, 8, 3))


def test_a_provisional_year_never_overwrites_an_announced_one():
    services.seed_years(2026, 2026)

    assert not services.seed_provisional(2026)
    assert CalendarYear.objects.get().status == "announced"


def test_the_command_seeds_and_says_what_it_did():
    out = StringIO()
    call_command("seed_calendars", "--provisional", "2027", stdout=out, stderr=StringIO())

    assert "2004" in out.getvalue()
    assert "2027: written, provisional" in out.getvalue()
    assert CalendarYear.objects.count() == 24


# -- the rows become time limits ----------------------------------------------------------------
def test_the_rows_make_the_worked_example_true():
    services.seed_years(2026, 2026)

    found = worktime.due(at("2026-10-09 17:30"), 4, "work_hours", services.calendar())
    assert found.at == at("2026-10-10 11:30")


def test_hours_of_the_season_come_from_the_rows():
    services.seed_years(2026, 2026)
    Hours.objects.create(month=1, day=1)
    Hours.objects.create(month=6, day=1, afternoon_begins=time(15), afternoon_ends=time(19))

    calendar = services.calendar()
    assert worktime.due(at("2026-05-29 14:00"), 1, "work_hours", calendar).at == at("2026-05-29 15:00")
    assert worktime.due(at("2026-06-01 14:00"), 1, "work_hours", calendar).at == at("2026-06-01 16:00")


def test_a_due_time_missing_for_want_of_a_year_is_computed_when_its_rows_arrive():
    services.seed_years(2026, 2026)
    start = at("2026-12-31 17:00")
    assert worktime.due(start, 4, "work_hours", services.calendar()).reason == "calendar 2027 missing"

    services.seed_provisional(2027)

    assert worktime.due(start, 4, "work_hours", services.calendar()).at == at("2027-01-04 11:00")
    assert OutboxEntry.objects.order_by("-pk").first().payload == {"years": [2027]}


# -- the kept value -----------------------------------------------------------------------------
def test_the_calendar_is_kept_so_that_filing_pays_no_query(django_assert_num_queries, minutes_later):
    services.seed_years(2026, 2026)
    with django_assert_num_queries(4):
        first = services.calendar()
    with django_assert_num_queries(0):
        services.calendar()

    minutes_later()
    with django_assert_num_queries(1):
        assert services.calendar() is first


@pytest.mark.parametrize(
    "edit",
    [
        lambda: Day.objects.filter(date="2026-11-24").update(working=True),
        lambda: Day.objects.filter(date="2026-11-24").delete(),
        lambda: Day.objects.create(date=date(2026, 11, 25), working=False, name_zh="停工"),
        lambda: CalendarYear.objects.update(status="provisional"),
        lambda: Hours.objects.create(month=1, day=1, morning_begins=time(9)),
    ],
    ids=["change", "delete", "new", "status", "hours"],
)
def test_an_edit_by_whatever_way_is_seen_without_being_told(edit, minutes_later):
    services.seed_years(2026, 2026)
    Day.objects.create(date=date(2026, 11, 24), working=False, name_zh="停工")
    before = services.calendar()

    edit()
    assert services.calendar() == before  # kept for two seconds
    minutes_later()
    assert services.calendar() != before


def test_an_edit_that_was_rolled_back_is_not_mistaken_for_the_next_one(minutes_later):
    services.seed_years(2026, 2026)
    with transaction.atomic():
        Day.objects.create(date=date(2026, 11, 24), working=False, name_zh="停工")
        assert not services.calendar().works(date(2026, 11, 24))
        transaction.set_rollback(True)
    Day.objects.create(date=date(2026, 11, 25), working=False, name_zh="停工")

    minutes_later()
    assert services.calendar().works(date(2026, 11, 24))
    assert not services.calendar().works(date(2026, 11, 25))


# -- a missing year -----------------------------------------------------------------------------
def test_a_missing_next_year_is_warned_of_from_the_first_of_november():
    services.seed_years(2026, 2026)

    assert services.missing_year_warning(OCTOBER) == ""
    assert "2027" in services.missing_year_warning(NOVEMBER)
    assert "2027" in services.missing_year_warning(datetime(2026, 10, 31, 16, tzinfo=UTC))  # already November here
    services.seed_provisional(2027)
    assert services.missing_year_warning(NOVEMBER) == ""


def test_this_years_absence_is_warned_of_at_any_time():
    services.seed_years(2025, 2025)

    assert "2026" in services.missing_year_warning(at("2026-03-01 08:00"))


@pytest.mark.parametrize(("moment", "warnings"), [("2026-10-31 23:59", []), ("2026-11-01 00:00", ["calendars.W001"])])
def test_the_system_check_warns_too(moment, warnings, time_machine_at):
    services.seed_years(2026, 2026)
    time_machine_at(at(moment))

    assert [found.id for found in next_year_is_known(databases=["default"])] == warnings
    assert next_year_is_known(databases=None) == []


@pytest.fixture
def time_machine_at():
    import time_machine  # noqa: PLC0415  one test's tool

    travels = []

    def go(moment: datetime) -> None:
        travels.append(time_machine.travel(moment, tick=False))
        travels[-1].start()

    yield go
    for travel in travels:
        travel.stop()


def test_the_system_check_is_silent_before_the_tables_are_made():
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE calendars_calendaryear RENAME TO not_yet")
        assert next_year_is_known(databases=["default"]) == []
        transaction.set_rollback(True)


# -- constraints --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "bad",
    [
        {"month": 13, "day": 1},
        {"month": 1, "day": 0},
        {"month": 1, "day": 1, "morning_begins": time(12)},
        {"month": 1, "day": 1, "afternoon_begins": time(11, 59)},
        {"month": 1, "day": 1, "afternoon_ends": time(14)},
    ],
)
def test_the_database_refuses_hours_that_no_day_can_have(bad):
    with pytest.raises(IntegrityError), transaction.atomic():
        Hours.objects.create(**bad)


def test_the_form_refuses_the_31st_of_february_and_times_in_disorder():
    with pytest.raises(ValidationError, match=r"no such day|没有"):
        Hours(month=2, day=31).clean()
    with pytest.raises(ValidationError):
        Hours(month=2, day=1, morning_ends=time(15)).clean()
    Hours(month=2, day=29).clean()


# -- the admin ----------------------------------------------------------------------------------
def test_an_edit_in_the_admin_is_announced_and_no_longer_wears_the_councils_name(client, administrator):
    services.seed_years(2026, 2026)
    client.force_login(administrator)
    OutboxEntry.objects.all().delete()

    answer = client.post(
        "/admin/calendars/day/2026-10-10/change/",
        {"name_zh": "国庆节", "name_en": "", "source": services.SOURCE},  # the box "worked" is not ticked
    )

    assert answer.status_code == 302
    day = Day.objects.get(date="2026-10-10")
    assert not day.working
    assert administrator.username in day.source
    assert OutboxEntry.objects.get(topic="calendar.changed").payload == {"years": [2026]}
    assert not services.calendar().works(date(2026, 10, 10))


def test_deleting_in_the_admin_is_announced_one_by_one_and_in_a_heap(client, administrator):
    services.seed_years(2025, 2026)
    client.force_login(administrator)
    OutboxEntry.objects.all().delete()

    client.post("/admin/calendars/day/2026-10-10/delete/", {"post": "yes"})
    heap = {"action": "delete_selected", "_selected_action": ["2026-05-09", "2025-10-11"], "post": "yes"}
    client.post("/admin/calendars/day/", heap)

    assert not Day.objects.filter(date__in=["2026-10-10", "2026-05-09", "2025-10-11"]).exists()
    payloads = OutboxEntry.objects.filter(topic="calendar.changed").order_by("pk").values_list("payload", flat=True)
    assert list(payloads) == [{"years": [2026]}, {"years": [2025, 2026]}]


@pytest.mark.parametrize("model", ["calendaryear", "day", "hours"])
def test_the_lists_in_the_admin_say_which_year_is_missing(client, administrator, model):
    client.force_login(administrator)
    warning = services.missing_year_warning(datetime.now(worktime.CITY_TIME))

    assert warning
    assert warning in client.get(f"/admin/calendars/{model}/").content.decode()
    services.seed_years(last=datetime.now(worktime.CITY_TIME).year)
    for year in (0, 1):
        services.seed_provisional(datetime.now(worktime.CITY_TIME).year + year)
    assert warning not in client.get(f"/admin/calendars/{model}/").content.decode()


# -- words --------------------------------------------------------------------------------------
def test_a_due_time_is_explained_line_by_line():
    services.seed_years(2026, 2026)
    found = worktime.due(at("2026-10-09 17:30"), 4, "work_hours", services.calendar())

    with override("en"):
        told = words.explain(found.arithmetic)
    assert told["limit"] == "4 working hours"
    assert [(line["counts"], line["length"], line["why"]) for line in told["spans"]] == [
        (True, "30 min", "counted"),
        (False, "", "outside working hours"),
        (True, "3 h 30 min", "Make-up day for National Day"),
    ]
    assert told["days"] == ["working days 1", "Make-up day for National Day 1"]
    assert told["calendars"] == [f"2026 · {services.SOURCE}"]


def test_lengths_and_reasons_are_told_in_words():
    with override("en"):
        assert words.length_words(18 * worktime.WORK_DAY_S + 6420, "work_days") == "18 working days 1 h 47 min"
        assert words.length_words(59, "work_hours") == "0 min"
        assert words.length_words(90_000, "urgent_hours") == "1 days 1 h"
        assert words.reason_words("calendar 2027 missing") == "not computable: the calendar of 2027 is missing"
        assert words.reason_words("") == ""
