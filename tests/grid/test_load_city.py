"""Loading a city: every kind of problem is told with file and line, and it is all or nothing."""

import json
import zipfile
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.gis.gdal import CoordTransform, SpatialReference
from django.contrib.gis.geos import GEOSGeometry
from django.core.management import call_command

from citysafety.accounts.models import Department, User
from citysafety.outbox.models import OutboxEntry
from citysafety.tallies.selectors import board
from grid.models import Cell, Centre, City, Division, GridVersion, Matter, Posting, Premises, Worker
from grid.services import CityRefused, load_city

from .conftest import AWAY, CELLS, HOME, NOON, TABLES, feature, relay, square, write_cells, write_table
from .shapefile import write_shapefile

pytestmark = pytest.mark.django_db
MODELS = (City, Division, Cell, Department, Centre, Worker, User, Posting, Matter, Premises, GridVersion, OutboxEntry)


def counts() -> list[int]:
    return [model.objects.count() for model in MODELS]


def refused(folder: Path) -> list[str]:
    """Load what must be refused; return its problems after checking that nothing was changed."""
    before = counts()
    with pytest.raises(CityRefused) as refusal:
        load_city(folder, at=NOON)
    assert counts() == before
    return [str(problem) for problem in refusal.value.problems.listed]


def test_a_faultless_folder_is_loaded_with_news_and_figures(folder):
    report = load_city(folder, at=NOON)

    assert report.rows == {
        "city": 1, "division": 7, "cell": 5, "department": 2, "centre": 3, "worker": 3, "class": 1, "matter": 2, "kind": 2, "premises": 3,
    }  # fmt: skip
    assert Cell.objects.get(code=f"{HOME}001").area_km2 == pytest.approx(24.5, abs=0.3)
    assert list(OutboxEntry.objects.values_list("topic", flat=True)) == ["grid.version_activated"]
    relay()
    assert {key: board("3705").figures[key] for key in ("workers.assigned", "cells.active", "premises.total", "premises.area_m2")} == {
        "workers.assigned": 2, "cells.active": 5, "premises.total": 3, "premises.area_m2": 5700,
    }  # fmt: skip
    assert board("370503").figures["premises.area_m2"] == 700


def test_premises_know_the_cells_that_hold_them(folder):
    load_city(folder, at=NOON)

    shop, centre = Premises.objects.order_by("code")[:2]
    assert (shop.cell.code, shop.dedicated_cell.code, shop.area_code) == (f"{HOME}001", f"{HOME}501", f"{HOME}001")
    assert (centre.cell.code, centre.dedicated_cell) == (f"{HOME}002", None)


def test_townships_without_an_outline_get_the_union_of_their_cells(folder):
    load_city(folder, at=NOON)

    town = Division.objects.get(code="370502001")
    assert town.synthetic
    assert town.outline.extent == pytest.approx((118.5, 37.4, 118.6, 37.45))


def test_loading_twice_changes_nothing_and_announces_no_new_drawing(folder):
    load_city(folder, at=NOON)
    before = counts()
    report = load_city(folder, at=NOON)

    assert report.version is None
    assert counts()[:-1] == before[:-1]


def test_a_changed_folder_updates_rows_and_keeps_the_rights_of_users(folder, edit):
    load_city(folder, at=NOON)
    User.objects.filter(username="dy00001").update(username="worker1", area_code="370502")
    edit("workers.csv", 0, name_zh="张伟强", primary=f"{HOME}001", area="370502001")
    write_cells(folder, CELLS[:4])

    report = load_city(folder, at=NOON)

    worker = Worker.objects.select_related("user").get(number="DY00001")
    assert (worker.user.username, worker.user.name_zh, worker.user.area_code) == ("worker1", "张伟强", "370502")
    assert not worker.postings.filter(cell__code=f"{HOME}501", until=None).exists()
    assert not Cell.objects.get(kind="sea").active
    assert report.version == 2


