"""Time limits against worked examples, and against two naive oracles that share nothing with the engine but the rule."""

from array import array
from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise
from time import perf_counter

import chinese_calendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citysafety.worktime import (
    CITY_TIME,
    MOST_SPANS,
    UNITS,
    WORK_DAY_S,
    Calendar,
    Day,
    MissingYear,
    Season,
    Year,
    consumed,
    due,
    due_after,
    limit_s,
    missing_year,
    parts,
)
from tests.citysafety.official import FIRST, LAST, OFFICIAL, at

MINUTE = timedelta(minutes=1)
ONE_DAY = timedelta(days=1)
is_workday = cache(chinese_calendar.is_workday)
SEASONAL = Calendar(  # summer afternoons later, winter days shorter: 8 h and 7 h
    years=OFFICIAL.years,
    days=OFFICIAL.days,
    seasons=(
        Season(5, 1, ((time(8), time(12)), (time(14, 30), time(18, 30)))),
        Season(10, 1, ((time(8, 30), time(12)), (time(13, 30), time(17)))),
    ),
)

units = st.sampled_from(UNITS)
calendars = st.sampled_from([OFFICIAL, SEASONAL])


def moments(first: int = FIRST, last: int = LAST) -> st.SearchStrategy[datetime]:
    """Any whole minute of these years, so that a limit of weeks still ends in them."""
    earliest = datetime(first, 1, 1, tzinfo=CITY_TIME)
    minutes = int((datetime(last, 10, 1, tzinfo=CITY_TIME) - earliest) / MINUTE)
    return st.integers(0, minutes).map(lambda n: earliest + n * MINUTE)


# -- the worked examples ------------------------------------------------------------------------
def test_a_day_on_which_the_clock_does_not_run_is_not_counted():
    # Thursday evening; three working days end as the next Wednesday begins.
    found = due(at("2026-11-26 21:15"), 3, "work_days", OFFICIAL)
    assert found.at == at("2026-12-02 08:00")
    assert {days.kind: days.count for days in found.arithmetic.days} == {"worked": 3, "weekend": 2}


def test_four_working_hours_from_friday_1730_end_on_the_make_up_saturday_at_1130():
    # Saturday 10 October 2026 is a make-up day of National Day.
    assert due(at("2026-10-09 17:30"), 4, "work_hours", OFFICIAL).at == at("2026-10-10 11:30")


def test_the_same_four_hours_before_a_free_saturday_end_on_monday():
    assert due(at("2026-11-20 17:30"), 4, "work_hours", OFFICIAL).at == at("2026-11-23 11:30")


def test_four_working_hours_from_1014_end_at_1614_since_lunch_does_not_count():
    assert due(at("2026-11-23 10:14"), 4, "work_hours", OFFICIAL).at == at("2026-11-23 16:14")


def test_urgent_hours_run_through_night_and_holiday():
    assert due(at("2026-10-01 22:00"), 4, "urgent_hours", OFFICIAL).at == at("2026-10-02 02:00")


def test_twenty_working_days_step_over_mid_autumn_and_national_day_and_count_the_make_up_day():
    found = due(at("2026-09-24 10:20"), 20, "work_days", OFFICIAL)

    assert found.at == at("2026-10-29 10:20")
    assert [(days.kind, days.count, days.name_en) for days in found.arithmetic.days] == [
        ("worked", 20, ""),  # the day of the start included, of which the morning is gone
        ("holiday", 3, "Mid-autumn Festival"),
        ("holiday", 7, "National Day"),
        ("make-up", 1, "make-up for National Day"),
        ("weekend", 5, ""),
    ]


def test_without_mid_autumn_the_twenty_days_end_a_day_earlier():
    without = Calendar(OFFICIAL.years, {d: day for d, day in OFFICIAL.days.items() if d != date(2026, 9, 25)})

    assert due(at("2026-09-24 10:20"), 20, "work_days", without).at == at("2026-10-28 10:20")


