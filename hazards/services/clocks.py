"""Start, hold and read the clocks of a hazard: its stage's, that of the whole case, and a leader's."""

from collections.abc import Iterable
from copy import copy
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from citysafety import worktime
from citysafety.calendars.services import calendar

from ..lifecycle import STAGE_OF, HazardState, Stage
from ..models import Clock, Hazard

BESIDE = (Stage.TOTAL, Stage.PIN)  # what runs beside the stages
OF_WORK = (Stage.RECTIFY, Stage.PLAN)  # what limits rectification
PLACE: dict[str, int] = {Stage.ACCEPT: 0, Stage.RECTIFY: 1, Stage.PLAN: 1, Stage.VERIFY: 2}  # in the order of a life
PAUSED = "paused"  # why there is no due time


def limit_of(hazard: Hazard, stage: str) -> tuple[str, int]:
    """Return the unit and amount that the matter allows a stage."""
    matter = hazard.matter
    return getattr(matter, f"{stage}_unit"), getattr(matter, f"{stage}_amount")


def days_of(hazard: Hazard, stage: str) -> worktime.Calendar:
    """Return the calendar that a stage of a case runs by: rectification by the hours of the department that has it."""
    return calendar(hazard.department_id if stage == Stage.RECTIFY else None)


def days_for(hazard: Hazard, clock: Clock) -> worktime.Calendar:
    """Return the calendar that a clock of a case runs by; what a duplicate brought runs on by the hours it ran by there.

    Queries: none, 1 for what a duplicate brought where its merger is not at hand.
    """
    if clock.merger_id is None:
        return days_of(hazard, clock.stage)
    return calendar(clock.merger.department_id if clock.stage == Stage.RECTIFY else None)


def own(hazard: Hazard) -> QuerySet[Clock]:
    """Return the clocks of a case itself, without those that duplicates brought."""
    return hazard.clocks.filter(merger=None)


def first_clocks(hazard: Hazard, *, at: datetime) -> list[Clock]:
    """Return the clocks of a new hazard, unsaved: its first stage's, and the whole case's where the matter limits that.

    Sets the hazard's due time. Queries: none.
    """
    hazard.due_stage = STAGE_OF[hazard.state]
    clocks = [_new_clock(hazard, stage, at) for stage in _running_from(hazard)]
    _settle(hazard, clocks)
    return clocks


def _running_from(hazard: Hazard) -> list[str]:
    return [hazard.due_stage, *([Stage.TOTAL] if hazard.matter.total_amount else [])]


def _new_clock(hazard: Hazard, stage: str, at: datetime) -> Clock:
    unit, amount = limit_of(hazard, stage)
    clock = Clock(hazard=hazard, stage=stage, unit=unit, amount=amount, started_at=at)
    set_due(clock, days_of(hazard, stage))
    return clock


def run_clock(hazard: Hazard, *, at: datetime) -> None:
    """Let the clock of the present state's stage run and stop that of the last. Sets the hazard's due time, does not save it.

    A stage entered again after the next one failed goes on where it stood: consumed time is kept. A hazard that
    comes back to acceptance gets that stage anew; one that had ended gets all its clocks anew. What a duplicate brought
    is never begun anew. Queries: at most 6 and 1 a clock of a duplicate.
    """
    stage, before = STAGE_OF.get(hazard.state, ""), hazard.due_stage
    if stage == before:
        return
    rows = list(hazard.clocks.select_related("merger"))
    clocks = {clock.stage: clock for clock in rows if clock.merger_id is None}
    hazard.due_stage, hazard.overdue = stage, False
    left = OF_WORK if before == Stage.RECTIFY else (before,)
    _stop((clock for clock in rows if not stage or (clock.merger_id is None and clock.stage in left)), at)
    if not stage:
        hazard.due_at, hazard.due_reason = None, ""
        return
    if stage == Stage.RECTIFY and hazard.state == HazardState.TAKEN and stage in clocks:
        for name in OF_WORK:
            if name in clocks:
                _go_on(hazard, clocks[name], at)
                clocks[name].save()
    else:
        clocks[stage] = _anew(hazard, clocks.get(stage), stage, at)
    if not before:
        for beside in BESIDE:
            if beside == Stage.TOTAL and hazard.matter.total_amount:
                clocks[beside] = _anew(hazard, clocks.get(beside), beside, at)
            elif beside == Stage.PIN and (pin := clocks.get(beside)) is not None and hazard.pinned_at:
                pin.started_at, pin.stopped_at, pin.consumed_s, pin.ran = at, None, 0, None
                set_due(pin, days_of(hazard, beside))
                pin.save()
    brought = [clock for clock in rows if clock.merger_id is not None]
    _settle(hazard, [*clocks.values(), *_follow_stage(hazard, brought, before, at)])


