"""Change the time limits of a case lawfully: extend, pause, set by a leader, file under another matter.

Each is called by :func:`hazards.services.steps.take_step` with the hazard's row held, before the step is written.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import ceil
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import translation
from django.utils.timezone import localdate, localtime, make_aware
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from citysafety import worktime
from citysafety.accounts.roles import Role
from citysafety.calendars.words import limit_words
from grid.models import Matter

from ..lifecycle import Stage
from ..models import Clock, ClockChange, Hazard, LimitRule, PauseCause, Plan
from .asides import write_aside
from .clocks import (
    OF_WORK,
    PAUSED,
    days_for,
    days_of,
    due_ahead,
    hold,
    lift_mark,
    limit_of,
    out_at,
    own,
    release,
    set_due,
    settle,
    stage_clock,
    stand,
    used_before,
)
from .given import FieldsMissing, StepInput

LAPSED = gettext_noop("what was asked of other limits is not decided on")
MATTER_CHANGED = gettext_noop("the case was filed under another matter")
PLAN_APPROVED = gettext_noop("the day of the approved plan is the limit")
GOES_ON = Q(stopped_at=None) | Q(due_reason=PAUSED)  # a clock that runs, or will when a pause ends
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
    _lengthen(hazard, (*OF_WORK, Stage.TOTAL), granted, change.unit)
    settle(hazard)
    lift_mark(hazard, at=at)


def _lengthen(hazard: Hazard, stages: tuple[str, ...], amount: int, unit: str) -> None:
    """Make limits that run longer, each in its own unit, or shorter by less than nothing; those that duplicates brought
    follow the case's own. Queries: 1, and 1 a clock.
    """
    for clock in hazard.clocks.filter(GOES_ON, stage__in=stages).select_related("merger"):
        clock.amount = max(1, clock.amount + (1 if amount > 0 else -1) * _in_unit(abs(amount), unit, clock.unit))
        if clock.stage != Stage.TOTAL:
            clock.marked_at = None
        if clock.stopped_at is None:
            set_due(clock, days_for(hazard, clock))
        clock.save()


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


def lapse(hazard: Hazard, kinds: Iterable[str], why: str, actor: Any, at: datetime) -> None:
    """End undecided what was asked of the limits, with a row of the history for each that says what, whose and why.

    The fact of that row tells who asked. What is written down speaks the city's language. Queries: 1, none where
    nothing is asked; 7 a request.
    """
    if hazard.extension_asked_at is None and hazard.pause_asked_at is None:
        return
    asked = hazard.clock_changes.filter(kind__in=kinds, decided_at=None, ended_at=None)
    for change in asked.select_related("cause", "asked_by"):
        change.ended_at = at
        change.save()
        if change.kind == ClockChange.Kind.EXTENSION:
            hazard.extension_asked_at = None
        else:
            hazard.pause_asked_at = None
        with translation.override(settings.LANGUAGE_CODE):
            words = _("%(what)s, asked by %(who)s: ended undecided, %(why)s.") % {
                "what": _what(change), "who": change.asked_by.name if change.asked_by else "–", "why": _(why),
            }  # fmt: skip
        write_aside(hazard, "lapse", words, actor, at, basis=LAPSED)


def _what(change: ClockChange) -> str:
    if change.kind == ClockChange.Kind.PAUSE:
        return _("Pause for “%(cause)s”") % {"cause": change.cause.name if change.cause else ""}
    return _("Extension of %(limit)s") % {"limit": limit_words(change.amount or 0, change.unit)}


# -- pauses --------------------------------------------------------------------------------------


def ask_pause(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Keep that a pause is asked for. :raises FieldsMissing: no such cause, or longer than it allows."""
    cause = _cause(given.cause)
    ClockChange.objects.create(
        hazard=hazard, kind=ClockChange.Kind.PAUSE, stage=hazard.due_stage, cause=cause, words=given.words.strip(),
        until=end_of_pause(given.until, cause, at, pauses_before(hazard, cause)), asked_by=actor, asked_at=at,
    )  # fmt: skip
    hazard.pause_asked_at = at


def _cause(code: str) -> PauseCause:
    cause = PauseCause.objects.filter(code=code or OTHER, active=True).first()
    if cause is None:
        known = ", ".join(PauseCause.objects.filter(active=True).values_list("code", flat=True))
        raise FieldsMissing({"cause": _("“%(seen)s” is not one of %(known)s.") % {"seen": code, "known": known}})
    return cause


