"""The demo city's last weeks: invented hazards that live as the table of steps allows, at the city's real rate.

Illustrative: the rate (about 1,200 a day) is the article's, everything else is drawn by a seeded generator.
"""

import itertools
import math
import random
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from citysafety import areas, worktime
from citysafety.accounts.models import Department, User
from citysafety.calendars.services import calendar
from grid.locate import locate
from grid.models import Cell, Matter, Posting
from hazards.history import PastClock, PastHazard, PastPhoto, PastStep
from hazards.lifecycle import LIFECYCLE

from . import phrases

A_DAY = 1290  # hazards found on a working day, so that a week comes to about 1,200 a day, as the article says
AT_WEEKENDS = 0.72
BASIS = {step.action: step.basis for step in LIFECYCLE.steps}
SWEEP = timedelta(seconds=9)
Album = Mapping[str, Sequence[tuple[str, str, str]]]  # by class: hashes of (before, after, another after)


class City:
    """What the generator draws from, read once."""

    def __init__(self) -> None:
        self.matters = list(Matter.objects.filter(active=True).select_related("matter_class", "department"))
        rows = Cell.objects.filter(active=True).values_list("id", "code", "kind", "centre", "area_km2")
        self.cells: dict[str, list[tuple]] = {"base": [], "dedicated": [], "sea": []}
        for row in rows.order_by("code"):
            self.cells[row[2]].append(row)
        self.people: dict[int, list[int]] = {}
        self.cell_of: dict[int, tuple] = {}  # by user: the cell answered for
        by_id = {row[0]: row for rows in self.cells.values() for row in rows}
        posted = Posting.objects.filter(until=None, worker__state="on_duty").order_by("-role", "cell_id", "pk")
        for cell_id, user_id in posted.values_list("cell_id", "worker__user_id"):
            self.people.setdefault(cell_id, []).append(user_id)
            if cell_id in by_id:
                self.cell_of.setdefault(user_id, by_id[cell_id])
        self.everybody = sorted({user for users in self.people.values() for user in users})
        self.dispatchers = list(User.objects.filter(role="dispatcher", is_active=True).values_list("pk", "area_code"))
        self.handlers: dict[int, list[int]] = {}
        for user in User.objects.filter(role="department_handler", is_active=True).order_by("pk"):
            self.handlers.setdefault(user.department_id, []).append(user.pk)
        self.departments = {department.pk: department for department in Department.objects.all()}
        self.branches: dict[int, list[Department]] = {}
        for department in self.departments.values():
            self.branches.setdefault(department.parent_id, []).append(department)
        self.calendar = calendar()

    def office(self, matter: Matter, area: str) -> Department:
        """Return the branch of a matter's home department in an area, else that itself."""
        branches = self.branches.get(matter.department_id, [])
        return next((branch for branch in branches if area.startswith(branch.area_code)), matter.department)

    def nearest_dispatchers(self, area: str) -> list[int]:
        covering = [(len(own), pk) for pk, own in self.dispatchers if areas.covers(own, area)]
        nearest = max(covering)[0]
        return [pk for digits, pk in covering if digits == nearest]


