"""A re-zoning from its draft to the day it is taken back: who may, what is checked, what moves, what stays."""

import uuid
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone, translation

from citysafety.lifecycle import StepNotAllowed
from citysafety.notices.models import Notice
from citysafety.tallies import selectors as tallies
from grid import locate
from grid.models import Cell, GridVersion, Posting, Premises, Rezoning, RezoningStep, Succession, Worker
from grid.rezoning.sketch import Drawing
from grid.services import activate_due
from grid.services.rezoned import _activate
from grid.services.rezoning import NotAllowed, Refused, StaleVersion
from hazards.models import Hazard, Step
from hazards.notices import verifiers
from hazards.services import leave_ended_cells, take_step
from hazards.services.given import StepInput as HazardStepInput
from tests.factories import AWAY, HOME, NOON, file_hazard, person

from .conftest import feature, square, write_cells
from .rezoned import (
    FIRST,
    LATER,
    SCHOOL,
    SECOND,
    differences,
    draft,
    halves,
    in_force,
    make_grid,
    relay,
    staffed,
    step,
)

pytestmark = pytest.mark.django_db
WEST, EAST = f"{FIRST[:12]}003", f"{FIRST[:12]}004"


@pytest.fixture(autouse=True)
def _in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def grid():
    city, people = make_grid()
    locate.forget()
    cache.clear()
    yield city, people
    locate.forget()


@pytest.fixture
def people(grid):
    return grid[1]


def written_off(hazard, people, at):
    """Close a case by refusing it."""
    return take_step(
        hazard_id=hazard.pk, action="refuse", given=HazardStepInput(id=uuid.uuid4(), version=1, words="不属实"),
        actor=people["dispatcher"], at=at,
    )  # fmt: skip


# -- drafting -------------------------------------------------------------------------------------


def test_a_split_gives_two_cells_with_the_next_free_codes(people):
    rezoning = draft(people["drafter"])
    assert rezoning.area_code == FIRST[:12]
    assert [one.code for one in rezoning.draws.order_by("code")] == [WEST, EAST]
    assert list(rezoning.ends.values_list("code", flat=True)) == [FIRST]
    first, second = rezoning.draws.order_by("code")
    assert (first.worker.number, second.worker) == ("W1", None)
    assert Cell.objects.filter(active=True).count() == 5  # nothing has changed


def test_a_code_that_was_ever_used_is_not_drawn_again(people):
    in_force(people)
    again = draft(people["drafter"], Drawing(operation="join", cells=(WEST, EAST)))
    assert [one.code for one in again.draws.all()] == [f"{FIRST[:12]}005"]


@pytest.mark.parametrize(("line", "words"), [
    (((118.525, 37.4),), "two points"),
    (((118.51, 37.42), (118.52, 37.43)), "1 parts"),
    (((118.525, 37.4), (118.525, 37.4)), "all the same"),
    (((118.4, 37.39), (118.4, 37.51)), "1 parts"),
])  # fmt: skip
def test_a_line_that_does_not_cut_the_cell_in_two_is_refused(people, line, words):
    with pytest.raises(Refused) as refusal:
        draft(people["drafter"], Drawing(operation="split", cells=(FIRST,), line=line))
    assert words in refusal.value.errors["line"][0]
    assert not Rezoning.objects.exists()


def test_cells_that_do_not_touch_or_lie_in_two_villages_are_not_joined(people):
    with pytest.raises(Refused) as refusal:
        draft(people["approver"], Drawing(operation="join", cells=(FIRST, SCHOOL)))
    assert "one kind" in str(refusal.value)
    with pytest.raises(Refused) as refusal:
        draft(people["drafter"], Drawing(operation="join", cells=(FIRST, FIRST)))
    assert "itself" in str(refusal.value)


def test_only_dispatchers_and_supervisors_draft_and_only_in_their_area(people):
    for stranger in (person("grid_worker"), person("leader"), person("administrator"), person("auditor")):
        with pytest.raises(NotAllowed):
            draft(stranger)
    with pytest.raises(Refused) as refusal:
        draft(person("dispatcher", area=AWAY))
    assert "your area" in str(refusal.value)


def test_a_past_date_and_an_empty_reason_are_refused_by_name(people):
    with pytest.raises(Refused) as refusal:
        draft(people["drafter"], effective_at=NOON - timedelta(minutes=1), reason=" ")
    assert set(refusal.value.errors) == {"reason", "effective_at"}


# -- outlines from a file -------------------------------------------------------------------------


def outlines(*features):
    return Drawing(operation="outlines", geojson={"type": "FeatureCollection", "features": list(features)})