def test_what_is_over_time_is_told_in_working_days_hours_and_minutes():
    over = consumed(at("2026-10-28 10:20"), at("2026-11-23 14:07"), "work_days", OFFICIAL)

    assert parts(over, "work_days") == (18, 1, 47)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-11-20 10:20", "2026-11-23 10:20"),  # Friday to Monday
        ("2026-11-20 18:00", "2026-11-24 08:00"),  # begins on Monday at 08:00
        ("2026-11-21 09:00", "2026-11-24 08:00"),  # a Saturday too
        ("2026-11-23 07:00", "2026-11-24 08:00"),
        ("2026-11-23 08:00", "2026-11-24 08:00"),
        ("2026-11-23 12:30", "2026-11-24 14:00"),  # begins after lunch
        ("2026-11-23 17:59", "2026-11-24 17:59"),
    ],
)
def test_one_working_day_ends_at_the_time_of_day_at_which_it_began(start, end):
    assert due(at(start), 1, "work_days", OFFICIAL).at == at(end)


def test_a_limit_in_hours_ends_when_it_is_used_up_not_the_next_morning():
    assert due(at("2026-11-23 14:00"), 4, "work_hours", OFFICIAL).at == at("2026-11-23 18:00")


def test_half_a_working_day_and_a_decimal_are_understood():
    assert due(at("2026-11-23 08:00"), 0.5, "work_days", OFFICIAL).at == at("2026-11-23 14:00")
    assert due(at("2026-11-23 08:00"), Decimal("1.5"), "work_hours", OFFICIAL).at == at("2026-11-23 09:30")


def test_where_the_moment_was_written_down_makes_no_difference():
    start = at("2026-10-09 17:30")

    assert due(start.astimezone(UTC), 4, "work_hours", OFFICIAL) == due(start, 4, "work_hours", OFFICIAL)


def test_hours_of_the_season_apply_from_its_first_day_and_over_new_year():
    assert due(at("2025-07-01 14:00"), 1, "work_hours", SEASONAL).at == at("2025-07-01 15:30")
    assert due(at("2026-02-02 13:00"), 1, "work_hours", SEASONAL).at == at("2026-02-02 14:30")


def test_a_short_winter_day_is_a_whole_working_day():
    # 15:30 in summer is 5 of 8 hours; the same part of the winter's 7 is 4 h 22 min 30 s.
    assert due(at("2026-09-30 15:30"), 1, "work_days", SEASONAL).at == at("2026-10-08 14:22:30")


# -- years --------------------------------------------------------------------------------------
def test_the_turn_of_a_known_year_is_crossed():
    assert due(at("2025-12-31 17:00"), 4, "work_hours", OFFICIAL).at == at("2026-01-04 11:00")  # a make-up Sunday
    assert due(at("2025-12-31 10:20"), 1, "work_days", OFFICIAL).at == at("2026-01-04 10:20")


@pytest.mark.parametrize("unit", ["work_hours", "work_days"])
@pytest.mark.parametrize(
    ("start", "amount"), [("2026-12-31 17:00", 2), ("2026-12-31 20:00", 1), ("2027-03-01 09:00", 1)]
)
def test_a_limit_that_reaches_into_a_missing_year_has_no_due_time_and_names_the_year(unit, start, amount):
    found = due(at(start), amount, unit, OFFICIAL)

    assert (found.at, found.reason, found.arithmetic) == (None, "calendar 2027 missing", None)
    assert missing_year(found.reason) == 2027


def test_a_limit_that_is_used_up_before_the_missing_year_is_computed():
    assert due(at("2026-12-31 14:00"), 4, "work_hours", OFFICIAL).at == at("2026-12-31 18:00")


def test_urgent_hours_need_no_calendar():
    assert due(at("2031-02-01 23:00"), 2, "urgent_hours", OFFICIAL).at == at("2031-02-02 01:00")
    assert consumed(at("2031-02-01 23:00"), at("2031-02-02 01:00"), "urgent_hours", OFFICIAL) == 7200


