"""What listings announce, in the past tense."""

from dataclasses import dataclass
from typing import Any

from citysafety.outbox.facts import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingStepped(Fact):
    """A listing was proposed, took a step, or missed a limit; its topic is ``listing.<what>``."""

    kind: str = "listing"
    action: str
    actor_id: int | None = None
    department_id: int | None = None
    step: str = ""

    @property
    def topic(self) -> str:  # type: ignore[override]  # one class for all steps: the table names them
        return f"listing.{self.action}"

    def payload(self) -> dict[str, Any]:
        return {
            "action": self.action,
            "actor_id": self.actor_id,
            "department_id": self.department_id,
            "step": self.step,
        }