class Teller:
    """Tells one invented life after another, none of which reaches past ``now``."""

    def __init__(self, city: City, *, now: datetime, seed: int, album: Album, pictured_since: datetime) -> None:
        self.city, self.now, self.rnd, self.album = city, now, random.Random(seed), album
        self.pictured_since = pictured_since
        self.order = self.rnd.sample(city.matters, len(city.matters))
        self.weights = list(itertools.accumulate(1 / (3 + n) ** 0.6 for n in range(len(self.order))))
        base = city.cells["base"]
        self.busy = list(itertools.accumulate(self.rnd.lognormvariate(0, 0.8) for _cell in base))
        self.numbers: dict[date, int] = {}

    def days(self, number: int) -> Iterator[PastHazard]:
        """Yield the hazards of so many days up to now, oldest first within a day's list."""
        today = self.now.astimezone(worktime.CITY_TIME).date()
        for back in range(number - 1, -1, -1):
            day = today - timedelta(days=back)
            share = AT_WEEKENDS if day.weekday() >= 5 else 1.0
            for moment in sorted(self.moment(day) for _ in range(int(A_DAY * share * self.rnd.uniform(0.93, 1.07)))):
                if moment < self.now:
                    yield self.life(moment)

    def moment(self, day: date) -> datetime:
        hour = min(23.5, max(5.5, self.rnd.choice((self.rnd.gauss(9.3, 1.4), self.rnd.gauss(15.2, 1.7)))))
        return self.at(day, hour)

    def at(self, day: date, hour: float) -> datetime:
        seconds = int(hour * 3600) + self.rnd.randrange(60)
        return datetime.combine(day, time(), worktime.CITY_TIME) + timedelta(seconds=seconds)

    def just_now(self, longest_h: float = 3) -> datetime:
        """Return a moment of the last hours of daylight, today or yesterday."""
        local = self.now.astimezone(worktime.CITY_TIME)
        if 9 <= local.hour < 20:
            return self.now - timedelta(hours=self.rnd.uniform(0.4, min(longest_h, local.hour - 7)))
        day = local.date() - timedelta(days=local.hour < 9)
        return self.at(day, self.rnd.uniform(18.4 - longest_h, 18))

    def number(self, moment: datetime) -> str:
        day = moment.astimezone(worktime.CITY_TIME).date()
        self.numbers[day] = self.numbers.get(day, 0) + 1
        return f"YH-{day:%Y%m%d}-{self.numbers[day]:05d}"

    def somewhere(self) -> tuple:
        """Return a cell: mostly a base cell, now and then a school, a park, a site or the sea."""
        draw = self.rnd.random()
        if draw < 0.13:
            return self.rnd.choice(self.city.cells["dedicated"])
        if draw < 0.14 and self.city.cells["sea"]:
            return self.rnd.choice(self.city.cells["sea"])
        return self.rnd.choices(self.city.cells["base"], cum_weights=self.busy)[0]

    def point_in(self, cell: tuple) -> tuple[float, float]:
        radius = (0.1 if cell[2] == "dedicated" else 0.25) * math.sqrt(max(cell[4], 0.0005)) / 111
        angle, share = self.rnd.random() * 2 * math.pi, math.sqrt(self.rnd.random())
        return cell[3].x + radius * math.cos(angle) * share, cell[3].y + radius * math.sin(angle) * share

    def life(
        self, moment: datetime, *, cell: tuple | None = None, matter: Matter | None = None, until: str = "",
        reporter: int | None = None,
    ) -> PastHazard:  # fmt: skip
        """Tell one life from its report; ``until`` is a state that it waits in until now."""
        cell = cell or self.somewhere()
        lon, lat = self.point_in(cell)
        place = locate(lon, lat)
        matter = matter or self.rnd.choices(self.order, cum_weights=self.weights)[0]
        category = matter.matter_class.code
        near = self.city.people.get(place.cell_id) or self.city.people.get(place.dedicated_id)
        major = self.rnd.random() < (0.05 if matter.severity == "major" else 0.002)
        hazard = PastHazard(
            id=uuid.UUID(int=self.rnd.getrandbits(128), version=4), number=self.number(moment), matter_id=matter.pk,
            category=category, severity="major" if major else "general",
            criterion="重大事故隐患判定标准（示例）" if major else "", description=self.rnd.choice(phrases.FOUND),
            lon=lon, lat=lat, accuracy_m=round(self.rnd.uniform(4, 25), 1), cell_id=place.cell_id,
            dedicated_cell_id=place.dedicated_id, dedicated_code=place.dedicated_code, area_code=place.area_code,
            reporter_id=reporter or self.rnd.choice(near or self.city.everybody), steps=[],
        )  # fmt: skip
        Life(self, hazard, matter, until).run(moment)
        return hazard