def column(code, west, east, **more):
    ring = [[west, 37.4], [east, 37.4], [east, 37.5], [west, 37.5], [west, 37.4]]
    return feature(code, {"type": "Polygon", "coordinates": [ring]}, **more)


def test_a_moved_border_ends_both_cells_and_keeps_names_and_people(people):
    rezoning = draft(people["drafter"], outlines(column(FIRST, 118.5, 118.56), column(SECOND, 118.56, 118.6)))
    assert list(rezoning.ends.order_by("code").values_list("code", flat=True)) == [FIRST, SECOND]
    assert [one.worker.number for one in rezoning.draws.order_by("code")] == ["W1", "W2"]
    step(rezoning, "check", people["drafter"])
    step(rezoning, "approve", people["approver"])
    assert halves() == [WEST, EAST]
    assert locate.locate(118.555, 37.42).cell_code == WEST


def test_an_unchanged_outline_keeps_its_cell(people):
    kept = Cell.objects.get(code=SECOND)
    rezoning = draft(people["drafter"], outlines(
        column(FIRST, 118.5, 118.52), column("", 118.52, 118.55, name_zh="东片"), column(SECOND, 118.55, 118.6)
    ))  # fmt: skip
    assert list(rezoning.ends.values_list("code", flat=True)) == [FIRST]
    staffed(rezoning, people)
    step(rezoning, "check", people["drafter"])
    step(rezoning, "approve", people["approver"])
    now = Cell.objects.get(code=SECOND)
    assert (now.pk, now.active, now.version_id) == (kept.pk, True, kept.version_id)
    with pytest.raises(Refused) as refusal:
        draft(people["drafter"], outlines(column(SECOND, 118.55, 118.6)))
    assert "nothing would change" in str(refusal.value)


def test_gaps_overlaps_and_ground_outside_are_named_in_square_metres(people):
    def why(*features):
        rezoning = staffed(draft(people["drafter"], outlines(*features)), people)
        with pytest.raises(Refused) as refusal:
            step(rezoning, "check", people["drafter"])
        assert Rezoning.objects.get(pk=rezoning.pk).state == "draft"
        return " ".join(refusal.value.errors["cells"])

    gap = why(column(FIRST, 118.5, 118.53), column("", 118.54, 118.55))
    assert f"of cell {FIRST} would belong to no cell" in gap
    overlap = why(column(FIRST, 118.5, 118.53), column("", 118.52, 118.55))
    assert overlap.startswith("Cells ") and " overlap by " in overlap
    half_taken = why(column(FIRST, 118.5, 118.57))  # takes ground of the second cell without giving it back
    assert f"of cell {SECOND} would belong to no cell" in half_taken
    beyond = why(column(FIRST, 118.0, 118.55))
    assert "outside the city's frame" in beyond


def test_bad_files_are_refused_with_what_was_seen(people):
    for given, words in (
        (outlines(), "no outline"),
        (outlines(feature("12", square(118.5, 37.4))), "15 digits"),
        (outlines(feature(f"{AWAY}001001001", square(118.7, 37.4))), "outside your area"),
        (outlines(feature(FIRST, {"type": "Point", "coordinates": [118.5, 37.4]})), "polygon"),
        (outlines(column(FIRST, 118.5, 118.52, worker="W99"), column("", 118.52, 118.55)), "W99"),
        (outlines(column(FIRST, 118.5, 118.52), column(FIRST, 118.52, 118.55)), "twice"),
        (outlines(column(FIRST, 118.5, 118.54, kind="dwelling")), "dwelling"),
        (Drawing(operation="outlines"), "missing"),
        (Drawing(operation="outlines", geojson={"type": "Nonsense"}), "cannot be read"),
    ):
        with pytest.raises(Refused) as refusal:
            draft(people["drafter"], given)
        assert words in refusal.value.errors["file"][0]


# -- four eyes ------------------------------------------------------------------------------------


def test_every_new_cell_has_a_worker_or_says_that_there_is_nobody_yet(people):
    rezoning = draft(people["drafter"])
    with pytest.raises(Refused) as refusal:
        step(rezoning, "check", people["drafter"])
    assert refusal.value.errors["cells"] == [
        f"Nobody is named for cell {EAST}; name a worker, or say that there is nobody yet."
    ]
    staffed(rezoning, people, **{EAST: "W2"})
    assert step(rezoning, "check", people["drafter"]).state == "checked"


