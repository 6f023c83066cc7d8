"""Import components: a dry run that says what a file would do, and the second step that does exactly that."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

import numpy
import shapely
from django.db import connection, transaction
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _

from citysafety.accounts.models import Department, User
from citysafety.accounts.rights import judge
from citysafety.bulk import copy_in

from .. import locate
from ..components.reading import Checker, Known, Line, NotRead, source_of
from ..models import ComponentClass, ComponentImport, Division, ImportedRow
from ..selectors import active_version

IMPORTERS = ("administrator:area",)
A_BATCH = 5_000  # lines held at once
Outcome = ImportedRow.Outcome

# What a file's columns are in the table of components; "place" stands for the three that a point decides.
TABLE_COLUMNS = {
    "name_zh": ("name_zh",), "name_en": ("name_en",), "department": ("department_id",), "owner": ("owner",),
    "maintainer": ("maintainer",), "state": ("state",), "lon": ("location", "cell_id", "area_code"),
    "surveyed_on": ("surveyed_on",), "note": ("note",),
}  # fmt: skip
SAID_AS = {"department_id": "department", "cell_id": "cell", "area_code": ""}  # differences as pages name them
STAGED = (
    "load_id", "line", "outcome", "errors", "code", "kind_id", "name_zh", "name_en", "department_id", "owner",
    "maintainer", "state", "location", "cell_id", "area_code", "surveyed_on", "note",
)  # fmt: skip
WRITTEN = STAGED[4:]

FOREIGN = """
UPDATE grid_importedrow r SET outcome = 'wrong', errors = jsonb_build_array(jsonb_build_array('code', r.code, 'own', %(area)s::text))
FROM grid_component c WHERE c.code = r.code AND r.load_id = %(load)s AND r.outcome <> 'wrong' AND NOT starts_with(c.area_code, %(area)s)"""
COMPARED = """
UPDATE grid_importedrow r SET fields = d.fields, outcome = CASE WHEN d.is_known IS NULL THEN 'new' WHEN d.fields = '{{}}' THEN 'unchanged' ELSE 'changed' END
FROM (SELECT o.id, c.id AS is_known, array_remove(ARRAY[{differences}]::varchar[], NULL) AS fields
  FROM grid_importedrow o LEFT JOIN grid_component c USING (code) WHERE o.load_id = %(load)s AND o.outcome <> 'wrong') d
WHERE d.id = r.id"""
# Of whole rows: whatever anybody changes in what the file speaks of, or adds to it, makes another one.
STANDS = """
SELECT coalesce(string_agg(md5(c::text), '' ORDER BY c.code), '') FROM grid_component c
JOIN grid_importedrow r USING (code) WHERE r.load_id = %(load)s AND r.outcome <> 'wrong'"""
APPLY = """
INSERT INTO grid_component ({columns}, changed_at, synthetic)
SELECT {values}, %(at)s, %(synthetic)s FROM grid_importedrow WHERE load_id = %(load)s AND outcome IN ('new', 'changed')
ON CONFLICT (code) DO UPDATE SET {sets}, changed_at = EXCLUDED.changed_at"""
RELOCATE = """
UPDATE grid_importedrow r SET cell_id = v.cell, area_code = v.area
FROM unnest(%s::bigint[], %s::bigint[], %s::varchar[]) AS v(id, cell, area)
WHERE r.id = v.id AND (r.cell_id, r.area_code) IS DISTINCT FROM (v.cell, v.area)"""


class NotImported(Exception):
    """The import is not what the confirmation was about; ``rule`` says why: stale or applied."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def may_import(user: User, area_code: str = "") -> bool:
    """Test whether a person imports components of an area, the own one without a code."""
    subject = ComponentImport(area_code=area_code or user.area_code)
    return bool(user.area_code) and any(judge(user, one, subject).allowed for one in IMPORTERS)


@transaction.atomic
def try_import(
    *, id: UUID, name: str, data: bytes, datum: str, by: User, at: datetime, synthetic: bool = False
) -> ComponentImport:
    """Read a file and keep what it would do; nothing changes in the register. The same id again answers the same.

    Queries: about 15, and 1 a 5,000 lines.

    :raises NotRead: the file as a whole cannot be read.
    """
    if known := ComponentImport.objects.filter(pk=id).first():
        return known
    source = source_of(name, data)
    load = ComponentImport.objects.create(
        id=id, by=by, at=at, area_code=by.area_code, file_name=name[-200:], file_sha256=hashlib.sha256(data).hexdigest(),
        datum=datum, columns=source.columns, table_hash="", synthetic=synthetic,
    )  # fmt: skip
    checker = Checker(_known(at), datum)
    while lines := list(islice(source.lines, A_BATCH)):
        for line in lines:
            checker.check(line)
        _locate(lines, by.area_code)
        copy_in("grid_importedrow", STAGED, (_staged(load, line) for line in lines))
    if not load.rows.exists():
        raise NotRead(_("The file holds no component below its titles."))
    _compare(load)
    return load


def _known(at: datetime) -> Known:
    """Return what lines may refer to. Queries: 3."""
    offices: dict[str, int | None] = {}
    for pk, code, *names in Department.objects.values_list("pk", "code", "name_zh", "name_en"):
        offices[code] = pk
        for name in filter(None, dict.fromkeys(names)):
            offices[name] = pk if offices.get(name, pk) == pk else None
    return Known(
        counties=frozenset(Division.objects.filter(level=Division.Level.COUNTY).values_list("code", flat=True)),
        classes={
            code: (zh, en)
            for code, zh, en in ComponentClass.objects.filter(active=True).values_list("code", "name_zh", "name_en")
            if len(code) == 4
        },
        departments=offices,
        today=timezone.localdate(at),
    )


