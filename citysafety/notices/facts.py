"""What notices announce."""

from dataclasses import dataclass
from typing import ClassVar

from citysafety.outbox.facts import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderChanged(Fact):
    """An escalation ladder was edited: the next moments of the cases that climb it change. Subject: the ladder."""

    topic: ClassVar[str] = "ladder.changed"
    kind: str = "ladder"
