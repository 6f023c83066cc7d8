"""What the grid announces; each is the past tense of a verb in services."""

from dataclasses import dataclass
from typing import ClassVar

from citysafety.outbox.facts import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerAway(Fact):
    """A worker is on leave or ill; the backups named here take over the open work of the cells."""

    topic: ClassVar[str] = "worker.away"
    user_id: int
    handovers: tuple[tuple[int, int | None], ...]  # (cell id, user id of who answers now; None = the township's centre)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLeft(Fact):
    """A worker left the service; open work goes to the people named here for good."""

    topic: ClassVar[str] = "worker.left"
    user_id: int
    handovers: tuple[tuple[int, int | None], ...]  # as in WorkerAway


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerBack(Fact):
    """A worker is on duty again."""

    topic: ClassVar[str] = "worker.back"
    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPosted(Fact):
    """A worker answers for a cell, as its primary or as its backup."""

    topic: ClassVar[str] = "worker.posted"
    user_id: int
    cell_id: int
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingEnded(Fact):
    """A worker no longer answers for a cell; ``successor_id`` is the user who does now, None = the centre."""

    topic: ClassVar[str] = "worker.posting_ended"
    user_id: int
    cell_id: int
    role: str
    successor_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingsCounted(Fact):
    """The day began or ended a posting: a worker counts among the assigned, or no longer."""

    topic: ClassVar[str] = "worker.counted"


@dataclass(frozen=True, slots=True, kw_only=True)
class GridVersionActivated(Fact):
    """The cells of the city are other ones from now on."""

    topic: ClassVar[str] = "grid.version_activated"
    number: int
    cells_added: int
    cells_changed: int
    cells_withdrawn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PremisesChanged(Fact):
    """Premises entered, changed in or left the register."""

    topic: ClassVar[str] = "premises.changed"
