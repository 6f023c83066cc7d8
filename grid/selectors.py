"""Reads of the grid that span tables or feed a screen."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib.gis.db.models import Extent
from django.contrib.gis.geos import Polygon
from django.core.cache import cache
from django.db import connection
from django.db.models import BigIntegerField, Exists, OuterRef, Prefetch, Q, QuerySet
from django.db.models.functions import Cast

from citysafety import areas
from citysafety.accounts.models import Department
from citysafety.accounts.rights import area_q
from citysafety.coordinates import METRES_A_DEGREE, metres_between
from citysafety.names import chosen
from citysafety.tallies import selectors as tallies

from .models import (
    BaseLayer,
    Cell,
    Centre,
    City,
    Component,
    ComponentImport,
    Division,
    DraftCell,
    GridVersion,
    Matter,
    MatterClass,
    Posting,
    Premises,
    Rezoning,
    Succession,
    Worker,
    shapes_of,
)

FRAME_KEPT_S = 3600
MOST_NEAR_BY = 500  # components looked at around a point


@dataclass(frozen=True, slots=True)
class Responsible:
    """Who answers for a cell on a day: its primary, else a backup on duty, else a centre (then no person)."""

    role: str  # primary | backup | centre | none
    worker_id: int | None = None
    user_id: int | None = None
    name_zh: str = ""
    name_en: str = ""
    phone: str = ""
    area_code: str = ""

    @property
    def name(self) -> str:
        return chosen(self.name_zh, self.name_en)


NOBODY = Responsible("none")
MATTER = tuple(field.attname for field in Matter._meta.concrete_fields)
# In plain SQL: to spell it takes Django longer than PostgreSQL to answer it, and every filing asks it.
MATTER_WITH_CELLS = f"""
SELECT {", ".join(f"m.{name}" for name in MATTER)}, k.code, k.name_zh, k.name_en,
  ARRAY(SELECT ARRAY[c.id::text, c.code, c.name_zh, c.name_en, c.kind] FROM grid_cell c WHERE c.id = ANY (%s)), {{besides}}
FROM grid_matter m JOIN grid_matterclass k ON k.id = m.matter_class_id WHERE m.code = %s AND m.active"""


def matter_with_cells(
    code: str, *cell_ids: int | None, besides: str = "NULL"
) -> tuple[Matter | None, dict[int, Cell], Any]:
    """Return an active matter with its class, cells by id without their outlines, and what an expression of SQL that is
    asked ``besides`` gives; nothing without the matter. Queries: 1.
    """
    with connection.cursor() as cursor:
        cursor.execute(MATTER_WITH_CELLS.format(besides=besides), [[pk for pk in cell_ids if pk], code])
        found = cursor.fetchone()
    if found is None:
        return None, {}, None
    *values, class_code, class_zh, class_en, cells, more = found
    matter = Matter.from_db(connection.alias, MATTER, values)
    matter.matter_class = MatterClass(id=matter.matter_class_id, code=class_code, name_zh=class_zh, name_en=class_en)
    named = [Cell(id=int(pk), code=code, name_zh=zh, name_en=en, kind=kind) for pk, code, zh, en, kind in cells]
    return matter, {cell.pk: cell for cell in named}, more


def responsible(cell: Cell, on: date) -> Responsible:
    """Return who answers for a cell on a day. Queries: 2, or 1 when a person does."""
    return responsible_for([cell], on)[cell.pk]


def responsible_for(cells: Iterable[Cell], on: date) -> dict[int, Responsible]:
    """Return who answers for each of several cells, by cell id. Queries: 2, or 1 when persons answer for all."""
    cells = list(cells)
    found: dict[int, Responsible] = {}
    postings = (
        Posting.objects.on(on)
        .filter(cell__in=[cell.pk for cell in cells], worker__state=Worker.State.ON_DUTY)
        .select_related("worker__user")
        .order_by("cell_id", "-role", "since", "pk")  # primary before backup, the longest serving first
    )
    for posting in postings:
        worker = posting.worker
        found.setdefault(
            posting.cell_id,
            Responsible(
                posting.role, worker.pk, worker.user_id, worker.user.name_zh, worker.user.name_en, worker.phone,
                worker.area_code,
            ),
        )  # fmt: skip
    bare = [cell for cell in cells if cell.pk not in found]
    if bare:
        found |= _centres_for(bare)
    return found


def _centres_for(cells: list[Cell]) -> dict[int, Responsible]:
    """Return the centre of each cell's township, else of its county. Queries: 1."""
    codes = {cell.code[:digits] for cell in cells for digits in (9, 6, 4)}
    centres = {centre.division_id: centre for centre in Centre.objects.filter(division__in=codes)}
    found = {}
    for cell in cells:
        centre = next((centres[cell.code[:n]] for n in (9, 6, 4) if cell.code[:n] in centres), None)
        found[cell.pk] = (
            Responsible("centre", None, None, centre.name_zh, centre.name_en, centre.phone, centre.division_id)
            if centre
            else NOBODY
        )
    return found


