"""Who is on duty, and where nobody is: asked of rosters with leave, deputies, levels and hours."""

from datetime import datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citysafety.accounts.models import Department, User
from citysafety.calendars import rosters
from citysafety.calendars.models import CalendarYear, Leave, Post, Shift
from citysafety.calendars.services import forget
from citysafety.workdays import CITY_TIME
from tests.factories import person

from .conftest import CITY, COUNTY, DAY, FOREIGN, HOUR, NOW, TOWN, make_leave, make_post, make_shift, wall

pytestmark = pytest.mark.django_db
CELL = f"{TOWN}001001"


def ask(**more):
    return rosters.on_duty(**{"role": "dispatcher", "area_code": CELL, "at": NOW, **more})


# -- who is on duty ------------------------------------------------------------------------------
def test_the_person_of_the_running_shift_is_on_duty_until_it_ends(desk):
    make_shift(desk.post, desk.b, "11-23 08:00", "11-23 20:00")

    duty = ask()

    [one] = duty.people
    assert (one.person, one.way, one.until, one.post) == (desk.b, "primary", wall("11-23 20:00"), desk.post)
    assert (duty.nobody, duty.reason, duty.next_level, duty.others) == (False, "", None, ())
    assert duty.to_ask == (desk.b,)


def test_a_shift_ends_where_the_next_begins_and_nobody_is_there_twice(desk):
    make_shift(desk.post, desk.a, "11-23 08:00", "11-23 20:00")
    make_shift(desk.post, desk.b, "11-23 20:00", "11-24 08:00")

    assert ask(at=wall("11-23 19:59")).to_ask == (desk.a,)
    assert ask(at=wall("11-23 20:00")).to_ask == (desk.b,)
    assert ask(at=wall("11-24 07:59")).to_ask == (desk.b,)
    assert ask(at=wall("11-24 08:00")).nobody


def test_a_night_over_the_turn_of_the_year_is_one_shift(desk):
    make_shift(desk.post, desk.b, "2026-12-31 20:00", "2027-01-01 08:00")

    assert ask(at=wall("2027-01-01 00:00")).to_ask == (desk.b,)


def test_who_is_on_leave_is_stood_in_for_by_the_deputy_only_as_long_as_the_leave_lasts(desk):
    make_shift(desk.post, desk.b, "11-23 08:00", "11-23 20:00", deputy=desk.c)
    make_leave(desk.b, "11-23 09:00", "11-23 12:00")

    [one] = ask().people

    assert (one.person, one.way, one.until) == (desk.c, "deputy", wall("11-23 12:00"))
    assert ask(at=wall("11-23 08:30")).people[0].until == wall("11-23 09:00")
    assert ask(at=wall("11-23 12:00")).to_ask == (desk.b,)


def test_leave_without_a_deputy_leads_to_the_next_level_and_says_why(desk):
    make_shift(desk.post, desk.b, "11-23 08:00", "11-23 20:00")
    make_leave(desk.b, "11-23 00:00", "11-24 00:00")
    above = make_post(CITY)
    make_shift(above, desk.city, "11-23 08:00", "11-23 20:00")

    duty = ask()

    assert (duty.nobody, duty.reason, duty.people) == (True, "on_leave", ())
    assert duty.next_level.area_code == CITY
    assert duty.to_ask == (desk.city,)


def test_leave_of_the_deputy_is_counted_too_and_a_leave_called_off_is_none(desk):
    make_shift(desk.post, desk.b, "11-23 08:00", "11-23 20:00", deputy=desk.c)
    make_leave(desk.b, "11-23 00:00", "11-24 00:00")
    away = make_leave(desk.c, "11-23 00:00", "11-24 00:00")

    assert ask().reason == "on_leave"

    Leave.objects.filter(pk=away.pk).update(cancelled_at=NOW)
    assert ask().to_ask == (desk.c,)


