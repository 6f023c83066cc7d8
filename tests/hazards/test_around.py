"""The cases that have to do with one: who sees them, why each is there, and the list that stays without a map."""

import pytest

from hazards.around import cases_around
from hazards.inspections.selectors import finders_of
from hazards.models import Hazard
from tests.factories import file_hazard, person

from .inspecting import make_town
from .test_pages import signed_in

pytestmark = pytest.mark.django_db
EAST_300M = 0.0034


def around(hazard, user):
    return {one.hazard.pk: one for one in cases_around(Hazard.objects.get(pk=hazard.pk), user)}


def test_each_is_there_for_a_reason_and_the_strongest_stands_first(cast):
    one = file_hazard(cast.worker)
    same_here = file_hazard(cast.worker, lon=118.5301)
    other_here = file_hazard(cast.worker, matter="SZ-001", lon=118.5302)
    same_in_cell = file_hazard(cast.worker, lon=118.53 + EAST_300M)
    ended = file_hazard(cast.worker, matter="XF-002", lon=118.5303)
    cast.step(ended, "refuse", cast.dispatcher, words="x")
    merged = file_hazard(cast.worker, lon=118.53 + 1.4 * EAST_300M)
    cast.step(merged, "merge", cast.dispatcher, into=one.number)
    far = file_hazard(cast.worker, matter="SZ-001", lon=118.53 + EAST_300M)
    next_cell = file_hazard(cast.worker, lon=118.56)

    found = cases_around(Hazard.objects.get(pk=one.pk), cast.dispatcher)

    expected = [merged, same_here, other_here, same_in_cell, ended]
    assert [row.hazard.pk for row in found] == [row.pk for row in expected]
    assert {far.pk, next_cell.pk, one.pk}.isdisjoint(row.hazard.pk for row in found)
    assert 280 < next(row.metres for row in found if row.hazard.pk == same_in_cell.pk) < 320
    assert [row.rank for row in found] == [0, 2, 3, 4, 5]
    assert one.pk in around(merged, cast.dispatcher)


def test_nobody_learns_of_a_case_beside_the_own_that_is_not_for_them(cast):
    one = file_hazard(cast.worker)
    beside = file_hazard(cast.neighbour)
    cast.step(one, "accept", cast.dispatcher)
    cast.step(one, "dispatch", cast.dispatcher, department="fire-02")

    assert set(around(one, cast.dispatcher)) == {beside.pk}
    assert around(one, cast.handler) == {}


@pytest.mark.parametrize("number", [1, 6])
def test_they_take_one_query_however_many(cast, number, django_assert_num_queries):
    one = file_hazard(cast.worker)
    for _n in range(number):
        file_hazard(cast.worker)
    one = Hazard.objects.select_related("matter").get(pk=one.pk)
    with django_assert_num_queries(1):
        found = cases_around(one, cast.dispatcher)
        assert len([row.hazard.matter.name for row in found]) == number


def test_the_page_lists_them_with_place_and_state_and_says_nothing_where_there_are_none(cast):
    one = file_hazard(cast.worker)
    desk = signed_in(cast.dispatcher)
    assert 'id="around"' not in desk.get(f"/hazards/{one.pk}/").content.decode()

    other = file_hazard(person("grid_worker"), lon=118.5301)
    page = desk.get(f"/hazards/{one.pk}/").content.decode()
    assert f'href="/hazards/{other.pk}/">{other.number}' in page
    assert 'data-lon="118.5301"' in page
    assert "the same matter, here" in page
    assert "js/hazards/around.js" in page and "js/map.js" not in page  # the map is fetched when it is looked at


def test_what_inspections_found_at_the_same_premises_is_bound_to_it(db):
    town = make_town()
    answer = town.send(town.visit("a", "b")).json()
    first, second = (town.hazard(row["hazard"]["id"]) for row in answer["results"] if row["result"] == "fail")

    found = cases_around(first, town.dispatcher, finders_of(first, town.dispatcher))

    assert [row.hazard.pk for row in found] == [second.pk]
    assert found[0].rank == 1 and len(found[0].reasons) == 2  # the premises, and that it is near
    assert cases_around(first, town.dispatcher)[0].rank > 1
