"""The three datums of Chinese maps, and the way back to the one we store (pure).

Phones and Chinese base maps speak GCJ-02 (the State Bureau of Surveying's shifted datum) or BD-09 (Baidu's shift on top
of it); everything we keep is WGS-84. Positions outside the rectangle where the shift is defined pass unchanged.
The formulas are the public ones of the eviltransform family; the ways back are refined until they undo the way there.
"""

from collections.abc import Callable
from math import atan2, cos, hypot, isfinite, pi, radians, sin, sqrt

DATUMS = ("wgs84", "gcj02", "bd09")

SEMI_MAJOR_AXIS = 6378245.0  # metres, Krasovsky 1940, the ellipsoid of the shift
ECCENTRICITY_SQUARED = 0.00669342162296594323  # Krasovsky 1940
LON_RANGE = (72.004, 137.8347)  # degrees, where the shift is defined
LAT_RANGE = (0.8293, 55.8271)
BD_PI = pi * 3000.0 / 180.0
ENOUGH = 1e-12  # degrees, about 0.1 µm
METRES_A_DEGREE = 111_195  # of latitude, on a sphere of 6,371 km
MOST_ROUNDS = 30  # the refinement gains about three digits a round

Point = tuple[float, float]


class BadPosition(ValueError):
    """The numbers are no position on the earth, or their datum is unknown."""


def _checked(lon: float, lat: float) -> Point:
    if not (isfinite(lon) and isfinite(lat)):
        raise BadPosition(f"lon {lon!r}, lat {lat!r}: expected finite degrees")
    if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):
        raise BadPosition(f"lon {lon!r}, lat {lat!r}: expected -180…180 and -90…90 degrees")
    return float(lon), float(lat)


def in_china(lon: float, lat: float) -> bool:
    """Return whether the shift is defined here: a rectangle around China, not its border."""
    return LON_RANGE[0] <= lon <= LON_RANGE[1] and LAT_RANGE[0] <= lat <= LAT_RANGE[1]


def _waves(value: float) -> float:
    return (20.0 * sin(6.0 * value * pi) + 20.0 * sin(2.0 * value * pi)) * 2.0 / 3.0


def _shift(lon: float, lat: float) -> Point:
    """Return the GCJ-02 shift at a WGS-84 position, in degrees."""
    x, y = lon - 105.0, lat - 35.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + _waves(x)
    north += (20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi)) * 2.0 / 3.0
    north += (160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y * pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + _waves(x)
    east += (20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi)) * 2.0 / 3.0
    east += (150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)) * 2.0 / 3.0
    phi = lat / 180.0 * pi
    magic = 1.0 - ECCENTRICITY_SQUARED * sin(phi) ** 2
    meridian = SEMI_MAJOR_AXIS * (1.0 - ECCENTRICITY_SQUARED) / (magic * sqrt(magic))
    parallel = SEMI_MAJOR_AXIS / sqrt(magic) * cos(phi)
    return east * 180.0 / (parallel * pi), north * 180.0 / (meridian * pi)


def _gcj(lon: float, lat: float) -> Point:
    east, north = _shift(lon, lat)
    return lon + east, lat + north


def _bd(lon: float, lat: float) -> Point:
    z = hypot(lon, lat) + 0.00002 * sin(lat * BD_PI)
    theta = atan2(lat, lon) + 0.000003 * cos(lon * BD_PI)
    return z * cos(theta) + 0.0065, z * sin(theta) + 0.006


def _undo(there: Callable[[float, float], Point], lon: float, lat: float) -> Point:
    """Return the position that `there` moves to (lon, lat), by repeated correction of the remaining error."""
    back_lon, back_lat = lon, lat
    for _ in range(MOST_ROUNDS):
        seen_lon, seen_lat = there(back_lon, back_lat)
        error_lon, error_lat = seen_lon - lon, seen_lat - lat
        back_lon, back_lat = back_lon - error_lon, back_lat - error_lat
        if abs(error_lon) < ENOUGH and abs(error_lat) < ENOUGH:
            break
    return back_lon, back_lat


def gcj02_from_wgs84(lon: float, lat: float) -> Point:
    """Return the GCJ-02 position of a WGS-84 one, in degrees. :raises BadPosition: if it is not on the earth."""
    lon, lat = _checked(lon, lat)
    return _gcj(lon, lat) if in_china(lon, lat) else (lon, lat)


def wgs84_from_gcj02(lon: float, lat: float) -> Point:
    """Return the WGS-84 position of a GCJ-02 one, in degrees. :raises BadPosition: if it is not on the earth."""
    lon, lat = _checked(lon, lat)
    return _undo(_gcj, lon, lat) if in_china(lon, lat) else (lon, lat)


def bd09_from_gcj02(lon: float, lat: float) -> Point:
    """Return the BD-09 position of a GCJ-02 one, in degrees. :raises BadPosition: if it is not on the earth."""
    lon, lat = _checked(lon, lat)
    return _bd(lon, lat) if in_china(lon, lat) else (lon, lat)


def gcj02_from_bd09(lon: float, lat: float) -> Point:
    """Return the GCJ-02 position of a BD-09 one, in degrees. :raises BadPosition: if it is not on the earth."""
    lon, lat = _checked(lon, lat)
    return _undo(_bd, lon, lat) if in_china(lon, lat) else (lon, lat)


def bd09_from_wgs84(lon: float, lat: float) -> Point:
    """Return the BD-09 position of a WGS-84 one, in degrees. :raises BadPosition: if it is not on the earth."""
    return bd09_from_gcj02(*gcj02_from_wgs84(lon, lat))


def wgs84_from_bd09(lon: float, lat: float) -> Point:
    """Return the WGS-84 position of a BD-09 one, in degrees. :raises BadPosition: if it is not on the earth."""
    return wgs84_from_gcj02(*gcj02_from_bd09(lon, lat))


def metres_between(a: Point, b: Point) -> float:
    """Return how far two positions in degrees lie apart, in metres; for places within a city, not across the world."""
    return hypot((a[0] - b[0]) * cos(radians((a[1] + b[1]) / 2)), a[1] - b[1]) * METRES_A_DEGREE


def to_wgs84(lon: float, lat: float, datum: str) -> Point:
    """Return the position in WGS-84, in degrees, of one sent in `datum`: wgs84, gcj02 or bd09.

    :raises BadPosition: if the datum is none of the three, or the numbers are not on the earth.
    """
    if datum == "wgs84":
        return _checked(lon, lat)
    if datum == "gcj02":
        return wgs84_from_gcj02(lon, lat)
    if datum == "bd09":
        return wgs84_from_bd09(lon, lat)
    raise BadPosition(f"datum {datum!r}: expected one of {', '.join(DATUMS)}")
