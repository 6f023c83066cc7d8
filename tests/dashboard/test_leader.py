"""The leader's screen: figures that lead to their lists, where it is worst, what is late; no person."""

import re
from datetime import timedelta

import pytest
import time_machine

from citysafety.accounts.roles import Role
from citysafety.dashboard import leader
from citysafety.outbox.relay import relay_waiting
from citysafety.tallies.services import fold
from grid.models import Division
from hazards.services import mark_overdue
from tests.accounts.test_pages import INLINE
from tests.factories import AWAY, HOME, NOON, box

PAGE = "/leader/"


@pytest.fixture
def late(happen):
    """Two hazards of one county, one of the other; the first two overdue. Returns the moment."""
    hazards = happen(2)
    happen(1, lon=118.73)
    at = hazards[0].due_at + timedelta(minutes=30)
    mark_overdue(at=at)
    while relay_waiting(listen={}, project=(fold,)):
        pass
    with time_machine.travel(at, tick=False):
        yield at


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_figures_are_links_and_nothing_is_inline(late, watcher, language):
    page = watcher("leader", language=language).get(PAGE).content.decode()
    assert not INLINE.search(page)
    shown = dict(re.findall(r'href="([^"]+)"[^>]*><b[^>]*><span data-figure="[\w.]+">([\d,.–]+)<', page))
    assert shown["/hazards/?overdue=true&amp;area=3705"] == "3"
    assert shown["/hazards/?open=true&amp;area=3705"] == "3"


def test_the_worst_part_stands_first_and_its_figures_are_of_its_lists(late, watcher):
    client = watcher("leader")
    page = client.get(PAGE).content.decode()
    codes = re.findall(r'<a class="name" href="/leader/\?area=(\d+)"', page)
    assert codes == [HOME, AWAY]
    inner = client.get(f"{PAGE}?area={HOME}").content.decode()
    assert re.search(r'data-figure="hazards.overdue">2<', inner)
    listed = client.get(f"/api/v1/hazards/count/?overdue=true&area={HOME}").json()
    assert listed == {"count": 2}


@pytest.mark.parametrize("role", sorted(Role.values))
def test_it_is_for_leaders_of_the_area(city, watcher, role):
    assert watcher(role, HOME).get(PAGE).status_code == (200 if role == Role.LEADER else 403)


def test_a_foreign_area_is_not_there(city, watcher):
    assert watcher("leader", HOME).get(f"{PAGE}?area={AWAY}").status_code == 404


def test_no_person_is_on_it(late, reporter, watcher):
    text = watcher("leader").get(PAGE).content.decode()
    for secret in (reporter.name_zh, reporter.name_en, reporter.phone, "王小明", "楼道里"):
        assert secret not in text


def test_it_is_home_for_leaders(city, watcher):
    assert watcher("leader").get("/").url == PAGE


@pytest.mark.parametrize("number", [1, 3])
def test_it_costs_the_same_however_many(happen, watcher, django_assert_num_queries, number):
    hazards = happen(number)
    mark_overdue(at=hazards[0].due_at + timedelta(minutes=1))
    leader.leader("3705", NOON)
    with django_assert_num_queries(11):
        leader.leader("3705", NOON)


def test_the_parts_are_drawn_where_outlines_are_known(late, city):
    for code, west in ((HOME, 118.5), (AWAY, 118.7)):
        Division.objects.filter(pk=code).update(outline=box(west, 37.4, west + 0.1, 37.5))
    look = leader.leader("3705", late)
    steps = {part["code"]: part["step"] for part in look["sketch"]["parts"]}
    assert steps == {HOME: 4, AWAY: 2}
    assert leader.outlines(f"{HOME}001001") is None


def test_the_trend_leaves_out_the_day_that_is_not_over():
    days = [{"day": f"2026-11-{n:02d}", "found": n, "cleared": 0} for n in range(10, 24)]
    drawn = leader.trend(days)
    assert (drawn["first"], drawn["last"], drawn["top"]) == ("2026-11-10", "2026-11-22", 22)
    assert drawn["found"].count("L") == 12
