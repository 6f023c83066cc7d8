"""The first rows of the register, from tables of a city's folder; people change them in the administration.

What is there is left alone: a table is read again at each start and adds only what is missing.
"""

import csv
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.contrib.gis.geos import GEOSGeometry, LineString, Point
from django.db import transaction

from citysafety.accounts.models import Department

from ..models import (
    Connection,
    ConnectionStep,
    DeviceKind,
    Fence,
    Quantity,
    RiskField,
    Rule,
    Schedule,
    System,
)
from .telling import tell_gateways

FOLDER = "monitoring"  # of a city's folder
DEMO_WORDS = "演示数据"
PORT_RADIUS_M, SCHOOL_RADIUS_M, CORRIDOR_M = 1_500, 150, 400
METRIC = 32650  # UTM zone 50 N: the demo's city lies in it
MOST_SCHOOLS = 40


@transaction.atomic
def seed_register(city_folder: Path, *, at: datetime) -> int:
    """Make fields, systems, kinds, quantities, schedules and rules where they are missing; return how many rows are new.

    Queries: 6 where all of it is there, a few for each new row.
    """
    folder = city_folder / FOLDER
    if not folder.exists():
        return 0
    new = sum(_fill(folder, model, file) for model, file in ((RiskField, "fields"), (Quantity, "quantities")))
    new += _systems(folder, at) + _fill(folder, DeviceKind, "kinds") + _rules(folder)
    if new:
        tell_gateways()
    return new


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _fill(folder: Path, model: Any, file: str) -> int:
    """Add the rows of a table whose codes are missing; columns are named as the model's fields."""
    there = set(model.objects.values_list("code", flat=True))
    fresh = [row for row in rows_of(folder / f"{file}.csv") if row["code"] not in there]
    for row in fresh:  # one after the other: a parent stands before its children
        model.objects.create(**{_column(model, name): value for name, value in row.items() if value})
    return len(fresh)


def _column(model: Any, name: str) -> str:
    return model._meta.get_field(name).attname


def _systems(folder: Path, at: datetime) -> int:
    """Add the systems that are missing, each with the step that brought it where it stands."""
    there = set(System.objects.values_list("code", flat=True))
    offices = dict(Department.objects.filter(parent=None).values_list("code", "pk"))
    new = 0
    for row in rows_of(folder / "systems.csv"):
        if row["code"] in there:
            continue
        departments = row.pop("departments").split(";")
        system = System.objects.create(changed_at=at, **{name: value for name, value in row.items() if value})
        system.departments.set([offices[code] for code in departments if code in offices])
        if system.connection != Connection.SURVEYED:
            ConnectionStep.objects.create(
                system=system, source=Connection.SURVEYED, target=system.connection, at=at, words=DEMO_WORDS
            )
        new += 1
    return new


def _rules(folder: Path) -> int:
    """Add schedules and rules whose codes are missing. :raises ValidationError: a rule that cannot be."""
    new = 0
    for model, file in ((Schedule, "schedules"), (Rule, "rules")):
        there = set(model.objects.values_list("code", flat=True))
        for row in json.loads((folder / f"{file}.json").read_text(encoding="utf-8")):
            if row["code"] in there:
                continue
            if model is Rule:
                row = row | {"schedule": Schedule.objects.get(code=row["schedule"]) if "schedule" in row else None}
                row |= {f"{name}_id": row.pop(name) for name in ("device_kind", "quantity") if name in row}
            one = model(**row)
            one.full_clean()
            one.save()
            new += 1
    return new


# -- fences: drawn from the sea layer and the register of schools; illustrative ---------------------------------------
@transaction.atomic
def seed_fences(city_folder: Path, *, city: str, schools: list[tuple], routes: list[tuple]) -> int:
    """Draw ports, closed waters, zones around schools and corridors of hazmat routes where there is no fence.

    ``schools``: code, names, place, area; ``routes``: names, places. Queries: 1 where there are fences, else 3.
    """
    if Fence.objects.exists():
        return 0
    drawn = [*_at_sea(city_folder / "base", city), *_around(schools), *_along(routes, city)]
    Fence.objects.bulk_create(drawn)
    tell_gateways()
    return len(drawn)


def circle(place: Point, radius_m: float) -> GEOSGeometry:
    """Return a circle around a place in WGS 84, drawn in metres."""
    flat = place.transform(METRIC, clone=True).buffer(radius_m, quadsegs=6)
    flat.transform(4326)
    return flat


def _at_sea(base: Path, city: str) -> Iterator[Fence]:
    """Yield the ports, and the sea where fishing is closed: the sea layer without them."""
    if not (base / "harbours.geojson").exists() or not (base / "sea.geojson").exists():
        return
    ports = json.loads((base / "harbours.geojson").read_text(encoding="utf-8"))["features"]
    sea = None
    for one in json.loads((base / "sea.geojson").read_text(encoding="utf-8"))["features"]:
        outline = GEOSGeometry(json.dumps(one["geometry"]), srid=4326)
        sea = outline if sea is None else sea.union(outline)
    for n, port in enumerate(ports, start=1):
        place = Point(*port["geometry"]["coordinates"], srid=4326)
        outline, names = circle(place, PORT_RADIUS_M), port["properties"]
        sea = sea.difference(outline)
        yield Fence(
            code=f"port-{n}", shape=outline, group="fishing-ports", area_code=city, synthetic=True,
            name_zh=names["name_zh"], name_en=names["name_en"], source=f"渔港周边 {PORT_RADIUS_M} 米，示意",
        )  # fmt: skip
    yield Fence(
        code="moratorium-sea", shape=sea, group="moratorium-sea", area_code=city, synthetic=True,
        name_zh="休渔海域", name_en="Waters closed to fishing", source="农业农村部海洋伏季休渔制度；范围取海图层，示意",
    )  # fmt: skip


def _around(schools: list[tuple]) -> Iterator[Fence]:
    for code, zh, en, place, area in schools[:MOST_SCHOOLS]:
        yield Fence(
            code=f"school-{code.lower()}", shape=circle(place, SCHOOL_RADIUS_M), kmh=30, group="school-zones", area_code=area,
            synthetic=True, name_zh=f"{zh}周边"[:120], name_en=f"Around {en}"[:160], source=f"学校周边 {SCHOOL_RADIUS_M} 米，示意",
        )  # fmt: skip


def _along(routes: list[tuple], city: str) -> Iterator[Fence]:
    for n, (zh, en, *places) in enumerate(routes, start=1):
        yield Fence(
            code=f"hazmat-route-{n}", shape=LineString([place.coords for place in places], srid=4326), width_m=CORRIDOR_M,
            group="hazmat-routes", area_code=city, synthetic=True, name_zh=zh, name_en=en, source="示意走廊，非审批路线",
        )  # fmt: skip
