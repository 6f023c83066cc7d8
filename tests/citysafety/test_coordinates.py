"""Coordinates of map services to WGS 84."""

from math import cos, hypot, radians

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citysafety.coordinates import bd09_from_gcj02, gcj02_from_wgs84, to_wgs84

METRES_A_DEGREE = 111_320
inside = st.tuples(st.floats(74, 134), st.floats(4, 53))


def metres(a, b):
    return hypot((a[0] - b[0]) * cos(radians(a[1])), a[1] - b[1]) * METRES_A_DEGREE


def test_the_shift_in_the_city_is_half_a_kilometre():
    assert 500 < metres((118.67, 37.43), gcj02_from_wgs84(118.67, 37.43)) < 512


@given(inside)
def test_there_and_back_is_the_same_place(point):
    shifted = gcj02_from_wgs84(*point)

    assert metres(point, to_wgs84(*shifted, "gcj02")) < 1e-4
    assert metres(point, to_wgs84(*bd09_from_gcj02(*shifted), "bd09")) < 1e-4


def test_wgs84_and_places_outside_china_stay_where_they_are():
    assert to_wgs84(118.5, 37.4, "wgs84") == (118.5, 37.4)
    assert to_wgs84(2.3, 48.8, "gcj02") == (2.3, 48.8)


@pytest.mark.parametrize(("lon", "lat", "datum"), [(float("nan"), 1, "wgs84"), (181, 0, "gcj02"), (118, 37, "utm")])
def test_what_is_no_place_is_refused_with_what_was_expected(lon, lat, datum):
    with pytest.raises(ValueError, match="expected"):
        to_wgs84(lon, lat, datum)
