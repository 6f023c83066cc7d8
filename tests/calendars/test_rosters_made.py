"""Rosters are made: one by one, by pattern, copied, swapped; leave; and what the database refuses whoever asks."""

import uuid
from datetime import date, time, timedelta

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from citysafety.accounts.models import Department
from citysafety.calendars import rosters, shifts, watch
from citysafety.calendars.models import AnnouncedGap, Leave, LeaveHistory, Post, Shift, ShiftHistory, Swap
from citysafety.calendars.patterns import Pattern, slots_in
from citysafety.calendars.shifts import NotAllowed, Over, Refused, ShiftInput
from citysafety.management.rosters import seed_rosters
from citysafety.outbox.models import OutboxEntry
from citysafety.workdays import CITY_TIME
from tests.factories import make_city, person

from .conftest import CITY, COUNTY, DAY, FOREIGN, HOUR, NOW, TOWN, make_leave, make_post, make_shift, wall

pytestmark = pytest.mark.django_db
HALVES = slots_in("08:00-20:00 20:00-08:00")


def news(topic="duty.shift_changed"):
    return [entry.payload for entry in OutboxEntry.objects.filter(topic=topic).order_by("pk")]


# -- what the database refuses -----------------------------------------------------------------------
def test_nobody_is_twice_at_a_post_at_once_whatever_wrote_it(desk):
    make_shift(desk.post, desk.b, "11-23 08:00", "11-23 20:00")

    with pytest.raises(IntegrityError, match="shift_once_a_person_and_post"), transaction.atomic():
        make_shift(desk.post, desk.b, "11-23 19:59", "11-24 08:00")
    make_shift(desk.post, desk.b, "11-23 20:00", "11-24 08:00")
    make_shift(make_post(), desk.b, "11-23 08:00", "11-23 20:00")
    make_shift(desk.post, desk.c, "11-23 08:00", "11-23 20:00")


@pytest.mark.parametrize(
    ("ends", "constraint"),
    [("11-23 08:00", "ends_after"), ("11-30 08:01", "week_at_most")],
    ids=["no time", "too long"],
)
def test_a_shift_has_a_length_of_a_week_at_most(desk, ends, constraint):
    with pytest.raises(IntegrityError, match=constraint):
        make_shift(desk.post, desk.b, "11-23 08:00", ends)


def test_nobody_is_his_own_deputy(desk):
    with pytest.raises(IntegrityError, match="shift_deputy_is_another"):
        make_shift(desk.post, desk.b, "11-23 08:00", "11-23 20:00", deputy=desk.b)


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        ({"area_code": "37050"}, "post_has_an_area"),
        ({"role": "kiosk"}, "post_role_has_rosters"),
        ({"minimum": 0}, "post_needs_people"),
        ({"role": "department_handler"}, "post_of_a_handler"),
        ({"staffed": "hours", "begins": time(8)}, "post_hours"),
        ({"begins": time(8), "ends": time(9)}, "post_hours"),
    ],
)
def test_a_post_that_makes_no_sense_is_refused(desk, wrong, constraint):
    with pytest.raises(IntegrityError, match=constraint):
        Post.objects.filter(pk=desk.post.pk).update(**wrong)


# -- one shift -----------------------------------------------------------------------------------------
def test_a_shift_is_entered_announced_and_kept_in_the_history(desk):
    shift = desk.add(desk.b, "11-24 20:00", "11-25 08:00", deputy=desk.c, note="雨天")

    assert news() == [
        {
            "how": "added", "begins": "2026-11-24T12:00:00+00:00", "ends": "2026-11-25T00:00:00+00:00", "shifts": 1,
            "people": sorted([desk.b.pk, desk.c.pk]),
        }
    ]  # fmt: skip
    entry = OutboxEntry.objects.get(topic="duty.shift_changed")
    assert (entry.kind, entry.subject_id, entry.area_code) == ("duty_post", str(desk.post.pk), COUNTY)
    assert desk.b.name_zh not in str(entry.live)
    assert ShiftHistory.objects.filter(pgh_obj=shift.pk, pgh_label="insert").count() == 1


def test_an_overlap_is_told_with_the_shift_that_is_in_the_way_and_nothing_is_announced(desk):
    desk.add(desk.b, "11-24 08:00", "11-24 20:00")

    with pytest.raises(Refused) as refusal:
        desk.add(desk.b, "11-24 12:00", "11-25 08:00")

    assert "2026-11-24 08:00" in refusal.value.errors["person"]
    assert len(news()) == 1


