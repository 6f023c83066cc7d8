"""What the phone lists, in how many queries, and for whom."""

from datetime import timedelta

import pytest

from citysafety.accounts.models import User
from citysafety.field import selectors
from hazards.lifecycle import HazardState
from hazards.models import Hazard
from tests.factories import AWAY, NOON, file_hazard, person

LATER = NOON + timedelta(minutes=10)


def counts(kinds):
    return {kind.key: kind.count for kind in kinds}


@pytest.mark.parametrize("number", [1, 3])
def test_the_first_page_takes_five_queries(cast, many, number, django_assert_num_queries):
    many(number)
    worker = User.objects.get(pk=cast.worker.pk)

    with django_assert_num_queries(5):  # postings, counts, first due, notices, the worker's standing
        home = selectors.home(worker, LATER)

    assert counts(home.kinds) == {"verify": number, "back": number, "mine": number}
    assert len(home.first_due) == number
    assert home.waiting == number


@pytest.mark.parametrize("number", [1, 3])
def test_a_list_takes_three_queries(cast, many, number, django_assert_num_queries):
    many(number)

    with django_assert_num_queries(3):  # postings, counts, rows with matter and class
        cases = selectors.cases(cast.worker, LATER, key="mine", where="", state="", number=30)
        names = [(row.matter.name, row.matter.matter_class.icon) for row in cases.rows]

    assert len(names) == number


@pytest.mark.parametrize("number", [1, 3])
def test_a_case_takes_six_queries_however_long_its_history(cast, number, django_assert_num_queries):
    hazard = cast.rectified()
    for _ in range(number - 1):
        cast.step(hazard, "fail", cast.worker, words="没清干净")
        cast.photo(hazard, "after", cast.handler)
        cast.step(hazard, "rectify", cast.handler, words="再清")

    with django_assert_num_queries(5):
        seen = selectors.hazard_of(cast.worker, hazard.pk)  # 1
        case = selectors.case(cast.worker, seen, LATER)  # clock, photos, postings, history
        actions = [action["action"] for action in case.actions]

    assert actions == ["verify", "fail"]
    assert len(case.photos) == number
    assert len(case.history) == 5 + 2 * (number - 1)


def test_the_own_cells_come_first_and_the_whole_area_is_one_tap_away(cast):
    near = cast.rectified()
    far = cast.rectified(lon=118.58)

    def listed(where):
        cases = selectors.cases(cast.worker, LATER, key="verify", where=where, state="", number=30)
        return {row.pk for row in cases.rows}, cases.count, counts(cases.kinds)["verify"]

    assert listed("") == ({near.pk}, 1, 1)
    assert listed("area") == ({near.pk, far.pk}, 2, 1)  # the tab opens the own cells


def test_nobody_is_asked_to_verify_what_they_rectified_or_handled_on_the_spot(cast):
    hazard = cast.rectified()
    Hazard.objects.filter(pk=hazard.pk).update(rectified_by=cast.worker)
    spot = file_hazard(cast.worker)
    cast.photo(spot, "before", cast.worker)
    cast.photo(spot, "after", cast.worker)
    cast.step(spot, "handle_on_spot", cast.worker)

    assert counts(selectors.home(cast.worker, LATER).kinds)["verify"] == 0


def test_a_worker_of_another_county_is_not_asked(cast):
    cast.rectified()
    stranger = person("grid_worker", area=AWAY)

    assert counts(selectors.home(stranger, LATER).kinds) == {"verify": 0, "back": 0, "mine": 0}


def test_a_handler_sees_what_their_department_has_and_what_failed(cast):
    hazard = cast.rectified()
    cast.step(hazard, "fail", cast.worker, words="没清干净")
    other = person("department_handler", department=cast.city.departments["roads-02"])

    assert counts(selectors.home(cast.handler, LATER).kinds) == {"handle": 1, "back": 1, "mine": 0}
    assert counts(selectors.home(other, LATER).kinds) == {"handle": 0, "back": 0, "mine": 0}


def test_a_dispatcher_sees_what_waits_for_them_in_their_area(cast):
    file_hazard(cast.worker)
    file_hazard(cast.worker, lon=118.72)

    home = selectors.home(cast.dispatcher, LATER)

    assert counts(home.kinds)["handle"] == 1
    assert [row.todo for row in home.first_due] == ["立案"]


def test_first_due_means_first_due(cast):
    late = cast.rectified()
    soon = cast.rectified()
    Hazard.objects.filter(pk=soon.pk).update(due_at=NOON + timedelta(minutes=20))
    Hazard.objects.filter(pk=late.pk).update(due_at=None)

    assert [row.pk for row in selectors.home(cast.worker, LATER).first_due] == [soon.pk, late.pk]


