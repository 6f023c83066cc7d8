"""A hand-made city in a folder, and the people who look at it."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from citysafety.accounts.models import User
from citysafety.outbox.relay import relay_waiting
from citysafety.tallies.services import fold
from grid import locate

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # Monday 12:00 in the city
HOME, AWAY = "370502001001", "370503001001"  # villages


@pytest.fixture(autouse=True)
def _no_old_index():
    """Drop what earlier tests taught this process."""
    locate.forget()
    cache.clear()
    yield
    locate.forget()


def square(west: float, south: float, side: float = 0.05) -> dict[str, Any]:
    ring = [[west, south], [west + side, south], [west + side, south + side], [west, south + side], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def feature(code: str, geometry: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"code": code, "name_zh": f"网格{code[-3:]}", **properties},
        "geometry": geometry,
    }


CELLS = [
    feature(f"{HOME}001", square(118.5, 37.4)),
    feature(f"{HOME}002", square(118.55, 37.4)),
    feature(f"{AWAY}001", square(118.7, 37.4)),
    feature(f"{HOME}501", square(118.51, 37.41, 0.01), kind="dedicated", focus="school"),
    feature("370503001000901", square(118.8, 38.1), kind="sea"),
]
TABLES: dict[str, list[dict[str, Any]]] = {
    "city.csv": [
        {"code": "3705", "name_zh": "东营市", "name_en": "Dongying", "frame": "POLYGON((118.1 36.9,119.3 36.9,119.3 38.5,118.1 38.5,118.1 36.9))"}
    ],
    "divisions.csv": [
        {"code": "3705", "level": "city", "parent": "", "name_zh": "东营市", "name_en": "Dongying City"},
        {"code": "370502", "level": "county", "parent": "370500", "name_zh": "东营区", "name_en": "Dongying District"},
        {"code": "370503", "level": "county", "parent": "3705", "name_zh": "河口区", "name_en": "Hekou District"},
        {"code": "370502001", "level": "township", "parent": "370502", "name_zh": "文汇街道", "name_en": "Wenhui Subdistrict"},
        {"code": "370503001", "level": "township", "parent": "370503", "name_zh": "河口街道", "name_en": "Hekou Subdistrict"},
        {"code": HOME, "level": "village", "parent": "370502001", "name_zh": "新村", "name_en": "Xincun Village"},
        {"code": AWAY, "level": "village", "parent": "370503001", "name_zh": "老村", "name_en": "Laocun Village"},
    ],
    "departments.csv": [
        {"code": "3705-XF", "name_zh": "消防救援支队", "name_en": "Fire Detachment", "area": "3705", "parent": ""},
        {"code": "370502-XF", "name_zh": "东营区消防大队", "name_en": "Fire Brigade", "area": "370502", "parent": "3705-XF"},
    ],
    "centres.csv": [
        {"code": "ZX370502", "name_zh": "东营区网格中心", "name_en": "Dongying Centre", "level": "county", "division": "370502", "posts": "20", "lon": "118.5", "lat": "37.45"},
        {"code": "ZX370502001", "name_zh": "文汇网格中心", "name_en": "Wenhui Centre", "level": "township", "division": "370502001", "posts": "12", "lon": "", "lat": ""},
        {"code": "ZX370503", "name_zh": "河口区网格中心", "name_en": "Hekou Centre", "level": "county", "division": "370503", "posts": "9", "lon": "", "lat": ""},
    ],
    "workers.csv": [
        {"number": "DY00001", "name_zh": "张伟", "name_en": "Zhang Wei", "phone": "13800000001", "centre": "ZX370502001", "area": "370502001", "skills": "消防;急救", "state": "on_duty", "primary": f"{HOME}001;{HOME}501", "backup": f"{HOME}002", "since": "2024-03-01"},
        {"number": "DY00002", "name_zh": "王芳", "name_en": "Wang Fang", "phone": "13800000002", "centre": "ZX370502001", "area": "370502001", "skills": "", "state": "on_duty", "primary": f"{HOME}002", "backup": f"{HOME}001", "since": "2024-03-01"},
        {"number": "DY00003", "name_zh": "李娜", "name_en": "Li Na", "phone": "13800000003", "centre": "ZX370503", "area": "370503", "skills": "", "state": "leave", "primary": f"{AWAY}001", "backup": "", "since": "2024-03-01"},
    ],
    "matter_classes.csv": [{"code": "XF", "name_zh": "消防安全", "name_en": "Fire safety", "icon": "fire"}],
    "matters.csv": [
        {"code": "XF-001", "class": "XF", "name_zh": "占用、堵塞疏散通道", "name_en": "Evacuation route blocked", "department": "3705-XF", "severity": "general", "special": "0", "accept": "1 work_hours", "rectify": "4 work_hours", "verify": "1 work_days"},
        {"code": "XF-002", "class": "XF", "name_zh": "安全出口上锁", "name_en": "Exit locked", "department": "3705-XF", "severity": "major", "special": "1", "accept": "1 urgent_hours", "rectify": "2 urgent_hours", "verify": "2 urgent_hours"},
    ],
    "premises_kinds.csv": [
        {"code": "shop", "name_zh": "小商店", "name_en": "Small shop", "nine_small": "1", "measure": "m2", "limit": "300", "source": "标准"},
        {"code": "government", "name_zh": "政府自持物业", "name_en": "Government-owned building", "nine_small": "0", "measure": "m2", "limit": "", "source": ""},
    ],
    "premises.csv": [
        {"code": "CS1", "kind": "shop", "name_zh": "福源超市", "name_en": "Fuyuan Supermarket", "lon": "118.515", "lat": "37.415", "size": "120", "floor_area_m2": "120"},
        {"code": "CS2", "kind": "government", "name_zh": "文化馆", "name_en": "Cultural Centre", "lon": "118.56", "lat": "37.42", "size": "5000", "floor_area_m2": "5000"},
        {"code": "CS3", "kind": "government", "name_zh": "河口图书馆", "name_en": "Hekou Library", "lon": "118.71", "lat": "37.41", "size": "700", "floor_area_m2": "700"},
    ],
}  # fmt: skip


def write_table(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
    with (folder / name).open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, rows[0].keys())
        out.writeheader()
        out.writerows(rows)


def write_cells(folder: Path, features: list[dict[str, Any]]) -> None:
    (folder / "cells.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8"
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a small, faultless city."""
    place = tmp_path / "city"
    place.mkdir()
    for name, rows in TABLES.items():
        write_table(place, name, rows)
    write_cells(place, CELLS)
    return place


@pytest.fixture
def edit(folder: Path) -> Callable[..., None]:
    """Return a way to spoil one row of a table: edit("workers.csv", 0, centre="nowhere")."""

    def change(name: str, row: int, **values: Any) -> None:
        rows = [dict(one) for one in TABLES[name]]
        rows[row] |= values
        write_table(folder, name, rows)

    return change


def relay() -> None:
    """Deal all waiting facts and fold them, as the relay's process does."""
    while relay_waiting(listen={}, project=[fold]):
        pass


def person(role: str, area: str, **more: Any) -> User:
    return User.objects.create(username=f"{role}-{area}", role=role, area_code=area, password="!", **more)
