"""The city, its divisions, its cells, and the layers drawn under them."""

import json
from typing import Any

import numpy
import shapely
from django.contrib.gis.geos import GEOSGeometry
from django.utils.translation import gettext as _

from citysafety import areas
from citysafety.coordinates import METRES_A_DEGREE

from ..models import BaseLayer, Cell, City, Division, GridVersion
from . import layer
from .plan import Plan
from .table import Row, Table

LEVELS = {4: "city", 6: "county", 9: "township", 12: "village"}
OVERLAP_M2 = 25  # less is rounding: five decimals are a metre
M2_A_DEGREE2 = METRES_A_DEGREE**2


def geos(shape: Any) -> GEOSGeometry:
    return GEOSGeometry(memoryview(shapely.to_wkb(shape)), srid=4326)


def upsert(model: type, rows: list, key: str, keep: tuple[str, ...] = ()) -> None:
    """Insert rows or update those whose key exists, all columns but those to keep."""
    fields = [f.name for f in model._meta.concrete_fields if not f.primary_key and not f.generated and f.name != key]
    model.objects.bulk_create(
        rows,
        batch_size=1000,
        update_conflicts=True,
        unique_fields=[key],
        update_fields=[f for f in fields if f not in keep],
    )


# -- reading --------------------------------------------------------------------------------------


def read_city(plan: Plan) -> None:
    for row in Table(plan.folder, "city.csv", plan.problems, columns="code name_zh frame", unique="code"):
        try:
            frame = shapely.from_wkt(row.text("frame", required=True))
        except shapely.GEOSException as error:
            row.wrong(_("bad geometry: %(why)s") % {"why": error})
            continue
        if not frame.is_valid or frame.geom_type not in ("Polygon", "MultiPolygon"):
            row.wrong(_("bad geometry: %(why)s") % {"why": shapely.is_valid_reason(frame)})
            continue
        plan.frame, plan.city_code = frame, _code(row, "code")
        frame = frame if frame.geom_type == "MultiPolygon" else shapely.MultiPolygon([frame])
        plan.rows["city"] = [
            City(
                code=plan.city_code, name_zh=row.text("name_zh", required=True), name_en=row.text("name_en"), frame=geos(frame),
                note_zh=row.text("note_zh", most=200), note_en=row.text("note_en", most=300),
            )
        ]  # fmt: skip


def _code(row: Row, column: str) -> str:
    """Return an area code in its stored form, "" after telling what is wrong."""
    try:
        return areas.normal(row.text(column, required=True))
    except areas.UnknownArea as error:
        row.wrong(str(error))
        return ""


def read_divisions(plan: Plan) -> None:
    table = Table(plan.folder, "divisions.csv", plan.problems, columns="code name_zh level parent", unique="code")
    known = plan.known["division"]
    known |= {code for row in table if (code := row.text("code"))} | {
        c[:4] for r in table if (c := r.text("code"))[4:] == "00"
    }
    found = []
    for row in table:
        code = _code(row, "code")
        if not code:
            continue
        level = row.choice("level", LEVELS.values())
        if LEVELS.get(len(code)) != level:
            row.wrong(_("code %(code)s does not fit level %(level)s") % {"code": code, "level": level})
        parent = row.text("parent")
        parent = (parent[:4] if len(parent) == 6 and parent.endswith("00") else parent) or None
        if level != "city" and (parent not in known or not code.startswith(parent or "-")):
            row.wrong(_("unknown parent %(parent)s of %(code)s") % {"parent": parent or "–", "code": code})
        found.append(
            Division(
                code=code, level=level, parent_id=parent, name_zh=row.text("name_zh", required=True), name_en=row.text("name_en"),
                statistical=row.flag("statistical"),
            )
        )  # fmt: skip
    found.sort(key=lambda division: (len(division.code), division.code))  # parents before children
    plan.rows["division"] = found
    if not plan.city_code and found and found[0].level == "city":
        plan.city_code = found[0].code