def test_nobody_approves_what_they_had_a_hand_in(people):
    drafter = person("supervisor")
    rezoning = staffed(draft(drafter), people)  # the dispatcher has named the people
    step(rezoning, "check", drafter)
    for own in (
        drafter,
        people["drafter"],
        person("grid_worker"),
        person("dispatcher"),
        person("supervisor", area=AWAY),
    ):
        with pytest.raises(NotAllowed):
            step(rezoning, "approve", own)
    late_hand = person("administrator", area="3705")
    Rezoning.objects.filter(pk=rezoning.pk).update(drafter_ids=[drafter.pk, late_hand.pk])
    with pytest.raises(NotAllowed) as refusal:
        step(rezoning, "approve", late_hand)
    assert refusal.value.rule == "denied.own_draft"
    assert step(rezoning, "approve", people["approver"]).state == "in_force"


def test_steps_hold_to_the_table_and_the_version(people):
    rezoning = staffed(draft(people["drafter"]), people)
    with pytest.raises(StaleVersion):
        step(rezoning, "check", people["drafter"], version=1)
    with pytest.raises(StepNotAllowed):
        step(rezoning, "approve", people["approver"])
    with pytest.raises(NotAllowed):
        step(rezoning, "enter", people["approver"])  # only the clock
    step(rezoning, "check", people["drafter"])
    with pytest.raises(Refused):
        step(rezoning, "send_back", people["approver"])
    assert step(rezoning, "send_back", people["approver"], words="再议").state == "draft"
    assert step(rezoning, "discard", people["drafter"], words="不做了").state == "discarded"
    assert list(rezoning.steps.values_list("action", "version")) == [
        ("create", 1), ("settle", 2), ("check", 3), ("send_back", 4), ("discard", 5)
    ]  # fmt: skip


# -- in force -------------------------------------------------------------------------------------


def test_it_comes_into_force_at_its_time_and_once(people):
    rezoning = staffed(draft(people["drafter"], effective_at=LATER), people)
    step(rezoning, "check", people["drafter"])
    step(rezoning, "approve", people["approver"])
    assert activate_due(at=LATER - timedelta(seconds=1)) == 0
    versions = GridVersion.objects.count()
    assert [activate_due(at=LATER), activate_due(at=LATER)] == [1, 0]
    assert _activate(rezoning.pk, LATER) is False  # a second sweep that had seen it still approved
    assert GridVersion.objects.count() == versions + 1
    old = Cell.objects.get(code=FIRST)
    assert (old.active, old.ended_at) == (False, LATER)
    assert halves() == [WEST, EAST]
    assert [round(share, 2) for share in Succession.objects.values_list("share", flat=True)] == [0.5, 0.5]
    assert locate.locate(118.51, 37.42).cell_code != locate.locate(118.54, 37.42).cell_code


def test_one_whose_ground_changed_meanwhile_goes_back_to_its_drafter(people):
    rezoning = staffed(draft(people["drafter"], effective_at=LATER), people)
    step(rezoning, "check", people["drafter"])
    step(rezoning, "approve", people["approver"])
    Cell.objects.filter(code=FIRST).update(active=False)
    assert activate_due(at=LATER) == 0
    rezoning.refresh_from_db()
    assert (rezoning.state, rezoning.approved_by) == ("draft", None)
    assert FIRST in rezoning.steps.get(action="fail").words


def test_two_that_draw_over_the_same_cell_do_not_both_pass(people):
    first, second = (staffed(draft(people["drafter"], effective_at=LATER), people) for _ in range(2))
    step(first, "check", people["drafter"])
    with pytest.raises(Refused) as refusal:
        step(second, "check", people["drafter"])
    assert first.number in str(refusal.value)


def test_postings_end_and_begin_with_the_day(people):
    in_force(people, **{EAST: "W2"})
    today = timezone.localdate(NOON)
    assert set(Posting.objects.filter(cell__code=FIRST).values_list("until", flat=True)) == {today}
    now = Posting.objects.filter(until=None, cell__code__in=(WEST, EAST)).order_by("cell__code", "-role")
    assert list(now.values_list("cell__code", "worker__number", "role", "since")) == [
        (WEST, "W1", "primary", today), (WEST, "W2", "backup", today), (EAST, "W2", "primary", today)
    ]  # fmt: skip
    assert Worker.objects.get(number="W1").area_code == WEST


def test_premises_and_areas_of_duty_follow_their_ground(people):
    inspector = person("grid_worker", area=FIRST)
    in_force(people)
    assert dict(Premises.objects.values_list("code", "area_code")) == {
        "CS0": locate.locate(118.505, 37.42).cell_code, "CS1": locate.locate(118.54, 37.42).cell_code, "CS2": SECOND
    }  # fmt: skip
    inspector.refresh_from_db()
    assert inspector.area_code in (WEST, EAST)


