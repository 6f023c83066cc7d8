"""The catalogue of matters and the register of premises."""

from typing import Any

import numpy
import shapely
from django.utils.translation import gettext as _

from citysafety.accounts.models import Department

from ..models import Cell, ComponentClass, Matter, MatterClass, Premises, PremisesKind, Unit
from ..models.matters import STAGES, Severity
from ..rules import initials
from .people import point
from .places import upsert
from .plan import Plan
from .table import Row, Table

ANYWHERE = "anywhere"  # written in the column for what has no place, such as a vehicle on its way
VERIFIED_WITHIN_M = 300  # where a file says nothing

# -- reading --------------------------------------------------------------------------------------


def read_matters(plan: Plan) -> None:
    classes = Table(plan.folder, "matter_classes.csv", plan.problems, columns="code name_zh", unique="code")
    plan.rows["class"] = [
        MatterClass(
            code=row.text("code", most=4), name_zh=row.text("name_zh", required=True), name_en=row.text("name_en"),
            icon=row.text("icon", most=20),
        )
        for row in classes
    ]  # fmt: skip
    plan.known["class"] |= {row.text("code") for row in classes}
    table = Table(
        plan.folder, "matters.csv", plan.problems,
        columns="code class name_zh department severity accept rectify verify", unique="code",
    )  # fmt: skip
    found = []
    for row in table:
        group, department = row.text("class", required=True), row.text("department", required=True)
        if group and group not in plan.known["class"]:
            row.wrong(_("unknown class %(code)s") % {"code": group})
        if department and department not in plan.known["department"]:
            row.wrong(_("unknown department %(code)s") % {"code": department})
        name = row.text("name_zh", required=True)
        matter = Matter(
            code=row.text("code", most=8), name_zh=name, name_en=row.text("name_en"), pinyin=initials(name)[:60],
            severity=row.choice("severity", Severity.values, "general"), special=row.flag("special"),
            photos_before=row.number("photos_before", low=0), photos_after=row.number("photos_after", default=1, low=0),
            verify_within_m=_within(row), near_m=row.number("near_m", default=50, low=1), sample_recheck=row.flag("sample_recheck"),
            standard_code=row.text("standard_code", most=20), basis=row.text("basis", most=200), icon=row.text("icon", most=20),
            active=row.flag("active", True), updated_at=plan.at, **_clocks(row),
        )  # fmt: skip
        found.append((matter, group, department))
    plan.rows["matter"] = found


def _within(row: Row) -> int | None:
    """Return how near somebody must stand who verifies. A matter without a place says so, by the word; blank is no answer."""
    if row.text("verify_within_m") == ANYWHERE:
        return None
    return row.number("verify_within_m", default=VERIFIED_WITHIN_M, low=1)


def _clocks(row: Row) -> dict[str, Any]:
    """Return the columns of the clocks from texts such as "4 work_hours"; the whole case need not have one."""
    found: dict[str, Any] = {}
    for stage in (*STAGES, *(["total"] if row.text("total") else [])):
        amount, _space, unit = row.text(stage, required=True).partition(" ")
        if not amount.isdigit() or int(amount) < 1 or unit not in Unit.values:
            row.wrong(
                _("%(column)s: “%(value)s” is not an amount and a unit (%(units)s)")
                % {"column": stage, "value": row.text(stage), "units": ", ".join(Unit.values)}
            )
            amount, unit = "1", Unit.WORK_DAYS.value
        found |= {f"{stage}_amount": int(amount), f"{stage}_unit": unit}
    return found


def read_component_classes(plan: Plan) -> None:
    table = Table(plan.folder, "component_classes.csv", plan.problems, columns="code name_zh", unique="code")
    for row in table:
        code = row.text("code")
        if not (code.isascii() and code.isdigit() and len(code) in (2, 4)):
            row.wrong(_("code: “%(value)s” has not two digits, or four") % {"value": code})
    plan.rows["component class"] = [
        ComponentClass(
            code=row.text("code", most=4), name_zh=row.text("name_zh", required=True), name_en=row.text("name_en"),
            illustrative=row.flag("illustrative"), source=row.text("source", most=200), active=row.flag("active", True),
        )
        for row in table
    ]  # fmt: skip


