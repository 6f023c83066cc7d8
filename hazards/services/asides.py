"""Write what a step did besides itself: a row of a case's history with its news and its place in the figures."""

import uuid
from datetime import datetime
from typing import Any

from citysafety.outbox.services import announce

from ..models import Hazard, Step
from ..standing import record_standing
from .reporting import stepped


def write_aside(hazard: Hazard, action: str, words: str, actor: Any, at: datetime, *, basis: str) -> None:
    """Write a row of the history that leaves the state as it is, announce it, and save the case. Queries: 5."""
    hazard.version += 1
    hazard.changed_at = at
    step = Step.objects.create(
        id=uuid.uuid4(), hazard=hazard, action=action, source=hazard.state, target=hazard.state,
        version=hazard.version, actor=actor, department=hazard.department, at=at, words=words[:2000], basis=basis,
    )  # fmt: skip
    entry = announce(stepped(hazard, action=action, actor_id=actor.pk, step=str(step.pk)), at=at)
    hazard.period = record_standing(hazard, entry, action=action)
    hazard.save()