def test_open_cases_move_with_a_history_row_and_closed_ones_stay(people):
    reporter = person("grid_worker")
    west, east, closed, beside = (file_hazard(reporter, lon=lon, lat=37.42) for lon in (118.51, 118.54, 118.54, 118.56))
    written_off(closed, people, NOON)
    relay()
    in_force(people, at=LATER)
    relay()
    assert locate.locate(118.51, 37.42).cell_code != locate.locate(118.54, 37.42).cell_code
    for hazard, lon in ((west, 118.51), (east, 118.54)):
        hazard.refresh_from_db()
        code = locate.locate(lon, 37.42).cell_code
        assert (hazard.cell.code, hazard.area_code, hazard.version) == (code, code, 2)
        row = Step.objects.get(hazard=hazard, action="rezone")
        assert (row.actor, row.source, row.target) == (None, "reported", "reported")
        assert FIRST in row.words and code in row.words
    for hazard, code in ((closed, FIRST), (beside, SECOND)):
        hazard.refresh_from_db()
        assert hazard.cell.code == code
        assert not Step.objects.filter(hazard=hazard, action="rezone").exists()
    assert list(Hazard.objects.within(FIRST)) == [closed]  # lists by the old code still show it
    assert differences() == []


def test_the_worker_of_a_new_cell_hears_how_many_cases_came(people):
    for lon in (118.51, 118.512, 118.54):
        file_hazard(person("grid_worker"), lon=lon, lat=37.42)
    in_force(people, **{EAST: "W3"})
    relay()
    told = dict(Notice.objects.filter(topic="hazard.rezoned").values_list("recipient__worker__number", "params__count"))
    assert sorted(told.items()) in ([("W1", 2), ("W3", 1)], [("W1", 1), ("W3", 2)])


def test_what_was_filed_by_a_process_that_had_not_heard_moves_with_the_next_sweep(people):
    hazard = file_hazard(person("grid_worker"), lon=118.51, lat=37.42)
    in_force(people)
    relay()
    Hazard.objects.filter(pk=hazard.pk).update(cell=Cell.objects.get(code=FIRST), area_code=FIRST)
    assert leave_ended_cells(at=LATER) == 1
    hazard.refresh_from_db()
    assert hazard.cell.code == locate.locate(118.51, 37.42).cell_code
    assert leave_ended_cells(at=LATER) == 0


def test_past_figures_keep_the_old_map(people):
    """Last month's figures of the old cell and of its township are the same before and after a split."""
    reporter = person("grid_worker")
    for day, lons in ((30, (118.51, 118.54)), (12, (118.54,)), (1, (118.51, 118.56))):
        at = NOON - timedelta(days=day)
        for n, lon in enumerate(lons):
            hazard = file_hazard(reporter, at=at, lon=lon, lat=37.42)
            if n == 0:
                written_off(hazard, people, at)
    relay()

    def past():
        return {
            (area, key): tallies.days(key, area, 45)
            for area in (FIRST, SECOND, FIRST[:12], FIRST[:9], HOME, "3705")
            for key in ("hazards.found_today", "hazards.refused_today")
        }

    before, open_before = past(), tallies.board(FIRST[:9]).figures["hazards.open"]
    assert sum(n for _day, n in before[FIRST, "hazards.found_today"]) == 4
    rezoning = in_force(people)
    relay()
    assert past() == before
    assert tallies.board(FIRST[:9]).figures["hazards.open"] == open_before
    assert tallies.board(FIRST).figures["hazards.open"] == 0
    assert sum(tallies.board(code).figures["hazards.open"] for code in (WEST, EAST)) == 1
    assert differences() == []
    step(rezoning, "roll_back", people["approver"], words="有异议", at=LATER)
    relay()
    assert past() == before
    assert tallies.board(FIRST).figures["hazards.open"] == 1
    assert differences() == []


def test_a_new_dedicated_cell_takes_the_cases_over_it(people):
    hazard, outside = (file_hazard(person("grid_worker"), lon=lon, lat=37.42) for lon in (118.535, 118.545))
    given = outlines(feature("", square(118.53, 37.415, 0.01), kind="dedicated", division=FIRST[:12], name_zh="市场"))
    rezoning = in_force(people, given, **{f"{FIRST[:12]}502": "W3"})
    relay()
    hazard.refresh_from_db()
    outside.refresh_from_db()
    assert rezoning.ends.count() == 0
    assert (hazard.cell.code, hazard.dedicated_cell.code) == (FIRST, f"{FIRST[:12]}502")
    assert outside.dedicated_cell is None
    assert differences() == []


