"""Point → cells, in process: prepared outlines in an STRtree per process, rebuilt when the grid version changes.

PostGIS stays the truth for queries; this answers the hot path of filing. Outlines are held in a flat plane of
metres (equirectangular at the city's middle latitude, good to 1 % over a city), so that the accuracy circle is one.
"""

import math
import threading
import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy
import shapely
from django.conf import settings
from django.db import connection
from shapely import intersects_xy

from citysafety.coordinates import METRES_A_DEGREE

from .models import City, GridVersion
from .models.places import Cell

CHECK_EVERY_S = 2.0
MOST_CANDIDATES = 6
WIDEST_CIRCLE_M = 2_000  # a worse position than this tells nothing about the neighbours
SQUARE_M, MARGIN_M = 250, 60  # squares remembered, and the widest circle they serve


class Place(NamedTuple):  # made at each question: a frozen dataclass takes six times as long
    """Where a point lies. ``candidates`` are the base cells that the accuracy circle touches, the one taken first."""

    area_code: str
    cell_id: int | None = None
    cell_code: str = ""
    cell_kind: str = ""
    dedicated_id: int | None = None
    dedicated_code: str = ""
    candidates: tuple[dict[str, str], ...] = ()


class Square(NamedTuple):
    """What is known of a square: the index of the cell that all of it lies in, if one does; (index, outline) of the cells
    that touch it, and of those within 60 m of it, lower codes first.
    """

    whole: int | None
    touching: tuple[tuple[int, Any], ...]
    near: tuple[tuple[int, Any], ...]


