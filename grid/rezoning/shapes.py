"""Outlines: cut one in two, join two, measure them. Shapely in, Shapely out; degrees of WGS 84, areas in m²."""

from collections.abc import Sequence
from math import cos, radians
from typing import Any

import numpy
import shapely
from django.contrib.gis.geos import GEOSGeometry
from django.utils.translation import gettext as _
from shapely import ops

from citysafety.coordinates import METRES_A_DEGREE

TOLERANCE_M2 = 25  # less is rounding: five decimals are a metre
REACH_DEGREES = 0.001  # a line that ends a hundred metres short of the border is meant to reach it
LEAST_BORDER_M = 1


class NotDrawable(ValueError):
    """The operation does not give outlines; the message says so to people."""


def shapely_of(outline: GEOSGeometry) -> Any:
    return shapely.from_wkb(bytes(outline.wkb))


def geos_of(shape: Any) -> GEOSGeometry:
    return GEOSGeometry(memoryview(shapely.to_wkb(shape)), srid=4326)


def multi(shape: Any) -> Any:
    """Return the polygons in a shape as one multipolygon; lines and points where outlines only touch are dropped."""
    parts = [part for part in shapely.get_parts(shape) if part.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.MultiPolygon([polygon for part in parts for polygon in shapely.get_parts(part)])


def m2(shape: Any) -> Any:
    """Return the area of one shape, or of each of several, in square metres; good to 1 % over a city."""
    bounds = shapely.bounds(shape)
    middle = numpy.radians((bounds[..., 1] + bounds[..., 3]) / 2)
    return numpy.nan_to_num(shapely.area(shape) * METRES_A_DEGREE**2 * numpy.cos(middle))


def split(shape: Any, line: Sequence[Sequence[float]]) -> list[Any]:
    """Cut an outline in two along a line, the larger part first.

    :raises NotDrawable: the line does not lead across it once.
    """
    if len(line) < 2:
        raise NotDrawable(_("A line has two points or more; %(seen)s was given.") % {"seen": len(line)})
    cut = _reaching(line)
    if not cut.is_simple:
        raise NotDrawable(_("The line crosses itself."))
    parts, whole = [], []
    for polygon in shapely.get_parts(shape):
        found = list(ops.split(polygon, cut).geoms)
        (parts if len(found) > 1 else whole).extend(found)
    if len(parts) != 2:
        raise NotDrawable(
            _(
                "The line cuts the cell into %(seen)s parts; expected 2: it leads across the cell once, border to border."
            )
            % {"seen": len(parts) or 1}
        )
    groups = [[parts[0]], [parts[1]]]
    for polygon in whole:  # an island of the cell goes with the part that is nearer
        groups[int(polygon.distance(parts[1]) < polygon.distance(parts[0]))].append(polygon)
    found = [shapely.MultiPolygon(group) for group in groups]
    if min(m2(one) for one in found) <= TOLERANCE_M2:
        raise NotDrawable(_("One of the parts would be smaller than %(m2)s m².") % {"m2": TOLERANCE_M2})
    return sorted(found, key=lambda one: -one.area)


def _reaching(line: Sequence[Sequence[float]]) -> Any:
    """Return the line with both ends a little longer: who draws by hand ends beside the border."""
    points = [tuple(point[:2]) for point in line]
    if len(set(points)) < 2:
        raise NotDrawable(_("The points of the line are all the same."))
    return shapely.LineString([_beyond(points[1], points[0]), *points, _beyond(points[-2], points[-1])])


def _beyond(inner: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    length = ((end[0] - inner[0]) ** 2 + (end[1] - inner[1]) ** 2) ** 0.5 or 1.0
    return tuple(e + (e - i) / length * REACH_DEGREES for i, e in zip(inner, end, strict=True))


def join(first: Any, second: Any) -> Any:
    """Return two outlines as one. :raises NotDrawable: they have no border in common."""
    border = shapely.intersection(shapely.boundary(first), shapely.boundary(second)).length * METRES_A_DEGREE
    if border < LEAST_BORDER_M and shapely.intersection(first, second).area == 0:
        raise NotDrawable(_("The two cells have no border in common."))
    return multi(shapely.union(first, second))


def same(first: Any, second: Any) -> bool:
    """Test whether two outlines are one: the same points to a centimetre, wherever a ring begins."""
    return bool(shapely.equals_exact(first, second, 1e-7, normalize=True))


def narrowing(lat: float) -> float:
    """Return how much shorter a degree of longitude is than one of latitude."""
    return cos(radians(lat))