def test_each_thing_that_is_wrong_with_a_shift_is_told_at_its_field(desk):
    foreign, operator = person("dispatcher", area=FOREIGN), person("operator", area=COUNTY)
    gone = person("dispatcher", area=COUNTY, is_active=False)
    below = person("dispatcher", area=TOWN)

    def refused(who, begins="11-24 08:00", ends="11-24 20:00", **more):
        with pytest.raises(Refused) as refusal:
            desk.add(who, begins, ends, **more)
        return set(refusal.value.errors)

    assert {frozenset(refused(who)) for who in (foreign, operator, gone, below)} == {frozenset({"person"})}
    assert refused(desk.b, deputy=operator) == {"deputy"}
    assert refused(desk.b, deputy=desk.b) == {"deputy"}
    assert refused(desk.b, ends="11-24 07:00") == {"ends"}
    assert refused(desk.b, ends="12-02 07:00") == {"ends"}
    assert refused(desk.b, begins="11-22 08:00", ends="11-22 20:00") == {"begins"}
    assert not Shift.objects.exists()


def test_a_handler_of_another_department_does_not_fit(desk):
    fire, roads = (Department.objects.create(code=c, area_code=COUNTY, name_zh=c) for c in ("fire", "roads"))
    post = make_post(role="department_handler", department=fire)
    handler = person("department_handler", area=COUNTY, department=roads)

    given = ShiftInput(handler, wall("11-24 08:00"), wall("11-24 20:00"))
    assert set(shifts.problems(post, given, NOW)) == {"person"}


@pytest.mark.parametrize(
    ("role", "area", "allowed"),
    [
        ("dispatcher", COUNTY, True), ("supervisor", CITY, True), ("dispatcher", TOWN, False),
        ("dispatcher", FOREIGN, False), ("operator", COUNTY, False), ("leader", CITY, False),
        ("department_handler", COUNTY, False), ("grid_worker", COUNTY, False), ("auditor", CITY, False),
        ("administrator", CITY, False), ("kiosk", CITY, False),
    ],
)  # fmt: skip
def test_dispatchers_and_supervisors_whose_area_covers_the_post_plan_and_nobody_else(desk, role, area, allowed):
    who = person(role, area=area)

    assert shifts.may_plan(who, desk.post) is allowed
    if not allowed:
        with pytest.raises(NotAllowed):
            desk.add(desk.b, "11-24 08:00", "11-24 20:00", by=who)
        assert not Shift.objects.exists()


def test_a_shift_is_changed_until_it_is_over(desk):
    shift = desk.add(desk.b, "11-23 08:00", "11-23 20:00")
    given = ShiftInput(desk.c, shift.begins, wall("11-23 22:00"), desk.b)

    changed = shifts.change_shift(shift=shift, given=given, by=desk.a, at=wall("11-23 19:00"))

    assert (changed.person, changed.deputy, changed.ends) == (desk.c, desk.b, wall("11-23 22:00"))
    assert news()[-1]["how"] == "changed"
    assert set(news()[-1]["people"]) == {desk.b.pk, desk.c.pk}
    with pytest.raises(Over):
        shifts.change_shift(shift=shift, given=given, by=desk.a, at=wall("11-23 22:00"))


def test_a_shift_that_was_called_off_stays_as_a_row_and_leaves_its_time_free(desk):
    shift = desk.add(desk.b, "11-24 08:00", "11-24 20:00")

    shifts.cancel_shift(shift=shift, by=desk.a, at=NOW)

    assert Shift.objects.get().cancelled_at == NOW
    with pytest.raises(Over):
        shifts.cancel_shift(shift=shift, by=desk.a, at=NOW)
    desk.add(desk.b, "11-24 08:00", "11-24 20:00")


# -- patterns ------------------------------------------------------------------------------------------
def test_four_teams_go_day_night_off_off():
    pattern = Pattern(HALVES, (("a",), ("b",), ("c",), ("d",)), date(2026, 11, 23), date(2026, 11, 26))

    said = [(f"{d.begins:%d %H}", f"{d.ends:%d %H}", d.person) for d in pattern.drafts(CITY_TIME)]

    assert said == [
        ("23 08", "23 20", "a"), ("23 20", "24 08", "d"), ("24 08", "24 20", "b"), ("24 20", "25 08", "a"),
        ("25 08", "25 20", "c"), ("25 20", "26 08", "b"), ("26 08", "26 20", "d"), ("26 20", "27 08", "c"),
    ]  # fmt: skip


SLOTS = st.sampled_from(
    ["08:00-20:00 20:00-08:00", "08:00-08:00", "00:00-08:00 08:00-16:00 16:00-24:00".replace("24", "00")]
)