def rezonings_seen_by(user: Any) -> QuerySet[Rezoning]:
    """Return the re-zonings a person may see, with people, versions and codes. Queries: 3."""
    lean = Cell.objects.only("pk", "code").order_by("code")
    drawn = DraftCell.objects.only("pk", "code", "rezoning_id").order_by("code")
    rows = Rezoning.objects.visible_to(user).select_related(
        "drafted_by", "approved_by", "grid_version", "rollback_version"
    )
    return rows.prefetch_related(Prefetch("ends", lean), Prefetch("draws", drawn)).order_by("-drafted_at", "id")


def rezonings_of_cell(code: str) -> QuerySet[Rezoning]:
    """Return the re-zonings that ended a cell or began it. Queries: 1."""
    return Rezoning.objects.filter(Q(ends__code=code) | Q(draws__code=code)).distinct()


def successors(cell: Cell) -> list[tuple[str, float]]:
    """Return the cells that took the ground of one that ended, with their shares of it; none of one that stands. Queries: 1."""
    if cell.ended_at is None:
        return []
    rows = Succession.objects.filter(old=cell.pk, version=cell.version_id).order_by("new__code")
    return list(rows.values_list("new__code", "share"))


def heirs(cell_ids: Iterable[int]) -> set[int]:
    """Return the ids of the active cells that lie today where some cells ended. Queries: 2 for each re-zoning in a row."""
    standing: set[int] = set()
    seen, asked = set(), set(cell_ids)
    while asked:
        seen |= asked
        ended = Cell.objects.filter(pk__in=asked, ended_at__isnull=False).values_list("pk", "version_id")
        following = Q(pk__in=[])
        for pk, version in ended:
            following |= Q(old=pk, version=version)
        found = dict(Succession.objects.filter(following).values_list("new", "new__active"))
        standing |= {pk for pk, is_active in found.items() if is_active}
        asked = {pk for pk, is_active in found.items() if not is_active} - seen
    return standing


def workers_of_area(area_code: str) -> QuerySet[Worker]:
    """Return the workers who are counted in an area and still serve. Queries: 1."""
    return Worker.objects.within(area_code).exclude(state=Worker.State.LEFT).select_related("user", "centre")


def department_for(matter: Matter, area_code: str) -> Department:
    """Return the office of a matter in an area: the branch of its home department there, else that. Queries: 1."""
    branches = Department.objects.filter(parent=matter.department_id).order_by("-area_code", "code")
    return next((branch for branch in branches if area_code.startswith(branch.area_code)), matter.department)


def matters_offered() -> QuerySet[Matter]:
    """Return the active catalogue with class and home department. Queries: 1."""
    return Matter.objects.active().select_related("matter_class", "department").order_by("code")


def cells_listed(on: date) -> QuerySet[Cell]:
    """Return cells with whether anybody on duty answers for them on a day (``staffed``). Queries: 1."""
    served = Posting.objects.on(on).filter(cell=OuterRef("pk"), worker__state=Worker.State.ON_DUTY)
    return Cell.objects.select_related("division").shapeless().annotate(staffed=Exists(served))


def workers_listed(on: date) -> QuerySet[Worker]:
    """Return workers with user and centre and whether they count as assigned on a day. Queries: 1."""
    posted = Posting.objects.on(on).filter(worker=OuterRef("pk"))
    return Worker.objects.select_related("user", "centre").annotate(posted=Exists(posted))


def premises_listed() -> QuerySet[Premises]:
    """Return premises with kind and cells. Queries: 1."""
    rows = Premises.objects.select_related("kind", "cell", "dedicated_cell")
    return rows.defer(*shapes_of("cell", "dedicated_cell"))


