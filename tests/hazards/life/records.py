"""What a city should know of a case, and of one that was drawn to be looked at again."""

import uuid
from collections import Counter
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
CELLS = ("370502001001001", "370502001001002")  # side by side


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
    photos: Counter = field(default_factory=Counter)
    clocks: dict[str, Stretch] = field(default_factory=dict)
    caps: dict[Any, tuple[str, datetime | None]] = field(default_factory=dict)  # of its duplicates
    overdue: bool = False
    cell: str = CELLS[0]
    actors: set[Any] = field(default_factory=set)
    major: bool = False
    plan_waits: bool = False
    plan_holds: bool = False
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
        return [self.clocks[self.stage], *([self.pin] if self.pin else [])] if self.stage else []

    def due(self) -> datetime | None:
        if not self.stage or self.paused:
            return None
        known = [stretch.due() for stretch in self.running()]
        caps = [due for stage, due in self.caps.values() if stage == self.stage and due]
        return min([due for due in known if due] + caps)

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
    version: int = 1
    photos: int = 0

    @property
    def stands(self) -> bool:
        """Whether the case is still closed as it was when it was drawn."""
        return self.case.state == "written_off" and self.case.closing == self.closing
