"""What changes when some cells end and others begin: where each point lies afterwards. One look for many points."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy
import shapely

from ..models import Cell, DraftCell, Rezoning
from .shapes import geos_of, narrowing, shapely_of


@dataclass(frozen=True, slots=True)
class Drawn:
    """A cell of the change. ``id`` is None as long as it is only drafted."""

    code: str
    kind: str
    shape: Any
    name_zh: str = ""
    name_en: str = ""
    id: int | None = None

    @property
    def is_ground(self) -> bool:
        """Base and sea cells are where a case lies; dedicated cells lie over them."""
        return self.kind != Cell.Kind.DEDICATED


class Lying(NamedTuple):
    """A thing as it lies now: its point and the cells it is counted in."""

    lon: float
    lat: float
    cell_id: int | None
    dedicated_id: int | None


class Move(NamedTuple):
    """Where a thing lies afterwards. What has not changed is told as it was."""

    cell: Drawn | None
    dedicated: Drawn | None
    is_moved: bool


class Layer:
    """The cells that begin, of one layer: the one that holds a point is that of the lowest code, as in ``grid.locate``."""

    def __init__(self, cells: Iterable[Drawn], scale: tuple[float, float]) -> None:
        self.cells = sorted(cells, key=lambda cell: cell.code)
        shapes = numpy.array([cell.shape for cell in self.cells], dtype=object)
        self.shapes = shapely.transform(shapes, lambda xy: xy * scale) if self.cells else shapes
        shapely.prepare(self.shapes)
        self.tree = shapely.STRtree(self.shapes)

    def holding(self, points: Any) -> Any:
        """Return for each point the index of the cell that holds it, -1 where none does."""
        found = numpy.full(len(points), len(self.cells))
        hits, cells = self.tree.query(points, predicate="intersects")
        numpy.minimum.at(found, hits, cells)
        return numpy.where(found < len(self.cells), found, -1)

    def nearest(self, points: Any) -> Any:
        """Return for each point the index of the cell that holds it, of the nearest one where none does."""
        found = self.holding(points)
        lost = numpy.flatnonzero(found < 0)
        if len(lost) and self.cells:
            found[lost] = self.tree.nearest(points[lost])
        return found


@dataclass(slots=True)
class Change:
    """Cells that end and cells that begin. ``over`` are the ids of cells that a new dedicated cell lies over."""

    ended: dict[int, Drawn]
    begun: list[Drawn]
    over: frozenset[int]
    _layers: tuple[Layer, Layer] = field(init=False)
    _scale: tuple[float, float] = field(init=False)

    def __post_init__(self) -> None:
        shapes = [cell.shape for cell in (*self.ended.values(), *self.begun)]
        self._scale = (narrowing(shapely.total_bounds(shapes)[1]) if shapes else 1.0, 1.0)
        self._layers = (
            Layer((cell for cell in self.begun if cell.is_ground), self._scale),
            Layer((cell for cell in self.begun if not cell.is_ground), self._scale),
        )

    @property
    def looked_in(self) -> list[int]:
        """Return the ids of the cells in which things may lie that move."""
        return sorted({*self.ended, *self.over})

    def moves(self, things: Sequence[Lying]) -> list[Move]:
        """Return where each thing lies afterwards. A few thousand at once take milliseconds. Queries: 0."""
        if not things:
            return []
        ground, dedicated = self._layers
        points = shapely.points([(thing.lon * self._scale[0], thing.lat) for thing in things])
        on_ground, over = ground.nearest(points), dedicated.holding(points)
        return [self._move(thing, ground, int(on_ground[n]), dedicated, int(over[n])) for n, thing in enumerate(things)]

    def _move(self, thing: Lying, ground: Layer, on: int, dedicated: Layer, over: int) -> Move:
        cell, special = self.ended.get(thing.cell_id), self.ended.get(thing.dedicated_id)
        leaves_ground = cell is not None and on >= 0
        leaves_special = special is not None or (thing.dedicated_id is None and over >= 0)
        return Move(
            ground.cells[on] if leaves_ground else cell,
            (dedicated.cells[over] if over >= 0 else None) if leaves_special else special,
            leaves_ground or leaves_special,
        )

    def shares(self) -> list[tuple[Drawn, Drawn, float]]:
        """Return which of the cells that begin takes how much of each that ends, in parts of the latter."""
        rows = []
        for old in self.ended.values():
            for new in self.begun:
                if old.is_ground == new.is_ground:
                    share = shapely.intersection(old.shape, new.shape).area / old.shape.area
                    if share > 0.001:
                        rows.append((old, new, float(share)))
        return rows


def _drawn(cell: Any, cell_id: int | None) -> Drawn:
    return Drawn(cell.code, cell.kind, shapely_of(cell.geometry), cell.name_zh, cell.name_en, cell_id)


def between(ended: Collection[int], begun: Collection[int]) -> Change:
    """Return the change from some cells to others that stand. Queries: 1, 2 with a new dedicated cell."""
    cells = {cell.pk: _drawn(cell, cell.pk) for cell in Cell.objects.filter(pk__in=[*ended, *begun])}
    fresh = [cells[pk] for pk in begun if pk in cells]
    return Change({pk: cells[pk] for pk in ended if pk in cells}, fresh, _over(fresh))


def drafted(rezoning: Rezoning) -> Change:
    """Return the change that a re-zoning would make. Queries: 2, 3 with a new dedicated cell."""
    fresh = [_drawn(draft, draft.cell_id) for draft in DraftCell.objects.filter(rezoning=rezoning)]
    ended = {cell.pk: _drawn(cell, cell.pk) for cell in Cell.objects.filter(ended_by=rezoning).order_by("code")}
    return Change(ended, fresh, _over(fresh))


def _over(begun: Iterable[Drawn]) -> frozenset[int]:
    """Return the active cells of the ground that new dedicated cells lie over. Queries: 1, 0 without one."""
    shapes = [cell.shape for cell in begun if not cell.is_ground]
    if not shapes:
        return frozenset()
    whole = geos_of(shapely.union_all(shapes))
    ground = Cell.objects.exclude(kind=Cell.Kind.DEDICATED).filter(active=True, geometry__intersects=whole)
    return frozenset(ground.values_list("pk", flat=True))


def by_pair(moves: Iterable[tuple[str, str]]) -> list[tuple[str, str, int]]:
    """Return how many move from which code to which, in the order of the codes."""
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for pair in moves:
        counts[pair] += 1
    return [(old, new, n) for (old, new), n in sorted(counts.items())]
