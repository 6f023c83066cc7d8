"""The console's page and the case at its right: what is shown to whom, and what it costs."""

import json
import re

import pytest

from citysafety.accounts.roles import CONSOLE, Role
from tests.accounts.test_pages import INLINE
from tests.factories import AWAY, HOME, file_hazard, person


def embedded(page, name):
    return json.loads(re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', page, re.S)[1])


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_page_holds_its_first_queue_and_nothing_inline(cases, at_desk, language):
    page = at_desk(language=language).get("/centre/?filter=dispatch").content.decode()
    look = embedded(page, "look")
    assert not INLINE.search(page)
    assert look["filter"] == "dispatch"
    assert {row["id"] for row in look["results"]} == {str(cases[name].pk) for name in ("accepted", "returned")}
    shown = dict(re.findall(r'data-figure="queue\.(\w+)">([\d,]+)<', page))
    assert {key: int(value) for key, value in shown.items()} == look["counts"]


def test_an_old_address_shows_the_whole_queue_and_a_foreign_area_is_not_there(city, at_desk):
    client = at_desk("operator", HOME)
    assert embedded(client.get("/centre/?filter=gone&theme=dark").content.decode(), "look")["filter"] == "all"
    assert client.get(f"/centre/?area={AWAY}").status_code == 404


@pytest.mark.parametrize("role", sorted(Role.values))
def test_a_case_is_shown_to_those_of_the_command_centre_of_its_area(cases, at_desk, role):
    path = f"/centre/hazard/{cases['reported'].pk}/"
    assert at_desk(role, HOME).get(path).status_code == (200 if role in CONSOLE else 403)
    assert at_desk(role, AWAY).get(path).status_code == (404 if role in CONSOLE else 403)


def test_a_dispatcher_has_the_steps_with_their_keys_and_an_operator_is_told_whose_they_are(cases, at_desk, dispatcher):
    hazard = cases["reported"]
    path = f"/centre/hazard/{hazard.pk}/"
    mine = at_desk(who=dispatcher).get(path).content.decode()
    assert re.findall(r'data-act="(\w+)" data-key="(\w)"', mine) == [("accept", "A"), ("refuse", "R")]
    assert 'data-act="accept" data-key="A" data-plain' in mine
    others = at_desk("operator", HOME).get(path).content.decode()
    assert "data-act" not in others
    assert "Accept: Dispatcher" in others


def test_the_clock_shows_its_arithmetic_and_the_chain_its_photos(cases, at_desk):
    page = at_desk().get(f"/centre/hazard/{cases['quiet'].pk}/").content.decode()
    assert re.search(r"Working days: \d", page)
    assert "SHA-256" in page
    assert page.count('class="step') >= 3


@pytest.mark.parametrize("name", ["reported", "quiet"])
def test_a_case_costs_the_same_whatever_happened(cases, at_desk, django_assert_num_queries, name):
    client = at_desk()
    path = f"/centre/hazard/{cases[name].pk}/"
    client.get(path)
    # session with user; hazard; chain: hazard, photos, steps, marks, notices about it, its duplicates, inspections that found it,
    # listings, alarms that it came from; clocks and what was changed of them
    with django_assert_num_queries(13):
        client.get(path)


def test_a_notice_is_shown_with_its_hazard_and_without_drafts(office, at_desk):
    notice, at = office.drafted()
    path = f"/centre/supervision/{notice.pk}/"
    operator = person("operator")
    assert at_desk(who=operator).get(path).status_code == 404  # a draft is the supervisors' own
    office.issued(notice, office.supervisor, at)
    page = at_desk(who=operator).get(path).content.decode()
    notice.refresh_from_db()
    assert notice.document.full_number in page
    assert notice.hazard.number in page
    assert "data-act" not in page
    assert 'data-act="withdraw"' in at_desk(who=office.supervisor).get(path).content.decode()


def test_the_console_is_home_for_operators_and_in_the_menu_of_those_who_have_it(city, at_desk):
    assert at_desk("operator").get("/").url == "/centre/"
    for role in (Role.OPERATOR, Role.DISPATCHER, Role.SUPERVISOR, Role.AUDITOR):
        menu = at_desk(role).get("/hazards/").content.decode()
        assert ('href="/centre/"' in menu) == (role in CONSOLE)


def test_the_page_costs_the_same_however_many_rows(city, at_desk, django_assert_num_queries):
    client, worker = at_desk(), person("grid_worker")
    file_hazard(worker)
    client.get("/centre/")
    for _ in range(2):
        with django_assert_num_queries(13):
            client.get("/centre/")
        file_hazard(worker)