def test_what_has_ended_is_listed_when_it_is_asked_for(cast):
    open_one = file_hazard(cast.worker)
    ended = file_hazard(cast.worker)
    cast.step(ended, "refuse", cast.dispatcher, words="重复")

    def listed(state):
        cases = selectors.cases(cast.worker, LATER, key="mine", where="", state=state, number=30)
        return [row.pk for row in cases.rows], cases.count, cases.label

    assert listed("") == ([open_one.pk], 1, "我的在办")
    assert listed("refused") == ([ended.pk], 1, "不予立案")
    assert listed("verified") == ([], 0, "复查合格")


def test_a_list_offers_only_states_that_its_cases_can_stand_in(cast):
    def offered(user, key):
        return [value for value, _label in selectors.cases(user, LATER, key=key, where="", state="", number=30).states]

    assert offered(cast.worker, "mine") == HazardState.values
    assert offered(cast.worker, "verify") == []
    assert offered(cast.handler, "handle") == ["dispatched", "taken"]
    assert offered(cast.dispatcher, "handle") == ["reported", "accepted", "verified"]


def test_a_case_tells_what_is_left_and_how_long_each_step_took(cast):
    hazard = file_hazard(cast.neighbour)
    cast.step(hazard, "accept", cast.dispatcher)
    case = selectors.case(cast.worker, selectors.hazard_of(cast.worker, hazard.pk), LATER)
    refused = file_hazard(cast.neighbour)
    cast.step(refused, "refuse", cast.dispatcher, words="重复")
    ended = selectors.case(cast.worker, selectors.hazard_of(cast.worker, refused.pk), LATER)

    assert [row["took"] for row in case.history] == [None, timedelta(minutes=5)]
    assert len(case.ahead) == 5  # dispatch, take, rectify, verify, write off
    assert ended.ahead == []


def test_recent_matters_are_the_five_this_person_filed_most_in_thirty_days(cast, django_assert_num_queries):
    for _ in range(2):
        file_hazard(cast.worker, matter="XF-002")
    file_hazard(cast.worker, matter="XF-001")
    file_hazard(cast.worker, matter="SZ-001", at=NOON - timedelta(days=31))
    file_hazard(cast.neighbour, matter="SZ-001")

    with django_assert_num_queries(2):
        recent = selectors.recent_matters(cast.worker, LATER)

    assert [matter.code for matter in recent] == ["XF-002", "XF-001"]


def test_names_are_masked_for_those_outside_the_case(cast):
    hazard = file_hazard(cast.neighbour)
    bystander = selectors.case(cast.worker, selectors.hazard_of(cast.worker, hazard.pk), LATER)
    reporter = selectors.case(cast.neighbour, selectors.hazard_of(cast.neighbour, hazard.pk), LATER)

    assert bystander.history[0]["who"] == "张*"
    assert reporter.history[0]["who"] == cast.neighbour.name


def test_a_step_says_how_many_photos_are_still_to_take(cast, django_assert_num_queries):
    matter = cast.city.matters["XF-001"]
    matter.photos_after = 2
    matter.save()
    hazard = file_hazard(cast.neighbour)
    cast.step(hazard, "accept", cast.dispatcher)
    cast.step(hazard, "dispatch", cast.dispatcher, department="fire-02")
    cast.step(hazard, "take", cast.handler)
    cast.photo(hazard, "after", cast.handler)
    seen = selectors.hazard_of(cast.handler, hazard.pk)

    with django_assert_num_queries(1):
        form = selectors.step_form(cast.handler, seen, "rectify", LATER)

    assert form.open
    assert form.told["photos"] == {"after": {"need": 2, "there": 1}}
    assert form.asks_words


def test_a_step_that_is_not_open_keeps_its_form_closed(cast):
    hazard = file_hazard(cast.neighbour)

    form = selectors.step_form(cast.worker, selectors.hazard_of(cast.worker, hazard.pk), "verify", LATER)

    assert not form.open
    assert form.asks_location


def test_dispatching_offers_offices_around_the_case_and_proposes_the_matters_own(cast):
    hazard = file_hazard(cast.neighbour)
    cast.step(hazard, "accept", cast.dispatcher)
    seen = selectors.hazard_of(cast.dispatcher, hazard.pk)

    form = selectors.step_form(cast.dispatcher, seen, "dispatch", LATER)

    assert [office.code for office in form.offices.around] == ["fire-02", "roads-02"]
    assert form.offices.proposed == "fire-02"
    assert form.offices.elsewhere == []