def test_a_dry_run_checks_all_and_changes_nothing(folder):
    before = counts()
    report = load_city(folder, at=NOON, dry_run=True)

    assert report.dry_run
    assert report.rows["cell"] == 5
    assert counts() == before


@pytest.mark.parametrize(
    ("table", "row", "values", "told"),
    [
        ("divisions.csv", 3, {"parent": "370599"}, "divisions.csv:5: unknown parent 370599 of 370502001"),
        ("divisions.csv", 5, {"code": "370502001"}, "divisions.csv:7: duplicate code 370502001, first in line 5"),
        ("divisions.csv", 1, {"level": "village"}, "divisions.csv:3: code 370502 does not fit level village"),
        ("departments.csv", 1, {"parent": "nobody"}, "departments.csv:3: unknown parent nobody of 370502-XF"),
        ("centres.csv", 0, {"posts": "many"}, "centres.csv:2: posts: “many” is not a number"),
        ("centres.csv", 0, {"lon": "2.3", "lat": "48.8"}, "centres.csv:2: 2.3, 48.8 lies outside the city's frame"),
        ("workers.csv", 0, {"centre": "nowhere"}, "workers.csv:2: unknown centre nowhere"),
        ("workers.csv", 1, {"primary": f"{HOME}001", "backup": ""}, f"workers.csv:3: cell {HOME}001 has its responsible worker in line 2"),
        ("workers.csv", 2, {"primary": "370503001001999"}, "workers.csv:4: unknown cell 370503001001999"),
        ("workers.csv", 0, {"since": "1 March"}, "workers.csv:2: since: “1 March” is not a day (YYYY-MM-DD)"),
        ("workers.csv", 0, {"name_zh": ""}, "workers.csv:2: column name_zh is empty"),
        ("matters.csv", 1, {"rectify": "2 fortnights"}, "matters.csv:3: rectify: “2 fortnights” is not an amount and a unit (urgent_hours, work_hours, work_days)"),
        ("matters.csv", 0, {"department": "3705-ZZ"}, "matters.csv:2: unknown department 3705-ZZ"),
        ("matters.csv", 0, {"verify_within_m": "near"}, "matters.csv:2: verify_within_m: “near” is not a number"),
        ("matters.csv", 0, {"severity": "dreadful"}, "matters.csv:2: severity: “dreadful” is none of general, major"),
        ("premises.csv", 0, {"size": "301"}, "premises.csv:2: size 301 is above the limit of Small shop, 300"),
        ("premises.csv", 0, {"kind": "castle"}, "premises.csv:2: unknown kind of premises castle"),
        ("city.csv", 0, {"frame": "POLYGON((0 0, 1 1))"}, "city.csv:2: bad geometry"),
    ],
)  # fmt: skip
def test_a_wrong_row_is_told_with_its_file_and_line(folder, edit, settings, table, row, values, told):
    settings.LANGUAGE_CODE = "en"
    edit(table, row, **values)

    assert any(problem.startswith(told) for problem in refused(folder)), refused(folder)


def test_a_missing_column_is_told_by_name(folder, settings):
    settings.LANGUAGE_CODE = "en"
    write_table(folder, "departments.csv", [{"code": "A", "name_zh": "甲"}])

    assert refused(folder)[0] == "departments.csv:1: missing column: area"


BOW_TIE = {
    "type": "Polygon",
    "coordinates": [[[118.5, 37.4], [118.6, 37.5], [118.6, 37.4], [118.5, 37.5], [118.5, 37.4]]],
}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (feature(f"{HOME}003", square(118.57, 37.42)), f"cells.geojson:6: base cell {HOME}003 overlaps {HOME}002 (line 2) by"),
        (feature(f"{HOME}003", BOW_TIE), f"cells.geojson:6: {HOME}003: bad geometry: Self-intersection"),
        (feature(f"{HOME}003", {"type": "Point", "coordinates": [118.5, 37.4]}), f"cells.geojson:6: {HOME}003: bad geometry: expected a polygon"),
        (feature("370599001001001", square(118.9, 37.4)), "cells.geojson:6: unknown parent 370599001001 of 370599001001001"),
        (feature(f"{HOME}001", square(118.9, 37.4)), f"cells.geojson:6: duplicate code {HOME}001, first in line 1"),
        (feature("12", square(118.9, 37.4)), "cells.geojson:6: code “12” has not 15 digits"),
        (feature(f"{HOME}003", square(10.0, 10.0)), f"cells.geojson:6: cell {HOME}003 lies outside the city's frame"),
    ],
)  # fmt: skip
def test_a_wrong_outline_is_told_with_its_feature(folder, settings, change, told):
    settings.LANGUAGE_CODE = "en"
    write_cells(folder, [*CELLS, change])

    assert any(problem.startswith(told) for problem in refused(folder)), refused(folder)


