"""The demo city's past: invented hazards that live as the table of steps allows, at the city's real rate.

Illustrative: the rates (from about 4,000 a day a year ago to about 1,200 now) are the article's, everything else is
drawn by a seeded generator. Everything is drawn in columns, a few days at a time, so that years fit into memory.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy

from citysafety import areas, worktime
from citysafety.accounts.models import Department, User
from citysafety.calendars.services import calendar
from citysafety.workcolumns import WorkColumns, ms_of
from grid.locate import current
from grid.models import Cell, Matter, Posting
from hazards.history import Limits, Lives, Told
from hazards.history.lives import ACTIONS, STAGES, STATES, ids_of

from . import phrases

Column = Any  # a numpy array
A_DAY = 1290  # hazards found on a working day now, so that a week comes to about 1,200 a day, as the article says
AT_WEEKENDS = 0.72
FORGOTTEN = 0.06  # of the cases that run out: lie for weeks, and are what supervision is for
PEAK, BEGUN = 3.33, 1.35  # a year ago, and where the city began four years before that, each of what it is now
A_BATCH = 12_000  # hazards drawn at once
HOUR, MINUTE = 3_600_000, 60_000
EVE_FROM = 0.35  # of the share of its time that work takes: what the office of the last hour then leaves until the end
ON_THE_SPOT = "rectified on the spot"
# How much of a class comes in each month beside its mean: fires in winter, floods and broken streets in summer.
SEASONS = {
    "XF": (1.5, 1.4, 1.1, 0.95, 0.8, 0.7, 0.7, 0.7, 0.8, 0.95, 1.2, 1.5),
    "WH": (1.1, 1.05, 1.0, 0.95, 0.95, 1.05, 1.15, 1.1, 0.95, 0.9, 1.0, 1.1),
    "JZ": (0.6, 0.5, 1.1, 1.25, 1.2, 1.1, 1.05, 1.05, 1.2, 1.25, 1.0, 0.7),
    "JT": (1.15, 1.1, 0.95, 0.9, 0.95, 1.0, 1.05, 1.0, 0.95, 1.0, 1.05, 1.2),
    "SZ": (0.75, 0.75, 0.85, 0.95, 1.05, 1.25, 1.5, 1.45, 1.15, 0.9, 0.8, 0.75),
    "XY": (0.8, 0.7, 1.25, 1.1, 1.05, 1.05, 0.7, 0.75, 1.45, 1.1, 1.0, 0.9),
    "HJ": (0.7, 0.7, 0.85, 0.95, 1.05, 1.35, 1.7, 1.6, 1.1, 0.8, 0.7, 0.7),
}
SHARES = {"XF": 1.25, "SZ": 1.15, "JT": 1.05, "WH": 0.8, "HJ": 0.75}  # of a class beside the number of its matters
Album = Mapping[str, Sequence[tuple[str, str, str]]]  # by class: hashes of (before, after, another after)


class Choice:
    """Several things to choose from for each of many keys: rows of a padded table."""

    def __init__(self, lists: Sequence[Sequence[int]]) -> None:
        self.many = numpy.array([len(one) for one in lists], "i8")
        self.table = numpy.zeros((len(lists), max(1, self.many.max(initial=0))), "i8")
        for n, one in enumerate(lists):
            self.table[n, : len(one)] = one

    def among(self, keys: Column, rnd: numpy.random.Generator) -> Column:
        """Return one thing for each key, 0 where there is none."""
        return self.table[keys, (rnd.random(len(keys)) * self.many[keys]).astype("i8")]


class City:
    """What the generator draws from, read once."""

    def __init__(self) -> None:
        self.index = current()
        self.matters = list(Matter.objects.filter(active=True).select_related("matter_class").order_by("pk"))
        self.categories = sorted({matter.matter_class.code for matter in self.matters})
        self.class_of = numpy.array([self.categories.index(matter.matter_class.code) for matter in self.matters])
        rows = list(
            Cell.objects.filter(active=True).order_by("code").values_list("id", "code", "kind", "centre", "area_km2")
        )
        # The layers of the index hold the same cells in the same order; the city itself comes last, for no cell.
        self.cells = [(0, self.index.city_code, "", None, 0.0), *rows]
        known = {row[0]: n for n, row in enumerate(self.cells)}
        self.layers = [
            numpy.array([*(known[cell[0]] for cell in layer.cells), 0])
            for layer in (self.index.base, self.index.dedicated, self.index.sea)
        ]
        self.keys = numpy.array([row[0] for row in self.cells])
        self.codes = numpy.array([row[1] for row in self.cells], "S15")
        self.centres = numpy.array([(0, 0), *((row[3].x, row[3].y) for row in rows)], "f8")
        radius = [0.1 if row[2] == "dedicated" else 0.25 for row in self.cells]
        self.radius = numpy.array(radius) * numpy.sqrt(numpy.maximum([row[4] for row in self.cells], 0.0005)) / 111
        self._bring_people(known)
        self._bring_offices()
        self.calendar = calendar()

    def _bring_people(self, known: Mapping[int, int]) -> None:
        posted: dict[int, list[int]] = {}
        self.cell_of: dict[int, int] = {}  # by user: the cell answered for
        rows = Posting.objects.filter(until=None, worker__state="on_duty").order_by("-role", "cell_id", "pk")
        for cell_id, user_id in rows.values_list("cell_id", "worker__user_id"):
            if cell_id in known:
                posted.setdefault(known[cell_id], []).append(user_id)
                self.cell_of.setdefault(user_id, known[cell_id])
        self.people = Choice([posted.get(n, []) for n in range(len(self.cells))])
        self.everybody = numpy.array(sorted(self.cell_of))
        dispatchers = list(User.objects.filter(role="dispatcher", is_active=True).values_list("area_code", "pk"))
        nearest = {}
        for code in {row[1] for row in self.cells}:
            covering = [(len(own), pk) for own, pk in dispatchers if areas.covers(own, code)]
            nearest[code] = [pk for digits, pk in covering if digits == max(covering)[0]]
        self.dispatchers = Choice([nearest[row[1]] for row in self.cells])

    def _bring_offices(self) -> None:
        departments = list(Department.objects.order_by("pk"))
        self.units = {department.pk: department.code for department in departments}
        self.counties, self.county_of = numpy.unique([row[1][:6] for row in self.cells], return_inverse=True)
        homes = sorted({matter.department_id for matter in self.matters})
        self.home_of = numpy.array([homes.index(matter.department_id) for matter in self.matters])
        self.offices = numpy.array(
            [
                [
                    next(
                        (one.pk for one in departments if one.parent_id == home and county.startswith(one.area_code)),
                        home,
                    )
                    for county in self.counties
                ]
                for home in homes
            ]
        )
        handlers: dict[int, list[int]] = {}
        for user in User.objects.filter(role="department_handler", is_active=True).order_by("pk"):
            handlers.setdefault(user.department_id, []).append(user.pk)
        self.office_number = numpy.zeros(max(self.units, default=0) + 1, "i8")
        for n, pk in enumerate(self.units):
            self.office_number[pk] = n
        self.handlers = Choice([handlers.get(pk, []) for pk in self.units])

    def office(self, matter: Column, cell: Column) -> Column:
        """Return the branch of each matter's home department where the cell lies, else that itself."""
        return self.offices[self.home_of[matter], self.county_of[cell]]

    def inside(self, area: str) -> Column:
        """Return the base cells of an area."""
        base = self.layers[0][:-1]
        return base[numpy.char.startswith(self.codes[base], area.encode())]


