"""Two reports of one hazard become one case, and two again if that was wrong; nothing is lost either way."""

import uuid
from datetime import timedelta

import pytest

from citysafety.evidence.access import may_see
from citysafety.lifecycle import StepNotAllowed
from citysafety.tallies.models import Period
from grid.models import Matter
from hazards import selectors
from hazards.models import Clock, Hazard, Merger, Step
from hazards.seeds import seed_limits
from hazards.services import FieldsMissing, NotAllowed, take_step
from hazards.services.given import StepInput
from tests.factories import AWAY, NOON, file_hazard, person

from .test_api import client_of

HOUR = timedelta(hours=1)
NINE = NOON - 3 * HOUR


def step(hazard, action, by, at=NINE + 4 * HOUR, **fields):
    given = StepInput(id=uuid.uuid4(), version=Hazard.objects.get(pk=hazard.pk).version, **fields)
    return take_step(hazard_id=hazard.pk, action=action, given=given, actor=by, at=at)


@pytest.fixture
def three(cast):
    """Three reports of the same carton by three people, an hour apart; the last is the first that was accepted."""
    cast.third = person("grid_worker")
    first = file_hazard(cast.worker, at=NINE)
    second = file_hazard(cast.neighbour, at=NINE + HOUR, lon=118.5301)
    third = file_hazard(cast.third, at=NINE + 2 * HOUR, lon=118.5299)
    for n, (hazard, by) in enumerate(((first, cast.worker), (second, cast.neighbour), (third, cast.third))):
        for _n in range(n + 1):
            cast.photo(hazard, "scene", by)
    step(third, "accept", cast.dispatcher, NINE + 3 * HOUR)
    return first, second, third


def now_of(hazard):
    return Period.objects.filter(subject_id=str(hazard.pk)).latest("pk").now


def test_three_are_merged_and_the_earliest_limit_all_reporters_and_all_photos_are_one_case_s(cast, three):
    first, second, third = three
    at = NINE + 4 * HOUR
    for duplicate in (first, second):
        merged = step(duplicate, "merge", cast.dispatcher, at, into=third.number)
        assert (merged.state, merged.merged_into_id, merged.due_at) == ("merged", third.pk, None)
    third.refresh_from_db()

    assert third.due_at == first.due_at < Clock.objects.get(hazard=second).due_at
    assert set(third.co_reporters) == {cast.worker.pk, cast.neighbour.pk}
    for reporter in (cast.worker, cast.neighbour, cast.third):
        assert Hazard.objects.visible_to(reporter).filter(pk=third.pk).exists()
    assert len(selectors.photos(third)) == 6
    assert [now_of(one) for one in (first, second, third)] == [[], [], ["hazards.open"]]
    told = Step.objects.filter(hazard=third).order_by("version").values_list("action", "words", "version")
    assert list(told)[2:] == [("absorb", first.number, 3), ("absorb", second.number, 4)]


def test_undoing_it_restores_each_as_it_was(cast, three):
    first, second, third = three
    before = {one.pk: Hazard.objects.get(pk=one.pk) for one in three}
    for duplicate in (first, second):
        step(duplicate, "merge", cast.dispatcher, NINE + 4 * HOUR, into=str(third.pk))
    for duplicate in (first, second):
        step(duplicate, "unmerge", cast.dispatcher, NINE + 4 * HOUR + timedelta(days=1), words="两处不是同一个")

    for one in three:
        was, now = before[one.pk], Hazard.objects.get(pk=one.pk)
        same = ("state", "due_stage", "co_reporters", "merged_into_id", "department_id", "description", "reporter_id")
        assert {name: getattr(now, name) for name in same} == {name: getattr(was, name) for name in same}
        assert set(was.party_users) <= set(now.party_users) <= set(was.party_users) | {cast.dispatcher.pk}
    third.refresh_from_db()
    assert third.due_at == before[third.pk].due_at
    assert [len(selectors.photos(one)) for one in three] == [1, 2, 3]
    assert [now_of(one) for one in three] == [["hazards.open"]] * 3
    first.refresh_from_db()
    # Three of four working hours were used up before the merge; the day between does not count.
    assert first.due_at - (NINE + 4 * HOUR + timedelta(days=1)) == before[first.pk].due_at - (NINE + 4 * HOUR)
    assert not Merger.objects.filter(undone_at=None).exists()
    history = Step.objects.filter(hazard=third).order_by("version").values_list("action", flat=True)
    assert list(history) == ["report", "accept", "absorb", "absorb", "release", "release"]