@dataclass(frozen=True, slots=True)
class Paused:
    """How often and how long a case stood for a cause before."""

    times: int = 0
    span: timedelta = timedelta()


def pauses_before(hazard: Hazard, cause: PauseCause) -> Paused:
    """Return how often and how long a case stood for a cause before. Queries: 1."""
    return sum_up(hazard.clock_changes.filter(kind=ClockChange.Kind.PAUSE, is_granted=True, cause=cause))


def sum_up(changes: Iterable[ClockChange]) -> Paused:
    """Return how often and how long a case stood by pauses that are granted and over. Queries: those of the rows."""
    spans = [change.ended_at - change.decided_at for change in changes if change.ended_at and change.decided_at]
    return Paused(len(spans), sum(spans, timedelta()))


def end_of_pause(asked: datetime | None, cause: PauseCause, at: datetime, before: Paused) -> datetime:
    """Return when a pause ends by itself.

    :raises FieldsMissing: it has passed, or is later than the cause allows; the case stood as often or as long as the
        cause allows.
    """
    left = timedelta(days=cause.most_days_in_all) - before.span
    if before.times >= cause.most_times or left <= timedelta():
        words = {
            "cause": cause.name, "times": cause.most_times, "days": cause.most_days_in_all, "seen": before.times,
            "stood": ceil(before.span / timedelta(days=1)),
        }  # fmt: skip
        raise FieldsMissing({
            "cause": _(
                "It stood %(seen)s times and %(stood)s days for “%(cause)s”; one case may %(times)s times and %(days)s days."
            ) % words
        })  # fmt: skip
    latest = at + min(timedelta(days=cause.most_days), left)
    if asked is not None and not at < asked <= latest:
        words = {"seen": f"{localtime(asked):%F %H:%M}", "cause": cause.name, "latest": f"{localtime(latest):%F %H:%M}"}
        raise FieldsMissing({"until": _("%(seen)s was given; “%(cause)s” allows up to %(latest)s.") % words})
    return asked or latest


def cause_of(change: ClockChange | None, given: str) -> PauseCause | None:
    """Return the cause that was asked for, which is the one decided on; None where nothing was asked. Queries: none.

    :raises FieldsMissing: another cause is given.
    """
    if change is None or change.cause is None:
        return None
    if given and given != change.cause.code:
        words = _("“%(asked)s” was asked for, “%(seen)s” was given; deny that first, then pause for another cause.")
        raise FieldsMissing({"cause": words % {"asked": change.cause.code, "seen": given}})
    return change.cause


def check_office(cause: PauseCause, actor: Any) -> None:
    """Let pass who may decide on a cause. :raises FieldsMissing: it is a supervisor's to decide."""
    if cause.by_supervisor and actor.role != Role.SUPERVISOR:
        raise FieldsMissing({"cause": _("A pause for “%(cause)s” is decided by a supervisor.") % {"cause": cause.name}})