def test_a_hole_between_known_years_is_not_jumped():
    holed = Calendar({2024: Year(), 2026: Year()}, OFFICIAL.days)

    assert due(at("2024-12-31 09:00"), 5, "work_days", holed).reason == "calendar 2025 missing"
    assert consumed(at("2024-12-31 09:00"), at("2026-01-05 09:00"), "work_days", holed) is None


def test_time_in_a_missing_year_is_unknown_not_nothing():
    assert consumed(at("2026-12-31 17:00"), at("2027-01-01 00:00"), "work_hours", OFFICIAL) == 3600
    assert consumed(at("2026-12-31 17:00"), at("2027-01-01 00:01"), "work_hours", OFFICIAL) is None


def test_a_day_of_a_missing_year_is_neither_worked_nor_free():
    with pytest.raises(MissingYear, match="calendar 2027 missing"):
        OFFICIAL.works(date(2027, 1, 4))


def test_a_provisional_year_is_told():
    years = {**OFFICIAL.years, 2027: Year("provisional", "not announced yet")}
    found = due(at("2026-12-31 17:00"), 4, "work_hours", Calendar(years, OFFICIAL.days))

    assert found.arithmetic.provisional
    assert found.arithmetic.as_dict()["calendar"] == [
        {"year": 2026, "status": "announced", "source": "State Council 2026"},
        {"year": 2027, "status": "provisional", "source": "not announced yet"},
    ]
    assert not due(at("2026-11-23 10:14"), 4, "work_hours", OFFICIAL).arithmetic.provisional


# -- the arithmetic -----------------------------------------------------------------------------
def spans(found) -> list[tuple[str, str, float, str, str]]:
    return [
        (f"{s.start:%m-%d %H:%M}", f"{s.end:%m-%d %H:%M}", s.counted_s / 3600, s.why, s.name_en)
        for s in found.arithmetic.spans
    ]


def test_a_short_limit_shows_every_stretch_and_why_it_counts_or_not():
    assert spans(due(at("2026-10-09 11:00"), 6, "work_hours", OFFICIAL)) == [
        ("10-09 11:00", "10-09 12:00", 1, "", ""),
        ("10-09 12:00", "10-09 14:00", 0, "lunch", ""),
        ("10-09 14:00", "10-09 18:00", 4, "", ""),
        ("10-09 18:00", "10-10 08:00", 0, "night", ""),
        ("10-10 08:00", "10-10 09:00", 1, "make-up", "make-up for National Day"),
    ]


def test_weekend_and_holiday_in_one_gap_are_told_apart():
    assert spans(due(at("2026-10-08 07:00"), 1, "work_hours", OFFICIAL))[0][3:] == ("night", "")
    assert spans(due(at("2020-01-23 17:00"), 2, "work_hours", OFFICIAL)) == [
        ("01-23 17:00", "01-23 18:00", 1, "", ""),
        ("01-23 18:00", "02-03 08:00", 0, "holiday", "Spring Festival"),
        ("02-03 08:00", "02-03 09:00", 1, "", ""),
    ]
    assert spans(
        due(
            at("2025-05-30 17:00"),
            2,
            "work_hours",
            Calendar(OFFICIAL.years, {date(2025, 6, 2): Day(False, "端午节", "Dragon Boat Festival")}),
        )
    ) == [
        ("05-30 17:00", "05-30 18:00", 1, "", ""),
        ("05-30 18:00", "06-02 00:00", 0, "weekend", ""),
        ("06-02 00:00", "06-03 08:00", 0, "holiday", "Dragon Boat Festival"),
        ("06-03 08:00", "06-03 09:00", 1, "", ""),
    ]


