"""The devices of the demo city: vehicles, vessels, stations, transmitters, cameras; all of them invented.

The same seed makes the same devices. `CITYSAFETY_DEMO_DEVICES` multiplies their number.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.gis.geos import Point
from django.db import transaction

from citysafety.accounts.models import Department
from grid.models import Cell, Centre, Premises
from monitoring.models import Connection, Datastream, Device, DeviceKind, Protocol
from monitoring.register.seeds import FOLDER, rows_of, seed_fences, seed_register
from monitoring.register.telling import tell_gateways

SEED = 20261127
A_BATCH = 2_000
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
HAULIERS = ("顺达", "宏运", "恒通", "鲁安", "永信", "东泰", "海科", "万通", "瑞丰", "金桥", "胜安", "华骏")
BRANDS = ("泰和", "利源", "正邦", "汇丰", "天元", "科宏", "富海", "海润", "方圆", "联合")
MARKED = "（示例）"
GAS_COMPANIES = ("东营城市燃气有限公司", "东营新奥管网有限公司", "垦利天然气有限公司")


@dataclass(frozen=True, slots=True)
class Kind:
    """How many devices of a kind the demo has at scale 1, and how one is made."""

    code: str
    many: int
    make: Callable[["City", random.Random, int], dict[str, Any]]


class City:
    """The places and offices that devices belong to. Queries: 6."""

    def __init__(self) -> None:
        cells = Cell.objects.active().order_by("code")
        self.base = list(cells.filter(kind=Cell.Kind.BASE).values_list("pk", "code", "centre"))
        self.sea = list(cells.filter(kind=Cell.Kind.SEA).values_list("pk", "code", "name_zh", "name_en"))
        self.industry = list(
            cells.filter(focus__in=("industry", "enterprise")).values_list("pk", "code", "name_zh", "name_en", "centre")
        )
        self.sites = list(cells.filter(focus="site").values_list("pk", "code", "name_zh", "name_en", "centre"))
        places = Premises.objects.active().exclude(cell=None).order_by("code")
        self.places = list(places.exclude(kind__in=("shop", "catering", "leisure")).select_related("cell").defer(
            "cell__geometry", "cell__mercator"
        ))  # fmt: skip
        self.schools = [one for one in self.places if one.kind_id == "school"]
        self.offices = dict(Department.objects.values_list("code", "pk"))

    def around(self, special: list[tuple], n: int, rnd: random.Random) -> tuple:
        """Return a special place in turn: cell, code, names, centre; a plain cell where there is none."""
        if special:
            return special[n % len(special)]
        cell, code, centre = rnd.choice(self.base)
        return cell, code, "", "", centre

    def office(self, short: str, area: str) -> int | None:
        """Return the office of an area, else that of the city."""
        return self.offices.get(f"{area[:6]}-{short}") or self.offices.get(f"{area[:4]}-{short}")


def seed_devices(*, at: datetime) -> tuple[int, int]:
    """Make register, fences and devices where they are missing; return how many rows and how many devices are new."""
    folder = Path(settings.CITY_FOLDER)
    rows = seed_register(folder, at=at)
    if Device.objects.exists() or not DeviceKind.objects.exists() or not Cell.objects.exists():
        return rows, 0
    city = City()
    schools = [(one.code, one.name_zh, one.name_en, one.location, one.area_code) for one in city.schools]
    rows += seed_fences(folder, city=settings.CITY_CODE, schools=schools, routes=_routes())
    return rows, make_devices(city, folder, scale=settings.DEMO_DEVICES, at=at)


@transaction.atomic
def make_devices(city: City, folder: Path, *, scale: float, at: datetime) -> int:
    """Make the devices of every kind with their channels; return how many."""
    channels: dict[str, list[dict[str, str]]] = {}
    for row in rows_of(folder / FOLDER / "channels.csv"):
        channels.setdefault(row["kind"], []).append(row)
    wanted = set(DeviceKind.objects.exclude(system__connection=Connection.SURVEYED).values_list("code", flat=True))
    made = 0
    for kind in KINDS:
        if kind.code not in wanted:
            continue
        rnd = random.Random(f"{SEED} {kind.code}")
        many = max(1, round(kind.many * scale))
        made_at = at - timedelta(days=90)
        devices = Device.objects.bulk_create(
            (
                Device(
                    kind_id=kind.code, synthetic=True, registered_at=made_at, changed_at=made_at,
                    **kind.make(city, rnd, n),
                )
                for n in range(many)
            ),
            batch_size=A_BATCH,
        )  # fmt: skip
        Datastream.objects.bulk_create(_streams(devices, channels.get(kind.code, []), rnd), batch_size=A_BATCH)
        made += len(devices)
    tell_gateways()
    return made


def _streams(devices: list[Device], channels: list[dict[str, str]], rnd: random.Random) -> Iterator[Datastream]:
    for device in devices:
        for row in channels:
            if rnd.random() * 100 < int(row["share"]):
                yield Datastream(device=device, quantity_id=row["quantity"], channel=row["channel"])


def _routes() -> list[tuple]:
    """Return corridors from each county's centre to its neighbour's, as if hazmat drove there."""
    centres = list(Centre.objects.filter(level="county").exclude(location=None).order_by("code"))
    return [
        (f"危货示意走廊 {n}", f"Illustrative hazmat corridor {n}", one.location, other.location)
        for n, (one, other) in enumerate(pairwise(centres), start=1)
    ]


# -- one device of each kind -----------------------------------------------------------------------------------------
def _plate(n: int) -> str:
    """Return what stands on a plate behind the letter of the city; no other number has it."""
    return f"{LETTERS[n // 10_000 % len(LETTERS)]}{n % 10_000:04d}"


def _haulier(rnd: random.Random, what: str) -> str:
    return f"东营{rnd.choice(HAULIERS)}{what}有限公司{MARKED}"


def _vehicle(prefix: str, number: str, zh: str, en: str, trade: str, office: str) -> Callable[..., dict[str, Any]]:
    """Return the maker of vehicles of a kind: the terminal is known by its phone number."""

    def make(city: City, rnd: random.Random, n: int) -> dict[str, Any]:
        cell, code, _centre = rnd.choice(city.base)
        plate = _plate(int(number) * 1000 + n)
        return {
            "code": f"{prefix}-{n + 1:05d}", "name_zh": f"{zh} 鲁E{plate}", "name_en": f"{en} LuE {plate}",
            "protocol": Protocol.JT808, "address": str(13_000_000_000 + int(number) * 1_000_000 + n),
            "company": _haulier(rnd, trade), "cell_id": cell, "area_code": code, "department_id": city.office(office, code),
            "options": {"plate": f"鲁E{plate}", "open_channels": True},
        }  # fmt: skip

    return make


def _vessel(city: City, rnd: random.Random, n: int) -> dict[str, Any]:
    cell, code, zh, _en = rnd.choice(city.sea) if city.sea else (None, settings.CITY_CODE, "", "")
    number = 60_001 + n
    return {
        "code": f"YC-{n + 1:05d}", "name_zh": f"鲁东渔 {number}", "name_en": f"Lu Dong Yu {number}",
        "protocol": Protocol.AIS, "address": f"{412_000_000 + 300_000 + n}", "cell_id": cell, "area_code": code,
        "company": f"{zh}渔业合作社{MARKED}" if zh else "", "department_id": city.office("HY", code),
        "options": {"length_m": rnd.randint(12, 38), "home_port": zh},
    }  # fmt: skip


def _near(rnd: random.Random, place: Point, degrees: float = 0.0008) -> Point:
    return Point(
        round(place.x + rnd.uniform(-degrees, degrees), 6),
        round(place.y + rnd.uniform(-degrees, degrees), 6),
        srid=4326,
    )


def _toxic(city: City, rnd: random.Random, n: int) -> dict[str, Any]:
    cell, code, zh, en, centre = city.around(city.industry, n * 7, rnd)
    return {
        "code": f"DQ-{n + 1:05d}", "name_zh": f"{zh} {n + 1} 号毒害气体站", "name_en": f"{en}: toxic gas station {n + 1}",
        "protocol": Protocol.HJ212, "address": f"{0x010000A8900016F000170000 + n:024X}", "location": centre, "cell_id": cell,
        "area_code": code, "company": f"东营{rnd.choice(BRANDS)}化工有限公司{MARKED}", "department_id": city.office("ST", code),
        "options": {"open_channels": True},
    }  # fmt: skip


def _gas(prefix: str, topic: str, zh: str, en: str) -> Callable[..., dict[str, Any]]:
    def make(city: City, rnd: random.Random, n: int) -> dict[str, Any]:
        cell, code, centre = rnd.choice(city.base)
        return {
            "code": f"{prefix}-{n + 1:05d}", "name_zh": f"{zh} {n + 1} 号", "name_en": f"{en} {n + 1}",
            "protocol": Protocol.MQTT, "address": f"{topic}-{n + 1:05d}", "location": centre, "cell_id": cell,
            "area_code": code, "company": rnd.choice(GAS_COMPANIES) + MARKED, "department_id": city.office("ZJ", code),
        }  # fmt: skip

    return make


def _transmitter(city: City, rnd: random.Random, n: int) -> dict[str, Any]:
    """Make a transmitter at premises; where there are fewer premises than transmitters some have several."""
    place = city.places[n * 5 % len(city.places)]
    round_ = n * 5 // len(city.places) + 1
    return {
        "code": f"XF-{n + 1:05d}", "name_zh": f"{place.name_zh} {round_} 号传输装置"[:120],
        "name_en": f"{place.name_en}: transmitter {round_}"[:160], "protocol": Protocol.GB26875, "address": f"{3_705_000_001 + n:012x}",
        "location": place.location, "cell_id": place.cell_id, "area_code": place.area_code, "premises_id": place.pk,
        "company": place.name_zh[:120], "department_id": city.office("XF", place.area_code),
        "options": {"open_channels": True},  # of its components: opened when they first speak
    }  # fmt: skip


def _camera(city: City, rnd: random.Random, n: int) -> dict[str, Any]:
    """Make a camera with the 20 digits of GB/T 28181: division 8, industry 2, kind 3 (132: network camera), network 1, number 6."""
    cell, code, zh, en, centre = city.around(city.sites, n, rnd)
    number = n // max(len(city.sites), 1) + 1
    return {
        "code": f"SP-{n + 1:05d}", "name_zh": f"{zh} {number} 号摄像机", "name_en": f"{en}: camera {number}",
        "protocol": Protocol.MQTT, "address": f"{code[:6]}00001320{n + 1:06d}", "location": _near(rnd, centre), "cell_id": cell,
        "area_code": code, "company": f"东营{rnd.choice(BRANDS)}建设集团{MARKED}", "department_id": city.office("ZJ", code),
    }  # fmt: skip


def _radio(city: City, rnd: random.Random, n: int) -> dict[str, Any]:
    cell, code, _centre = rnd.choice(city.base)
    return {
        "code": f"DT-{n + 1:05d}", "name_zh": f"消防电台 {1001 + n}", "name_en": f"Fire radio {1001 + n}",
        "protocol": Protocol.MQTT, "address": f"radio-{1001 + n}", "cell_id": cell, "area_code": code,
        "department_id": city.office("XF", code), "options": {"group": f"{n // 10 + 1}"},
    }  # fmt: skip


KINDS = (
    Kind("hazmat-vehicle", 300, _vehicle("WH", "10", "危货车", "Hazmat vehicle", "危货运输", "JT")),
    Kind("line-coach", 120, _vehicle("KB", "40", "班线客车", "Line coach", "客运", "JT")),
    Kind("tour-coach", 80, _vehicle("KL", "60", "旅游包车", "Tourist coach", "旅游客运", "JT")),
    Kind("heavy-truck", 300, _vehicle("HC", "80", "重型货车", "Heavy goods vehicle", "物流", "JT")),
    Kind("school-bus", 60, _vehicle("XC", "120", "校车", "School bus", "校车服务", "JY")),
    Kind("fishing-vessel", 400, _vessel),
    Kind("gas-station", 80, _toxic),
    Kind("gas-pressure", 60, _gas("RY", "pressure", "燃气压力监测点", "Gas pressure point")),
    Kind("gas-leak", 60, _gas("RQ", "leak", "燃气泄漏监测点", "Gas leak detector")),
    Kind("fire-transmitter", 300, _transmitter),
    Kind("site-camera", 150, _camera),
    Kind("fire-radio", 40, _radio),
)