@pytest.mark.parametrize(
    "change", [{"is_active": False}, {"role": "operator"}, {"area_code": FOREIGN}], ids=["left", "other role", "moved"]
)
def test_who_no_longer_fits_the_post_is_not_on_duty_whatever_the_roster_says(desk, change):
    make_shift(desk.post, desk.b, "11-23 08:00", "11-23 20:00")
    type(desk.b).objects.filter(pk=desk.b.pk).update(**change)

    assert ask().nobody


def test_the_nearest_level_is_asked_first(desk):
    town = make_post(TOWN)
    make_shift(desk.post, desk.b, "11-23 08:00", "11-23 20:00")
    make_shift(town, desk.c, "11-23 08:00", "11-23 20:00")

    assert [level.area_code for level in ask().levels] == [TOWN, COUNTY]
    assert ask().to_ask == (desk.c,)
    assert ask(area_code=COUNTY).to_ask == (desk.b,)


def test_without_a_post_people_of_the_role_are_named_the_nearest_first(desk):
    Post.objects.all().delete()

    duty = ask()

    assert (duty.nobody, duty.reason) == (True, "no_post")
    assert duty.others == (desk.a, desk.b, desk.c, desk.city)
    assert duty.to_ask == duty.others


def test_outside_of_its_hours_a_post_says_so_and_the_next_level_is_asked(desk):
    Post.objects.update(staffed="hours", begins=time(20), ends=time(6))
    above = make_post(CITY)
    make_shift(above, desk.city, "11-23 08:00", "11-24 08:00")

    assert (ask().reason, ask().to_ask) == ("off_hours", (desk.city,))
    assert ask(at=wall("11-24 05:59")).reason == "no_shift"
    assert ask(at=wall("11-24 06:00")).reason == "off_hours"


def test_on_call_comes_after_on_duty_and_alone_is_better_than_nobody(desk):
    make_shift(desk.post, desk.b, "11-23 06:00", "11-23 20:00", kind="backup")
    make_shift(desk.post, desk.c, "11-23 08:00", "11-23 20:00")

    assert [(one.person, one.way) for one in ask().people] == [(desk.c, "primary"), (desk.b, "backup")]
    assert ask(at=wall("11-23 07:00")).to_ask == (desk.b,)


def test_a_handler_is_on_duty_for_the_own_department_alone(desk):
    fire, roads = (Department.objects.create(code=code, area_code=COUNTY, name_zh=code) for code in ("fire", "roads"))
    handler = person("department_handler", area=COUNTY, department=fire)
    make_shift(make_post(role="department_handler", department=fire), handler, "11-23 08:00", "11-23 20:00")

    assert ask(role="department_handler", department_id=fire.pk).to_ask == (handler,)
    assert ask(role="department_handler", department_id=roads.pk).to_ask == ()


def test_posts_that_were_retired_and_shifts_that_were_called_off_are_not_asked(desk):
    shift = make_shift(desk.post, desk.b, "11-23 08:00", "11-23 20:00")
    Shift.objects.filter(pk=shift.pk).update(cancelled_at=NOW)
    assert ask().reason == "no_shift"

    Post.objects.update(active=False)
    assert ask().reason == "no_post"


@pytest.mark.parametrize("people", [1, 6])
def test_asking_costs_the_same_however_many_posts_and_people(desk, people, django_assert_num_queries):
    for area in (CITY, COUNTY, TOWN):
        post = make_post(area)
        for _ in range(people):
            who = person("dispatcher", area=area)
            make_shift(post, who, "11-23 08:00", "11-23 20:00", deputy=person("dispatcher", area=area))
            make_leave(who, "11-23 08:00", "11-23 09:00")

    with django_assert_num_queries(3):
        assert len(ask().people) == people
    with django_assert_num_queries(3):  # no shift, no leave to look for, but other people
        assert ask(at=wall("11-24 12:00")).others
    with django_assert_num_queries(2):
        assert ask(role="leader").reason == "no_post"


