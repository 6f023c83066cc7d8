"""A point gives its base, dedicated and sea cell, also on borders, in circles, at sea and outside."""

import pytest
from django.contrib.gis.geos import Point

from grid import locate
from grid.models import Cell, GridVersion
from grid.services import load_city

from .conftest import AWAY, HOME, NOON

pytestmark = pytest.mark.django_db
METRE = 1 / 111_195


@pytest.fixture(autouse=True)
def _city(folder):
    load_city(folder, at=NOON)


def test_a_point_in_a_cell_gets_it_and_its_area():
    place = locate.locate(118.53, 37.44)

    assert (place.cell_code, place.cell_kind, place.area_code) == (f"{HOME}001", "base", f"{HOME}001")
    assert place.cell_id == Cell.objects.get(code=f"{HOME}001").pk
    assert place.dedicated_id is None


def test_squares_that_lie_in_one_cell_answer_as_exactly_as_those_on_borders():
    outlines = {cell.code: cell.geometry for cell in Cell.objects.filter(kind="base")}
    wrong, at = [], [118.49 + 0.00137 * n for n in range(90)]
    for lon in at:
        for lat in (37.4011, 37.4192, 37.4267, 37.4399, 37.4441, 37.4502):
            code, point = locate.locate(lon, lat).cell_code, Point(lon, lat, srid=4326)
            holding = [name for name, outline in outlines.items() if outline.intersects(point)]
            wrong += [(lon, lat, code, holding)] if code not in (holding or [""]) else []
    assert wrong == []
    assert {known[0] is None for known in locate.current().base.squares.values()} == {True, False}


def test_a_point_in_a_school_gets_both_cells():
    place = locate.locate(118.515, 37.415)

    assert (place.cell_code, place.dedicated_code) == (f"{HOME}001", f"{HOME}501")


def test_a_point_on_a_shared_border_gets_one_cell_always_the_same():
    assert {locate.locate(118.55, 37.42).cell_code for _ in range(3)} == {f"{HOME}001"}


@pytest.mark.parametrize("accuracy_m", [5, 50, 500])
def test_a_circle_over_a_border_names_all_cells_it_touches_and_takes_the_nearest(accuracy_m):
    place = locate.locate(118.55 + 3 * METRE, 37.42, accuracy_m)

    assert place.cell_code == f"{HOME}002"
    assert [one["code"] for one in place.candidates] == [f"{HOME}002", f"{HOME}001"]


def test_a_circle_within_a_cell_names_that_cell_alone():
    place = locate.locate(118.53, 37.43, 50)

    assert [one["code"] for one in place.candidates] == [f"{HOME}001"]


def test_a_point_just_outside_every_cell_takes_the_nearest_its_circle_touches():
    assert locate.locate(118.5 - 20 * METRE, 37.42, 40).cell_code == f"{HOME}001"
    assert locate.locate(118.5 - 20 * METRE, 37.42, 5).cell_code == ""


def test_the_sea_has_cells_of_its_own():
    place = locate.locate(118.82, 38.12)

    assert (place.cell_code, place.cell_kind, place.area_code) == ("370503001000901", "sea", "370503001000901")


def test_without_a_cell_the_city_takes_it():
    place = locate.locate(119.1, 37.1, 10)

    assert (place.cell_id, place.area_code, place.candidates) == (None, "3705", ())


@pytest.mark.parametrize(
    ("lon", "lat", "inside"), [(118.5, 37.4, True), (119.2, 38.4, True), (2.3, 48.8, False), (119.4, 37.4, False)]
)
def test_the_frame_of_the_city_decides_what_is_taken(lon, lat, inside):
    assert locate.in_frame(lon, lat) is inside


def test_squares_once_remembered_answer_like_the_first_time():
    points = [(118.5 + n * 0.004, 37.4 + n * 0.0009) for n in range(60)]
    first = [locate.locate(*point, 8) for point in points]

    assert [locate.locate(*point, 8) for point in points] == first
    assert {place.cell_code for place in first} >= {f"{HOME}001", f"{HOME}002", f"{AWAY}001", ""}


def test_asking_costs_no_query_until_two_seconds_passed(django_assert_num_queries):
    locate.locate(118.53, 37.44)

    with django_assert_num_queries(0):
        locate.locate(118.53, 37.44, 30)
        locate.in_frame(118.53, 37.44)


def test_a_new_grid_version_is_heard_of(monkeypatch):
    assert locate.locate(118.53, 37.44).cell_code == f"{HOME}001"
    Cell.objects.filter(code=f"{HOME}001").update(active=False)
    GridVersion.objects.bulk_create([GridVersion(number=9, activated_at=NOON)])  # as another process does: no save()

    assert locate.locate(118.53, 37.44).cell_code == f"{HOME}001"
    monkeypatch.setattr(locate, "CHECK_EVERY_S", 0)
    assert locate.locate(118.53, 37.44).cell_code == ""