def test_one_of_two_is_taken_out_and_the_other_s_limit_still_holds(cast, three):
    first, second, third = three
    for duplicate in (first, second):
        step(duplicate, "merge", cast.dispatcher, NINE + 4 * HOUR, into=third.number)
    seconds_due = Merger.objects.get(duplicate=second).due_at
    step(first, "unmerge", cast.dispatcher, NINE + 5 * HOUR, words="不是同一个")
    third.refresh_from_db()
    assert (third.due_at, third.co_reporters) == (seconds_due, [cast.neighbour.pk])


@pytest.mark.parametrize("what", ["itself", "ended", "merged", "has its own", "foreign", "unknown", "far"])
def test_a_case_that_cannot_take_a_duplicate_is_refused_with_the_reason(cast, three, what):
    first, second, third = three
    into = {"itself": first.number, "unknown": "YH-20200101-00001"}.get(what, third.number)
    if what == "ended":
        step(second, "refuse", cast.dispatcher, words="不属实")
        into = second.number
    elif what in ("merged", "has its own"):
        step(second, "merge", cast.dispatcher, into=third.number)
        into = second.number
    elif what == "foreign":
        into = file_hazard(person("grid_worker", area=AWAY), lon=118.73).number
    elif what == "far":  # 0.01 degrees of latitude are 1,112 m
        into = file_hazard(cast.worker, lat=37.46).number
    duplicate = third if what == "has its own" else first
    if what == "has its own":
        into = first.number
    with pytest.raises(FieldsMissing) as refusal:
        step(duplicate, "merge", cast.dispatcher, into=into)
    assert list(refusal.value.errors) == ["into"]
    assert Merger.objects.count() == (1 if what in ("merged", "has its own") else 0)


def test_only_dispatchers_merge_and_a_merged_case_takes_no_other_step(cast, three):
    first, _second, third = three
    with pytest.raises(NotAllowed):
        step(first, "merge", cast.worker, into=third.number)
    step(first, "merge", cast.dispatcher, into=third.number)
    with pytest.raises(StepNotAllowed):
        step(first, "accept", cast.dispatcher)


def test_what_the_reporter_of_a_duplicate_adds_reaches_the_case_that_stays(cast, three):
    first, _second, third = three
    step(first, "merge", cast.dispatcher, into=third.number)
    cast.photo(first, "scene", cast.worker)
    remark = step(first, "remark", cast.worker, words="今天又堆了一箱")
    assert (remark.state, remark.merged_into_id) == ("merged", third.pk)
    third.refresh_from_db()
    assert len(selectors.photos(third)) == 5
    passed_on = selectors.history(third).get(action="remark")
    assert (passed_on.words, passed_on.actor) == (f"{first.number}: 今天又堆了一箱", cast.worker)


def test_whoever_sees_the_case_sees_the_photos_of_its_duplicates(cast, three):
    first, _second, third = three
    handler = cast.handler
    assert not may_see(handler, "hazard", str(first.pk))
    step(first, "merge", cast.dispatcher, into=third.number)
    step(third, "dispatch", cast.dispatcher, department="fire-02")
    assert may_see(handler, "hazard", str(first.pk))
    assert not Hazard.objects.visible_to(handler).filter(pk=first.pk).exists()


def test_the_reporter_of_a_duplicate_reopens_what_was_written_off_too_soon(cast, three):
    first, _second, third = three
    step(first, "merge", cast.dispatcher, into=third.number)
    step(third, "dispatch", cast.dispatcher, department="fire-02")
    step(third, "take", cast.handler)
    cast.photo(third, "after", cast.handler)
    step(third, "rectify", cast.handler, words="已清理")
    step(third, "verify", cast.neighbour, lon=118.53, lat=37.45)
    step(third, "write_off", cast.dispatcher)
    assert step(third, "reopen", cast.worker, words="又堆上了").state == "accepted"


