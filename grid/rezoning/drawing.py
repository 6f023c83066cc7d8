"""The old and the new border as one small drawing; it needs no tiles and prints."""

from dataclasses import dataclass
from typing import Any

import shapely

from .change import Change
from .shapes import narrowing

WIDTH, MOST_HEIGHT, MARGIN = 560, 420, 24


@dataclass(frozen=True, slots=True)
class Path:
    path: str
    code: str
    name: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """Cells that end and cells that begin, as paths in units of the drawing."""

    old: list[Path]
    new: list[Path]
    height: int
    width: int = WIDTH


def draw(change: Change, language: str) -> Drawing | None:
    """Draw a change, None where nothing is drawn yet. Queries: 0."""
    cells = [*change.ended.values(), *change.begun]
    if not cells:
        return None
    west, south, east, north = shapely.total_bounds([cell.shape for cell in cells])
    narrow = narrowing((south + north) / 2)
    across, up = max((east - west) * narrow, 1e-6), max(north - south, 1e-6)
    scale = min((WIDTH - 2 * MARGIN) / across, (MOST_HEIGHT - 2 * MARGIN) / up)
    left = (WIDTH - across * scale) / 2

    def project(lon: float, lat: float) -> tuple[float, float]:
        return round(left + (lon - west) * narrow * scale, 1), round(MARGIN + (north - lat) * scale, 1)

    def path(cell: Any) -> Path:
        shape = shapely.simplify(cell.shape, 0.5 / scale)
        rings = [ring for polygon in shapely.get_parts(shape) for ring in (polygon.exterior, *polygon.interiors)]
        text = "".join("M" + "L".join("{} {}".format(*project(*p)) for p in ring.coords[:-1]) + "Z" for ring in rings)
        middle = cell.shape.representative_point()
        name = cell.name_en if language == "en" and cell.name_en else cell.name_zh
        return Path(text, cell.code, name, *project(middle.x, middle.y))

    return Drawing(
        [path(cell) for cell in change.ended.values()],
        [path(cell) for cell in change.begun],
        round(up * scale) + 2 * MARGIN,
    )
