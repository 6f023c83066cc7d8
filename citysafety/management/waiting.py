"""What waits for the demo accounts: cases in their hands now, and the notices of the last days in their inboxes."""

from collections.abc import Iterator
from datetime import timedelta

from citysafety.accounts.demo import LABEL
from citysafety.accounts.models import Role, User
from citysafety.notices.models import Notice
from citysafety.outbox.models import OutboxEntry
from citysafety.subscriptions import LISTENERS
from hazards.history import PastHazard, PastStep

from .past import Teller

NOTICED = timedelta(days=3)
FRESH = timedelta(hours=18)  # younger notices are unread


class Waiting:
    """Arranges cases for the demo accounts among those that are told, and notes whose news the accounts should have."""

    def __init__(self, teller: Teller) -> None:
        self.teller, self.city, self.rnd = teller, teller.city, teller.rnd
        self.people = list(User.objects.filter(access_tokens__label=LABEL).order_by("username").distinct())
        self.workers = [user for user in self.people if user.role == Role.GRID_WORKER]
        self.cells = {self.city.cell_of[user.pk][0] for user in self.workers if user.pk in self.city.cell_of}
        self.noted: list[PastHazard] = []

    def among(self, lives: Iterator[PastHazard]) -> Iterator[PastHazard]:
        """Yield the lives, then those arranged; note all whose news the accounts should have."""
        ids = {user.pk for user in self.people}
        since = self.teller.now - NOTICED
        for life in lives:
            if life.steps[-1].at > since and (
                life.cell_id in self.cells or life.reporter_id in ids or life.severity == "major" or self.is_late(life)
            ):
                self.noted.append(life)
            yield life
        for life in sorted(self.arranged(), key=lambda one: one.number):
            self.noted.append(life)
            yield life

    def is_late(self, life: PastHazard) -> bool:
        """Test whether a case of the first demo county ran out in the last hours."""
        home = self.workers[0].area_code if self.workers else ""
        late = [step for step in life.steps if step.action == "mark_overdue"]
        return bool(late) and life.area_code.startswith(home) and late[-1].at > self.teller.now - FRESH

    def arranged(self) -> Iterator[PastHazard]:
        """Yield cases that wait for the accounts: to verify, to take over, in work, to accept, dispatch, write off."""
        for user in self.workers:
            cell = self.city.cell_of.get(user.pk)
            if cell is None:
                continue
            for until in ("rectified", "rectified", "rectified", "rectified on the spot"):
                yield self.case(until, cell, reporter=self.another(user))
            for until in ("reported", "dispatched", "taken"):
                yield self.case(until, cell, reporter=user.pk)
        for user in self.people:
            if user.role == Role.DEPARTMENT_HANDLER:
                for until in ("dispatched", "dispatched", "taken", "taken"):
                    yield self.case(until, self.cell_in(user.area_code), office=user.department_id)
            elif user.role == Role.DISPATCHER:
                for until in ("reported", "reported", "reported", "accepted", "verified"):
                    yield self.case(until, self.cell_in(user.area_code))

    def case(self, until: str, cell: tuple, *, office: int | None = None, reporter: int | None = None) -> PastHazard:
        """Return a case of the last hours that waits in a state; ``office`` limits the matters to its own."""
        fit = [m for m in self.teller.order if office in (None, self.city.office(m, cell[1]).pk)]
        slow = [m for m in fit if m.rectify_unit == "work_days" and not m.photos_before] or fit
        moment = self.teller.just_now(longest_h=1 if until == "reported" else 3)
        return self.teller.life(moment, cell=cell, matter=self.rnd.choice(slow), until=until, reporter=reporter)

    def cell_in(self, area: str) -> tuple:
        return self.rnd.choice([cell for cell in self.city.cells["base"] if cell[1].startswith(area)])

    def another(self, user: User) -> int:
        return self.rnd.choice([one for one in self.city.everybody if one != user.pk])

    def tell(self) -> int:
        """Let the listeners hear what was noted, as if the relay told them; return how many notices there are."""
        steps = [(step, life) for life in self.noted for step in life.steps if step.at > self.teller.now - NOTICED]
        for step, life in sorted(steps, key=lambda pair: pair[0].at):
            entry = fact_of(step, life)
            for listener in LISTENERS.get(entry.topic, ()):
                listener(entry)
        old = Notice.objects.filter(created_at__lt=self.teller.now - FRESH)
        old.update(read_at=self.teller.now - FRESH)
        return Notice.objects.count()


def fact_of(step: PastStep, life: PastHazard) -> OutboxEntry:
    """Return the fact that a step would have announced; it is not written."""
    return OutboxEntry(
        pk=str(step.id),
        topic="hazard.reported" if step.action == "report" else f"hazard.{step.action}",
        area_code=life.area_code,
        kind="hazard",
        subject_id=str(life.id),
        live={"state": step.target, "level": life.severity},
        payload={
            "step": str(step.id), "actor_id": step.actor_id, "department_id": step.department_id,
            "reporter_id": life.reporter_id, "stage": step.stage,
        },
        at=step.at,
    )  # fmt: skip