class Layer:
    """The cells of some kinds: outlines in metres, prepared, a tree over them, and what each square was found to touch.

    Squares are remembered as they are asked for: reports come where people are, so most of them never are.
    """

    def __init__(self, rows: list[tuple], scale: tuple[float, float]) -> None:
        self.cells = [row[:4] for row in rows]
        outlines = shapely.from_wkb([bytes(row[4]) for row in rows]) if rows else numpy.array([], dtype=object)
        self.outlines = shapely.transform(outlines, lambda xy: xy * scale)
        shapely.prepare(self.outlines)
        self.tree = shapely.STRtree(self.outlines)
        self.named = [dict(zip(("code", "name_zh", "name_en"), cell[1:], strict=True)) for cell in self.cells]
        self.squares: dict[tuple[float, float], Square] = {}

    def square(self, x: float, y: float) -> Square:
        """Return what is known of the square that holds a point; found out when it is first asked for."""
        key = (x // SQUARE_M, y // SQUARE_M)
        found = self.squares.get(key)
        if found is None:
            west, south = key[0] * SQUARE_M, key[1] * SQUARE_M
            east, north = west + SQUARE_M, south + SQUARE_M
            wide = shapely.box(west - MARGIN_M, south - MARGIN_M, east + MARGIN_M, north + MARGIN_M)
            hits = numpy.sort(self.tree.query(wide, predicate="intersects"))
            itself = shapely.box(west, south, east, north)
            touching = (hits[shapely.intersects(self.outlines[hits], itself)] if len(hits) > 1 else hits).tolist()
            # Without its border, and of the lowest code there: any other cell over the square comes after it.
            whole = touching and shapely.contains_properly(self.outlines[touching[0]], itself)
            found = self.squares[key] = Square(
                touching[0] if whole else None,
                tuple((index, self.outlines[index]) for index in touching),
                tuple((index, self.outlines[index]) for index in hits.tolist()),
            )
        return found

    def holding(self, x: float, y: float) -> int | None:
        """Return the index of the cell that holds a point; on a shared border the one with the lower code."""
        whole, touching, _near = self.squares.get((x // SQUARE_M, y // SQUARE_M)) or self.square(x, y)
        if whole is not None:
            return whole
        for index, outline in touching:
            if intersects_xy(outline, x, y):
                return index
        return None

    def holding_each(self, x: Any, y: Any) -> Any:
        """Return for each of many points the index of the cell that holds it, -1 where none does."""
        found = numpy.full(len(x), len(self.cells))
        points, cells = self.tree.query(shapely.points(x, y), predicate="intersects")
        numpy.minimum.at(found, points, cells)
        return numpy.where(found < len(self.cells), found, -1)

    def around(self, x: float, y: float, radius_m: float) -> list[int]:
        """Return the indices of the cells a circle touches, nearest first."""
        point = shapely.Point(x, y)
        if radius_m <= MARGIN_M:
            far = [(shapely.distance(outline, point), index) for index, outline in self.square(x, y).near]
        else:
            hits = self.tree.query(point, predicate="dwithin", distance=radius_m)
            far = list(zip(shapely.distance(self.outlines[hits], point), hits.tolist(), strict=True))
        return [index for metres, index in sorted(far) if metres <= radius_m]


class Index:
    """One grid version, ready to be asked."""

    def __init__(self) -> None:
        city = City.objects.order_by("code").first()
        self.city_code = city.code if city else settings.CITY_CODE
        self.frame = shapely.from_wkb(bytes(city.frame.wkb)) if city else shapely.Polygon()
        shapely.prepare(self.frame)
        middle = math.radians((self.frame.bounds[1] + self.frame.bounds[3]) / 2) if city else 0.0
        self.scale = (METRES_A_DEGREE * math.cos(middle), METRES_A_DEGREE)
        layers: dict[str, list[tuple]] = {kind: [] for kind in Cell.Kind.values}
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT kind, id, code, name_zh, name_en, ST_AsBinary(geometry) FROM grid_cell WHERE active ORDER BY code"
            )
            for kind, *row in cursor.fetchall():
                layers[kind].append(tuple(row))
        self.base = Layer(layers[Cell.Kind.BASE], self.scale)
        self.dedicated = Layer(layers[Cell.Kind.DEDICATED], self.scale)
        self.sea = Layer(layers[Cell.Kind.SEA], self.scale)

    def place(self, lon: float, lat: float, accuracy_m: float | None) -> Place:
        x, y = lon * self.scale[0], lat * self.scale[1]
        found = self.base.holding(x, y)
        circle = self.base.around(x, y, min(accuracy_m, WIDEST_CIRCLE_M)) if accuracy_m else []
        if found is None and circle:
            found = circle[0]
        candidates = [found] if found is not None else []
        if circle:
            candidates = [*candidates, *(i for i in circle if i != found)][:MOST_CANDIDATES]
        dedicated = self.dedicated.holding(x, y)
        sea = self.sea.holding(x, y) if found is None else None
        taken, kind = (self.base.cells[found], Cell.Kind.BASE) if found is not None else (None, "")
        if sea is not None:
            taken, kind = self.sea.cells[sea], Cell.Kind.SEA
        special = self.dedicated.cells[dedicated] if dedicated is not None else None
        return Place(
            area_code=(taken or special or (None, self.city_code))[1],
            cell_id=taken[0] if taken else None,
            cell_code=taken[1] if taken else "",
            cell_kind=str(kind),
            dedicated_id=special[0] if special else None,
            dedicated_code=special[1] if special else "",
            candidates=tuple([self.base.named[index] for index in candidates]),
        )

    def places(self, lon: Any, lat: Any) -> tuple[Any, Any, Any]:
        """Return for each of many points the index of its base cell, dedicated cell and sea cell, -1 for none."""
        x, y = lon * self.scale[0], lat * self.scale[1]
        base = self.base.holding_each(x, y)
        sea = numpy.full(len(x), -1)
        at_sea = numpy.flatnonzero(base < 0)
        sea[at_sea] = self.sea.holding_each(x[at_sea], y[at_sea])
        return base, self.dedicated.holding_each(x, y), sea


@dataclass(slots=True)
class _Kept:
    index: Index | None = None
    stamp: Any = None
    touched: int = -1
    looked_at: float = -math.inf


_kept = _Kept()
_building = threading.Lock()


def _stamp() -> Any:
    return GridVersion.objects.exclude(activated_at=None).order_by("-number").values_list("pk", "activated_at").first()


def current() -> Index:
    """Return the index of the active grid version; the database is asked for it at most every two seconds."""
    now = time.monotonic()
    if _kept.index and _kept.touched == GridVersion.touched and now - _kept.looked_at < CHECK_EVERY_S:
        return _kept.index
    with _building:
        touched, stamp = GridVersion.touched, _stamp()
        if _kept.index is None or _kept.touched != touched or _kept.stamp != stamp:
            _kept.index, _kept.stamp, _kept.touched = Index(), stamp, touched
        _kept.looked_at = time.monotonic()
        return _kept.index


def forget() -> None:
    """Drop what this process holds; the next question builds it anew."""
    _kept.index, _kept.looked_at = None, -math.inf


def in_frame(lon: float, lat: float) -> bool:
    """Test whether a report from here is taken: within the city's frame of land and sea."""
    return bool(shapely.intersects_xy(current().frame, lon, lat))


def locate(lon: float, lat: float, accuracy_m: float | None = None) -> Place:
    """Return the cells of a point in WGS 84; without a cell the area is the city, never a refusal.

    ``accuracy_m`` is the radius of the position's circle; where it touches several base cells the nearest is
    taken and all are named. No query, but for the look at the grid version every two seconds.
    """
    return current().place(lon, lat, accuracy_m)


def cells_around(lon: float, lat: float, radius_m: float) -> list[int]:
    """Return the keys of the base cells that a circle touches, the nearest first; at sea that of the sea cell. Queries: as ``locate``."""
    index = current()
    x, y = lon * index.scale[0], lat * index.scale[1]
    around = [index.base.cells[n][0] for n in index.base.around(x, y, radius_m)]
    sea = index.sea.holding(x, y) if not around else None
    return around or ([index.sea.cells[sea][0]] if sea is not None else [])