def components_listed() -> QuerySet[Component]:
    """Return components with class, department and cell. Queries: 1."""
    rows = Component.objects.select_related("kind", "department", "cell")
    return rows.defer(*shapes_of("cell"))


def components_near(user: Any, *, lon: float, lat: float, within_m: float) -> list[tuple[Component, int]]:
    """Return the components around a point that a reader may see, with their metres, the nearest first. Queries: 1."""
    north = within_m / METRES_A_DEGREE
    east = north / max(math.cos(math.radians(lat)), 0.01)
    frame = Polygon.from_bbox((lon - east, lat - north, lon + east, lat + north))
    frame.srid = 4326
    around = components_listed().filter(area_q(user), location__bboverlaps=frame)[:MOST_NEAR_BY]
    found = [(one, metres_between((lon, lat), (one.location.x, one.location.y))) for one in around]
    return [(one, round(far)) for one, far in sorted(found, key=lambda pair: pair[1]) if far <= within_m]


def imports_seen_by(user: Any) -> QuerySet[ComponentImport]:
    """Return the imports of components in a person's area, the newest first. Queries: 1."""
    return ComponentImport.objects.filter(area_q(user)).select_related("by", "applied_by")


def pinned(rows: QuerySet, *, kind: str, figure: str, area: str, at: int | None) -> QuerySet:
    """Keep the rows that a figure counted in an area at a position: its list. Queries: 1, and the caller's.

    :raises citysafety.tallies.selectors.PositionGone: the position is no longer readable.
    """
    members = tallies.members(kind, figure, area, at)
    return rows.filter(pk__in=members.annotate(row_id=Cast("subject_id", BigIntegerField())).values("row_id"))


def burden(area_code: str) -> str:
    """Return open and overdue hazards by cell and the position they stand at, as JSON. Queries: 2."""
    position = tallies.standing().position
    cells = tallies.cell_counts(("hazards.open", "hazards.overdue"), area_code)
    return f'{{"area": "{area_code}", "position": {position}, "cells": {cells}}}'


def catalogue_stamp() -> str:
    """Return a text that changes with any change of the catalogue. Queries: 1."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), extract(epoch FROM max(m.updated_at)), sum(hashtext(c.name_zh || c.name_en || d.name_zh || d.name_en))"
            " FROM grid_matter m JOIN grid_matterclass c ON c.id = m.matter_class_id"
            " JOIN accounts_department d ON d.id = m.department_id WHERE m.active"
        )
        return "-".join(str(part) for part in cursor.fetchone())


def area_exists(code: str) -> bool:
    """Test whether a division or a cell has a code. Queries: 1."""
    kind = Cell if len(code) == areas.LEVELS[-1] else Division
    return kind.objects.filter(code=code).exists()


def active_version() -> int:
    """Return the number of the active grid version, 0 without any. Queries: 1."""
    return (
        GridVersion.objects.exclude(activated_at=None).order_by("-number").values_list("number", flat=True).first() or 0
    )


def map_sources() -> dict[str, Any]:
    """Return the version of the cells, the addresses of tiles and base layers, and what the map must say. Queries: 3."""
    version = active_version()
    city = City.objects.order_by("code").first()
    credits = [credit for credit in BaseLayer.objects.values_list("credit", flat=True) if credit]
    bounds = city.frame.extent if city else (-180, -85, 180, 85)
    return {
        "version": version,
        "tiles": f"/tiles/{version}/cells/{{z}}/{{x}}/{{y}}.mvt",
        "base": {name: f"/tiles/{version}/base/{name}.geojson" for name in ("counties", "townships", "sea", "river")},
        "bounds": [[bounds[0], bounds[1]], [bounds[2], bounds[3]]],
        "credits": list(dict.fromkeys(credits)),
        "note": chosen(city.note_zh, city.note_en) if city else "",
    }


def map_frame(area: str, version: int) -> list[list[float]]:
    """Return the frame of an area's cells on land, [[west, south], [east, north]] in degrees; empty where there are
    none. Queries: 1, or 0 within the hour.
    """
    key = f"map-frame:{version}:{area}"
    frame: list[list[float]] | None = cache.get(key)
    if frame is None:
        cells = Cell.objects.active().within(area).exclude(kind=Cell.Kind.SEA)
        extent = cells.aggregate(frame=Extent("geometry"))["frame"]
        frame = [list(extent[:2]), list(extent[2:])] if extent else []
        cache.set(key, frame, FRAME_KEPT_S)
    return frame