class Life:
    """One hazard's steps and clocks, told until the present."""

    def __init__(self, teller: Teller, hazard: PastHazard, matter: Matter, until: str) -> None:
        self.teller, self.hazard, self.matter, self.until = teller, hazard, matter, until
        self.rnd, self.city, self.waits = teller.rnd, teller.city, False
        self.clocks: dict[str, PastClock] = {}
        self.clock: PastClock | None = None
        self.dispatcher = self.rnd.choice(self.city.nearest_dispatchers(hazard.area_code))
        self.before, *self.after = self.rnd.choice(teller.album[hazard.category])

    def run(self, moment: datetime) -> None:
        self.start_clock("accept", moment)
        self.step("report", "", "reported", moment, self.hazard.reporter_id, self.hazard.description)
        on_the_spot = self.until == "rectified on the spot" or (not self.until and self.rnd.random() < 0.24)
        if on_the_spot:
            self.on_the_spot(moment)
            return
        if self.rnd.random() < 0.92:
            self.photo("scene", self.before, self.hazard.reporter_id, moment)
        moment = self.later(moment, 4, 70)
        if self.until or self.rnd.random() >= 0.05:
            if self.step("accept", "reported", "accepted", moment, self.dispatcher):
                self.dispatch(moment)
        elif self.step("refuse", "reported", "refused", moment, self.dispatcher, phrases.REFUSED, clock=""):
            moment += timedelta(hours=self.rnd.uniform(0.5, 30))
            if self.rnd.random() < 0.12 and self.step(
                "contest", "refused", "reported", moment, self.hazard.reporter_id, phrases.CONTESTED, clock="accept"
            ):
                moment = self.later(moment, 4, 90)
                if self.step("accept", "reported", "accepted", moment, self.dispatcher):
                    self.dispatch(moment)

    def dispatch(self, moment: datetime) -> None:
        moment = self.later(moment, 3, 50)
        office = self.city.office(self.matter, self.hazard.area_code)
        if not self.step(
            "dispatch", "accepted", "dispatched", moment, self.dispatcher, clock="rectify", office=office.pk
        ):
            return
        handler = self.rnd.choice(self.city.handlers[office.pk])
        moment = self.later(moment, 5, 120)
        if not self.until and self.rnd.random() < 0.02:
            if self.step("return", "dispatched", "accepted", moment, handler, phrases.RETURNED, clock="accept"):
                self.dispatch(moment)
        elif self.step("take", "dispatched", "taken", moment, handler):
            self.rectify(moment, handler)

    def rectify(self, moment: datetime, handler: int) -> None:
        limit = self.left(moment, timedelta(days=2))
        share = self.rnd.uniform(0.15, 0.93) if self.rnd.random() < 0.975 else self.rnd.uniform(1.02, 3.5)
        pause = timedelta(minutes=self.rnd.uniform(15, 50)) if self.until else limit * share
        moment += max(pause, timedelta(minutes=20))
        if self.step("rectify", "taken", "rectified", moment, handler, phrases.DONE, clock="verify"):
            self.hazard.rectified_by_id = handler
            self.photos_after(handler, moment)
            self.verify(moment)

    def on_the_spot(self, moment: datetime) -> None:
        reporter = self.hazard.reporter_id
        self.hazard.claimed_on_spot = True
        moment = self.later(moment, 1, 6)
        if self.step("handle_on_spot", "reported", "rectified", moment, reporter, phrases.DONE, clock="verify"):
            self.hazard.handled_on_spot, self.hazard.rectified_by_id = True, reporter
            self.photo("before", self.before, reporter, moment, used=True)
            self.photos_after(reporter, moment)
            self.verify(moment)

    def verify(self, moment: datetime) -> None:
        doers = (self.hazard.rectified_by_id, self.hazard.reporter_id if self.hazard.handled_on_spot else None)
        others = [person for person in self.city.people.get(self.hazard.cell_id, []) if person not in doers]
        checker = self.rnd.choice(others) if others else self.dispatcher
        moment += max(self.left(moment, timedelta(hours=8)) * self.rnd.uniform(0.05, 0.85), timedelta(minutes=5))
        if not self.until and not self.hazard.handled_on_spot and self.rnd.random() < 0.035:
            if self.step("fail", "rectified", "taken", moment, checker, phrases.FAILED, clock="rectify"):
                handler, self.hazard.rectified_by_id = self.hazard.rectified_by_id, None
                self.rectify(moment, handler)
        elif self.step("verify", "rectified", "verified", moment, checker, phrases.VERIFIED, place=True):
            moment = self.later(moment, 2, 45)
            self.step("write_off", "verified", "written_off", moment, self.dispatcher, clock="")

    def left(self, moment: datetime, otherwise: timedelta) -> timedelta:
        """Return the time to the due time of the running clock."""
        return max(self.clock.due_at - moment, timedelta()) if self.clock and self.clock.due_at else otherwise

    def later(self, moment: datetime, least: float, most: float) -> datetime:
        """Return a moment some minutes later; most steps are quick, few are slow."""
        share = 0.1 if self.until else 1
        return moment + timedelta(minutes=least + (most - least) * share * self.rnd.random() ** 2.5)

    def start_clock(self, stage: str, moment: datetime) -> None:
        """Start a stage's clock; after a failed verification that of rectification goes on where it stood."""
        unit, amount = getattr(self.matter, f"{stage}_unit"), getattr(self.matter, f"{stage}_amount")
        known = self.clocks.get(stage)
        days, goes_on = self.city.calendar, 0
        if known and known.stopped_at and stage == "rectify" and self.hazard.steps[-1].action == "fail":
            goes_on = known.consumed_s + int(worktime.consumed(known.started_at, known.stopped_at, unit, days) or 0)
        due = worktime.due_after(moment, amount, unit, days, consumed_s=goes_on)
        self.clock = self.clocks[stage] = PastClock(stage, unit, amount, moment, due.at, consumed_s=goes_on)
        self.hazard.clocks = list(self.clocks.values())

    def stop_clock(self, moment: datetime) -> None:
        if self.clock is not None:
            self.clock.stopped_at, self.clock = moment, None

    def step(
        self, action: str, source: str, target: str, moment: datetime, actor: int | None,
        words: str | Sequence[str] = "", *, clock: str | None = None, place: bool = False, office: int | None = None,
    ) -> bool:  # fmt: skip
        """Take a step unless it lies ahead; before it, mark what ran out. Return whether it was taken."""
        now, hazard = self.teller.now, self.hazard
        self.mark(now if self.waits else min(moment, now))
        if moment >= now or self.waits:
            return False
        self.waits = target == self.until or self.until.startswith(f"{target} ")
        hazard.department_id = office or (None if target in ("accepted", "reported") else hazard.department_id)
        hazard.steps.append(
            PastStep(
                id=hazard.id if action == "report" else uuid.UUID(int=self.rnd.getrandbits(128), version=4),
                action=action,
                source=source,
                target=target,
                at=moment,
                actor_id=actor,
                department_id=hazard.department_id,
                words=words if isinstance(words, str) else self.rnd.choice(words),
                basis=BASIS.get(action, "GB/T 30428.8: information collection"),
                lon=hazard.lon if place or action == "report" else None,
                lat=hazard.lat if place or action == "report" else None,
            )
        )
        if clock is not None:
            self.stop_clock(moment)
            if clock:
                self.start_clock(clock, moment)
        return True

    def mark(self, until: datetime) -> None:
        clock: Any = self.clock
        if not (clock and clock.due_at and clock.marked_at is None and self.hazard.steps):
            return
        seen = max(clock.due_at, clock.started_at) + SWEEP
        if seen < until:
            clock.marked_at = seen
            state = self.hazard.steps[-1].target
            self.hazard.steps.append(
                PastStep(
                    uuid.UUID(int=self.rnd.getrandbits(128), version=4), "mark_overdue", state, state, clock.marked_at, None,
                    department_id=self.hazard.department_id, stage=clock.stage, due_at=clock.due_at,
                )
            )  # fmt: skip

    def photos_after(self, by: int, moment: datetime) -> None:
        """Attach as many photos as the matter asks, none twice: after a failed verification new ones are due."""
        for _n in range(max(1, self.matter.photos_after)):
            if not self.after:
                seen = {photo.sha256 for photo in self.hazard.photos}
                scenes = [scene for scene in self.teller.album[self.hazard.category] if seen.isdisjoint(scene)]
                self.after = list(self.rnd.choice(scenes)[1:]) if scenes else []
            if not self.after:
                return
            self.photo("after", self.after.pop(0), by, moment, used=True)

    def photo(self, role: str, sha256: str, by: int, moment: datetime, *, used: bool = False) -> None:
        """Attach a photo, of what happened since the demo's pictures begin."""
        if moment >= self.teller.pictured_since:
            step = self.hazard.steps[-1].id if used else None
            self.hazard.photos.append(PastPhoto(sha256, role, by, moment, step))
