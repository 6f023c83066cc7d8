"""Which photos of the handling the public sees: none, until somebody who answers for the case has looked at them and says so."""

from datetime import datetime
from typing import Any

from ..models import Hazard
from .given import StepInput


def show(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Let who follows the case by a code see the photos that the present handling ended with."""
    hazard.photos_shown_at = at


def hide(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Let nobody of the public see them any more."""
    hazard.photos_shown_at = None