def test_what_is_near_is_offered_to_dispatchers_and_before_filing_the_likeliest_first(cast, three):
    first, second, third = three
    far = file_hazard(cast.worker, lon=118.534)
    other_class = file_hazard(cast.worker, matter="SZ-001")
    same_class = file_hazard(cast.worker, matter="XF-002")
    near = selectors.near(first, cast.dispatcher, at=NINE + HOUR)
    assert {one.hazard.pk for one in near[:2]} == {second.pk, third.pk}
    assert near[2].hazard.pk == same_class.pk
    assert {far.pk, other_class.pk}.isdisjoint(one.hazard.pk for one in near)

    asked = {"matter": "XF-001", "lon": 118.53, "lat": 37.45, "accuracy_m": 8}
    rows = client_of(cast.worker).get("/api/v1/hazards/near/", asked).json()["results"]
    assert {row["id"] for row in rows} == {str(one.pk) for one in (first, second, third, same_class)}
    assert {row["metres"] for row in rows} <= set(range(10))
    assert client_of(person("grid_worker", area=AWAY)).get("/api/v1/hazards/near/", asked).json()["results"] == []
    wrong = client_of(cast.worker).get("/api/v1/hazards/near/", {**asked, "lon": "east"})
    assert (wrong.status_code, wrong.json()["errors"][0]["attr"]) == (400, "lon")


def test_two_that_merge_each_into_the_other_do_not_wait_for_each_other(cast, three):
    first, second, _third = three
    step(first, "merge", cast.dispatcher, into=second.number)
    with pytest.raises(FieldsMissing):
        step(second, "merge", cast.dispatcher, into=first.number)


@pytest.fixture
def two(cast):
    """A case that its department has in work, and a later report of the same that is due sooner: its matter allows an hour."""
    Matter.objects.filter(code="XF-002").update(rectify_amount=1, rectify_unit="work_hours")
    original, duplicate = (file_hazard(cast.worker, at=NINE, matter=matter) for matter in ("XF-001", "XF-002"))
    for hazard in (original, duplicate):
        step(hazard, "accept", cast.dispatcher, NINE)
        step(hazard, "dispatch", cast.dispatcher, NINE, department="fire-02")
        step(hazard, "take", cast.handler, NINE)
    seed_limits()
    return original, duplicate


def due_of(hazard):
    return Hazard.objects.values_list("due_at", flat=True).get(pk=hazard.pk)


def test_the_earlier_limit_holds_too_where_a_duplicate_comes_while_the_clocks_stand(cast, two):
    original, duplicate = two
    sooner = due_of(duplicate)
    step(original, "pause", cast.dispatcher, NINE, cause="weather", words="暴雨")
    step(duplicate, "merge", cast.dispatcher, NINE, into=original.number)
    assert due_of(original) is None
    step(original, "resume", cast.dispatcher, NINE + HOUR / 6)
    assert due_of(original) == sooner + HOUR / 6  # a pause moves what was brought as it moves the case's own


def test_a_duplicate_that_is_taken_out_while_the_clocks_stand_leaves_no_limit_behind(cast, two):
    original, duplicate = two
    own = due_of(original)
    step(duplicate, "merge", cast.dispatcher, NINE, into=original.number)
    assert due_of(original) < own
    step(original, "pause", cast.dispatcher, NINE, cause="weather", words="暴雨")
    step(duplicate, "unmerge", cast.dispatcher, NINE, words="两处不是同一个")
    step(original, "resume", cast.dispatcher, NINE)
    assert due_of(original) == own


def test_a_duplicate_that_is_taken_out_while_the_work_is_verified_leaves_no_limit_to_the_work_that_failed(cast, two):
    original, duplicate = two
    own = due_of(original)
    step(duplicate, "merge", cast.dispatcher, NINE, into=original.number)
    cast.photo(original, "after", cast.handler)
    step(original, "rectify", cast.handler, NINE, words="已清理")
    step(duplicate, "unmerge", cast.dispatcher, NINE, words="两处不是同一个")
    step(original, "fail", cast.dispatcher, NINE, words="未清净")
    assert due_of(original) == own


def test_the_limit_of_a_duplicate_does_not_come_back_once_its_stage_has_begun_anew(cast, two):
    original, duplicate = two
    step(duplicate, "merge", cast.dispatcher, NINE, into=original.number)
    cast.photo(original, "after", cast.handler)
    step(original, "rectify", cast.handler, NINE, words="已清理")
    step(original, "verify", cast.neighbour, NINE, lon=118.53, lat=37.45)
    step(original, "write_off", cast.dispatcher, NINE)
    step(original, "reopen", cast.dispatcher, NINE + HOUR, words="复发")
    step(original, "dispatch", cast.dispatcher, NINE + HOUR, department="fire-02")
    own = due_of(original)
    later = file_hazard(cast.worker, at=NINE + HOUR)
    step(later, "merge", cast.dispatcher, NINE + 2 * HOUR, into=original.number)
    assert due_of(original) == own
