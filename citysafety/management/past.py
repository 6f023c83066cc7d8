"""The demo city's last weeks: invented hazards that live as the table of steps allows, at the city's real rate.

Illustrative: the rate (about 1,200 a day) is the article's, everything else is drawn by a seeded generator.
"""

import math
import random
import uuid
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from citysafety import worktime
from citysafety.accounts.models import Department, User
from citysafety.calendars.services import calendar
from grid.models import Cell, Matter, Posting
from hazards.history import PastClock, PastHazard, PastStep
from hazards.lifecycle import LIFECYCLE

A_DAY = 1210  # hazards found a day: what the article says the city came down to
BASIS = {step.action: step.basis for step in LIFECYCLE.steps}
SWEEP = timedelta(seconds=9)
WORDS = {
    "report": [
        "现场发现，已拍照",
        "巡查发现，住户反映多次",
        "通道被占用，影响疏散",
        "设施破损，存在安全风险",
        "群众反映，经核实属实",
        "店主不在，已口头告知",
    ],
    "rectify": [
        "已整改完毕",
        "已清理并加固",
        "更换设备，现场恢复",
        "已责令当场改正",
        "设置围挡后修复",
        "已修复并通知责任人",
    ],
    "refuse": ["不属于安全隐患", "重复上报", "照片无法辨认", "不在本区职责范围"],
    "return": ["不属本部门职责", "位置有误，请核实"],
    "fail": ["整改不彻底", "现场仍有杂物", "标识未恢复"],
    "reopen": ["同一位置再次出现"],
    "verify": ["复查合格", "现场已恢复", ""],
}


class City:
    """What the generator draws from, read once."""

    def __init__(self) -> None:
        self.matters = list(Matter.objects.filter(active=True).select_related("matter_class", "department"))
        self.cells = list(
            Cell.objects.filter(active=True).values_list("id", "code", "kind", "centre", "area_km2").order_by("code")
        )
        self.base = [cell for cell in self.cells if cell[2] == "base"]
        self.people: dict[int, list[int]] = {}
        for cell_id, user_id in Posting.objects.filter(until=None).values_list("cell_id", "worker__user_id"):
            self.people.setdefault(cell_id, []).append(user_id)
        self.everybody = sorted({user for users in self.people.values() for user in users})
        self.dispatchers = list(User.objects.filter(role="dispatcher").values_list("pk", "area_code"))
        self.handlers = dict(User.objects.filter(role="department_handler").values_list("department_id", "pk"))
        self.departments = {d.pk: d for d in Department.objects.all()}
        self.by_county: dict[str, list[Department]] = {}
        for department in self.departments.values():
            self.by_county.setdefault(department.area_code[:6], []).append(department)
        self.calendar = calendar()


class Teller:
    """Tells one invented life after another, none of which reaches past ``now``."""

    def __init__(self, city: City, *, now: datetime, seed: int) -> None:
        self.city, self.now, self.rnd = city, now, random.Random(seed)
        self.weights = [1 / (3 + n) ** 0.6 for n in range(len(city.matters))]
        self.order = self.rnd.sample(city.matters, len(city.matters))
        self.numbers: dict[date, int] = {}

    def days(self, number: int) -> Iterator[PastHazard]:
        """Yield the hazards of so many days up to now, oldest first within a day's list."""
        today = self.now.astimezone(worktime.CITY_TIME).date()
        for back in range(number - 1, -1, -1):
            day = today - timedelta(days=back)
            quiet = 0.72 if day.weekday() >= 5 else 1.0
            for moment in sorted(self.moment(day) for _ in range(int(A_DAY * quiet * self.rnd.uniform(0.92, 1.08)))):
                if moment < self.now:
                    yield self.life(moment)

    def moment(self, day: date) -> datetime:
        hour = min(23.5, max(5.5, self.rnd.choice((self.rnd.gauss(9.3, 1.4), self.rnd.gauss(15.2, 1.7)))))
        seconds = int(hour * 3600) + self.rnd.randrange(60)
        return datetime.combine(day, time(), worktime.CITY_TIME) + timedelta(seconds=seconds)

    def number(self, moment: datetime) -> str:
        day = moment.date()
        self.numbers[day] = self.numbers.get(day, 0) + 1
        return f"YH-{day:%Y%m%d}-{self.numbers[day]:05d}"

    def place(self) -> tuple[tuple, float, float]:
        cell = self.rnd.choice(self.city.base)
        radius = 0.25 * math.sqrt(max(cell[4], 0.01)) / 111
        angle = self.rnd.random() * 2 * math.pi
        lon = cell[3].x + radius * math.cos(angle) * self.rnd.random()
        lat = cell[3].y + radius * math.sin(angle) * self.rnd.random()
        return cell, lon, lat

    def life(self, moment: datetime) -> PastHazard:
        """Tell one life from its report."""
        cell, lon, lat = self.place()
        matter = self.rnd.choices(self.order, self.weights)[0]
        reporters = self.city.people.get(cell[0]) or self.city.everybody
        major = self.rnd.random() < 0.006
        hazard = PastHazard(
            id=uuid.UUID(int=self.rnd.getrandbits(128), version=4), number=self.number(moment), matter_id=matter.pk,
            category=matter.matter_class.code, severity="major" if major else "general",
            criterion="重大事故隐患判定标准（示例）" if major else "", description=self.rnd.choice(WORDS["report"]),
            lon=lon, lat=lat, accuracy_m=round(self.rnd.uniform(4, 25), 1), cell_id=cell[0], dedicated_cell_id=None,
            dedicated_code="", area_code=cell[1], reporter_id=self.rnd.choice(reporters), steps=[],
        )  # fmt: skip
        Life(self, hazard, matter).run(moment)
        return hazard