def read_outlines(plan: Plan) -> None:
    """Read outlines of divisions, by code; townships without one get the union of their base cells."""
    found = {}
    for feature in layer.features(plan.folder, "outlines", plan.problems, crs=plan.crs, columns="code"):
        code = feature.text("code")
        code = code[:4] if len(code) == 6 and code.endswith("00") else code
        if code not in plan.known["division"]:
            plan.problems.add(feature.file, feature.number, _("unknown division %(code)s") % {"code": code})
        found[code] = feature.shape
    plan.rows["outline"] = [found]


def read_cells(plan: Plan) -> None:
    place = layer.find(plan.folder, "cells")
    found: list[tuple[Cell, Any, int]] = []
    seen: dict[str, int] = {}
    for feature in layer.features(plan.folder, "cells", plan.problems, crs=plan.crs, columns="code"):
        _cell(plan, feature, found, seen)
        if feature.number % 500 == 0:
            plan.progress(_("cells"), feature.number, feature.number)
    if place is None:
        for code, outline in Cell.objects.filter(active=True).values_list("code", "geometry"):
            plan.active_cells[code] = shapely.from_wkb(bytes(outline.wkb))
        return
    plan.active_cells = {cell.code: shape for cell, shape, _n in found if cell.kind != Cell.Kind.SEA}
    _tell_overlaps(plan, place[0], [row for row in found if row[0].kind == Cell.Kind.BASE])
    plan.rows["cell"] = [cell for cell, _s, _n in found]
    plan.rows["cell_shapes"] = [shape for _c, shape, _n in found]
    plan.known["cell"] |= set(seen)


def _cell(plan: Plan, feature: layer.Feature, found: list, seen: dict[str, int]) -> None:
    def wrong(message: str) -> None:
        plan.problems.add(feature.file, feature.number, message)

    code, kind = feature.text("code"), feature.text("kind") or "base"
    if not (code.isascii() and code.isdigit() and len(code) == 15):
        return wrong(_("code “%(code)s” has not 15 digits") % {"code": code})
    if code in plan.ended:
        return wrong(_("cell %(code)s was ended by a re-zoning; the layer is older than the grid") % {"code": code})
    if code in seen:
        return wrong(
            _("duplicate %(column)s %(value)s, first in line %(line)s")
            % {"column": "code", "value": code, "line": seen[code]}
        )
    seen[code] = feature.number
    if kind not in Cell.Kind.values:
        return wrong(
            _("%(column)s: “%(value)s” is none of %(allowed)s")
            % {"column": "kind", "value": kind, "allowed": ", ".join(Cell.Kind.values)}
        )
    division = feature.text("division") or (code[:9] if code[9:12] == "000" else code[:12])
    if division not in plan.known["division"] or not code.startswith(division):
        return wrong(_("unknown parent %(parent)s of %(code)s") % {"parent": division, "code": code})
    if plan.frame is not None and not plan.frame.intersects(feature.shape):
        return wrong(_("cell %(code)s lies outside the city's frame") % {"code": code})
    cell = Cell(
        code=code, kind=kind, division_id=division, name_zh=(feature.text("name_zh") or code)[:120], name_en=feature.text("name_en")[:160],
        focus=feature.text("focus")[:20], synthetic=feature.text("synthetic").lower() in ("1", "true"), active=True,
    )  # fmt: skip
    found.append((cell, feature.shape, feature.number))


def _tell_overlaps(plan: Plan, file: str, base: list[tuple[Cell, Any, int]]) -> None:
    """Tell every pair of base cells that share more ground than rounding explains (GB/T 30428: seamless, no overlap)."""
    if not base:
        return
    shapes = numpy.array([shape for _c, shape, _n in base], dtype=object)
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    left, right = left[left < right], right[left < right]
    shared = shapely.area(shapely.intersection(shapes[left], shapes[right])) * M2_A_DEGREE2
    shared *= numpy.cos(numpy.radians(shapely.bounds(shapes[left])[:, 1])) if len(left) else 1
    for i, j, m2 in zip(left, right, shared, strict=True):
        if m2 > OVERLAP_M2:
            message = _("base cell %(code)s overlaps %(other)s (line %(line)s) by %(m2)s m²")
            plan.problems.add(
                file,
                base[j][2],
                message % {"code": base[j][0].code, "other": base[i][0].code, "line": base[i][2], "m2": round(m2)},
            )


