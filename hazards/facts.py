"""What hazards announce, in the past tense."""

from dataclasses import dataclass
from typing import Any

from citysafety.outbox.facts import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class HazardStepped(Fact):
    """A hazard was reported, took a step, or was marked overdue; its topic is ``hazard.<what happened>``."""

    kind: str = "hazard"
    action: str
    number: str
    step: str = ""
    actor_id: int | None = None
    department_id: int | None = None
    reporter_id: int | None = None
    stage: str = ""

    @property
    def topic(self) -> str:  # type: ignore[override]  # one class for all steps: the table names them
        return "hazard.reported" if self.action == "report" else f"hazard.{self.action}"

    def payload(self) -> dict[str, Any]:
        return {
            "action": self.action,
            "number": self.number,
            "step": self.step,
            "actor_id": self.actor_id,
            "department_id": self.department_id,
            "reporter_id": self.reporter_id,
            "stage": self.stage,
        }
