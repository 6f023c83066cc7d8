"""A small map of one hazard, drawn here: its cell, the cells around it, the point. It needs no tiles."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import cos, radians
from typing import Any

from django.contrib.gis.geos import GEOSGeometry, Polygon

from citysafety.coordinates import METRES_A_DEGREE
from grid.models import Cell

from .models import Hazard

WIDTH, HEIGHT = 480, 300  # of the drawing, in its own units
MARGIN = 0.35  # of the cell's extent, on each side
LEAST_DEGREES = 0.004  # across, so that a tiny cell still shows what lies around it
MOST_NEIGHBOURS = 60
ROUND_METRES = (10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20)


@dataclass(frozen=True, slots=True)
class Outline:
    """A cell as a path."""

    path: str
    name: str
    own: bool
    dedicated: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """What the template draws; all lengths in units of the drawing."""

    outlines: list[Outline]
    x: float
    y: float
    accuracy: float
    bar: float
    bar_metres: int
    where: str  # longitude and latitude, WGS 84
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def bar_words(self) -> str:
        return f"{self.bar_metres // 1000} km" if self.bar_metres >= 1000 else f"{self.bar_metres} m"


def draw(hazard: Hazard) -> Drawing:
    """Draw the point of a hazard among the cells. Queries: 1."""
    west, south, east, north = _frame(hazard)
    scale = WIDTH / (east - west)  # units a degree of longitude
    stretch = scale / cos(radians((south + north) / 2))
    own = {pk for pk in (hazard.cell_id, hazard.dedicated_cell_id) if pk}
    window = Polygon.from_bbox((west, south, east, north))
    window.srid = 4326
    cells = Cell.objects.filter(active=True, geometry__bboverlaps=window).only(
        "code", "kind", "name_zh", "name_en", "geometry"
    )[:MOST_NEIGHBOURS]

    def project(lon: float, lat: float) -> tuple[float, float]:
        return round((lon - west) * scale, 1), round((north - lat) * stretch, 1)

    def outline(cell: Cell) -> Outline:
        shape = cell.geometry.intersection(window.buffer((east - west) / 10)).simplify(0.7 / scale)
        return Outline(_path(shape, project), cell.name, cell.pk in own, cell.kind != Cell.Kind.BASE)

    unit = METRES_A_DEGREE * cos(radians((south + north) / 2)) / scale  # metres a unit
    bar_metres = next((n for n in ROUND_METRES if n / unit <= WIDTH / 3), ROUND_METRES[-1])
    x, y = project(hazard.location.x, hazard.location.y)
    outlines = sorted((outline(cell) for cell in cells), key=lambda one: (one.own, one.dedicated))
    return Drawing(
        outlines,
        x,
        y,
        round(min((hazard.accuracy_m or 0) / unit, WIDTH), 1),
        round(bar_metres / unit, 1),
        bar_metres,
        f"{hazard.location.x:.6f}, {hazard.location.y:.6f}",
    )


def _frame(hazard: Hazard) -> tuple[float, float, float, float]:
    """Return the window in degrees: around the cell and the point, in the proportions of the drawing."""
    x, y = hazard.location.x, hazard.location.y
    west, south, east, north = hazard.cell.geometry.extent if hazard.cell else (x, y, x, y)
    west, south, east, north = min(west, x), min(south, y), max(east, x), max(north, y)
    narrow = cos(radians(y))
    across = max((east - west) * (1 + 2 * MARGIN), LEAST_DEGREES)
    up = (north - south) * (1 + 2 * MARGIN)
    across = max(across, up * WIDTH / HEIGHT / narrow)
    up = across * HEIGHT / WIDTH * narrow
    middle_x, middle_y = (west + east) / 2, (south + north) / 2
    return middle_x - across / 2, middle_y - up / 2, middle_x + across / 2, middle_y + up / 2


def _path(shape: GEOSGeometry, project: Any) -> str:
    """Return the rings of every polygon in a shape as one path."""
    return "".join(
        "M" + "L".join("{} {}".format(*project(*point[:2])) for point in ring.coords[:-1]) + "Z"
        for polygon in _polygons(shape)
        for ring in polygon
    )


def _polygons(shape: GEOSGeometry) -> Iterable[Polygon]:
    """Return the polygons in whatever clipping left; lines and points where cells only touch are dropped."""
    parts = [shape] if isinstance(shape, Polygon) else shape
    return [part for part in parts if isinstance(part, Polygon) and not part.empty]