# -- gaps ------------------------------------------------------------------------------------------
def told(start, end, area=COUNTY):
    return [(row.gap.begins, row.gap.ends, row.gap.missing, row.gap.reason) for row in rosters.gaps(area, start, end)]


def test_gaps_are_told_with_their_reason(desk):
    make_shift(desk.post, desk.a, "11-23 08:00", "11-23 20:00")
    make_shift(desk.post, desk.b, "11-23 20:00", "11-24 08:00")
    make_leave(desk.b, "11-23 22:00", "11-24 02:00")

    assert told(wall("11-23 00:00"), wall("11-24 12:00")) == [
        (wall("11-23 00:00"), wall("11-23 08:00"), 1, "no_shift"),
        (wall("11-23 22:00"), wall("11-24 02:00"), 1, "on_leave"),
        (wall("11-24 08:00"), wall("11-24 12:00"), 1, "no_shift"),
    ]
    assert told(wall("11-23 00:00"), wall("11-24 12:00"), area=FOREIGN) == []


def test_a_post_for_two_is_short_with_one_and_one_person_counts_once(desk):
    Post.objects.update(minimum=2)
    make_shift(desk.post, desk.a, "11-23 08:00", "11-23 20:00", deputy=desk.b)
    make_shift(desk.post, desk.b, "11-23 12:00", "11-23 20:00")
    make_leave(desk.a, "11-23 16:00", "11-23 20:00")  # b then stands for a and for himself

    assert told(wall("11-23 08:00"), wall("11-23 20:00")) == [
        (wall("11-23 08:00"), wall("11-23 12:00"), 1, "too_few"),
        (wall("11-23 16:00"), wall("11-23 20:00"), 1, "too_few"),
    ]


def test_working_time_is_that_of_the_calendar_and_what_it_lacks_is_not_guessed(desk):
    Post.objects.update(staffed="working")

    assert told(wall("11-27 00:00"), wall("11-30 09:00")) == [  # Friday to Monday
        (wall("11-27 08:00"), wall("11-27 12:00"), 1, "no_shift"),
        (wall("11-27 14:00"), wall("11-27 18:00"), 1, "no_shift"),
        (wall("11-30 08:00"), wall("11-30 09:00"), 1, "no_shift"),
    ]
    CalendarYear.objects.filter(year=2027).delete()
    forget()
    assert told(wall("2027-01-01 00:00"), wall("2027-01-02 00:00")) == [
        (wall("2027-01-01 00:00"), wall("2027-01-02 00:00"), 1, "no_calendar")
    ]


def test_looking_for_gaps_costs_the_same_however_many_posts(desk, django_assert_num_queries):
    for _ in range(5):
        post = make_post()
        for n in range(4):
            make_shift(post, desk.a, f"11-2{3 + n} 08:00", f"11-2{3 + n} 20:00", deputy=desk.b)
    with django_assert_num_queries(3):
        assert rosters.gaps(COUNTY, NOW, NOW + 7 * DAY)


@pytest.mark.parametrize("length", [timedelta(), -HOUR, timedelta(days=63)])
def test_a_look_of_no_length_or_too_long_is_refused(desk, length):
    with pytest.raises(ValueError, match="at most 62 days"):
        rosters.gaps(COUNTY, NOW, NOW + length)