def test_of_a_long_limit_both_ends_are_shown_and_the_middle_is_summed_up():
    found = due(at("2026-09-24 10:20"), 20, "work_days", OFFICIAL)

    assert found.arithmetic.summed_up
    assert [(s[0], s[1], s[3]) for s in spans(found)] == [
        ("09-24 10:20", "09-24 12:00", ""),
        ("09-24 12:00", "09-24 14:00", "lunch"),
        ("09-24 14:00", "09-24 18:00", ""),
        ("09-24 18:00", "09-25 00:00", "night"),
        ("09-25 00:00", "10-29 00:00", "summary"),
        ("10-29 00:00", "10-29 08:00", "night"),
        ("10-29 08:00", "10-29 10:20", ""),
    ]


@given(moments(), units, st.integers(1, 60), st.integers(0, 40) | st.just(0), calendars)
def test_the_shown_spans_join_up_are_few_and_add_up_to_the_limit(start, unit, amount, used_h, calendar):
    used = min(used_h * 3600, limit_s(amount, unit))
    found = due_after(start, amount, unit, calendar, consumed_s=used)
    shown = found.arithmetic.spans

    assert len(shown) <= MOST_SPANS
    assert sum(span.counted_s for span in shown) == pytest.approx(limit_s(amount, unit) - used, abs=1e-5)
    assert all(a.end == b.start for a, b in pairwise(shown))
    if shown and shown[0].start != shown[-1].end:
        assert (shown[0].start, shown[-1].end) == (start, found.at)
    assert all(span.counted_s == 0 for span in shown if span.why not in ("", "make-up", "summary"))


# -- the oracles --------------------------------------------------------------------------------
def is_work_minute(moment: datetime) -> bool:
    return is_workday(moment.date()) and (8 <= moment.hour < 12 or 14 <= moment.hour < 18)


def walked_hours(start: datetime, hours: int) -> datetime:
    """Walk minute by minute, jumping over days off only to save the reader's time."""
    left, moment = hours * 60, start
    while left:
        if not is_workday(moment.date()):
            moment = datetime.combine(moment.date() + ONE_DAY, time(), CITY_TIME)
            continue
        left -= is_work_minute(moment)
        moment += MINUTE
    return moment


def walked_days(start: datetime, days: int) -> datetime:
    """Find the moment the limit really begins, then turn over calendar leaves."""
    while not is_work_minute(start):
        start = (start + MINUTE).replace(second=0)
    day = start.date()
    for _ in range(days):
        day += ONE_DAY
        while not is_workday(day):
            day += ONE_DAY
    return datetime.combine(day, start.time(), CITY_TIME)


@given(moments(), st.integers(1, 24))
@settings(max_examples=150, deadline=None)
def test_working_hours_agree_with_a_walk_minute_by_minute(start, hours):
    found = due(start, hours, "work_hours", OFFICIAL)

    assert found.at == walked_hours(start, hours)
    assert consumed(start, found.at, "work_hours", OFFICIAL) == hours * 3600


@given(moments(), st.integers(1, 40))
@settings(max_examples=300, deadline=None)
def test_working_days_agree_with_a_walk_day_by_day(start, days):
    found = due(start, days, "work_days", OFFICIAL)

    assert found.at == walked_days(start, days)
    assert consumed(start, found.at, "work_days", OFFICIAL) == days * WORK_DAY_S


@given(moments(), st.integers(1, 1000))
def test_urgent_hours_are_plain_hours(start, hours):
    found = due(start, hours, "urgent_hours", OFFICIAL)

    assert found.at - start == timedelta(hours=hours)
    assert consumed(start, found.at, "urgent_hours", OFFICIAL) == hours * 3600


@given(moments(), st.integers(0, 5 * 24 * 60))
@settings(max_examples=100, deadline=None)
def test_time_used_up_is_the_number_of_working_minutes_between(start, minutes):
    counted = sum(is_work_minute(start + n * MINUTE) for n in range(minutes))

    for unit in ("work_hours", "work_days"):
        assert consumed(start, start + minutes * MINUTE, unit, OFFICIAL) == counted * 60


