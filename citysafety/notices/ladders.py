"""Escalation ladders: which rungs a clock reaches and when. Rows are data of the city; who is told, the app above knows.

A rung stands at so much **used time of the clock's own unit**, so that lunch, nights, holidays and pauses never climb.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from django.utils.translation import gettext as _

from citysafety import worktime

from .kinds import KINDS
from .models import Ladder, Rung

HOUR_S = 3_600


class Clock(Protocol):
    """What a clock says of itself; ``not_after`` is a due time that was brought in from elsewhere."""

    unit: str
    amount: int
    started_at: datetime
    consumed_s: int
    due_at: datetime | None
    not_after: datetime | None


@dataclass(frozen=True, slots=True)
class Point:
    """A rung, or one of its repeats, at so many used seconds of a clock."""

    reach_s: int
    rung: Rung
    repeat: int

    @property
    def place(self) -> tuple[int, int, int]:
        return (self.reach_s, self.rung.order, self.repeat)


def limit_of(clock: Clock, days: worktime.Calendar) -> float:
    """Return the limit of a clock in seconds of its unit; a due time from elsewhere makes it shorter."""
    limit = worktime.limit_s(clock.amount, clock.unit)
    if clock.not_after is not None and clock.due_at == clock.not_after:
        passed = worktime.consumed(clock.started_at, clock.due_at, clock.unit, days)
        if passed is not None:
            return min(limit, clock.consumed_s + passed)
    return limit


def points(rungs: Iterable[Rung], limit_s: float) -> list[Point]:
    """Return where the rungs of a ladder and their repeats stand on a limit, the earliest first."""
    found = []
    for rung in rungs:
        share = limit_s * rung.percent / 100 if rung.percent else limit_s + (rung.over_hours or 0) * HOUR_S
        base = max(1, round(share))
        found.append(Point(base, rung, 0))
        every = (rung.repeat_hours or 0) * HOUR_S
        found += [Point(base + n * every, rung, n) for n in range(1, rung.repeat_most + 1)]
    return sorted(found, key=lambda point: point.place)


def moment(clock: Clock, reach_s: int, days: worktime.Calendar) -> datetime | None:
    """Return when a running clock has used so much of its unit; None where that cannot be said."""
    unit_s = worktime.WORK_DAY_S if clock.unit == "work_days" else HOUR_S
    try:
        amount = Decimal(reach_s) / unit_s
        return worktime.due_after(clock.started_at, amount, clock.unit, days, consumed_s=clock.consumed_s).at
    except ValueError:  # beyond ten years
        return None


class Ladders:
    """The ladders in force for a kind, read once for a batch. Queries: 2."""

    def __init__(self, kind: str) -> None:
        rows = Ladder.objects.filter(kind=kind, active=True).prefetch_related("rungs")
        self._of = {(ladder.severity, ladder.stage): list(ladder.rungs.all()) for ladder in rows}

    def rungs(self, severity: str, stage: str) -> Sequence[Rung]:
        """Return the rungs for a case: of its severity and clock, else of its severity, else of its clock, else of any."""
        keys = ((severity, stage), (severity, ""), ("", stage), ("", ""))
        return next((self._of[key] for key in keys if key in self._of), ())


def problems(kind: str, severity: str, stage: str, rungs: Sequence[Rung]) -> list[str]:
    """Say what is wrong with a ladder: shares that do not rise, names that nobody registered."""
    known = KINDS.get(kind)
    if known is None:
        return [
            _("“%(seen)s” is no kind of case; expected one of %(known)s.") % {"seen": kind, "known": _listed(KINDS)}
        ]
    found = [
        _("“%(seen)s” is not one of %(known)s.") % {"seen": seen, "known": _listed(names)}
        for seen, names in ((severity, known.severities), (stage, known.stages))
        if seen and seen not in names
    ]
    found += [
        _("“%(seen)s” is not one of %(known)s.") % {"seen": rung.target, "known": _listed(known.targets)}
        for rung in rungs
        if rung.target not in known.targets
    ]
    last: Rung | None = None
    for rung in sorted(rungs, key=lambda one: one.order):
        if last is not None and not _rises(last, rung):
            words = {"order": rung.order, "seen": _where(rung), "before": _where(last)}
            found.append(_("Rung %(order)s stands at %(seen)s, not above the one before at %(before)s.") % words)
        last = rung
    return found


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _where(rung: Rung) -> str:
    return f"{rung.percent} %" if rung.percent else f"100 % + {rung.over_hours} h"


def _rises(lower: Rung, upper: Rung) -> bool:
    """Test whether one rung stands above another on every limit: hours over the limit cannot be told from 150 percent of it."""
    if lower.percent and upper.percent:
        return upper.percent > lower.percent
    if lower.over_hours and upper.over_hours:
        return upper.over_hours > lower.over_hours
    return bool(lower.percent and lower.percent <= 100 and upper.over_hours)
