"""What the grid announces; each is the past tense of a verb in services."""

from dataclasses import dataclass
from typing import Any

from citysafety.outbox.facts import Fact

Handovers = tuple[tuple[int, int | None], ...]  # (cell id, user id of who answers now; None = the centre)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerAway(Fact):
    """A worker is on leave or ill; the backups named here take over the open work of the cells."""

    topic = "worker.away"
    kind: str = "worker"
    user_id: int
    handovers: Handovers

    def payload(self) -> dict[str, Any]:
        return {"user": self.user_id, "handovers": [list(pair) for pair in self.handovers]}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLeft(WorkerAway):
    """A worker left the service; open work goes to the people named here for good."""

    topic = "worker.left"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerBack(Fact):
    """A worker is on duty again."""

    topic = "worker.back"
    kind: str = "worker"
    user_id: int

    def payload(self) -> dict[str, Any]:
        return {"user": self.user_id}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPosted(Fact):
    """A worker answers for a cell, as its primary or as its backup. The state is the role."""

    topic = "worker.posted"
    kind: str = "worker"
    user_id: int
    cell_id: int

    def payload(self) -> dict[str, Any]:
        return {"user": self.user_id, "cell": self.cell_id}


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingEnded(WorkerPosted):
    """A worker no longer answers for a cell; ``successor_id`` is the user who does now, None = the centre."""

    topic = "worker.posting_ended"
    successor_id: int | None

    def payload(self) -> dict[str, Any]:
        return {"user": self.user_id, "cell": self.cell_id, "successor": self.successor_id}


@dataclass(frozen=True, slots=True, kw_only=True)
class GridVersionActivated(Fact):
    """The cells of the city are other ones from now on. Subject: the number of the version.

    A re-zoning, or its roll-back, names the ids of the cells that ended and of those that began in their place.
    """

    topic = "grid.version_activated"
    kind: str = "grid_version"
    added: int = 0
    changed: int = 0
    withdrawn: int = 0
    ended: tuple[int, ...] = ()
    begun: tuple[int, ...] = ()
    rezoning: str = ""

    def payload(self) -> dict[str, Any]:
        counts = {"added": self.added, "changed": self.changed, "withdrawn": self.withdrawn}
        return {**counts, "ended": list(self.ended), "begun": list(self.begun), "rezoning": self.rezoning}


@dataclass(frozen=True, slots=True, kw_only=True)
class GridCounted(Fact):
    """Many rows of the grid changed at once, or a day began or ended postings: their figures move together."""

    topic = "grid.counted"
    kind: str = "city"


@dataclass(frozen=True, slots=True, kw_only=True)
class PremisesChanged(Fact):
    """Premises entered, changed in or left the register."""

    topic = "premises.changed"
    kind: str = "premises"