# -- against those who look at every minute --------------------------------------------------------
START, MINUTES = wall("11-23 00:00"), 36 * 60
QUARTERS = st.integers(0, MINUTES // 15 - 1)
SPANS = st.tuples(QUARTERS, st.integers(1, 60)).map(lambda pair: (15 * pair[0], 15 * (pair[0] + pair[1])))
ROSTERS = st.fixed_dictionaries(
    {
        "shifts": st.lists(
            st.tuples(st.integers(0, 2), st.integers(0, 3), st.sampled_from([None, 0, 1, 2, 3]), SPANS), max_size=7
        ),
        "leaves": st.lists(st.tuples(st.integers(0, 3), SPANS), max_size=4),
        "minimum": st.integers(1, 2),
        "hours": st.sampled_from([None, (time(8), time(18)), (time(20), time(6, 30))]),
        "asked": st.lists(st.integers(0, MINUTES - 1), min_size=3, max_size=3),
    }
)


def minute(n: int) -> datetime:
    return START + timedelta(minutes=n)


def naive_there(shifts, leaves, at):
    """Say for one moment, rule by rule, who is there by post and whether somebody should be."""

    def away(who):
        return any(person == who and begin <= at < end for person, (begin, end) in leaves)

    there, planned = {0: set(), 1: set(), 2: set()}, set()
    for post, who, deputy, (begin, end) in shifts:
        if begin <= at < end:
            planned.add(post)
            if not away(who):
                there[post].add(who)
            elif deputy is not None and not away(deputy):
                there[post].add(deputy)
    return there, planned


def lawful(shifts):
    """Leave out what the database would refuse."""
    kept = []
    for post, who, deputy, (begin, end) in shifts:
        if deputy != who and not any(p == post and w == who and begin < e and b < end for p, w, _d, (b, e) in kept):
            kept.append((post, who, deputy, (begin, end)))
    return kept


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=ROSTERS)
def test_random_rosters_are_read_as_one_reads_them_minute_by_minute(db, drawn):
    Leave.objects.all().delete()
    Shift.objects.all().delete()
    Post.objects.all().delete()
    User.objects.update(is_active=False)  # those of the draws before
    hours = drawn["hours"]
    given_hours = {"staffed": "hours", "begins": hours[0], "ends": hours[1]} if hours else {}
    posts = [make_post(area, minimum=drawn["minimum"], **given_hours) for area in (TOWN, COUNTY, CITY)]
    people = [person("dispatcher", area=CITY) for _ in range(4)]
    shifts = lawful(drawn["shifts"])
    for post, who, deputy, (begin, end) in shifts:
        Shift.objects.create(
            post=posts[post], person=people[who], deputy=None if deputy is None else people[deputy],
            begins=minute(begin), ends=minute(end),
        )  # fmt: skip
    for who, (begin, end) in drawn["leaves"]:
        Leave.objects.create(
            person=people[who],
            begins=minute(begin),
            ends=minute(end),
            reason="x",
            entered_by=people[who],
            entered_at=START,
        )

    for at in drawn["asked"]:
        there, planned = naive_there(shifts, drawn["leaves"], at)
        duty = rosters.on_duty(role="dispatcher", area_code=CELL, at=minute(at))
        assert {one.person for one in duty.people} == {people[n] for n in there[0]}
        assert (duty.reason == "on_leave") == (not there[0] and 0 in planned)
        away = {who for who, (begin, end) in drawn["leaves"] if begin <= at < end}
        asked = next((there[n] for n in range(3) if there[n]), set(range(4)) - away)
        assert set(duty.to_ask) == {people[n] for n in asked}

    found = {post.pk: [] for post in posts}
    for row in rosters.gaps(CITY, START, minute(MINUTES)):
        found[row.post.pk].append(row.gap)
    for at in range(0, MINUTES, 5):
        there, _planned = naive_there(shifts, drawn["leaves"], at)
        clock = minute(at).astimezone(CITY_TIME).time()
        needed = hours is None or (
            hours[0] <= clock < hours[1] if hours[0] < hours[1] else clock >= hours[0] or clock < hours[1]
        )
        for n, post in enumerate(posts):
            gap = [one for one in found[post.pk] if one.begins <= minute(at) < one.ends]
            missing = drawn["minimum"] - len(there[n]) if needed else 0
            assert [one.missing for one in gap] == ([missing] if missing > 0 else []), (post, minute(at))
