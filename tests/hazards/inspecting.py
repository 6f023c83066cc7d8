"""Premises with a checklist and people who inspect them, for the tests of inspections."""

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib.gis.geos import Point
from django.utils import timezone

from citysafety.outbox.relay import relay_waiting
from citysafety.subscriptions import LISTENERS
from grid.models import Premises, PremisesKind
from hazards.inspections.models import CheckedKind, Checklist, ChecklistVersion, Item, RiskGrade, RiskRule
from hazards.inspections.planning import replan
from hazards.services import take_step
from hazards.services.given import StepInput
from tests.factories import AWAY, HOME, SmallCity, attach_to, make_city, person
from tests.hazards.test_api import client_of, picture

F = RiskRule.Factor


@dataclass
class Town:
    """A shop at home, one away, a checklist of three items, and somebody in every role."""

    city: SmallCity
    shop: Premises
    away: Premises
    checklist: Checklist
    version: ChecklistVersion
    worker: Any
    dispatcher: Any
    handler: Any

    def visit(
        self, *failed: str, na: tuple[str, ...] = (), place: Premises | None = None, **more: Any
    ) -> dict[str, Any]:
        """Return the body of an inspection in which some items fail."""
        results = [
            {"item": code, "result": "fail" if code in failed else "na" if code in na else "pass"}
            for code in more.pop("items", ("a", "b", "c"))
        ]
        at = (place or self.shop).location
        return {
            "id": str(uuid.uuid4()), "premises": (place or self.shop).code, "checklist_version": self.version.pk,
            "position": {"lon": at.x, "lat": at.y, "accuracy_m": 9, "datum": "wgs84"}, "results": results,
            "inspected_at": timezone.now().isoformat(), **more,
        }  # fmt: skip

    def send(self, body: dict[str, Any], by: Any = None) -> Any:
        return client_of(by or self.worker).post("/api/v1/inspections/", body, format="json")

    def close(self, hazard_id: str) -> None:
        """Bring a case to its write-off, and let the news be heard."""
        at = timezone.now()
        second = person("dispatcher")

        def step(action: str, by: Any, **given: Any) -> None:
            hazard = self.hazard(hazard_id)
            step = StepInput(id=uuid.uuid4(), version=hazard.version, **given)
            take_step(hazard_id=hazard.pk, action=action, given=step, actor=by, at=at)

        if self.hazard(hazard_id).state == "reported":
            step("accept", self.dispatcher)
            step("dispatch", self.dispatcher, department="fire-02")
        step("take", self.handler)
        attach_to(self.hazard(hazard_id), "after", picture(int(uuid.UUID(hazard_id).int % 90)), self.handler)
        step("rectify", self.handler, words="已整改")
        step("verify", second, lon=118.53, lat=37.45, accuracy_m=5.0)
        step("write_off", second)
        self.relay()

    def hazard(self, hazard_id: str) -> Any:
        from hazards.models import Hazard  # noqa: PLC0415

        return Hazard.objects.get(pk=hazard_id)

    def relay(self) -> None:
        while relay_waiting(listen=LISTENERS):
            pass


def make_town() -> Town:
    city = make_city()
    kind = PremisesKind.objects.create(code="shop", name_zh="小商店", name_en="Small shop", nine_small=True, limit=300)
    shop, away = (
        Premises.objects.create(
            code=code, kind=kind, name_zh=zh, name_en=en, area_code=cell, cell=city.cells[cell], size=280,
            location=Point(lon, 37.45, srid=4326), address="府前街1号",
        )
        for code, zh, en, cell, lon in (
            ("CS1", "天天粮油店", "Grain shop", f"{HOME}001001001", 118.53),
            ("CS2", "外县商店", "Foreign shop", f"{AWAY}001001001", 118.72),
        )
    )  # fmt: skip
    for colour, points, days in ((1, 40, 7), (2, 30, 30), (3, 20, 90), (4, 0, 180)):
        RiskGrade.objects.create(colour=colour, at_least=points, interval_days=days)
    for factor, only, at_least, points, zh in (
        (F.KIND, kind, 0, 10, "小商店"), (F.PERCENT, None, 80, 10, "接近限值"), (F.FAILED, None, 1, 10, "有不合格"),
        (F.FAILED, None, 3, 25, "多项不合格"), (F.OPEN, None, 1, 10, "未销号"),
    ):  # fmt: skip
        RiskRule.objects.create(factor=factor, kind=only, at_least=at_least, points=points, name_zh=zh, name_en=zh)
    checklist = Checklist.objects.create(
        code="ten", name_zh="消防检查", name_en="Fire check", closing_department=city.departments["fire-02"]
    )
    CheckedKind.objects.create(kind=kind, checklist=checklist)
    version = make_version(city, checklist, 1)
    replan(at=timezone.now())
    return Town(
        city, shop, away, checklist, version,
        worker=person("grid_worker"), dispatcher=person("dispatcher"),
        handler=person("department_handler", department=city.departments["fire-02"]),
    )  # fmt: skip


def make_version(city: SmallCity, checklist: Checklist, number: int) -> ChecklistVersion:
    version = ChecklistVersion.objects.create(checklist=checklist, number=number, in_force_from=date(2026, 1, number))
    for n, (code, matter, zh, en, may_be_na) in enumerate(
        (
            ("a", "XF-001", "通道畅通", "Exits clear", False), ("b", "XF-002", "充电规范", "Charging safe", True),
            ("c", "SZ-001", "井盖完好", "Manhole whole", True),
        )
    ):  # fmt: skip
        Item.objects.create(
            version=version, code=code, position=n, matter=city.matters[matter], name_zh=zh, name_en=en, may_be_na=may_be_na
        )  # fmt: skip
    return version