def pause(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Let the clocks stand, as it was asked or of one's own accord.

    :raises FieldsMissing: as ``ask_pause``; another cause than was asked for; not this office's to decide.
    """
    change = pending(hazard, ClockChange.Kind.PAUSE)
    cause = cause_of(change, given.cause) or _cause(given.cause)
    check_office(cause, actor)
    before = pauses_before(hazard, cause)
    change = change or ClockChange(
        hazard=hazard, kind=ClockChange.Kind.PAUSE, stage=hazard.due_stage, asked_by=actor, asked_at=at
    )
    change.cause, change.until = cause, end_of_pause(given.until or change.until, cause, at, before)
    change.decided_by, change.decided_at, change.is_granted = actor, at, True
    change.words = change.words or given.words.strip()
    change.save()
    hazard.paused_at, hazard.paused_until, hazard.pause_asked_at = at, change.until, None
    hold(hazard, at=at)


def deny_pause(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Let the clocks run as they do. :raises FieldsMissing: the cause is a supervisor's to decide."""
    change = pending(hazard, ClockChange.Kind.PAUSE)
    if change is not None and change.cause is not None:
        check_office(change.cause, actor)
    _decided(hazard, ClockChange.Kind.PAUSE, actor, at, is_granted=False)


def resume(hazard: Hazard, given: StepInput | None, actor: Any, at: datetime) -> None:
    """Let the clocks go on with what they had used up."""
    hazard.clock_changes.filter(kind=ClockChange.Kind.PAUSE, is_granted=True, ended_at=None).update(ended_at=at)
    hazard.paused_at = hazard.paused_until = None
    release(hazard, at=at)


def let_lapse(hazard: Hazard, at: datetime) -> None:
    """Close what was asked for and nobody needs any more, because the case has moved on. Queries: 0 or 1."""
    if hazard.extension_asked_at or hazard.pause_asked_at:
        hazard.clock_changes.filter(decided_at=None, ended_at=None).update(ended_at=at)
        hazard.extension_asked_at = hazard.pause_asked_at = None


# -- the day of an approved plan --------------------------------------------------------------------


def limit_by_plan(hazard: Hazard, plan: Plan, actor: Any, at: datetime) -> None:
    """Let the day of an approved plan limit rectification, by a clock of its own, and the matter's limit give way to it.

    The plan's days count whole and round the clock, from that of its approval on; pauses let it stand like any other. A
    limit that had run out before the plan was laid does not give way: what is late stays late. Queries: 13, and 2 a clock.
    """
    lapse(hazard, (ClockChange.Kind.EXTENSION,), PLAN_APPROVED, actor, at)
    last = own(hazard).filter(stage=Stage.PLAN).first()
    if last is not None and last.due_at is not None and last.due_at < plan.at:
        return  # the day of the plan before had passed
    is_whole_out = hazard.clocks.filter(stage=Stage.TOTAL, stopped_at=None, due_at__lt=plan.at).exists()
    gave_way = set(hazard.clocks.filter(gives_way=True).values_list("pk", flat=True))
    _end_plan(hazard, at)
    without_plan = due_ahead(hazard, stage_clock(hazard), at)
    for clock in hazard.clocks.filter(GOES_ON, stage__in=OF_WORK).select_related("merger"):
        ended = out_at(hazard, clock)
        if clock.pk in gave_way or ended is None or ended >= plan.at:
            clock.gives_way, clock.marked_at, clock.due_at = True, None, None
            clock.save()
    _plan_clock(hazard, plan, at)
    more, unit = (0, "") if is_whole_out else _more_in_all(hazard, without_plan, _end_of(plan.finish_on))
    ClockChange.objects.create(
        hazard=hazard, kind=ClockChange.Kind.PLAN, stage=hazard.due_stage, unit=unit, granted=more or None,
        until=_end_of(plan.finish_on), words=str(plan.version), asked_by=plan.by, asked_at=plan.at, decided_by=actor,
        decided_at=at, is_granted=True,
    )  # fmt: skip
    if more:
        _lengthen(hazard, (Stage.TOTAL,), more, unit)
    if hazard.paused_at is None:
        settle(hazard)
        lift_mark(hazard, at=at)


def _end_of(day: date) -> datetime:
    """Return the last moment of a day of the city: the first of the next."""
    return make_aware(datetime.combine(day + timedelta(days=1), time()))


def _plan_clock(hazard: Hazard, plan: Plan, at: datetime) -> None:
    """Start the clock of a plan in whole days; in a pause it stands. Queries: 1."""
    today = localdate(at)
    days = (plan.finish_on - today).days + 1
    clock = Clock(
        hazard=hazard, stage=Stage.PLAN, unit="urgent_hours", amount=days * HOURS_A_DAY["urgent_hours"],
        started_at=make_aware(datetime.combine(today, time())),
    )  # fmt: skip
    set_due(clock, days_of(hazard, clock.stage))
    if hazard.paused_at is not None:
        stand(clock, at=at)
    clock.save()


def _more_in_all(hazard: Hazard, before: datetime | None, due_at: datetime) -> tuple[int, str]:
    """Return by how much the limit of the whole case grows with a plan that ends later than the stage would have, and the
    unit. Queries: 1.
    """
    total = hazard.clocks.filter(GOES_ON, stage=Stage.TOTAL).order_by("pk").first()
    if total is None or before is None:
        return 0, ""
    seconds = worktime.consumed(before, due_at, total.unit, days_of(hazard, Stage.TOTAL)) or 0
    return ceil(seconds / worktime.limit_s(1, total.unit)), total.unit


def drop_plan_limit(hazard: Hazard, at: datetime) -> None:
    """Let the matter's limits hold again, as if no plan had been approved: with all that was used up meanwhile. Queries: 5."""
    _end_plan(hazard, at)
    if hazard.paused_at is None:
        settle(hazard)


def _end_plan(hazard: Hazard, at: datetime) -> None:
    """End the clock of a plan and what it changed of the others. Queries: 4, and 2 a clock."""
    own(hazard).filter(stage=Stage.PLAN).delete()
    for change in hazard.clock_changes.filter(kind=ClockChange.Kind.PLAN, ended_at=None):
        change.ended_at = at
        change.save()
        if change.granted:
            _lengthen(hazard, (Stage.TOTAL,), -change.granted, change.unit)
    for clock in hazard.clocks.filter(gives_way=True).select_related("merger"):
        clock.gives_way = False
        if clock.stopped_at is None:
            set_due(clock, days_for(hazard, clock))
        clock.save()


# -- a leader's limit, and another matter ----------------------------------------------------------


def pin(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Set a short limit of a leader's own beside the others. :raises FieldsMissing: longer than the rule's, or no rule."""
    rule = rule_of(hazard)
    if rule is None:
        raise FieldsMissing({"amount": _("No rule says what a leader may set for this severity.")})
    amount = rule.pin_amount if given.amount is None else given.amount
    _check_amount(amount, rule.pin_amount, rule.pin_unit)
    old = own(hazard).filter(stage=Stage.PIN).first()
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
    """Take the leader's limit away, with those that duplicates brought."""
    own(hazard).filter(stage=Stage.PIN, stopped_at=None).update(stopped_at=at)
    hazard.clocks.filter(stage=Stage.PIN).exclude(merger=None).delete()  # leaders' limits that duplicates brought
    hazard.clock_changes.filter(kind=ClockChange.Kind.PIN, ended_at=None).update(ended_at=at)
    hazard.pinned_at = None
    if hazard.paused_at is None:
        settle(hazard)
        lift_mark(hazard, at=at)


def change_matter(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """File a case under another matter: its limits hold from the beginning, the time used up stays used up.

    What was used up is counted anew in the new unit, over the same hours. What was asked and not decided ends: it was
    asked of other limits. What duplicates brought runs on as it did there. :raises FieldsMissing: no such matter, or the same.
    """
    matter = Matter.objects.select_related("matter_class").filter(code=given.matter, active=True).first()
    if matter is None or matter.pk == hazard.matter_id:
        words = _("There is no matter %(code)s in the catalogue.") if matter is None else _("It is %(code)s already.")
        raise FieldsMissing({"matter": words % {"code": given.matter}})
    ClockChange.objects.create(
        hazard=hazard, kind=ClockChange.Kind.MATTER, stage=hazard.due_stage, words=hazard.matter.code, asked_by=actor,
        asked_at=at, decided_by=actor, decided_at=at, is_granted=True,
    )  # fmt: skip
    lapse(hazard, (ClockChange.Kind.EXTENSION, ClockChange.Kind.PAUSE), MATTER_CHANGED, actor, at)
    hazard.matter = matter
    for clock in own(hazard).filter(stage__in=(hazard.due_stage, Stage.TOTAL), stopped_at=None):
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
    if matter.total_amount and not own(hazard).filter(stage=Stage.TOTAL, stopped_at=None).exists():
        _start_total(hazard, at)
    settle(hazard)
    lift_mark(hazard, at=at)


def _extended(hazard: Hazard, clock: Clock) -> list[tuple[int, str]]:
    """Return what was granted to a clock since it began, with its units: what came before it began anew is past. Queries: 1."""
    began = clock.ran[0] if clock.ran else clock.started_at
    rows = hazard.clock_changes.filter(kind=ClockChange.Kind.EXTENSION, is_granted=True, decided_at__gte=began)
    if clock.stage == Stage.TOTAL:
        rows |= hazard.clock_changes.filter(kind=ClockChange.Kind.PLAN, ended_at=None)
    else:
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
    old = own(hazard).filter(stage=Stage.TOTAL).first()
    clock = Clock(
        pk=old.pk if old else None, hazard=hazard, stage=Stage.TOTAL, unit=unit, amount=amount, started_at=begin,
        ran=ran or None,
    )  # fmt: skip
    clock.consumed_s = used_before(clock, unit, days_of(hazard, clock.stage))
    set_due(clock, days_of(hazard, clock.stage))
    clock.save()
