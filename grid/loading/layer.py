"""Outlines from GeoJSON, Shapefile (also zipped) and GeoPackage, in any CRS that GDAL knows; out comes WGS 84."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely
from django.contrib.gis.gdal import CoordTransform, DataSource, GDALException, SpatialReference
from django.utils.translation import gettext as _

from .report import Problems

ENDINGS = {
    ".geojson": "{}", ".geojson.gz": "/vsigzip/{}", ".gpkg": "{}", ".shp": "{}", ".shp.zip": "/vsizip/{}", ".zip": "/vsizip/{}",
}  # fmt: skip
WGS84 = 4326


@dataclass(slots=True)
class Feature:
    """One outline with its attributes; ``number`` counts features from 1."""

    file: str
    number: int
    values: dict[str, Any]
    shape: Any

    def text(self, name: str) -> str:
        value = self.values.get(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # codes kept as numbers in a Shapefile
        return str(value).strip() if value is not None else ""


def find(folder: Path, stem: str) -> tuple[str, str] | None:
    """Return (file name, GDAL's address) of a layer in a folder, or None."""
    for ending, address in ENDINGS.items():
        path = folder / f"{stem}{ending}"
        if path.exists():
            return path.name, address.format(path.resolve())
    return None


def features(folder: Path, stem: str, problems: Problems, *, crs: str = "", columns: str = "") -> Iterator[Feature]:
    """Yield the valid features of a layer; the others become problems. ``crs`` is used where the file names none."""
    place = find(folder, stem)
    if place is None:
        return
    file, address = place
    try:
        layer = DataSource(address)[0]
    except (GDALException, IndexError) as error:
        problems.add(file, 1, _("cannot be read: %(error)s") % {"error": error})
        return
    missing = [column for column in columns.split() if column not in layer.fields]
    if missing:
        problems.add(file, 1, _("missing column: %(columns)s") % {"columns": ", ".join(missing)})
        return
    try:
        transform = _transform(layer.srs, crs)
    except (GDALException, UnknownCrs) as error:
        problems.add(
            file, 1, _("unknown CRS: %(error)s") % {"error": error or _("the file names none; say --crs EPSG:…")}
        )
        return
    for number, feature in enumerate(layer, 1):
        values = {name: feature.get(name) for name in layer.fields}
        slip, shape = _shape(feature, transform)
        if slip:
            code = values.get("code") or ""
            problems.add(file, number, f"{code}: {slip}" if code else slip)
            continue
        yield Feature(file, number, values, shape)


class UnknownCrs(ValueError):
    """The layer names no coordinate reference system and none was given."""


def _transform(srs: SpatialReference | None, crs: str) -> CoordTransform | None:
    """Return how to come to WGS 84; None when already there. Axes are east before north, as files store them."""
    if srs is None and not crs:
        raise UnknownCrs
    source = SpatialReference(srs.wkt if srs is not None else crs)
    target = SpatialReference(WGS84)
    if source.geographic and source.srid == WGS84:
        return None
    return CoordTransform(source, target)


def _shape(feature: Any, transform: CoordTransform | None) -> tuple[str, Any]:
    """Return (what is wrong, None) or ("", multipolygon)."""
    try:
        outline = feature.geom
        if transform is not None:
            outline.transform(transform)
        shape = shapely.force_2d(shapely.from_wkb(bytes(outline.wkb)))
    except (GDALException, shapely.GEOSException) as error:
        return _("bad geometry: %(why)s") % {"why": error}, None
    if shape.is_empty or shape.geom_type not in ("Polygon", "MultiPolygon"):
        return _("bad geometry: %(why)s") % {
            "why": _("expected a polygon, found %(kind)s") % {"kind": shape.geom_type}
        }, None
    if not shape.is_valid:
        return _("bad geometry: %(why)s") % {"why": shapely.is_valid_reason(shape)}, None
    return "", shape if shape.geom_type == "MultiPolygon" else shapely.MultiPolygon([shape])
