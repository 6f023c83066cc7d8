"""What a city should know of a case, and of one that was drawn to be looked at again."""

import uuid
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from .clocks import LIMITS, Stretch

ENDED = {"written_off", "refused", "merged"}
CLOSED = {"written_off", "refused"}
STAGES = {
    "reported": "accept", "accepted": "accept", "dispatched": "rectify", "taken": "rectify", "rectified": "verify",
    "verified": "verify",
}  # fmt: skip
PLACE = {"accept": 0, "rectify": 1, "plan": 1, "verify": 2}  # in the order of a life
CELLS = ("370502001001001", "370502001001002")  # side by side


@dataclass(eq=False)
class Shown:
    """A photo that somebody sent."""

    role: str
    by: Any
    at: datetime

    def speaks_for(self, user: Any) -> bool:
        """Whether it comes from somebody's own side."""
        return self.by == user or bool(self.by.department and self.by.department == user.department)


@dataclass
class Brought:
    """A clock that a duplicate brought: it runs on as it was, beside those of the case."""

    stage: str  # or pin, plan
    stretch: Stretch
    paused: bool = False
    gives_way: bool = False  # to a plan

    def binds(self, stage: str) -> bool:
        """Whether it holds in a stage: in its own and those before it; a leader's in all."""
        return self.stage == "pin" or PLACE[stage] <= PLACE[self.stage]


@dataclass
class Pause:
    """A time for which a case stood."""

    cause: str
    begin: datetime
    end: datetime | None = None


@dataclass(eq=False)
class Case:
    """What the city should know of one case."""

    pk: Any
    reporter: Any
    matter: str
    state: str = "reported"
    version: int = 1
    department: Any = None
    rectifier: Any = None
    on_spot: bool = False
    paused: bool = False
    until: datetime | None = None  # of the pause
    pauses: list[Pause] = field(default_factory=list)
    asked: str = ""  # extension, pause
    asked_hours: int = 0
    asked_cause: str = ""
    asked_until: datetime | None = None
    extended: int = 0  # times, in this stage
    granted: int = 0  # hours, since its clock began
    pinned: bool = False
    pin: Stretch | None = None
    into: "Case | None" = None
    came_from: str = ""
    photos: list[Shown] = field(default_factory=list)  # those that no step has used
    entered: datetime | None = None  # the present state
    failures: int = 0  # of verifications and re-checks
    clocks: dict[str, Stretch] = field(default_factory=dict)
    brought: dict[Any, list[Brought]] = field(default_factory=dict)  # by its duplicates
    overdue: bool = False
    was_overdue: bool = False  # before it was merged
    marks: list[Any] = field(
        default_factory=list
    )  # by the limit of which duplicate alone it was once overdue; None: its own
    cell: str = CELLS[0]
    actors: set[Any] = field(default_factory=set)
    major: bool = False
    plan_waits: bool = False
    plan_holds: bool = False
    plan_day: date | None = None  # of the last version
    plan_laid: datetime | None = None
    plan: Stretch | None = None  # until the day of the approved version
    gives_way: bool = False  # the matter's limit of rectification, to the plan
    stopped: bool = False
    listing: str = ""  # proposed, listed
    finish_by: date | None = None  # of the listing
    closed_at: datetime | None = None  # the last time
    closing: uuid.UUID | None = None  # the step that wrote it off last
    drawn: bool = False  # that closing
    contested: bool = False
    decided: bool = False  # since it was closed: it stays closed
    reopened_by_public: int = 0
    by_public: bool = False  # there is a code that follows it
    rated_at: datetime | None = None

    @property
    def stage(self) -> str:
        return STAGES.get(self.state, "")

    def running(self) -> list[Stretch]:
        """Its own clocks of the present stage."""
        if not self.stage:
            return []
        plan = self.plan if self.stage == "rectify" else None
        return [self.clocks[self.stage], *(stretch for stretch in (self.pin, plan) if stretch)]

    def all_brought(self) -> list[Brought]:
        return [one for rows in self.brought.values() for one in rows]

    def due(self) -> datetime | None:
        if not self.stage or self.paused:
            return None
        known = [stretch.due() for stretch in self.running() if stretch is not self.waived]
        known += [one.stretch.due() for one in self.all_brought() if not one.gives_way]
        return min(due for due in known if due)

    def mark(self, now: datetime) -> None:
        """Mark that its time has run out: by its own limit, or by the duplicate's alone that ran out first."""
        own = [stretch.due() for stretch in self.running() if stretch is not self.waived]
        dues = [
            (due, pk)
            for pk, rows in self.brought.items()
            for one in rows
            if not one.gives_way and (due := one.stretch.due())
        ]
        is_own = any(due and due < now for due in own)
        self.overdue = True
        self.marks.append(None if is_own else min(dues, key=lambda pair: pair[0])[1])

    @property
    def waived(self) -> Stretch | None:
        """The clock by which nothing is due, because it gave way to a plan."""
        return self.clocks["rectify"] if self.gives_way and self.stage == "rectify" else None

    def fresh(self, stage: str) -> Stretch:
        return Stretch(LIMITS[self.matter][stage], self.matter == "XF-002")

    @property
    def may_be_listed(self) -> bool:
        return self.major and self.state not in ENDED and self.department is not None


@dataclass(eq=False)
class Recheck:
    """What the city should know of one case that was drawn."""

    pk: Any
    case: Case
    closing: Any
    checker: Any
    state: str = "due"
    dealt: datetime | None = None  # the last time
    version: int = 1
    photos: list[Shown] = field(default_factory=list)

    @property
    def stands(self) -> bool:
        """Whether the case is still closed as it was when it was drawn."""
        return self.case.state == "written_off" and self.case.closing == self.closing