class Teller:
    """Tells invented lives, a few days at a time, none of which reaches past ``now``."""

    def __init__(self, city: City, *, now: datetime, seed: int, album: Album, pictured_since: datetime) -> None:
        self.city, self.now, self.album, self.pictured_since = city, now, album, pictured_since
        self.rnd = numpy.random.default_rng(seed)
        self.now_ms, self.pictured_ms = ms_of(now), ms_of(pictured_since)
        self.clocks = WorkColumns(city.calendar, now)
        stages = [[(getattr(m, f"{s}_unit"), getattr(m, f"{s}_amount")) for m in city.matters] for s in STAGES]
        self.limits = Limits(
            numpy.array([[worktime.UNITS.index(unit) for unit, _amount in row] for row in stages]),
            numpy.array([[amount for _unit, amount in row] for row in stages]),
        )
        self.keys = numpy.array([matter.pk for matter in city.matters])
        self.grave = numpy.array([0.05 if matter.severity == "major" else 0.002 for matter in city.matters])
        self.weights = self._weights()
        base = city.layers[0][:-1]
        self.busy = numpy.cumsum(self.rnd.lognormal(0, 0.8, len(base)))
        # Some offices are good and some are not: how many cases run out, and how soon the others are done.
        skill = self.rnd.normal(0, 1, len(city.units))
        self.slips = numpy.clip(0.018 * numpy.exp(0.95 * skill), 0.002, 0.2)
        self.pace = numpy.clip(0.93 - 0.09 * skill.max(initial=0) + 0.06 * skill, 0.5, 0.93)
        self.eve = self._eve()
        self.spoken = [""]
        self.numbers: dict[date, int] = {}

    def _eve(self) -> int:
        """Return the office that reports much of its work in the last hour, for a detector to find; an invention as all is."""
        city = self.city
        in_days = self.limits.units[1] == worktime.UNITS.index("work_days")
        often = numpy.where(in_days, numpy.diff(self.weights[0], prepend=0), 0)
        return int(city.office_number[city.offices[city.home_of[often.argmax()], 0]])

    def _weights(self) -> Column:
        """Return the running sums of how often each matter comes, by month: few come often, many seldom."""
        city = self.city
        often = 1 / (3 + self.rnd.permutation(len(city.matters))) ** 0.6
        often *= numpy.array([SHARES.get(matter.matter_class.code, 1.0) for matter in city.matters])
        months = numpy.array([SEASONS.get(matter.matter_class.code, (1.0,) * 12) for matter in city.matters]).T
        return numpy.cumsum(often * months, axis=1)

    def days(self, number: int, *, but: int = 0) -> Iterator[Told]:
        """Yield the hazards of so many days up to now, ``but`` the last ones, in batches of whole days, oldest first."""
        today = self.now.astimezone(worktime.CITY_TIME).date()
        filed: list[Column] = []
        for back in range(number - 1, but - 1, -1):
            day = today - timedelta(days=back)
            moments = numpy.sort(self.moments(day, self.many(day, back)))
            filed.append(moments[moments < self.now_ms])
            if sum(map(len, filed)) >= A_BATCH or back == but:
                if len(moments := numpy.concatenate(filed)):
                    yield self.tell(moments)
                filed = []

    def many(self, day: date, back: int) -> int:
        """Return how many hazards a day brings."""
        years = back / 365
        share = min(years, 1.0)
        rate = 1 + (PEAK - 1) * share * share * (3 - 2 * share) - (PEAK - BEGUN) * min(max(years - 1, 0) / 4, 1)
        return int(A_DAY * rate * (AT_WEEKENDS if day.weekday() >= 5 else 1) * self.rnd.uniform(0.93, 1.07))

    def moments(self, day: date, many: int) -> Column:
        morning = self.rnd.random(many) < 0.5
        hour = numpy.where(morning, self.rnd.normal(9.3, 1.4, many), self.rnd.normal(15.2, 1.7, many))
        return self.at(day, numpy.clip(hour, 5.5, 23.5))

    def at(self, day: date, hour: Column) -> Column:
        midnight = ms_of(datetime.combine(day, time(), worktime.CITY_TIME))
        return midnight + (numpy.asarray(hour) * HOUR).astype("i8")

    def just_now(self, longest_h: float = 3) -> int:
        """Return a moment of the last hours of daylight, today or yesterday."""
        local = self.now.astimezone(worktime.CITY_TIME)
        if 9 <= local.hour < 20:
            return self.now_ms - int(HOUR * self.rnd.uniform(0.4, min(longest_h, local.hour - 7)))
        day = local.date() - timedelta(days=local.hour < 9)
        return int(self.at(day, self.rnd.uniform(18.4 - longest_h, 18)))

    def tell(
        self, moments: Column, *, cells: Column | None = None, matters: Column | None = None,
        until: Sequence[str] | None = None, reporters: Column | None = None,
    ) -> Told:  # fmt: skip
        """Tell lives from their reports on; ``until`` are states that they wait in until now, "" for none."""
        many, rnd = len(moments), self.rnd
        lives = Lives(many, now=self.now_ms, limits=self.limits, clocks=self.clocks, rnd=rnd, spoken=self.spoken)
        lives.filed = moments
        lives.id = ids_of(moments, rnd)
        lives.serial = self._serials(moments)
        lives.matter = self._matters(moments) if matters is None else matters
        lives.category = self.city.class_of[lives.matter]
        lives.severe = rnd.random(many) < self.grave[lives.matter]
        lives.description = self.say(phrases.FOUND, many)
        place, special = self._place(lives, self._somewhere(many) if cells is None else cells)
        near = self.city.people.among(place, rnd)
        near = numpy.where(near > 0, near, self.city.people.among(special, rnd))
        near = numpy.where(near > 0, near, rnd.choice(self.city.everybody, many))
        lives.reporter = near if reporters is None else numpy.where(reporters > 0, reporters, near)
        on_spot = (rnd.random(many) < 0.24) & ~lives.severe  # a major hazard needs a plan
        if until is not None:
            lives.until = numpy.array([STATES.index(one.split(" ")[0]) if one else 0 for one in until])
            on_spot = numpy.where(lives.until > 0, numpy.array([one == ON_THE_SPOT for one in until]), on_spot)
        lives.claimed_on_spot, lives.severe = on_spot, lives.severe & ~on_spot
        Life(self, lives, place, numpy.where(place > 0, place, special)).run()
        told = Told(lives, lives.finish(), self.city.categories, self.keys, self.city.units)
        if lives.filed.max(initial=0) + 120 * 24 * HOUR > self.pictured_ms:
            told.photos = Photographer(self, told).photos()
        return told

    def _serials(self, moments: Column) -> Column:
        """Return the numbers that the days' hazards have, each day from 1 on."""
        days = (moments + self.clocks.offset) // 86_400_000
        serials = numpy.zeros(len(moments), "i8")
        for day in numpy.unique(days):
            rows, on = numpy.flatnonzero(days == day), date.fromordinal(int(day) + date(1970, 1, 1).toordinal())
            before = self.numbers.get(on, 0)
            serials[rows] = before + 1 + numpy.arange(len(rows))
            self.numbers[on] = before + len(rows)
        return serials

    def _matters(self, moments: Column) -> Column:
        months = (moments + self.clocks.offset).astype("M8[ms]").astype("M8[M]").astype("i8") % 12
        drawn = self.rnd.random(len(moments))
        matters = numpy.zeros(len(moments), "i8")
        for month in numpy.unique(months):
            rows, sums = months == month, self.weights[month]
            matters[rows] = numpy.searchsorted(sums, drawn[rows] * sums[-1], "right")
        return matters

    def _somewhere(self, many: int) -> Column:
        """Return cells: mostly base cells, now and then a school, a park, a site or the sea."""
        base, dedicated, sea = (layer[:-1] for layer in self.city.layers)
        cells = base[numpy.searchsorted(self.busy, self.rnd.random(many) * self.busy[-1], "right")]
        draw = self.rnd.random(many)
        for own, here in ((dedicated, draw < 0.13), (sea, (draw >= 0.13) & (draw < 0.14))):
            if len(own):
                cells[here] = self.rnd.choice(own, int(here.sum()))
        return cells

    def _place(self, lives: Lives, cells: Column) -> tuple[Column, Column]:
        """Put each hazard near the middle of a cell; return the cell and the dedicated cell that it then lies in."""
        rnd, city = self.rnd, self.city
        angle = rnd.random(lives.number) * 2 * numpy.pi
        away = city.radius[cells] * numpy.sqrt(rnd.random(lives.number))
        lives.lon = numpy.round(city.centres[cells, 0] + away * numpy.cos(angle), 6)
        lives.lat = numpy.round(city.centres[cells, 1] + away * numpy.sin(angle), 6)
        lives.accuracy_m = numpy.round(rnd.uniform(4, 25, lives.number), 1)
        base, dedicated, sea = (
            layer[found] for layer, found in zip(city.layers, city.index.places(lives.lon, lives.lat), strict=True)
        )
        place = numpy.where(base > 0, base, sea)
        lives.cell, lives.dedicated = city.keys[place], city.keys[dedicated]
        lives.dedicated_code = numpy.where(dedicated > 0, city.codes[dedicated], b"")
        lives.area = city.codes[numpy.where(place > 0, place, dedicated)]
        return place, dedicated

    def say(self, choice: Sequence[str], many: int) -> Column:
        """Return words of a choice, by number in what is spoken."""
        for one in choice:
            if one not in self.spoken:
                self.spoken.append(one)
        numbers = numpy.array([self.spoken.index(one) for one in choice])
        return self.rnd.choice(numbers, many)


