"""What waits for the demo accounts: cases in their hands now, and the notices of the last days in their inboxes."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy

from citysafety.accounts.demo import LABEL
from citysafety.accounts.models import Role, User
from citysafety.notices.models import Notice
from citysafety.outbox.models import OutboxEntry
from citysafety.outbox.relay import hear
from citysafety.subscriptions import LISTENERS
from citysafety.workcolumns import ms_of
from hazards.history import Told
from hazards.history.lives import ACTIONS, MARKED, STAGES, STATES

from .past import ON_THE_SPOT, Column, Teller

NOTICED = timedelta(days=3)
FRESH = timedelta(hours=18)  # younger notices are unread


class Waiting:
    """Arranges cases for the demo accounts among those that are told, and notes whose news the accounts should have."""

    def __init__(self, teller: Teller) -> None:
        self.teller, self.city, self.rnd = teller, teller.city, teller.rnd
        self.people = list(User.objects.filter(access_tokens__label=LABEL).order_by("username").distinct())
        self.workers = [user for user in self.people if user.role == Role.GRID_WORKER]
        self.home = self.workers[0].area_code if self.workers else ""
        self.cells = [self.city.cell_of[user.pk] for user in self.workers if user.pk in self.city.cell_of]
        self.since, self.fresh = ms_of(teller.now - NOTICED), ms_of(teller.now - FRESH)
        self.news: list[OutboxEntry] = []

    def among(self, batches: Iterator[Told]) -> Iterator[Told]:
        """Yield the lives, then those arranged; note the news that the accounts should have."""
        for told in batches:
            lives = told.lives
            if lives.changed.max() > self.since:
                known = numpy.isin(lives.cell, self.city.keys[self.cells]) & (lives.cell > 0)
                known |= numpy.isin(lives.reporter, [user.pk for user in self.people]) | lives.severe
                self.note(told, (known | self._ran_out(told)) & (lives.changed > self.since))
            yield told
        if self.people:
            told = self.arranged()
            self.note(told, numpy.ones(told.lives.number, bool))
            yield told

    def _ran_out(self, told: Told) -> Column:
        """Return which cases of the first demo county ran out in the last hours."""
        late, changes = numpy.zeros(told.lives.number, bool), told.changes
        late[changes.row[(changes.action == MARKED) & (changes.at > self.fresh)]] = True
        return late & numpy.char.startswith(told.lives.area, self.home.encode())

    def note(self, told: Told, which: Column) -> None:
        """Note the facts that the last days' changes of some hazards would have announced; they are not written."""
        lives, changes = told.lives, told.changes
        for n in numpy.flatnonzero(which[changes.row] & (changes.at > self.since)):
            row, action, stage = changes.row[n], ACTIONS[changes.action[n]], int(changes.stage[n])
            step = str(uuid.UUID(bytes=changes.id[n].tobytes()))
            self.news.append(
                OutboxEntry(
                    pk=step,
                    topic="hazard.reported" if action == "report" else f"hazard.{action}",
                    area_code=lives.area[row].decode(),
                    kind="hazard",
                    subject_id=str(uuid.UUID(bytes=lives.id[row].tobytes())),
                    live={"state": STATES[changes.target[n]], "level": "major" if lives.severe[row] else "general"},
                    payload={
                        "step": step, "actor_id": int(changes.actor[n]) or None,
                        "department_id": int(changes.department[n]) or None, "reporter_id": int(lives.reporter[row]),
                        "stage": STAGES[stage] if stage >= 0 else "",
                    },
                    at=datetime.fromtimestamp(int(changes.at[n]) / 1000, UTC),
                )
            )  # fmt: skip

    def arranged(self) -> Told:
        """Return cases that wait for the accounts: to verify, to take over, in work, to accept, dispatch, write off."""
        cases = sorted(
            (self._moment(until), cell, self._matter(cell, office), until, reporter)
            for until, cell, office, reporter in self._wanted()
        )
        moments, cells, matters, until, reporters = zip(*cases, strict=True)
        return self.teller.tell(
            numpy.array(moments), cells=numpy.array(cells), matters=numpy.array(matters), until=until,
            reporters=numpy.array(reporters),
        )  # fmt: skip

    def _wanted(self) -> Iterator[tuple[str, int, int, int]]:
        """Yield a state to wait in, a cell, an office whose case it is (0: any) and a reporter (0: any) each."""
        for user in self.workers:
            cell = self.city.cell_of.get(user.pk)
            if cell is None:
                continue
            for until in ("rectified", "rectified", "rectified", ON_THE_SPOT):
                yield until, cell, 0, self._another(user)
            for until in ("reported", "dispatched", "taken"):
                yield until, cell, 0, user.pk
        for user in self.people:
            if user.role == Role.DEPARTMENT_HANDLER:
                for until in ("dispatched", "dispatched", "taken", "taken"):
                    yield until, self._cell_in(user.area_code), user.department_id, 0
            elif user.role == Role.DISPATCHER:
                for until in ("reported", "reported", "reported", "accepted", "verified"):
                    yield until, self._cell_in(user.area_code), 0, 0

    def _moment(self, until: str) -> int:
        return self.teller.just_now(longest_h=1 if until == "reported" else 3)

    def _matter(self, cell: int, office: int) -> int:
        """Return a matter of an office there, one with time for it if there is any."""
        every = numpy.arange(len(self.city.matters))
        fit = every[self.city.office(every, numpy.full(len(every), cell)) == office] if office else every
        slow = [n for n in fit if self._is_slow(n)]
        return int(self.rnd.choice(slow or fit))

    def _is_slow(self, n: int) -> bool:
        matter = self.city.matters[n]
        return matter.rectify_unit == "work_days" and not matter.photos_before

    def _cell_in(self, area: str) -> int:
        return int(self.rnd.choice(self.city.inside(area)))

    def _another(self, user: User) -> int:
        return int(self.rnd.choice(self.city.everybody[self.city.everybody != user.pk]))

    def tell(self) -> int:
        """Let the listeners hear what was noted, as if the relay told them; return how many notices there are."""
        for entry in sorted(self.news, key=lambda one: one.at):
            for listener in LISTENERS.get(entry.topic, ()):
                hear(listener, [entry])
        old = Notice.objects.filter(created_at__lt=self.teller.now - FRESH)
        old.update(read_at=self.teller.now - FRESH)
        return Notice.objects.count()
