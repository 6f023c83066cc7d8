"""Start, stop and read the three clocks of a hazard."""

from datetime import datetime

from django.db import transaction

from citysafety import worktime
from citysafety.calendars.services import calendar

from ..lifecycle import STAGE_OF
from ..models import Clock, Hazard


def limit_of(hazard: Hazard, stage: str) -> tuple[str, int]:
    """Return the unit and amount that the matter allows a stage."""
    matter = hazard.matter
    return getattr(matter, f"{stage}_unit"), getattr(matter, f"{stage}_amount")


def first_clock(hazard: Hazard, *, at: datetime) -> Clock:
    """Return the clock of a new hazard's first stage, unsaved, and set the hazard's due time. Queries: none."""
    stage = STAGE_OF[hazard.state]
    unit, amount = limit_of(hazard, stage)
    clock = Clock(hazard=hazard, stage=stage, unit=unit, amount=amount, started_at=at)
    set_due(clock, calendar())
    hazard.due_stage, hazard.due_at, hazard.due_reason = stage, clock.due_at, clock.due_reason
    return clock


def run_clock(hazard: Hazard, *, at: datetime) -> None:
    """Let the clock of the present state's stage run and stop every other. Sets the hazard's due time, does not save it.

    A stage entered again after the next one failed goes on where it stood: consumed time is kept. A hazard that
    comes back to acceptance gets that stage anew. Queries: at most 3.
    """
    stage = STAGE_OF.get(hazard.state, "")
    if stage == hazard.due_stage:
        return
    days = calendar()
    clocks = {clock.stage: clock for clock in hazard.clocks.all()}
    if (running := clocks.get(hazard.due_stage)) is not None:
        running.stopped_at = at
        running.save(update_fields=["stopped_at"])
    hazard.due_stage, hazard.overdue = stage, False
    if not stage:
        hazard.due_at, hazard.due_reason = None, ""
        return
    unit, amount = limit_of(hazard, stage)
    clock = clocks.get(stage)
    goes_on = clock is not None and stage == "rectify" and hazard.state == "taken"
    if clock is None or not goes_on:
        clock = Clock(pk=clock.pk if clock else None, hazard=hazard, stage=stage, unit=unit, amount=amount)
    else:
        clock.consumed_s += int(worktime.consumed(clock.started_at, clock.stopped_at or at, clock.unit, days) or 0)
    clock.started_at, clock.stopped_at, clock.marked_at = at, None, clock.marked_at if goes_on else None
    set_due(clock, days)
    clock.save()
    hazard.due_at, hazard.due_reason = clock.due_at, clock.due_reason


def set_due(clock: Clock, days: worktime.Calendar) -> None:
    """Compute when a running clock is due, from what is left of its limit."""
    due = worktime.due_after(clock.started_at, clock.amount, clock.unit, days, consumed_s=clock.consumed_s)
    clock.due_at, clock.due_reason = due.at, due.reason or ""


@transaction.atomic
def recompute_due(*, at: datetime) -> int:
    """Compute the due times of running clocks anew after the calendar changed; return how many differ.

    Those that no calendar allowed until now get one. What was marked overdue stays marked: the mark is history.
    Queries: 4 however many, and 2 for each 500 that differ.
    """
    days, clocks = calendar(), []
    # The hazards' rows first, as a step takes them, so that neither waits for the other.
    held = Hazard.objects.open().filter(overdue=False).order_by("pk").select_for_update()
    ids = {hazard.pk: hazard for hazard in held.only("pk", "due_stage", "due_at", "due_reason")}
    for clock in Clock.objects.filter(stopped_at=None, hazard__in=ids).order_by("pk"):
        before = (clock.due_at, clock.due_reason)
        set_due(clock, days)
        if before != (clock.due_at, clock.due_reason):
            clocks.append(clock)
    for clock in clocks:
        ids[clock.hazard_id].due_at, ids[clock.hazard_id].due_reason = clock.due_at, clock.due_reason
    Clock.objects.bulk_update(clocks, ["due_at", "due_reason"], batch_size=500)
    Hazard.objects.bulk_update([ids[clock.hazard_id] for clock in clocks], ["due_at", "due_reason"], batch_size=500)
    return len(clocks)