@settings(max_examples=60, deadline=None)
@given(slots=SLOTS, more=st.integers(0, 4), days=st.integers(1, 20), start=st.integers(0, 9))
def test_a_pattern_covers_every_moment_once_and_nobody_goes_straight_from_one_shift_into_the_next(
    slots, more, days, start
):
    hours = slots_in(slots)
    teams = tuple((n,) for n in range(len(hours) + more))
    drafts = Pattern(hours, teams, date(2026, 12, 25), date(2026, 12, 25) + timedelta(days - 1), start).drafts(
        CITY_TIME
    )

    assert all(one.ends == two.begins for one, two in zip(drafts, drafts[1:], strict=False))
    assert drafts[-1].ends - drafts[0].begins == days * DAY
    for n, one in enumerate(drafts):
        following = next((d for d in drafts[n + 1 :] if d.person == one.person), None)
        assert len(teams) == 1 or following is None or following.begins > one.ends


@pytest.mark.parametrize(
    "wrong", [{"teams": (("a",),)}, {"teams": (("a",), ())}, {"slots": ()}, {"last": date(2026, 1, 1)}]
)
def test_a_pattern_that_cannot_be_is_refused(wrong):
    good = {"slots": HALVES, "teams": (("a",), ("b",)), "first": date(2026, 11, 23), "last": date(2026, 11, 24)}
    with pytest.raises(ValueError, match=r"expected|lies before"):
        Pattern(**{**good, **wrong})


@pytest.mark.parametrize("text", ["8-20", "08:00", "08:00-25:00", "x-y", "08:00-12:00-14:00"])
def test_what_is_no_slot_is_named(text):
    with pytest.raises(ValueError, match=text.split()[0].replace("-", ".")):
        slots_in(text)


def drafts_of(desk, first="2026-11-24", last="2026-11-25", people=None):
    teams = tuple((one,) for one in people or (desk.a, desk.b, desk.c))
    return Pattern(HALVES, teams, date.fromisoformat(first), date.fromisoformat(last)).drafts(CITY_TIME)


def test_a_trial_tells_what_stands_against_each_shift_and_writes_nothing(desk):
    make_shift(desk.post, desk.a, "11-24 10:00", "11-24 12:00")
    make_shift(make_post(), desk.b, "11-25 07:00", "11-25 09:00")
    make_leave(desk.c, "11-24 22:00", "11-24 23:00")

    rows = shifts.trial(desk.post, drafts_of(desk))

    assert [(row.draft.person, row.conflict) for row in rows] == [
        (desk.a, "taken"), (desk.c, "leave"), (desk.b, "elsewhere"), (desk.a, ""),
    ]  # fmt: skip
    assert Shift.objects.count() == 2


def test_what_the_roster_can_hold_is_written_once_and_told_once(desk, django_assert_num_queries):
    drafts = drafts_of(desk)

    written = shifts.write_shifts(post=desk.post, drafts=drafts, by=desk.a, at=NOW)
    again = shifts.write_shifts(post=desk.post, drafts=drafts, by=desk.a, at=NOW)

    assert [row.is_written for row in written] == [True] * 4
    assert [row.conflict for row in again] == ["taken"] * 4
    assert Shift.objects.count() == 4
    assert [(row["how"], row["shifts"]) for row in news()] == [("added", 4)]


@pytest.mark.parametrize("last", ["2026-11-25", "2026-12-20"])
def test_writing_costs_the_same_however_many_shifts(desk, last, django_assert_num_queries):
    drafts = drafts_of(desk, last=last)
    with django_assert_num_queries(8):  # savepoint twice, lock, shifts, leave, insert, news, bell
        shifts.write_shifts(post=desk.post, drafts=drafts, by=desk.a, at=NOW)


def test_a_week_is_copied_with_its_deputies_over_the_turn_of_the_year(desk):
    make_shift(desk.post, desk.b, "2026-12-27 20:00", "2026-12-28 08:00", deputy=desk.c)
    make_shift(desk.post, desk.c, "2026-12-28 08:00", "2026-12-28 20:00")

    [one] = shifts.copied(desk.post, date(2026, 12, 23), date(2026, 12, 30))

    assert (one.begins, one.ends) == (wall("2027-01-03 20:00"), wall("2027-01-04 08:00"))
    assert (one.person, one.deputy) == (desk.b, desk.c)


# -- swaps ---------------------------------------------------------------------------------------------
def two(desk):
    return (
        make_shift(desk.post, desk.b, "11-24 08:00", "11-24 20:00", deputy=desk.c),
        make_shift(desk.post, desk.c, "11-25 08:00", "11-25 20:00"),
    )