# -- laws ---------------------------------------------------------------------------------------
@given(st.lists(moments(), min_size=3, max_size=3).map(sorted), units, calendars)
def test_what_is_used_up_in_two_stretches_is_what_is_used_up_in_both(three, unit, calendar):
    a, b, c = three

    first, second = consumed(a, b, unit, calendar), consumed(b, c, unit, calendar)
    assert round((first + second) * 1e6) == round(consumed(a, c, unit, calendar) * 1e6)


@given(moments(), st.timedeltas(timedelta(), timedelta(days=20)), units, st.integers(1, 40), calendars)
def test_a_pause_of_no_length_changes_nothing(start, after, unit, amount, calendar):
    whole = due(start, amount, unit, calendar).at
    pause = min(start + after, whole)

    resumed = due_after(pause, amount, unit, calendar, consumed_s=consumed(start, pause, unit, calendar))
    if unit == "work_hours" and resumed.at != whole:  # nothing left: due at once, and no work lies between
        assert consumed(resumed.at, whole, unit, calendar) == consumed(whole, resumed.at, unit, calendar) == 0
    else:
        assert abs(resumed.at - whole) <= timedelta(microseconds=2)


@given(moments(), st.integers(0, 8 * 60), st.timedeltas(timedelta(), timedelta(days=20)), units, st.integers(8, 40))
def test_a_pause_moves_the_due_time_by_the_working_time_it_lasts(start, before_min, length, unit, amount):
    pause = due(start, Decimal(before_min) / 60, unit, OFFICIAL).at if before_min else start
    resume = pause + length
    used = consumed(start, pause, unit, OFFICIAL)

    found = due_after(resume, amount, unit, OFFICIAL, consumed_s=used).at
    assert consumed(resume, found, unit, OFFICIAL) == pytest.approx(limit_s(amount, unit) - used, abs=1e-5)
    assert found >= due(start, amount, unit, OFFICIAL).at


def test_two_days_of_pause_keep_the_time_used_up():
    # Monday 09:00, 8 working hours; paused at 11:00 with 2 h used up; resumed on Wednesday at 11:00.
    used = consumed(at("2026-11-23 09:00"), at("2026-11-23 11:00"), "work_hours", OFFICIAL)

    assert used == 7200
    assert due_after(at("2026-11-25 11:00"), 8, "work_hours", OFFICIAL, consumed_s=used).at == at("2026-11-26 09:00")


def test_an_extension_keeps_the_time_used_up():
    used = consumed(at("2026-11-23 09:00"), at("2026-11-23 11:00"), "work_hours", OFFICIAL)

    assert due_after(at("2026-11-23 11:00"), 12, "work_hours", OFFICIAL, consumed_s=used).at == at("2026-11-24 15:00")


def test_a_limit_that_is_more_than_used_up_is_due_at_once():
    night = at("2026-11-23 22:00")

    for unit in UNITS:
        assert due_after(night, 1, unit, OFFICIAL, consumed_s=limit_s(1, unit) + 60).at == night


@given(moments(), moments(), units, st.integers(1, 40), calendars)
def test_who_begins_later_is_not_due_earlier(one, other, unit, amount, calendar):
    earlier, later = sorted([one, other])

    assert due(earlier, amount, unit, calendar).at <= due(later, amount, unit, calendar).at


@given(moments(), units, st.integers(1, 40), calendars)
def test_a_longer_limit_ends_later_and_every_limit_after_its_start(start, unit, amount, calendar):
    assert start < due(start, amount, unit, calendar).at < due(start, amount + 1, unit, calendar).at


@given(moments(), units, st.integers(1, 40), calendars)
def test_a_limit_ends_when_just_its_amount_is_used_up(start, unit, amount, calendar):
    end = due(start, amount, unit, calendar).at

    assert consumed(start, end, unit, calendar) == pytest.approx(limit_s(amount, unit), abs=1e-5)
    assert consumed(end, start, unit, calendar) == 0