# -- taken back -----------------------------------------------------------------------------------


def test_rolled_back_the_old_cells_stand_again_with_their_people_and_cases(people):
    hazard = file_hazard(person("grid_worker"), lon=118.54, lat=37.42)
    rezoning = in_force(people, **{EAST: "W3"})
    relay()
    assert step(rezoning, "roll_back", people["approver"], words="有异议", at=LATER).state == "rolled_back"
    relay()
    rezoning.refresh_from_db()
    assert rezoning.rollback_version.number == rezoning.grid_version.number + 1
    old = Cell.objects.get(code=FIRST)
    assert (old.active, old.ended_at, halves()) == (True, None, [])
    held = Posting.objects.on(timezone.localdate(LATER)).filter(cell=old).order_by("-role")
    assert list(held.values_list("worker__number", "role")) == [("W1", "primary"), ("W2", "backup")]
    hazard.refresh_from_db()
    assert hazard.cell == old
    assert Step.objects.filter(hazard=hazard, action="rezone").count() == 2
    assert set(Premises.objects.filter(code__in=("CS0", "CS1")).values_list("area_code", flat=True)) == {FIRST}
    assert list(RezoningStep.objects.filter(rezoning=rezoning).values_list("action", flat=True)) == [
        "create", "settle", "check", "approve", "enter", "roll_back"
    ]  # fmt: skip
    assert differences() == []


def test_only_the_newest_drawing_of_its_ground_is_rolled_back(people):
    older = in_force(people)
    newer = in_force(people, Drawing(operation="join", cells=(WEST, EAST)))
    with pytest.raises(Refused) as refusal:
        step(older, "roll_back", people["approver"], words="有异议")
    assert WEST in str(refusal.value)
    step(newer, "roll_back", people["approver"], words="有异议")
    assert halves() == [WEST, EAST]
    step(older, "roll_back", people["approver"], words="有异议")
    assert (halves(), Cell.objects.get(code=FIRST).active) == ([], True)


# -- dedicated cells ------------------------------------------------------------------------------


def test_a_case_in_a_school_goes_to_its_worker_and_the_base_worker_is_told(people):
    hazard = file_hazard(person("grid_worker"), lon=118.515, lat=37.445)
    relay()
    told = dict(Notice.objects.values_list("topic", "recipient__worker__number"))
    assert told == {"hazard.in_dedicated_cell": "W3", "hazard.in_your_cell": "W1"}
    assert [user.worker.number for user in verifiers(hazard, timezone.localdate(NOON))] == ["W3"]
    Worker.objects.filter(number="W3").update(state="leave")
    assert {user.worker.number for user in verifiers(hazard, timezone.localdate(NOON))} == {"W1", "W2"}


@pytest.mark.parametrize("cases", [1, 3])
def test_who_answers_for_a_school_and_around_it_are_told_in_few_queries(people, django_assert_num_queries, cases):
    from citysafety.outbox.models import OutboxEntry  # noqa: PLC0415
    from hazards.listeners import tell_of_dedicated  # noqa: PLC0415

    for _n in range(cases):
        file_hazard(person("grid_worker"), lon=118.515, lat=37.445)
    entries = list(OutboxEntry.objects.filter(topic="hazard.reported"))
    # the cases, who answers, who is active; known ones, notices, their numbers, channels, between savepoint and release
    with django_assert_num_queries(9):
        tell_of_dedicated(entries)
    assert Notice.objects.filter(topic="hazard.in_dedicated_cell").count() == cases


def test_a_case_outside_dedicated_cells_costs_no_query_more(people, django_assert_num_queries):
    from citysafety.outbox.models import OutboxEntry  # noqa: PLC0415
    from hazards.listeners import tell_of_dedicated  # noqa: PLC0415

    file_hazard(person("grid_worker"), lon=118.53, lat=37.42)
    entry = OutboxEntry.objects.get(topic="hazard.reported")
    with django_assert_num_queries(0):
        tell_of_dedicated([entry])


def test_a_layer_that_is_older_than_the_grid_is_not_loaded(people, folder):
    from grid.services import CityRefused, load_city  # noqa: PLC0415

    Cell.objects.filter(code=FIRST).update(active=False, ended_at=NOON)
    write_cells(folder, [feature(FIRST, square(118.5, 37.4), division=FIRST[:12])])
    with pytest.raises(CityRefused) as refusal:
        load_city(folder, at=NOON)
    assert "ended by a re-zoning" in str(refusal.value.problems.listed[0])