def propose(desk, first, second, by):
    return shifts.propose_swap(id=uuid.uuid4(), first=first, second=second, by=by, at=NOW)


def people_of(*rows):
    return [Shift.objects.get(pk=row.pk).person for row in rows]


def test_two_change_places_when_the_other_agrees(desk):
    first, second = two(desk)
    swap = propose(desk, first, second, desk.b)
    assert people_of(first, second) == [desk.b, desk.c]

    swap = shifts.agree_to_swap(swap=swap, by=desk.c, at=NOW)

    assert swap.state == Swap.State.DONE
    assert people_of(first, second) == [desk.c, desk.b]
    assert Shift.objects.get(pk=first.pk).deputy is None  # who was the deputy has the shift now
    assert (news()[-1]["how"], news()[-1]["shifts"]) == ("swapped", 2)
    with pytest.raises(Over):
        shifts.agree_to_swap(swap=swap, by=desk.c, at=NOW)


def test_shifts_of_one_time_are_swapped_too_on_duty_for_on_call(desk):
    first = make_shift(desk.post, desk.b, "11-24 08:00", "11-24 20:00")
    second = make_shift(desk.post, desk.c, "11-24 08:00", "11-24 20:00", kind="backup")

    shifts.agree_to_swap(swap=propose(desk, first, second, desk.b), by=desk.c, at=NOW)

    assert people_of(first, second) == [desk.c, desk.b]


def test_a_planner_proposes_and_both_must_agree(desk):
    first, second = two(desk)
    swap = propose(desk, first, second, desk.a)

    with pytest.raises(NotAllowed):
        shifts.agree_to_swap(swap=swap, by=desk.a, at=NOW)
    assert shifts.agree_to_swap(swap=swap, by=desk.b, at=NOW).state == Swap.State.PROPOSED
    assert shifts.agree_to_swap(swap=swap, by=desk.b, at=NOW).state == Swap.State.PROPOSED
    assert shifts.agree_to_swap(swap=swap, by=desk.c, at=NOW).state == Swap.State.DONE


def test_a_swap_is_refused_by_either_or_taken_back_and_changes_nothing(desk):
    first, second = two(desk)
    swap = propose(desk, first, second, desk.b)
    with pytest.raises(Refused):
        propose(desk, second, first, desk.c)
    with pytest.raises(NotAllowed):
        shifts.refuse_swap(swap=swap, by=person("dispatcher", area=COUNTY), at=NOW)

    assert shifts.refuse_swap(swap=swap, by=desk.c, at=NOW).state == Swap.State.REFUSED
    assert people_of(first, second) == [desk.b, desk.c]
    assert shifts.refuse_swap(swap=propose(desk, first, second, desk.b), by=desk.b, at=NOW).state == "refused"


def test_what_changed_since_it_was_proposed_is_not_swapped(desk):
    first, second = two(desk)
    swap = propose(desk, first, second, desk.b)
    shifts.change_shift(shift=second, given=ShiftInput(desk.a, second.begins, second.ends), by=desk.a, at=NOW)

    with pytest.raises(Over):
        shifts.agree_to_swap(swap=swap, by=desk.c, at=NOW)
    assert people_of(first, second) == [desk.b, desk.a]


def test_who_would_be_there_twice_is_told(desk):
    first, second = two(desk)
    swap = propose(desk, first, second, desk.b)
    make_shift(desk.post, desk.c, "11-24 18:00", "11-24 22:00")

    with pytest.raises(Refused):
        shifts.agree_to_swap(swap=swap, by=desk.c, at=NOW)
    assert people_of(first, second) == [desk.b, desk.c]
    assert Swap.objects.get().state == Swap.State.PROPOSED


def test_strangers_propose_no_swap_and_a_shift_is_not_swapped_with_the_own(desk):
    first, second = two(desk)
    with pytest.raises(NotAllowed):
        propose(desk, first, second, person("operator", area=COUNTY))
    with pytest.raises(Refused):
        propose(desk, first, make_shift(desk.post, desk.b, "11-26 08:00", "11-26 20:00"), desk.b)
    with pytest.raises(Over):
        propose(desk, make_shift(desk.post, desk.b, "11-22 08:00", "11-22 20:00"), second, desk.b)


# -- leave -----------------------------------------------------------------------------------------------
def enter(who, by, begins="11-24 00:00", ends="11-25 00:00", at=NOW):
    return shifts.enter_leave(
        id=uuid.uuid4(), person=who, begins=wall(begins), ends=wall(ends), reason="公休", by=by, at=at
    )


