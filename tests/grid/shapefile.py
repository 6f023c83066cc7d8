"""Write a Shapefile of polygons without a library: enough of the ESRI white paper and dBASE III for tests."""

import struct
from pathlib import Path
from typing import Any

FIELDS = ("code", "name_zh", "kind", "focus")
WIDTH = 60


def write_shapefile(path: Path, rows: list[tuple[dict[str, Any], Any]], wkt: str | None) -> None:
    """Write .shp, .shx, .dbf (UTF-8) and, where a CRS is given, .prj."""
    shapes, index, offset = b"", b"", 50
    for number, (_values, polygon) in enumerate(rows, 1):
        body = _polygon(polygon)
        shapes += struct.pack(">ii", number, len(body) // 2) + body
        index += struct.pack(">ii", offset, len(body) // 2)
        offset += 4 + len(body) // 2
    boxes = [polygon.extent for _values, polygon in rows]
    box = (min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes))
    path.write_bytes(_header(100 + len(shapes), box) + shapes)
    path.with_suffix(".shx").write_bytes(_header(100 + len(index), box) + index)
    path.with_suffix(".dbf").write_bytes(_dbf([values for values, _polygon in rows]))
    path.with_suffix(".cpg").write_text("UTF-8")
    if wkt:
        path.with_suffix(".prj").write_text(wkt)


def _header(size: int, box: tuple[float, float, float, float]) -> bytes:
    return struct.pack(">7i", 9994, 0, 0, 0, 0, 0, size // 2) + struct.pack("<2i8d", 1000, 5, *box, 0, 0, 0, 0)


def _polygon(polygon: Any) -> bytes:
    ring = list(reversed(polygon.coords[0]))  # outer rings run clockwise
    points = b"".join(struct.pack("<2d", x, y) for x, y, *_z in ring)
    return struct.pack("<i4d2ii", 5, *polygon.extent, 1, len(ring), 0) + points


def _dbf(rows: list[dict[str, Any]]) -> bytes:
    size = 1 + WIDTH * len(FIELDS)
    head = struct.pack("<4BIHH20x", 3, 126, 11, 23, len(rows), 33 + 32 * len(FIELDS), size)
    for name in FIELDS:
        head += struct.pack("<11sc4xB15x", name.encode(), b"C", WIDTH)
    body = b"".join(b" " + b"".join(str(row.get(name, "")).encode().ljust(WIDTH) for name in FIELDS) for row in rows)
    return head + b"\r" + body + b"\x1a"