def _follow_stage(hazard: Hazard, brought: list[Clock], before: str, at: datetime) -> list[Clock]:
    """Let what duplicates brought run or stand as the stage of the case asks; return it. Queries: 1 a clock that changes.

    It runs until its stage is done. An acceptance that is done stays done; a rectification goes on where verification
    failed. A case that was written off had kept its limits: reopened, it begins without them.
    """
    if brought and not before and hazard.state == HazardState.ACCEPTED:
        hazard.clocks.exclude(merger=None).delete()
        return []
    for clock in brought:
        if not binds(clock, hazard.due_stage):
            _stop([clock], at)
        elif clock.stopped_at is not None and (clock.stage != Stage.ACCEPT or not before):
            _go_on(hazard, clock, at)
            clock.save()
    return brought


def binds(clock: Clock, stage: str) -> bool:
    """Test whether what a duplicate brought holds in a stage of the case: in its own, in those before it, or in all."""
    return clock.stage in BESIDE or PLACE[stage] <= PLACE[clock.stage]


def _anew(hazard: Hazard, clock: Clock | None, stage: str, at: datetime) -> Clock:
    """Start a clock from nothing, in the place of the one that is there."""
    fresh = _new_clock(hazard, stage, at)
    fresh.pk = clock.pk if clock else None
    fresh.save()
    return fresh


def _stop(clocks: Iterable[Clock], at: datetime) -> None:
    for clock in clocks:
        if clock.stopped_at is None:
            clock.stopped_at = at
            clock.save(update_fields=["stopped_at"])


def _go_on(hazard: Hazard, clock: Clock, at: datetime, *, once_out: bool = False) -> None:
    """Let a stopped clock run on with what it has used up.

    ``once_out``: one that had run out before it was stopped has run out when it had, and is as if it had never stood.
    """
    days = days_for(hazard, clock)
    if once_out and _out_before_it_stood(clock, days) is not None:
        clock.stopped_at = None
        set_due(clock, days)
        return
    clock.ran = [*(clock.ran or []), clock.started_at, clock.stopped_at or at]
    passed = worktime.consumed(clock.started_at, clock.stopped_at or at, clock.unit, days)
    clock.consumed_s += int(passed or 0)  # unknown: counted once the calendar is there
    clock.started_at, clock.stopped_at = at, None
    set_due(clock, days)


def _out_before_it_stood(clock: Clock, days: worktime.Calendar) -> datetime | None:
    """Return when a stopped clock had run out before it was stopped; None where it had not."""
    ended = worktime.due_after(clock.started_at, clock.amount, clock.unit, days, consumed_s=clock.consumed_s).at
    return ended if ended and clock.stopped_at and ended < clock.stopped_at else None


def out_at(hazard: Hazard, clock: Clock) -> datetime | None:
    """Return when a clock runs out, one that stands only where it had before. Queries: as ``days_for``."""
    if clock.stopped_at is None:
        return clock.due_at
    return _out_before_it_stood(clock, days_for(hazard, clock))


def hold(hazard: Hazard, *, at: datetime) -> None:
    """Let all clocks of a case stand: it is due at no time. Queries: 1, and 1 a clock."""
    for clock in hazard.clocks.filter(stopped_at=None):
        stand(clock, at=at)
        clock.save(update_fields=["stopped_at", "due_at", "due_reason"])
    hazard.due_at, hazard.due_reason = None, PAUSED


def stand(clock: Clock, *, at: datetime) -> None:
    """Let a clock stand by a pause. Queries: none."""
    clock.stopped_at, clock.due_at, clock.due_reason = at, None, PAUSED


