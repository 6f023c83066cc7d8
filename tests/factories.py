"""A small city for tests: two counties, four base cells, a school, three matters, and people."""

import hashlib
import itertools
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.gis.geos import MultiPolygon, Polygon

from citysafety.accounts.models import Department, User
from citysafety.calendars.models import CalendarYear
from citysafety.evidence.services import attach
from grid.models import Cell, City, Division, GridVersion, Matter, MatterClass
from hazards.models import Hazard
from hazards.services import report_hazard
from hazards.services.reporting import Filing

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # Monday 12:00 in the city
HOME, AWAY = "370502", "370503"
_numbers = itertools.count(1)


def box(west: float, south: float, east: float, north: float) -> MultiPolygon:
    """Return a rectangle in degrees, WGS 84."""
    return MultiPolygon(Polygon.from_bbox((west, south, east, north)), srid=4326)


@dataclass
class SmallCity:
    """What ``make_city`` made."""

    cells: dict[str, Cell]
    matters: dict[str, Matter]
    departments: dict[str, Department]


def make_city() -> SmallCity:
    """Make county 370502 with two cells and a school, and county 370503 with two cells."""
    City.objects.create(code="3705", name_zh="东营市", name_en="Dongying", frame=box(118.1, 36.9, 119.75, 38.5))
    version = GridVersion.objects.create(number=1, activated_at=NOON)

    def cell(code: str, kind: str, village: str, outline: MultiPolygon, zh: str, en: str) -> Cell:
        return Cell.objects.create(
            code=code,
            kind=kind,
            division_id=village,
            version=version,
            geometry=outline,
            name_zh=zh,
            name_en=en,
        )

    city = Division.objects.create(code="3705", level="city", name_zh="东营市", name_en="Dongying")
    cells: dict[str, Cell] = {}
    for county, west, name in ((HOME, 118.5, "东营区"), (AWAY, 118.7, "河口区")):
        outer = Division.objects.create(code=county, level="county", parent=city, name_zh=name, name_en=county)
        town = Division.objects.create(
            code=f"{county}001", level="township", parent=outer, name_zh=f"{name}街道", name_en=f"{county} Subdistrict"
        )
        village = Division.objects.create(
            code=f"{county}001001", level="village", parent=town, name_zh=f"{name}社区", name_en=f"{county} Community"
        )
        for n, left in ((1, west), (2, west + 0.05)):
            code = f"{village.code}{n:03d}"
            outline = box(left, 37.4, left + 0.05, 37.5)
            cells[code] = cell(code, "base", village.code, outline, f"{name}第{n}网格", f"{county} Cell {n}")
    school = f"{HOME}001001501"
    outline = box(118.51, 37.44, 118.52, 37.45)
    cells[school] = cell(school, "dedicated", f"{HOME}001001", outline, "第一小学", "First Primary School")
    departments = {
        code: Department.objects.create(code=code, area_code=area, name_zh=name, name_en=code)
        for code, area, name in (
            ("fire-02", HOME, "东营区消防大队"),
            ("roads-02", HOME, "东营区城管局"),
            ("fire-03", AWAY, "河口区消防大队"),
        )
    }
    fire = MatterClass.objects.create(code="XF", name_zh="消防安全", name_en="Fire safety")
    roads = MatterClass.objects.create(code="SZ", name_zh="市政设施", name_en="Municipal facilities")
    limits = {
        "accept_amount": 4,
        "accept_unit": "work_hours",
        "rectify_amount": 2,
        "rectify_unit": "work_days",
        "verify_amount": 8,
        "verify_unit": "work_hours",
    }
    matters = {
        code: Matter.objects.create(
            code=code, matter_class=group, department=departments[home], name_zh=zh, name_en=en, **limits
        )
        for code, group, home, zh, en in (
            ("XF-001", fire, "fire-02", "疏散通道堵塞", "Blocked escape route"),
            ("XF-002", fire, "fire-02", "电动自行车违规充电", "E-bike charged indoors"),
            ("SZ-001", roads, "roads-02", "井盖缺失", "Manhole cover missing"),
        )
    }
    for year in range(2025, 2028):
        CalendarYear.objects.create(year=year, status="announced", source="test")
    return SmallCity(cells, matters, departments)


def attach_to(subject: Any, role: str, data: bytes, by: User, *, kind: str = "hazard") -> None:
    """Attach a picture to a hazard, or to a subject of another kind, at the moment of its last step."""
    sha256 = hashlib.sha256(data).hexdigest()
    at = subject.steps.order_by("-version").values_list("at", flat=True).first() or NOON
    attach(kind=kind, subject_id=str(subject.pk), role=role, sha256=sha256, data=data, by_id=by.pk, at=at, step_id=None)


def person(role: str, *, area: str = HOME, department: Department | None = None, **more: Any) -> User:
    """Make a user of a role; the name does not repeat."""
    n = next(_numbers)
    defaults = {"name_zh": f"张{n}", "name_en": f"Zhang {n}"}
    return User.objects.create(
        username=f"{role}-{n}", role=role, area_code=area, department=department, **{**defaults, **more}
    )


def file_hazard(reporter: User, *, at: datetime = NOON, **more: Any) -> Hazard:
    """File a hazard at a place in the first cell of 370502, or elsewhere by ``lon`` and ``lat``."""
    given = {
        "id": uuid.uuid4(),
        "matter": "XF-001",
        "description": "纸箱堵住楼道",
        "lon": 118.53,
        "lat": 37.45,
        "accuracy_m": 8.0,
        "occurred_at": at,
    }
    hazard, _candidates = report_hazard(filing=Filing(**{**given, **more}), reporter=reporter, at=at)
    return hazard