# -- refusals, speed ----------------------------------------------------------------------------
@pytest.mark.parametrize("amount", [0, -1, float("nan"), float("inf"), 1e9])
def test_an_amount_that_is_no_limit_is_refused(amount):
    with pytest.raises(ValueError, match="expected"):
        due(at("2026-11-23 09:00"), amount, "work_hours", OFFICIAL)


def test_an_unknown_unit_a_naive_moment_and_negative_use_are_refused():
    start = at("2026-11-23 09:00")
    with pytest.raises(ValueError, match="unit 'weeks': expected one of urgent_hours, work_hours, work_days"):
        due(start, 1, "weeks", OFFICIAL)
    with pytest.raises(ValueError, match="expected an aware moment"):
        consumed(start.replace(tzinfo=None), start, "work_hours", OFFICIAL)
    with pytest.raises(ValueError, match="-1 s consumed; expected 0 or more"):
        due_after(start, 1, "work_hours", OFFICIAL, consumed_s=-1)


@pytest.mark.parametrize(
    "seasons",
    [
        (),
        (Season(5, 1, ((time(8), time(12)),)), Season(1, 1, ((time(8), time(12)),))),
        (Season(1, 1, ()),),
        (Season(1, 1, ((time(12), time(8)),)),),
        (Season(1, 1, ((time(8), time(12)), (time(11), time(18)))),),
    ],
)
def test_hours_that_do_not_follow_each_other_are_refused(seasons):
    with pytest.raises(ValueError, match="expected at least one"):
        Calendar({}, seasons=seasons)


def test_a_reason_that_names_no_year_is_told_apart():
    assert [missing_year(reason) for reason in ("", "calendar x missing", "paused")] == [None, None, None]


def test_twenty_working_days_take_less_than_a_millisecond():
    start = at("2026-09-24 10:20")
    assert due(start, 20, "work_days", OFFICIAL).arithmetic  # the year is laid out once
    took = []
    for _ in range(50):
        begun = perf_counter()
        assert due(start, 20, "work_days", OFFICIAL).arithmetic
        took.append(perf_counter() - begun)

    assert min(took) < 0.001  # the least: the machine may be busy with other tests


@pytest.mark.long
def test_r12_deadlines_agree_with_the_flat_list_of_all_working_minutes():
    """Every day of 2004–2026 at nine times of day, against one list of the 2.7 million minutes worked."""
    epoch = datetime(FIRST, 1, 1, tzinfo=CITY_TIME)
    minutes, days, day = array("i"), [], epoch.date()
    while day.year <= LAST:
        if is_workday(day):
            midnight = int((datetime.combine(day, time(), CITY_TIME) - epoch) / MINUTE)
            minutes.extend(midnight + m for m in (*range(480, 720), *range(840, 1080)))
            days.append(day)
        day += ONE_DAY
    compared = mismatches = 0
    hours_of_day = [0, 470, 480, 620, 719, 720, 860, 1079, 1080]
    for n in range((date(LAST, 11, 1) - epoch.date()).days):
        for minute in hours_of_day:
            start = epoch + n * ONE_DAY + minute * MINUTE
            first = bisect_left(minutes, n * 1440 + minute)
            for amount in (1, 4, 8, 20):
                by_hour = epoch + (minutes[first + amount * 60 - 1] + 1) * MINUTE
                by_day = epoch + minutes[first + amount * 480] * MINUTE
                mismatches += due(start, amount, "work_hours", OFFICIAL).at != by_hour
                mismatches += due(start, amount, "work_days", OFFICIAL).at != by_day
                compared += 2
    print(f"R12: {compared} deadlines of {FIRST}–{LAST} compared, mismatches {mismatches}")
    assert mismatches == 0