def test_leave_is_entered_by_the_person_or_who_plans_and_is_told_to_the_posts_it_touches(desk):
    two(desk)

    enter(desk.b, desk.b)
    enter(desk.c, desk.city)

    # b's own shift; then the one that c is deputy in: both on the 24th
    assert [(row["how"], row["shifts"]) for row in news()] == [("leave", 1), ("leave", 1)]
    for stranger in (person("operator", area=COUNTY), person("supervisor", area=FOREIGN), person("leader", area=CITY)):
        with pytest.raises(NotAllowed):
            enter(desk.b, stranger)


def test_leave_without_a_length_or_in_the_past_is_refused_at_its_field(desk):
    for ends in ("11-23 23:00", "11-20 00:00"):
        with pytest.raises(Refused) as refusal:
            enter(desk.b, desk.b, ends=ends)
        assert set(refusal.value.errors) == {"ends"}
    with pytest.raises(Refused):
        enter(desk.b, desk.b, begins="11-20 00:00", ends="11-21 00:00")


def test_leave_is_called_off_once_and_its_reason_is_no_part_of_the_history(desk):
    leave = enter(desk.b, desk.b)
    assert shifts.cancel_leave(leave=leave, by=desk.a, at=NOW).cancelled_at == NOW
    with pytest.raises(Over):
        shifts.cancel_leave(leave=leave, by=desk.a, at=NOW)
    assert not hasattr(LeaveHistory.objects.first(), "reason")


def test_who_reads_leave(desk):
    make_leave(desk.b, "11-24 00:00", "11-25 00:00")
    readers = [desk.a, desk.b, desk.city, person("operator", area=COUNTY), person("dispatcher", area=FOREIGN)]

    assert [shifts.leaves_seen_by(who).count() for who in readers] == [1, 1, 1, 0, 0]
    assert shifts.leaves_seen_by(person("supervisor", area="")).count() == 0
    assert Leave.objects.count() == 1


# -- the watch ---------------------------------------------------------------------------------------
def test_a_gap_within_the_hours_of_the_post_is_announced_once_and_again_after_it_was_filled(desk):
    make_shift(desk.post, desk.b, "11-23 08:00", "11-23 20:00")

    assert [watch.announce_gaps(at=wall("11-23 10:00") + n * HOUR) for n in range(4)] == [1, 0, 0, 0]
    [told] = news("duty.gap")
    assert (told["begins"], told["missing"], told["reason"]) == ("2026-11-23T12:00:00+00:00", 1, "no_shift")

    shift = make_shift(desk.post, desk.c, "11-23 20:00", "11-24 08:00")
    assert watch.announce_gaps(at=wall("11-23 15:00")) == 0
    assert AnnouncedGap.objects.get().closed_at == wall("11-23 15:00")
    shifts.cancel_shift(shift=shift, by=desk.a, at=wall("11-23 16:00"))
    assert watch.announce_gaps(at=wall("11-23 16:00")) == 1


def test_a_gap_farther_ahead_than_the_post_says_waits(desk):
    make_shift(desk.post, desk.b, "11-23 08:00", "11-24 08:00")
    Post.objects.update(warn_hours=2)

    assert watch.announce_gaps(at=wall("11-24 05:59")) == 0
    assert watch.announce_gaps(at=wall("11-24 06:01")) == 1


@pytest.mark.parametrize("posts", [1, 5])
def test_the_watch_costs_the_same_however_many_posts(desk, posts, django_assert_num_queries):
    for _ in range(posts - 1):
        make_post()
    make_shift(desk.post, desk.b, "11-23 08:00", "11-23 09:00")
    with django_assert_num_queries(9):  # savepoint twice, posts, shifts, leave, told, insert, news, bell
        watch.announce_gaps(at=wall("11-23 08:00"))


# -- the demo ----------------------------------------------------------------------------------------
def test_the_demo_has_rosters_that_roll_forward_and_one_gap(db):
    make_city()

    made = seed_rosters(city=CITY, at=NOW)

    assert made > 100
    assert seed_rosters(city=CITY, at=NOW) == 0
    later = seed_rosters(city=CITY, at=NOW + 3 * DAY)
    assert 0 < later < made
    post = Post.objects.get(area_code=COUNTY)
    found = rosters.gaps(CITY, NOW, NOW + 7 * DAY)
    assert {(row.post.pk, row.gap.reason) for row in found} == {(post.pk, "on_leave")}
    assert not rosters.on_duty(role="operator", area_code=CITY, at=NOW).nobody
