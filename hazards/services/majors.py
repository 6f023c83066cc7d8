"""What is done to major hazards only: raise and lower, plans of rectification, orders to stop work.

Each is called by :func:`hazards.services.steps.take_step` with the hazard's row held, before the step is written.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.timezone import localdate, localtime
from django.utils.translation import gettext as _

from ..models import MOST_PLAN_DAYS, Hazard, Listing, Plan, Severity, StopWork
from . import limits
from .criteria import NoCriterion, worded
from .given import FieldsMissing, StepInput

NONE_NEEDED = ("none", "无", "无需", "不需要")
MOST_FUNDS = Decimal(10) ** 12  # yuan: what the column holds


def raise_to_major(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Make a general hazard a major one by a criterion. Queries: 1. :raises FieldsMissing: it is none."""
    try:
        hazard.severity, hazard.criterion = Severity.MAJOR, worded(given.criterion)
    except NoCriterion as refusal:
        raise FieldsMissing({"criterion": str(refusal)}) from refusal


def change_matter(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """File a case under another matter; where the catalogue holds that for major, say in the same step what the case is.

    Queries: those of ``limits.change_matter``, 1 more for a criterion. :raises FieldsMissing: nobody decided, or against the table.
    """
    limits.change_matter(hazard, given, actor, at)
    if given.severity == Severity.MAJOR and hazard.severity == Severity.GENERAL:
        if not given.criterion.strip():
            raise FieldsMissing({"criterion": _("A major hazard names the criterion that makes it one.")})
        raise_to_major(hazard, given, actor, at)
    elif given.severity == Severity.GENERAL and hazard.severity == Severity.MAJOR:
        raise FieldsMissing({"severity": _("It is a major hazard; to lower it is a supervisor's step.")})
    elif not given.severity and hazard.matter.severity == Severity.MAJOR and hazard.severity == Severity.GENERAL:
        words = _("The catalogue holds %(code)s for major. Decide in this step: “major” with its criterion, or “general” and say in the reason why.")  # fmt: skip
        raise FieldsMissing({"severity": words % {"code": hazard.matter.code}})


def lower(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Make a major hazard a general one: what only major ones have falls away; its rows stay. Queries: 1."""
    hazard.severity, hazard.criterion = Severity.GENERAL, ""
    drop_plan(hazard, at)
    hazard.plans.filter(decided_at=None).update(decided_at=at)


def drop_plan(hazard: Hazard, at: datetime) -> None:
    """Let a case need a plan anew; the matter's limit holds again. Queries: none without an approved plan."""
    if hazard.plan_approved_at is not None:
        limits.drop_plan_limit(hazard, at)
    hazard.plan_asked_at = hazard.plan_approved_at = None


# -- five items ------------------------------------------------------------------------------------


def plan(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Keep a version of the plan with its five items (五落实). Queries: 3, 4 for a listed hazard.

    Source: 《安全生产事故隐患排查治理暂行规定》 art. 15.

    :raises FieldsMissing: funds that are no amount, a day that has passed, lies after that of the listing, or further away
        than the rule of limits allows.
    """
    errors: dict[str, str] = {}
    funds = _funds(given.funds, errors)
    _check_span(hazard, given.finish_on, at, errors)
    _check_day(hazard, given.finish_on, at, errors)
    if errors:
        raise FieldsMissing(errors)
    Plan.objects.create(
        hazard=hazard, version=hazard.plans.count() + 1, unit=given.unit.strip(), person=given.person.strip(),
        measures=given.measures.strip(), funds_yuan=funds, finish_on=given.finish_on,
        contingency=given.contingency.strip(), by=actor, at=at,
    )  # fmt: skip
    hazard.plan_asked_at = at


def _funds(text: str, errors: dict[str, str]) -> Decimal | None:
    """Return an amount in yuan, None where none is needed."""
    text = text.strip().replace(",", "").replace("，", "")
    if text.lower() in NONE_NEEDED:
        return None
    try:
        amount = Decimal(text)
        if 0 < amount < MOST_FUNDS and amount == round(amount, 2):
            return amount
    except InvalidOperation:  # said below
        pass
    errors["funds"] = _("“%(seen)s” was given; expected an amount in yuan, or “none” where none is needed.") % {
        "seen": text[:40]
    }
    return None


def _check_span(hazard: Hazard, day: date | None, at: datetime, errors: dict[str, str]) -> None:
    """Refuse a day further away than a plan may last; without a rule in force, than a clock can hold. Queries: 1."""
    rule = limits.rule_of(hazard)
    most = min(rule.most_plan_days, MOST_PLAN_DAYS) if rule else MOST_PLAN_DAYS
    last = localdate(at) + timedelta(days=most)
    if day is not None and day > last:
        words = {"seen": day, "last": last, "most": most}
        errors["finish_on"] = _("%(seen)s lies after %(last)s; a plan lasts %(most)s days at most.") % words


def _check_day(hazard: Hazard, day: date | None, at: datetime, errors: dict[str, str]) -> None:
    if day is None:
        return
    if day < localdate(at):
        errors["finish_on"] = _("%(seen)s has passed; today is %(today)s.") % {"seen": day, "today": localdate(at)}
        return
    listing = Listing.objects.live().filter(hazard=hazard).first() if hazard.listed_at else None
    if listing and day > listing.finish_by:
        words = {"seen": day, "last": listing.finish_by}
        errors["finish_on"] = _("%(seen)s lies after %(last)s, the day of the listing.") % words


def approve_plan(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Approve the plan that waits: its day is the limit of rectification from now on. Queries: 3, and those of the limit.

    :raises FieldsMissing: its day has passed, or lies after that of a listing that came meanwhile.
    """
    errors: dict[str, str] = {}
    waiting = hazard.plans.get(decided_at=None)
    _check_day(hazard, waiting.finish_on, at, errors)
    if errors:
        raise FieldsMissing(errors)
    _decide(hazard, given, actor, at, is_approved=True)
    hazard.plan_approved_at = at
    limits.limit_by_plan(hazard, waiting, actor, at)


def return_plan(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Send the plan that waits back; one approved before still holds. Queries: 1."""
    _decide(hazard, given, actor, at, is_approved=False)


def _decide(hazard: Hazard, given: StepInput, actor: Any, at: datetime, *, is_approved: bool) -> None:
    hazard.plans.filter(decided_at=None).update(
        decided_by=actor, decided_at=at, is_approved=is_approved, decision=given.words.strip()
    )
    hazard.plan_asked_at = None


# -- stopped work ----------------------------------------------------------------------------------


def stop_work(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Keep that work stands still, and mark the case with it. Queries: 1.

    Source: 《中华人民共和国安全生产法》 (2021) art. 65.

    :raises FieldsMissing: it is to begin at a time to come.
    """
    since = given.since or at
    if since > at:
        words = {"seen": f"{localtime(since):%F %H:%M}", "now": f"{localtime(at):%F %H:%M}"}
        raise FieldsMissing({"since": _("%(seen)s has not come yet; it is %(now)s.") % words})
    StopWork.objects.create(
        hazard=hazard, since=since, scope=given.scope.strip(), basis=given.basis.strip(), by=actor, at=at
    )
    hazard.stopped_at = since


def resume_work(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Let work go on. Queries: 1."""
    hazard.stops.filter(ended_at=None).update(ended_at=at, ended_by=actor, ended_why=given.words.strip())
    hazard.stopped_at = None