class Life:
    """The steps of many hazards, each told until the present. ``place`` is the cell whose people verify."""

    def __init__(self, teller: Teller, lives: Lives, place: Column, here: Column) -> None:
        self.teller, self.lives, self.place, self.here = teller, lives, place, here
        self.rnd, self.city = teller.rnd, teller.city
        self.dispatcher = self.city.dispatchers.among(here, self.rnd)
        self.at = lives.filed.copy()
        self.free = lives.until == 0
        self.handler = numpy.zeros(lives.number, "i8")

    def run(self) -> None:
        every = numpy.arange(self.lives.number)
        self.step(every, "report", "reported", self.lives.reporter, words=self.lives.description, place=True)
        on_spot = self.lives.claimed_on_spot
        self.on_the_spot(every[on_spot])
        rows = every[~on_spot]
        self.later(rows, 4, 70)
        unfit = self.free[rows] & (self.rnd.random(len(rows)) < 0.05)
        self.accept(rows[~unfit])
        rows = self.step(rows[unfit], "refuse", "refused", self.dispatcher, said=phrases.REFUSED)
        rows = rows[self.rnd.random(len(rows)) < 0.12]
        self.at[rows] += (self.rnd.uniform(0.5, 30, len(rows)) * HOUR).astype("i8")
        rows = self.step(rows, "contest", "reported", self.lives.reporter, said=phrases.CONTESTED)
        self.later(rows, 4, 90)
        self.accept(rows)

    def accept(self, rows: Column) -> None:
        """Accept and dispatch; what an office returns is dispatched again, two times at most."""
        rows = self.step(rows, "accept", "accepted", self.dispatcher)
        for returning in (0.02, 0.02, 0):
            self.later(rows, 3, 50)
            office = self.city.office(self.lives.matter[rows], self.here[rows])
            rows = self.step(rows, "dispatch", "dispatched", self.dispatcher, office=office)
            offices = self.city.office_number[self.lives.department[rows]]
            self.handler[rows] = self.city.handlers.among(offices, self.rnd)
            self.later(rows, 5, 120)
            back = self.free[rows] & (self.rnd.random(len(rows)) < returning)
            self.rectify(self.step(rows[~back], "take", "taken", self.handler))
            rows = self.step(rows[back], "return", "accepted", self.handler, said=phrases.RETURNED)

    def rectify(self, rows: Column) -> None:
        """Rectify and verify; what fails is rectified again, two times at most."""
        for failing in (0.035, 0.035, 0):
            office = self.city.office_number[self.lives.department[rows]]
            slips = self.rnd.random(len(rows)) < self.teller.slips[office]
            share = self.rnd.uniform(0.15, self.teller.pace[office])
            share = numpy.where(slips, self.rnd.uniform(1.02, 3.5, len(rows)), share)
            forgotten = slips & (self.rnd.random(len(rows)) < FORGOTTEN)
            share = numpy.where(forgotten, self.rnd.uniform(8, 60, len(rows)), share)
            pause = numpy.where(
                self.free[rows], self.left(rows, 48 * HOUR) * share, self.rnd.uniform(15, 50, len(rows)) * MINUTE
            )
            eve = (office == self.teller.eve) & ~slips & self.free[rows] & (share > EVE_FROM)
            pause = numpy.where(eve, self.left(rows, 48 * HOUR) - (5 + 50 * share) * MINUTE, pause)
            self.at[rows] += numpy.maximum(pause.astype("i8"), 20 * MINUTE)
            rows = self.step(rows, "rectify", "rectified", self.handler, said=phrases.DONE)
            rows = self.verify(rows, failing)

    def on_the_spot(self, rows: Column) -> None:
        self.later(rows, 1, 6)
        self.verify(self.step(rows, "handle_on_spot", "rectified", self.lives.reporter, said=phrases.DONE), 0)

    def verify(self, rows: Column, failing: float) -> Column:
        """Verify and write off; return the rows that failed."""
        checker = self.checkers(rows)
        pause = (self.left(rows, 8 * HOUR) * self.rnd.uniform(0.05, 0.85, len(rows))).astype("i8")
        self.at[rows] += numpy.maximum(pause, 5 * MINUTE)
        failed = self.free[rows] & (self.rnd.random(len(rows)) < failing)
        good = self.step(rows[~failed], "verify", "verified", checker, said=phrases.VERIFIED, place=True)
        self.later(good, 2, 45)
        self.step(good, "write_off", "written_off", self.dispatcher)
        return self.step(rows[failed], "fail", "taken", checker, said=phrases.FAILED)

    def checkers(self, rows: Column) -> Column:
        """Return, by hazard, somebody of its cell who did not do the work, else the dispatcher."""
        lives, people = self.lives, self.city.people.table[self.place[rows]]
        doing = (people == lives.rectified_by[rows, None]) | (
            lives.handled_on_spot[rows, None] & (people == lives.reporter[rows, None])
        )
        draw = numpy.where(doing | (people == 0), -1, self.rnd.random(people.shape))
        best = draw.argmax(axis=1)[:, None]
        known = numpy.take_along_axis(draw, best, 1)[:, 0] >= 0
        checker = self.dispatcher.copy()
        checker[rows[known]] = numpy.take_along_axis(people, best, 1)[known, 0]
        return checker

    def left(self, rows: Column, otherwise: int) -> Column:
        """Return the time to the due time of the running clock."""
        due = self.lives.due[numpy.maximum(self.lives.stage[rows], 0), rows]
        return numpy.where(due > 0, numpy.maximum(due - self.at[rows], 0), otherwise)

    def later(self, rows: Column, least: float, most: float) -> None:
        """Let some minutes pass; most steps are quick, few are slow."""
        share = numpy.where(self.free[rows], 1, 0.1) * self.rnd.random(len(rows)) ** 2.5
        self.at[rows] += ((least + (most - least) * share) * MINUTE).astype("i8")

    def step(
        self, rows: Column, action: str, target: str, actor: Column, *, said: Sequence[str] = (),
        words: Column | None = None, **more: Any,
    ) -> Column:  # fmt: skip
        """Take a step with those whose turn has come; return them. ``actor`` and ``words`` are by hazard."""
        if said:
            more["words"] = self.teller.say(said, len(rows))
        elif words is not None:
            more["words"] = words[rows]
        return rows[self.lives.step(rows, action, target, self.at[rows], actor[rows], **more)]