def test_dedicated_cells_may_lie_over_base_cells(folder):
    write_cells(folder, [*CELLS, feature(f"{HOME}502", square(118.54, 37.41, 0.03), kind="dedicated")])

    assert load_city(folder, at=NOON).rows["cell"] == 6


def test_many_problems_are_counted_and_two_hundred_listed(folder):
    rows = [{**TABLES["premises.csv"][0], "code": f"CS{n}", "kind": "castle"} for n in range(250)]
    write_table(folder, "premises.csv", rows)

    with pytest.raises(CityRefused) as refusal:
        load_city(folder, at=NOON)

    assert (refusal.value.problems.count, len(refusal.value.problems.listed)) == (250, 200)


def in_crs(features: list[dict], srid: int) -> list[tuple[dict, GEOSGeometry]]:
    transform = CoordTransform(SpatialReference(4326), SpatialReference(srid))
    found = []
    for one in features:
        geometry = GEOSGeometry(json.dumps(one["geometry"]))
        geometry.srid = None
        outline = geometry.ogr
        outline.srid = 4326
        outline.transform(transform)
        found.append((one["properties"], outline.geos))
    return found


@pytest.mark.parametrize("srid", [4549, 32650])
@pytest.mark.parametrize("zipped", [False, True])
def test_a_shapefile_in_a_plane_crs_lands_where_the_geojson_does(folder, srid, zipped):
    (folder / "cells.geojson").unlink()
    write_shapefile(folder / "cells.shp", in_crs(CELLS, srid), SpatialReference(srid).wkt)
    if zipped:
        with zipfile.ZipFile(folder / "cells.zip", "w") as packed:
            for part in sorted(folder.glob("cells.*")):
                if part.suffix in (".shp", ".dbf", ".shx", ".prj", ".cpg"):
                    packed.write(part, part.name)
                    part.unlink()

    load_city(folder, at=NOON)

    cell = Cell.objects.get(code=f"{AWAY}001")
    assert cell.geometry.extent == pytest.approx((118.7, 37.4, 118.75, 37.45), abs=1e-6)
    assert cell.name_zh == "网格001"


def test_a_layer_without_a_crs_is_refused_until_one_is_said(folder, settings):
    settings.LANGUAGE_CODE = "en"
    (folder / "cells.geojson").unlink()
    write_shapefile(folder / "cells.shp", in_crs(CELLS, 4549), None)

    assert refused(folder)[0].startswith("cells.shp:1: unknown CRS")
    load_city(folder, at=NOON, crs="EPSG:4549")
    assert Cell.objects.get(code=f"{HOME}001").geometry.extent == pytest.approx((118.5, 37.4, 118.55, 37.45), abs=1e-6)


def test_the_command_tells_problems_and_ends_with_one(folder, edit, settings):
    settings.LANGUAGE_CODE = "en"
    edit("workers.csv", 0, centre="nowhere")
    told = StringIO()

    with pytest.raises(SystemExit) as end:
        call_command("load_city", str(folder), stderr=told)

    assert end.value.code == 1
    assert "workers.csv:2: unknown centre nowhere" in told.getvalue()


def test_the_command_loads(folder):
    told = StringIO()
    call_command("load_city", str(folder), stdout=told)

    assert "premises" in told.getvalue()
    assert Cell.objects.count() == 5
