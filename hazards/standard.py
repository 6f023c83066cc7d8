"""The seven steps of digital urban management (GB/T 30428.8), read off the life that a case has (pure)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import pgettext_lazy

from .lifecycle import HazardState as S

COLLECTION, CREATION, DISPATCH, HANDLING, FEEDBACK, CLOSING, EVALUATION = (
    "collection", "creation", "dispatch", "handling", "feedback", "closing", "evaluation",
)  # fmt: skip
STEPS: dict[str, Any] = {
    COLLECTION: pgettext_lazy("seven steps", "Information collected"),
    CREATION: pgettext_lazy("seven steps", "Case created"),
    DISPATCH: pgettext_lazy("seven steps", "Task dispatched"),
    HANDLING: pgettext_lazy("seven steps", "Task handled"),
    FEEDBACK: pgettext_lazy("seven steps", "Handling fed back"),
    CLOSING: pgettext_lazy("seven steps", "Verified and closed"),
    EVALUATION: pgettext_lazy("seven steps", "Evaluated"),
}
ORDER = tuple(STEPS)

# The step a case has reached in each state. What is written off counts in the evaluation from that moment on; what was
# refused never became a case; what was merged is read off the case it was merged into.
STEP_OF: dict[str, str | None] = {
    S.REPORTED: COLLECTION,
    S.ACCEPTED: CREATION,
    S.DISPATCHED: DISPATCH,
    S.TAKEN: HANDLING,
    S.RECTIFIED: FEEDBACK,
    S.VERIFIED: CLOSING,
    S.WRITTEN_OFF: EVALUATION,
    S.REFUSED: COLLECTION,
    S.MERGED: None,
}


@dataclass(frozen=True, slots=True)
class Reached:
    """One of the seven steps for a case: when it was reached; passed without a time where the life leaps over it."""

    key: str
    label: Any
    at: datetime | None
    is_now: bool
    is_passed: bool


def reached(history: Iterable[tuple[str, datetime]]) -> list[Reached]:
    """Return the seven steps from the rows of a history: (state after it, when), the oldest first.

    Who goes back (returned, failed, reopened) has not reached what came after; the first time at a step stands.
    """
    times: dict[str, datetime] = {}
    now = -1
    for state, at in history:
        step = STEP_OF[state]
        if step is None:
            continue
        now = ORDER.index(step)
        times = {key: was for key, was in times.items() if ORDER.index(key) <= now}
        times.setdefault(step, at)
    return [
        Reached(key, label, times.get(key), is_now=n == now, is_passed=n < now)
        for n, (key, label) in enumerate(STEPS.items())
    ]
