"""What the public asks of a case that is closed, once its own right to reopen it is used up; a supervisor decides."""

from datetime import datetime
from typing import Any

from ..models import Hazard
from .given import StepInput


def ask(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Mark the case until a supervisor has decided."""
    hazard.contested_at = at


def deny(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Leave the case closed."""
    hazard.contested_at = None
