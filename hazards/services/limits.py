"""Change the time limits of a case lawfully: extend, pause, set by a leader, file under another matter.

Each is called by :func:`hazards.services.steps.take_step` with the hazard's row held, before the step is written.
"""

from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from citysafety.accounts.roles import Role
from citysafety.calendars.words import limit_words
from grid.models import Matter

from ..lifecycle import Stage
from ..models import Clock, ClockChange, Hazard, LimitRule, PauseCause
from .clocks import began, days_of, hold, lift_mark, limit_of, release, set_due, settle, stage_clock, used_before
from .given import FieldsMissing, StepInput

OTHER = "other"  # the cause of a pause that names none
HOURS_A_DAY = {"work_hours": 8, "urgent_hours": 24}


def rule_of(hazard: Hazard) -> LimitRule | None:
    """Return the rule in force for a case of its severity. Queries: 1."""
    return LimitRule.objects.filter(severity=hazard.severity, active=True).first()


def pending(hazard: Hazard, kind: str) -> ClockChange | None:
    """Return what was asked of a case and is not decided. Queries: 1."""
    return hazard.clock_changes.filter(kind=kind, decided_at=None, ended_at=None).select_related("cause").first()


def most_more(hazard: Hazard, rule: LimitRule) -> int:
    """Return the most that one extension may add, in the unit of the stage's clock: at least one."""
    _unit, amount = limit_of(hazard, hazard.due_stage)
    return max(1, amount * rule.most_percent // 100)


def extensions_left(hazard: Hazard, rule: LimitRule | None) -> int:
    """Return how often the present stage may still be extended. Queries: 1, none without a rule."""
    if rule is None:
        return 0
    granted = hazard.clock_changes.filter(kind=ClockChange.Kind.EXTENSION, stage=hazard.due_stage, is_granted=True)
    return max(0, rule.most_extensions - granted.count())


def ask_extension(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Keep that more time is asked for. :raises FieldsMissing: more than the rule allows, or too often."""
    rule = rule_of(hazard)
    if rule is None or not extensions_left(hazard, rule):
        most = rule.most_extensions if rule else 0
        raise FieldsMissing({"amount": _("No extension is left for this stage; the rule allows %(n)s.") % {"n": most}})
    clock, most = stage_clock(hazard), most_more(hazard, rule)
    _check_amount(given.amount, most, clock.unit)
    ClockChange.objects.create(
        hazard=hazard, kind=ClockChange.Kind.EXTENSION, stage=hazard.due_stage, unit=clock.unit, amount=given.amount,
        words=given.words.strip(), asked_by=actor, asked_at=at,
    )  # fmt: skip
    hazard.extension_asked_at = at


def _check_amount(amount: int | None, most: int, unit: str) -> None:
    if amount is None or not 0 < amount <= most:
        words = {"seen": amount if amount is not None else _("nothing"), "most": limit_words(most, unit)}
        raise FieldsMissing({"amount": _("%(seen)s was given; expected 1 to %(most)s.") % words})


def grant_extension(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Give what was asked for, or less of it. The time used up stays used up. :raises FieldsMissing: more than was asked."""
    change = _decided(hazard, ClockChange.Kind.EXTENSION, actor, at, is_granted=True)
    asked = change.amount or 0
    granted = asked if given.amount is None else given.amount
    _check_amount(granted, asked, change.unit)
    change.granted = granted
    change.save()
    clock = stage_clock(hazard)
    clock.amount += _in_unit(granted, change.unit, clock.unit)  # another matter may count in another one since
    clock.marked_at = None
    set_due(clock, days_of(hazard, clock.stage))
    clock.save()
    if total := hazard.clocks.filter(stage=Stage.TOTAL, stopped_at=None).first():
        total.amount += _in_unit(granted, change.unit, total.unit)
        set_due(total, days_of(hazard, total.stage))
        total.save()
    settle(hazard)
    lift_mark(hazard, at=at)


def _in_unit(amount: int, unit: str, other: str) -> int:
    """Return an amount in another unit, rounded up: a working day has eight hours, 24 where hours run round the clock."""
    if unit == other:
        return amount
    if unit == "work_days":
        return amount * HOURS_A_DAY[other]
    return ceil(amount / HOURS_A_DAY[unit]) if other == "work_days" else amount


def _decided(hazard: Hazard, kind: str, actor: Any, at: datetime, *, is_granted: bool) -> ClockChange:
    """Decide what was asked for; return it."""
    change = pending(hazard, kind)
    if change is None:  # the condition of the step has seen that something is asked
        raise LookupError(f"nothing asked of {hazard}")
    change.decided_by, change.decided_at, change.is_granted = actor, at, is_granted
    change.save()
    if kind == ClockChange.Kind.EXTENSION:
        hazard.extension_asked_at = None
    else:
        hazard.pause_asked_at = None
    return change


def deny_extension(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Leave the limit as it is."""
    _decided(hazard, ClockChange.Kind.EXTENSION, actor, at, is_granted=False)


# -- pauses --------------------------------------------------------------------------------------


def ask_pause(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Keep that a pause is asked for. :raises FieldsMissing: no such cause, or longer than it allows."""
    cause = _cause(given.cause)
    ClockChange.objects.create(
        hazard=hazard, kind=ClockChange.Kind.PAUSE, stage=hazard.due_stage, cause=cause, words=given.words.strip(),
        until=end_of_pause(given.until, cause, at), asked_by=actor, asked_at=at,
    )  # fmt: skip
    hazard.pause_asked_at = at


def _cause(code: str) -> PauseCause:
    cause = PauseCause.objects.filter(code=code or OTHER, active=True).first()
    if cause is None:
        known = ", ".join(PauseCause.objects.filter(active=True).values_list("code", flat=True))
        raise FieldsMissing({"cause": _("“%(seen)s” is not one of %(known)s.") % {"seen": code, "known": known}})
    return cause


def end_of_pause(asked: datetime | None, cause: PauseCause, at: datetime) -> datetime:
    """Return when a pause ends by itself. :raises FieldsMissing: it has passed, or is later than the cause allows."""
    latest = at + timedelta(days=cause.most_days)
    if asked is not None and not at < asked <= latest:
        words = {"seen": f"{localtime(asked):%F %H:%M}", "cause": cause.name, "latest": f"{localtime(latest):%F %H:%M}"}
        raise FieldsMissing({"until": _("%(seen)s was given; “%(cause)s” allows up to %(latest)s.") % words})
    return asked or latest


def pause(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Let the clocks stand, as it was asked or of one's own accord. :raises FieldsMissing: as ``ask_pause``; not this office's to decide."""
    change = pending(hazard, ClockChange.Kind.PAUSE)
    cause = change.cause if change and change.cause and not given.cause else _cause(given.cause)
    if cause.by_supervisor and actor.role != Role.SUPERVISOR:
        raise FieldsMissing({"cause": _("A pause for “%(cause)s” is decided by a supervisor.") % {"cause": cause.name}})
    change = change or ClockChange(
        hazard=hazard, kind=ClockChange.Kind.PAUSE, stage=hazard.due_stage, asked_by=actor, asked_at=at
    )
    change.cause, change.until = cause, end_of_pause(given.until or change.until, cause, at)
    change.decided_by, change.decided_at, change.is_granted = actor, at, True
    change.words = change.words or given.words.strip()
    change.save()
    hazard.paused_at, hazard.paused_until, hazard.pause_asked_at = at, change.until, None
    hold(hazard, at=at)


def deny_pause(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Let the clocks run as they do."""
    _decided(hazard, ClockChange.Kind.PAUSE, actor, at, is_granted=False)


def resume(hazard: Hazard, given: StepInput | None, actor: Any, at: datetime) -> None:
    """Let the clocks go on with what they had used up."""
    paused_at = hazard.paused_at
    hazard.clock_changes.filter(kind=ClockChange.Kind.PAUSE, is_granted=True, ended_at=None).update(ended_at=at)
    hazard.paused_at = hazard.paused_until = None
    if paused_at is not None:
        release(hazard, since=paused_at, at=at)


def let_lapse(hazard: Hazard, at: datetime) -> None:
    """Close what was asked for and nobody needs any more, because the case has moved on. Queries: 0 or 1."""
    if hazard.extension_asked_at or hazard.pause_asked_at:
        hazard.clock_changes.filter(decided_at=None, ended_at=None).update(ended_at=at)
        hazard.extension_asked_at = hazard.pause_asked_at = None


# -- a leader's limit, and another matter ----------------------------------------------------------


def pin(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Set a short limit of a leader's own beside the others. :raises FieldsMissing: longer than the rule's, or no rule."""
    rule = rule_of(hazard)
    if rule is None:
        raise FieldsMissing({"amount": _("No rule says what a leader may set for this severity.")})
    amount = rule.pin_amount if given.amount is None else given.amount
    _check_amount(amount, rule.pin_amount, rule.pin_unit)
    old = hazard.clocks.filter(stage=Stage.PIN).first()
    clock = Clock(
        pk=old.pk if old else None, hazard=hazard, stage=Stage.PIN, unit=rule.pin_unit, amount=amount, started_at=at
    )
    set_due(clock, days_of(hazard, clock.stage))
    clock.save()
    ClockChange.objects.create(
        hazard=hazard, kind=ClockChange.Kind.PIN, stage=hazard.due_stage, unit=rule.pin_unit, amount=amount,
        granted=amount, words=given.words.strip(), asked_by=actor, asked_at=at, decided_by=actor, decided_at=at,
        is_granted=True,
    )  # fmt: skip
    hazard.pinned_at = at
    settle(hazard)


def unpin(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Take the leader's limit away."""
    hazard.clocks.filter(stage=Stage.PIN, stopped_at=None).update(stopped_at=at)
    hazard.clock_changes.filter(kind=ClockChange.Kind.PIN, ended_at=None).update(ended_at=at)
    hazard.pinned_at = None
    if hazard.paused_at is None:
        settle(hazard)
        lift_mark(hazard, at=at)


def change_matter(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """File a case under another matter: its limits hold from the beginning, the time used up stays used up.

    What was used up is counted anew in the new unit, over the same hours. :raises FieldsMissing: no such matter, or the same.
    """
    matter = Matter.objects.select_related("matter_class").filter(code=given.matter, active=True).first()
    if matter is None or matter.pk == hazard.matter_id:
        words = _("There is no matter %(code)s in the catalogue.") if matter is None else _("It is %(code)s already.")
        raise FieldsMissing({"matter": words % {"code": given.matter}})
    ClockChange.objects.create(
        hazard=hazard, kind=ClockChange.Kind.MATTER, stage=hazard.due_stage, words=hazard.matter.code, asked_by=actor,
        asked_at=at, decided_by=actor, decided_at=at, is_granted=True,
    )  # fmt: skip
    hazard.matter = matter
    for clock in hazard.clocks.filter(stage__in=(hazard.due_stage, Stage.TOTAL), stopped_at=None):
        if clock.stage == Stage.TOTAL and not matter.total_amount:
            clock.stopped_at = at
            clock.save()
            continue
        unit, amount = limit_of(hazard, clock.stage)
        clock.consumed_s = used_before(clock, unit, days_of(hazard, clock.stage))
        more = sum(_in_unit(granted, old_unit, unit) for granted, old_unit in _extended(hazard, clock))
        clock.unit, clock.amount = unit, amount + more
        set_due(clock, days_of(hazard, clock.stage))
        clock.save()
    if matter.total_amount and not hazard.clocks.filter(stage=Stage.TOTAL, stopped_at=None).exists():
        _start_total(hazard, at)
    settle(hazard)
    lift_mark(hazard, at=at)


def _extended(hazard: Hazard, clock: Clock) -> list[tuple[int, str]]:
    """Return what was granted to a clock since it began, with its units: what came before it began anew is past. Queries: 1."""
    since = {"is_granted": True, "decided_at__gte": began(clock)}
    rows = hazard.clock_changes.filter(kind=ClockChange.Kind.EXTENSION, **since)
    if clock.stage != Stage.TOTAL:
        rows = rows.filter(stage=clock.stage)
    return [(granted or 0, unit) for granted, unit in rows.values_list("granted", "unit")]


def _start_total(hazard: Hazard, at: datetime) -> None:
    """Start the clock of the whole case as if it had run since the case was received, but for its pauses."""
    unit, amount = limit_of(hazard, Stage.TOTAL)
    pauses = hazard.clock_changes.filter(kind=ClockChange.Kind.PAUSE, is_granted=True, ended_at__isnull=False)
    ran, begin = [], hazard.received_at
    for paused_at, ended_at in pauses.order_by("decided_at").values_list("decided_at", "ended_at"):
        ran += [begin, paused_at]
        begin = ended_at
    old = hazard.clocks.filter(stage=Stage.TOTAL).first()
    clock = Clock(
        pk=old.pk if old else None, hazard=hazard, stage=Stage.TOTAL, unit=unit, amount=amount, started_at=begin,
        ran=ran or None,
    )  # fmt: skip
    clock.consumed_s = used_before(clock, unit, days_of(hazard, clock.stage))
    set_due(clock, days_of(hazard, clock.stage))
    clock.save()