def release(hazard: Hazard, *, since: datetime | None = None, at: datetime) -> None:
    """Let the clocks of the present stage run on, with what they have used up: those that were stopped at a moment, else
    those that stand by a pause. What had run out before has run out when it had. Queries: 2, and 1 a clock.
    """
    stood = Q(stopped_at=since) if since else Q(stopped_at__isnull=False, due_reason=PAUSED)
    stages = [*_running_from(hazard), *([Stage.PIN] if hazard.pinned_at else [])]
    if hazard.due_stage == Stage.RECTIFY:
        stages.append(Stage.PLAN)
    for clock in hazard.clocks.filter(stood).select_related("merger"):
        if binds(clock, hazard.due_stage) if clock.merger_id else clock.stage in stages:
            _go_on(hazard, clock, at, once_out=True)
            clock.save()
    settle(hazard)


def due_ahead(hazard: Hazard, clock: Clock, at: datetime) -> datetime | None:
    """Return when a clock is due, one that stands by a pause as if that ended now. Queries: none; the clock stays as it is."""
    if clock.stopped_at is None:
        return clock.due_at
    going = copy(clock)
    _go_on(hazard, going, at)
    return going.due_at


def stage_clock(hazard: Hazard) -> Clock:
    """Return the case's own clock of the present stage. Queries: 1."""
    return own(hazard).get(stage=hazard.due_stage)


def settle(hazard: Hazard) -> None:
    """Set when a case is due: when the first of its running clocks is. Queries: 1."""
    _settle(hazard, hazard.clocks.all())


def _settle(hazard: Hazard, clocks: Iterable[Clock]) -> None:
    running = [clock for clock in clocks if clock.stopped_at is None]
    known = [clock.due_at for clock in running if clock.due_at]
    hazard.due_at = min(known, default=None)
    hazard.due_reason = next((clock.due_reason for clock in running if clock.due_reason and not known), "")


def lift_mark(hazard: Hazard, *, at: datetime) -> None:
    """Take the mark of being overdue from a case that has got more time; that it once was overdue stays. Queries: 0 or 1."""
    if hazard.overdue and hazard.due_at is not None and hazard.due_at > at:
        hazard.overdue = False
        hazard.clocks.filter(stopped_at=None).update(marked_at=None)


def set_due(clock: Clock, days: worktime.Calendar) -> None:
    """Compute when a running clock is due, from what is left of its limit; at no time while it gives way to a plan."""
    if clock.gives_way:
        clock.due_at, clock.due_reason = None, ""
        return
    due = worktime.due_after(clock.started_at, clock.amount, clock.unit, days, consumed_s=clock.consumed_s)
    clock.due_at, clock.due_reason = due.at, due.reason or ""


def used_before(clock: Clock, unit: str, days: worktime.Calendar) -> int:
    """Return the seconds of a unit's clock that passed while a clock ran before it was last started.

    What was brought in from elsewhere says only how much; it is taken as it is.
    """
    pairs = list(zip(clock.ran[::2], clock.ran[1::2], strict=True)) if clock.ran else []
    if not pairs:
        return clock.consumed_s
    return int(sum(worktime.consumed(begin, end, unit, days) or 0 for begin, end in pairs))


@transaction.atomic
def recompute_due(*, at: datetime) -> int:
    """Compute the due times of running clocks anew after the calendar changed; return how many clocks differ.

    Those that no calendar allowed until now get one. What was marked overdue stays marked: the mark is history.
    Queries: 4 however many, and 2 for each 500 that differ.
    """
    clocks = []
    # The hazards' rows first, as a step takes them, so that neither waits for the other.
    held = Hazard.objects.open().filter(overdue=False, paused_at=None).order_by("pk").select_for_update()
    ids = {hazard.pk: hazard for hazard in held.only("pk", "due_stage", "due_at", "due_reason", "department")}
    of_case: dict[object, list[Clock]] = {}
    for clock in Clock.objects.filter(stopped_at=None, hazard__in=ids).select_related("merger").order_by("pk"):
        before = (clock.due_at, clock.due_reason, clock.consumed_s)
        days = days_for(ids[clock.hazard_id], clock)
        clock.consumed_s = used_before(clock, clock.unit, days)
        set_due(clock, days)
        of_case.setdefault(clock.hazard_id, []).append(clock)
        if before != (clock.due_at, clock.due_reason, clock.consumed_s):
            clocks.append(clock)
    changed = {clock.hazard_id for clock in clocks}
    for pk in changed:
        _settle(ids[pk], of_case[pk])
    Clock.objects.bulk_update(clocks, ["due_at", "due_reason", "consumed_s"], batch_size=500)
    Hazard.objects.bulk_update([ids[pk] for pk in changed], ["due_at", "due_reason"], batch_size=500)
    return len(clocks)