class Life:
    """One hazard's steps and clocks, told until the present."""

    def __init__(self, teller: Teller, hazard: PastHazard, matter: Matter) -> None:
        self.teller, self.hazard, self.matter = teller, hazard, matter
        self.rnd, self.city, self.clock = teller.rnd, teller.city, None
        covering = [pk for pk, area in self.city.dispatchers if hazard.area_code.startswith(area)]
        self.dispatcher = self.rnd.choice(covering) if covering else hazard.reporter_id

    def run(self, moment: datetime) -> None:
        self.start_clock("accept", moment)
        self.step("report", "", "reported", moment, self.hazard.reporter_id, words=self.hazard.description)
        if self.rnd.random() < 0.24:
            self.on_the_spot(moment)
        elif (moment := self.later(moment, 4, 70)) and self.rnd.random() < 0.05:
            self.step("refuse", "reported", "refused", moment, self.dispatcher, clock="")
        elif moment and self.step("accept", "reported", "accepted", moment, self.dispatcher):
            self.dispatch(moment)

    def dispatch(self, moment: datetime) -> None:
        moment = self.later(moment, 3, 50)
        county = self.hazard.area_code[:6]
        home = self.matter.department
        mine = home if home.area_code[:6] in (county, county[:4]) else None
        department = mine or self.rnd.choice(self.city.by_county.get(county) or [home])
        handler = self.city.handlers.get(department.pk)
        self.hazard.department_id = department.pk if moment < self.teller.now else None
        if not self.step("dispatch", "accepted", "dispatched", moment, self.dispatcher, clock="rectify"):
            return
        moment = self.later(moment, 5, 120)
        if not self.step("take", "dispatched", "taken", moment, handler):
            return
        limit = (self.clock.due_at - moment) if self.clock and self.clock.due_at else timedelta(days=2)
        share = self.rnd.uniform(0.15, 0.93) if self.rnd.random() < 0.975 else self.rnd.uniform(1.02, 1.9)
        moment = moment + max(limit * share, timedelta(minutes=20))
        if self.step("rectify", "taken", "rectified", moment, handler, clock="verify"):
            self.hazard.rectified_by_id = handler
            self.verify(moment)

    def on_the_spot(self, moment: datetime) -> None:
        moment = self.later(moment, 1, 6)
        if self.step("handle_on_spot", "reported", "rectified", moment, self.hazard.reporter_id, clock="verify"):
            self.hazard.handled_on_spot, self.hazard.rectified_by_id = True, self.hazard.reporter_id
            self.verify(moment)

    def verify(self, moment: datetime) -> None:
        others = [p for p in self.city.people.get(self.hazard.cell_id, []) if p != self.hazard.reporter_id]
        checker = self.rnd.choice(others) if others else self.dispatcher
        limit = (self.clock.due_at - moment) if self.clock and self.clock.due_at else timedelta(hours=8)
        moment = moment + max(limit * self.rnd.uniform(0.05, 0.8), timedelta(minutes=5))
        if self.step("verify", "rectified", "verified", moment, checker, place=True):
            moment = self.later(moment, 2, 45)
            self.step("write_off", "verified", "written_off", moment, self.dispatcher, clock="")

    def later(self, moment: datetime, least: float, most: float) -> datetime:
        """Return a moment some minutes later; most steps are quick, few are slow."""
        return moment + timedelta(minutes=least + (most - least) * self.rnd.random() ** 2.5)

    def start_clock(self, stage: str, moment: datetime) -> None:
        unit, amount = getattr(self.matter, f"{stage}_unit"), getattr(self.matter, f"{stage}_amount")
        due = worktime.due(moment, amount, unit, self.city.calendar)
        self.clock = PastClock(stage, unit, amount, moment, due.at)
        self.hazard.clocks.append(self.clock)

    def step(
        self, action: str, source: str, target: str, moment: datetime, actor: int | None, *, words: str = "",
        clock: str | None = None, place: bool = False,
    ) -> bool:  # fmt: skip
        """Take a step unless it lies ahead; before it, mark what ran out. Return whether it was taken."""
        now = self.teller.now
        self.mark(min(moment, now))
        if moment >= now:
            return False
        words = words or self.rnd.choice(WORDS.get(action, [""]))
        self.hazard.steps.append(
            PastStep(
                id=self.hazard.id if action == "report" else uuid.UUID(int=self.rnd.getrandbits(128), version=4),
                action=action,
                source=source,
                target=target,
                at=moment,
                actor_id=actor,
                department_id=self.hazard.department_id,
                words=words,
                basis=BASIS.get(action, ""),
                lon=self.hazard.lon if place else None,
                lat=self.hazard.lat if place else None,
            )
        )
        if clock is not None and self.clock:
            self.clock.stopped_at, self.clock = moment, None
            if clock:
                self.start_clock(clock, moment)
        return True

    def mark(self, until: datetime) -> None:
        clock: Any = self.clock
        if clock and clock.due_at and clock.marked_at is None and clock.due_at + SWEEP < until and self.hazard.steps:
            clock.marked_at = clock.due_at + SWEEP
            last = self.hazard.steps[-1]
            self.hazard.steps.append(
                PastStep(uuid.uuid4(), "mark_overdue", last.target, last.target, clock.marked_at, None)
            )