def read_base_layers(plan: Plan) -> None:
    found = []
    for path in sorted((plan.folder / "base").glob("*.geojson")):
        try:
            geojson = json.loads(path.read_text(encoding="utf-8"))
            first = geojson["features"][0]["properties"]
        except (ValueError, KeyError, IndexError, TypeError) as error:
            plan.problems.add(f"base/{path.name}", 1, _("cannot be read: %(error)s") % {"error": error})
            continue
        found.append(BaseLayer(key=path.stem, geojson=geojson, credit=first.get("attribution", "")[:200]))
    plan.rows["base"] = found


# -- writing --------------------------------------------------------------------------------------


def write_places(plan: Plan) -> None:
    for city in plan.rows.get("city", []):
        city.save()
    if plan.rows.get("division"):
        upsert(Division, plan.rows["division"], "code", keep=("outline", "synthetic"))
    for base in plan.rows.get("base", []):
        base.save()


def cells_to_write(plan: Plan) -> tuple[list[Cell], list[int], int, int]:
    """Compare the folder's cells with the database; return (cells to write, ids to withdraw, added, changed)."""
    if "cell" not in plan.rows:
        return [], [], 0, 0
    fields = ("code", "pk", "name_zh", "name_en", "kind", "division_id", "focus", "synthetic", "active", "geometry")
    kept = {row[0]: row[1:] for row in Cell.objects.values_list(*fields)}
    fresh, added, named = [], 0, set()
    for cell, shape in zip(plan.rows["cell"], plan.rows["cell_shapes"], strict=True):
        named.add(cell.code)
        was = kept.get(cell.code)
        same = was and was[1:8] == (
            cell.name_zh,
            cell.name_en,
            cell.kind,
            cell.division_id,
            cell.focus,
            cell.synthetic,
            True,
        )
        if same and shapely.equals_exact(shapely.from_wkb(bytes(was[8].wkb)), shape, 1e-7, normalize=True):
            continue
        added += was is None
        cell.geometry = geos(shape)
        fresh.append(cell)
    withdrawn = [row[0] for code, row in kept.items() if code not in named and row[7]]
    return fresh, withdrawn, added, len(fresh) - added


def write_cells(plan: Plan, fresh: list[Cell], withdrawn: list[int], version: GridVersion) -> None:
    for start in range(0, len(fresh), 1000):
        part = fresh[start : start + 1000]
        for cell in part:
            cell.version = version
        upsert(Cell, part, "code")
        plan.progress(_("cells"), start + len(part), len(fresh))
    Cell.objects.filter(pk__in=withdrawn).update(active=False, version=version)


def write_outlines(plan: Plan) -> None:
    """Write the outlines that the folder gives, and for counties and townships without one the union of their base cells."""
    given = plan.rows["outline"][0] if plan.rows.get("outline") else {}
    groups: dict[str, list[Any]] = {}
    for cell, shape in zip(plan.rows.get("cell", []), plan.rows.get("cell_shapes", []), strict=True):
        if cell.kind == Cell.Kind.BASE:
            for digits in (6, 9):
                groups.setdefault(cell.code[:digits], []).append(shape)
    changed = []
    for division in Division.objects.filter(code__in={*given, *groups}):
        shape = given.get(division.code)
        if shape is None and (division.outline is None or division.synthetic):
            shape, division.synthetic = shapely.union_all(groups[division.code], grid_size=1e-6), True
        if shape is not None:
            shape = shape if shape.geom_type == "MultiPolygon" else shapely.MultiPolygon([shape])
            division.outline = geos(shape)
            changed.append(division)
    Division.objects.bulk_update(changed, ["outline", "synthetic"], batch_size=100)