class Photographer:
    """Attaches photos to what happened since the pictures begin: scenes, and what steps need as evidence."""

    def __init__(self, teller: Teller, told: Told) -> None:
        self.teller, self.told, self.rnd = teller, told, teller.rnd
        self.found: list[tuple] = []
        self.seen: dict[int, list[str]] = {}  # by hazard
        self.scenes: dict[int, list[str]] = {}  # before, and the afters that are left

    def photos(self) -> list[tuple]:
        changes = self.told.changes
        shown = [ACTIONS.index(action) for action in ("report", "handle_on_spot", "rectify")]
        for n in numpy.flatnonzero((changes.at >= self.teller.pictured_ms) & numpy.isin(changes.action, shown)):
            self.show(int(n), int(changes.row[n]), ACTIONS[changes.action[n]])
        return self.found

    def show(self, n: int, row: int, action: str) -> None:
        if action == "report":
            if not self.told.lives.claimed_on_spot[row] and self.rnd.random() < 0.92:
                self.attach("scene", self.scene(row)[0], row, n, used=False)
            return
        if action == "handle_on_spot":
            self.attach("before", self.scene(row)[0], row, n)
        for _n in range(max(1, self.teller.city.matters[self.told.lives.matter[row]].photos_after)):
            after = self.scene(row)[1:]
            if not after:  # none twice: after a failed verification new ones are due
                after = self.another(row)
            if after:
                self.attach("after", after[0], row, n)
                self.scenes[row] = [self.scene(row)[0], *after[1:]]

    def scene(self, row: int) -> list[str]:
        if row not in self.scenes:
            self.scenes[row] = list(self.pick(self.of_class(row)))
        return self.scenes[row]

    def another(self, row: int) -> list[str]:
        fresh = [scene for scene in self.of_class(row) if set(self.seen.get(row, ())).isdisjoint(scene)]
        return list(self.pick(fresh)[1:]) if fresh else []

    def of_class(self, row: int) -> Sequence[tuple[str, str, str]]:
        return self.teller.album[self.told.categories[self.told.lives.category[row]]]

    def pick(self, scenes: Sequence[tuple[str, str, str]]) -> tuple[str, str, str]:
        return scenes[int(self.rnd.integers(len(scenes)))]

    def attach(self, role: str, sha256: str, row: int, n: int, *, used: bool = True) -> None:
        changes = self.told.changes
        self.seen.setdefault(row, []).append(sha256)
        step = changes.id[n] if used else None
        self.found.append((sha256, row, role, step, int(changes.actor[n]), int(changes.at[n])))