def read_premises(plan: Plan) -> None:
    kinds = Table(plan.folder, "premises_kinds.csv", plan.problems, columns="code name_zh measure", unique="code")
    found = [
        PremisesKind(
            code=row.text("code", most=20), name_zh=row.text("name_zh", required=True), name_en=row.text("name_en"),
            nine_small=row.flag("nine_small"), measure=row.choice("measure", PremisesKind.Measure.values),
            limit=row.number("limit", default=None, low=1), source=row.text("source", most=200), icon=row.text("icon", most=20),
            position=row.line,
        )
        for row in kinds
    ]  # fmt: skip
    plan.rows["kind"] = found
    plan.known["kind"] |= {kind.code for kind in found}
    limits = {kind.code: kind for kind in [*PremisesKind.objects.all(), *found]}
    table = Table(plan.folder, "premises.csv", plan.problems, columns="code kind name_zh lon lat", unique="code")
    plan.rows["premises"] = [place for row in table if (place := _premises(plan, row, limits))]


def _premises(plan: Plan, row: Row, kinds: dict[str, PremisesKind]) -> Premises | None:
    kind = row.text("kind", required=True)
    if kind not in kinds:
        row.wrong(_("unknown kind of premises %(code)s") % {"code": kind})
        return None
    size = row.number("size", low=0)
    if kinds[kind].limit and size > kinds[kind].limit:
        row.wrong(
            _("size %(size)s is above the limit of %(kind)s, %(limit)s")
            % {"size": size, "kind": kinds[kind].name, "limit": kinds[kind].limit}
        )
    location = point(plan, row, required=True)
    return Premises(
        code=row.text("code", most=24), kind_id=kind, name_zh=row.text("name_zh", required=True), name_en=row.text("name_en"),
        location=location, size=size, floor_area_m2=row.number("floor_area_m2", low=0), responsible=row.text("responsible", most=60),
        phone=row.text("phone", most=20), address=row.text("address", most=200), active=row.flag("active", True),
        synthetic=row.flag("synthetic", True),
    )  # fmt: skip


# -- writing --------------------------------------------------------------------------------------


def write_matters(plan: Plan) -> None:
    upsert(MatterClass, plan.rows.get("class", []), "code")
    classes = dict(MatterClass.objects.values_list("code", "pk"))
    departments = dict(Department.objects.values_list("code", "pk"))
    matters = []
    for matter, group, department in plan.rows.get("matter", []):
        matter.matter_class_id, matter.department_id = classes[group], departments[department]
        matters.append(matter)
    upsert(Matter, matters, "code")


def write_premises(plan: Plan) -> None:
    """Write the register, each place resolved to the cells that hold it."""
    upsert(ComponentClass, plan.rows.get("component class", []), "code")
    upsert(PremisesKind, plan.rows.get("kind", []), "code")
    places = plan.rows.get("premises", [])
    if places:
        ids = {
            code: (pk, kind) for code, pk, kind in Cell.objects.filter(active=True).values_list("code", "pk", "kind")
        }
        for kind, column in ((Cell.Kind.BASE, "cell_id"), (Cell.Kind.DEDICATED, "dedicated_cell_id")):
            codes = [code for code in plan.active_cells if ids[code][1] == kind]
            holders = _holders(places, [plan.active_cells[code] for code in codes])
            for place, holder in zip(places, holders, strict=True):
                setattr(place, column, ids[codes[holder]][0] if holder >= 0 else None)
                if kind == Cell.Kind.BASE:
                    place.area_code = codes[holder] if holder >= 0 else plan.city_code
    for start in range(0, len(places), 1000):
        upsert(Premises, places[start : start + 1000], "code")
        plan.progress(_("premises"), min(start + 1000, len(places)), len(places))


def _holders(places: list[Premises], shapes: list[Any]) -> list[int]:
    """Return, for each place, the index of the outline that holds it, -1 without one."""
    found = numpy.full(len(places), -1)
    if shapes:
        points = shapely.points([(place.location.x, place.location.y) for place in places])
        which, holder = shapely.STRtree(shapes).query(points, predicate="intersects")
        found[which[::-1]] = holder[::-1]
    return found.tolist()
