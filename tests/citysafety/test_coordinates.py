"""Coordinates of phones and map services to WGS 84, against published points and against themselves."""

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citysafety.coordinates import (
    BadPosition,
    bd09_from_gcj02,
    bd09_from_wgs84,
    gcj02_from_bd09,
    gcj02_from_wgs84,
    metres_between,
    to_wgs84,
    wgs84_from_bd09,
    wgs84_from_gcj02,
)

# Inside the rectangle by more than the largest shift, so that no point leaves it on the way.
in_china = st.tuples(st.floats(73.0, 137.0), st.floats(1.5, 55.0))
in_the_city = st.tuples(st.floats(118.0, 119.75), st.floats(36.9, 38.5))


def test_in_dongying_the_two_datums_are_506_metres_apart():
    here = (118.67, 37.43)

    assert metres_between(gcj02_from_wgs84(*here), here) == pytest.approx(506, abs=3)


def test_a_gcj02_position_in_dongying_moves_about_six_thousandths_of_a_degree_west():
    lon, lat = to_wgs84(118.65, 37.45, "gcj02")

    assert lon - 118.65 == pytest.approx(-0.006, abs=0.0005)
    assert abs(lat - 37.45) < 0.001


# Longitude first; the test points that the eviltransform libraries share.
@pytest.mark.parametrize(
    ("wgs84", "gcj02"),
    [
        ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),  # Shanghai
        ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),  # Shenzhen
        ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),  # Beijing
    ],
)
def test_published_points_agree_to_a_tenth_of_a_millimetre(wgs84, gcj02):
    assert metres_between(gcj02_from_wgs84(*wgs84), gcj02) < 1e-4
    assert metres_between(to_wgs84(*gcj02, "gcj02"), wgs84) < 1e-4


def test_the_published_baidu_point_agrees_and_its_way_back_is_exact():
    # The point that the coordtransform libraries share; their own way back is off by some centimetres.
    assert metres_between(bd09_from_gcj02(116.404, 39.915), (116.41036949371029, 39.92133699351021)) < 1e-4
    assert metres_between(gcj02_from_bd09(116.404, 39.915), (116.39762729119315, 39.90865673957631)) < 0.1
    assert metres_between(gcj02_from_bd09(116.41036949371029, 39.92133699351021), (116.404, 39.915)) < 1e-4


@given(in_china)
def test_there_and_back_is_the_same_place_to_a_tenth_of_a_millimetre(place):
    assert metres_between(wgs84_from_gcj02(*gcj02_from_wgs84(*place)), place) < 1e-4
    assert metres_between(gcj02_from_bd09(*bd09_from_gcj02(*place)), place) < 1e-4
    assert metres_between(wgs84_from_bd09(*bd09_from_wgs84(*place)), place) < 1e-4


@given(in_the_city)
def test_over_the_city_there_and_back_is_the_same_place_to_a_micrometre(place):
    assert metres_between(to_wgs84(*gcj02_from_wgs84(*place), "gcj02"), place) < 1e-6
    assert metres_between(to_wgs84(*bd09_from_wgs84(*place), "bd09"), place) < 1e-6


@given(in_the_city)
def test_over_the_city_the_shift_is_never_mistaken_for_none(place):
    assert 400 < metres_between(gcj02_from_wgs84(*place), place) < 700
    assert 700 < metres_between(bd09_from_wgs84(*place), place) < 2000


@pytest.mark.parametrize("there", [gcj02_from_wgs84, wgs84_from_gcj02, bd09_from_wgs84, wgs84_from_bd09])
@pytest.mark.parametrize("place", [(2.35, 48.86), (-122.4, 37.8), (151.2, -33.9), (0.0, 0.0)])
def test_outside_china_nothing_moves(there, place):
    assert there(*place) == place


def test_wgs84_passes_as_it_is():
    assert to_wgs84(118.512, 37.441, "wgs84") == (118.512, 37.441)


@pytest.mark.parametrize("datum", ["GCJ02", "", "cgcs2000", "wgs-84"])
def test_an_unknown_datum_is_refused_by_name(datum):
    with pytest.raises(BadPosition, match=f"datum '{datum}': expected one of wgs84, gcj02, bd09"):
        to_wgs84(118.5, 37.4, datum)


@pytest.mark.parametrize("datum", ["wgs84", "gcj02", "bd09"])
@pytest.mark.parametrize("place", [(nan, 37.4), (118.5, inf), (-inf, 0.0), (181.0, 0.0), (118.5, 90.1)])
def test_what_is_no_place_on_earth_is_refused(datum, place):
    with pytest.raises(ValueError, match="expected"):
        to_wgs84(*place, datum)