def _locate(lines: Sequence[Line], area: str) -> None:
    """Find the cells of many lines at once, and refuse places outside the city or the importer's area."""
    placed = [line for line in lines if "place" in line.values]
    if not placed:
        return
    lon, lat = numpy.array([line.values["place"] for line in placed]).T
    index = locate.current()
    is_inside = shapely.intersects_xy(index.frame, lon, lat).tolist()
    for line, (cell, area_code), inside in zip(placed, _cells(index, lon, lat), is_inside, strict=True):
        place = ", ".join(str(number) for number in line.values["place"])
        if not inside:
            line.wrong("location", place, "city")
        elif not area_code.startswith(area):
            line.wrong("location", place, "area", area)
        line.values |= {"cell_id": cell, "area_code": area_code}


def _cells(index: Any, lon: Any, lat: Any) -> Iterator[tuple[int | None, str]]:
    """Yield for each point its cell's key and the area it lies in, as :meth:`grid.locate.Index.place` says."""
    for base, dedicated, sea in zip(*(found.tolist() for found in index.places(lon, lat)), strict=True):
        cell = index.base.cells[base] if base >= 0 else index.sea.cells[sea] if sea >= 0 else None
        around = cell or (index.dedicated.cells[dedicated] if dedicated >= 0 else None)
        yield cell[0] if cell else None, around[1] if around else index.city_code


def _staged(load: ComponentImport, line: Line) -> list[Any]:
    """Return a line as a row of the import; of a wrong one only what is wrong."""
    if line.errors:
        code = line.values.get("code", "")[:16]
        return [load.pk, line.number, "wrong", json.dumps(line.errors), code, *[None] * (len(WRITTEN) - 1)]
    values = line.values
    lon, lat = values["place"]
    texts = [values.get(name) or "" for name in ("name_zh", "name_en")]
    return [
        load.pk, line.number, "new", None, values["code"], values["kind_id"], *texts, values["department_id"],
        values.get("owner", ""), values.get("maintainer", ""), values["state"], f"SRID=4326;POINT({lon!r} {lat!r})",
        values["cell_id"], values["area_code"], values["surveyed_on"], values.get("note", ""),
    ]  # fmt: skip


def _brought(load: ComponentImport) -> list[str]:
    """Return the columns of the table that a file decides; what it does not bring stays as it is."""
    return [column for name, columns in TABLE_COLUMNS.items() if name in load.columns for column in columns]


def _compare(load: ComponentImport) -> None:
    """Say of each line what it means for the table as it is now, and keep the hash of that. Queries: 6."""
    says = (
        f"CASE WHEN o.{column} IS DISTINCT FROM c.{column} THEN '{SAID_AS.get(column, column)}' END"
        for column in _brought(load)
        if SAID_AS.get(column, column)
    )
    asked = {"load": load.pk, "area": load.area_code}
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE grid_importedrow")
        cursor.execute(FOREIGN, asked)
        cursor.execute(COMPARED.format(differences=", ".join(says)), asked)
    counts = dict(load.rows.order_by().values_list("outcome").annotate(n=Count("pk")))
    for outcome in Outcome.values:
        setattr(load, outcome, counts.get(outcome, 0))
    load.table_hash = _table_hash(load)
    load.save(update_fields=[*Outcome.values, "table_hash"])


def _table_hash(load: ComponentImport) -> str:
    """Return the hash of what stands in the table under the file's codes, and of the cells they were found in. Queries: 2."""
    with connection.cursor() as cursor:
        cursor.execute(STANDS, {"load": load.pk})
        (rows,) = cursor.fetchone()
    return hashlib.sha256(f"{active_version()}:{rows}".encode()).hexdigest()


def apply_import(*, load_id: UUID, table_hash: str, by: User, at: datetime) -> ComponentImport:
    """Do what a dry run showed, all of it or nothing. Applied once, it stays applied: asked again, it answers the same.

    Queries: about 9, however many lines.

    :raises NotImported: the table changed since ``table_hash`` was shown; the dry run was made anew and is to be read again.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE grid_component IN SHARE ROW EXCLUSIVE MODE")  # readers and filings go on
        load = ComponentImport.objects.select_for_update().get(pk=load_id)
        if load.state == ComponentImport.State.APPLIED:
            return load
        is_stale = load.table_hash != table_hash or _table_hash(load) != table_hash
        if is_stale:
            _relocate_lines(load)
            _compare(load)
        else:
            _write(load, at)
            load.state, load.applied_at, load.applied_by = ComponentImport.State.APPLIED, at, by
            load.save(update_fields=["state", "applied_at", "applied_by"])
            load.rows.exclude(outcome=Outcome.WRONG).delete()
    if is_stale:
        raise NotImported("stale")
    return load


def _write(load: ComponentImport, at: datetime) -> None:
    columns = ", ".join(WRITTEN)
    sets = ", ".join(f"{column} = EXCLUDED.{column}" for column in _brought(load))
    with connection.cursor() as cursor:
        cursor.execute(
            APPLY.format(columns=columns, values=columns, sets=sets),
            {"load": load.pk, "at": at, "synthetic": load.synthetic},
        )
        cursor.execute("ANALYZE grid_component")


def _relocate_lines(load: ComponentImport) -> None:
    """Find the cells of an import's lines again: the grid may have been drawn anew since. Queries: 2."""
    places = list(load.rows.exclude(outcome=Outcome.WRONG).values_list("pk", "location"))
    if not places:
        return
    lon, lat = numpy.array([(place.x, place.y) for _pk, place in places]).T
    cells, areas = zip(*_cells(locate.current(), lon, lat), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(RELOCATE, [[pk for pk, _place in places], list(cells), list(areas)])
