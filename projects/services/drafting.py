"""Draft notices: by rule for what is over long enough, or by a supervisor for one hazard."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from citysafety import worktime
from citysafety.calendars.services import calendar
from citysafety.documents import services as documents
from citysafety.outbox.services import announce
from hazards.models import Hazard
from hazards.services.clocks import limit_of

from ..facts import NoticeStepped
from ..models import NoticeStep, OverdueNotice, SupervisionRule
from ..selectors import overdue_hazards, overrun
from ..standing import CITY_TIME, record_standing

KIND = "overdue-notice"
PLACES = (
    "number", "what", "where", "found", "grade", "stage", "limit", "due", "now", "over", "unit", "reply", "basis", "law",
)  # fmt: skip
UNITS = {"urgent_hours": "紧急工作时", "work_hours": "工作时", "work_days": "工作日"}
STAGES = {"accept": "立案派遣", "rectify": "整改", "verify": "复查销号"}
GRADES = {"general": "一般", "major": "重大"}


class NotOverdue(Exception):
    """The hazard is not overdue with a unit that could answer for it, or has a live notice already."""


def draft_due(*, at: datetime, limit: int = 200) -> int:
    """Draft a notice for every hazard that a rule calls for and that has no live one; return how many are new.

    Any number of sweeps draft it once: a hazard has one live notice.
    """
    rules = {rule.severity: rule for rule in SupervisionRule.objects.filter(active=True)}
    waiting = overdue_hazards().filter(severity__in=rules).exclude(notices__in=OverdueNotice.objects.live())
    discarded = OverdueNotice.objects.filter(state="discarded").values("hazard")  # a person said no
    new = 0
    for hazard in waiting.exclude(pk__in=discarded).order_by("due_at")[:limit]:
        rule = rules[hazard.severity]
        seconds, unit = overrun(hazard, at)
        if seconds < _share(rule.over_amount, rule.over_unit, unit):
            continue
        try:
            draft_notice(hazard=hazard, rule=rule, by=None, at=at)
            new += 1
        except NotOverdue:  # another sweep was faster
            continue
    return new


def _share(amount: int, unit: str, clock_unit: str) -> float:
    """Return an amount of a rule in seconds of a clock: a round-the-clock clock counts days of 24 hours."""
    if clock_unit == "urgent_hours" and unit == "work_days":
        return amount * 86_400
    return worktime.limit_s(amount, unit)


@transaction.atomic
def draft_notice(*, hazard: Hazard, rule: SupervisionRule | None, by: Any, at: datetime) -> OverdueNotice:
    """Draft a notice to the unit that a hazard is with. :raises NotOverdue: it needs none, or has one."""
    seconds, unit = overrun(hazard, at)
    if not hazard.overdue or hazard.department is None or not seconds:
        raise NotOverdue(hazard.number)
    rule = rule or SupervisionRule.objects.filter(severity=hazard.severity).first()
    if rule is None:
        raise NotOverdue(hazard.number)
    document = documents.draft(
        kind=KIND, subject=("hazard", str(hazard.pk)), area_code=hazard.area_code,
        words=words_of(hazard, rule, seconds, unit, at), addressee=hazard.department.name_zh, at=at,
    )  # fmt: skip
    try:
        with transaction.atomic():
            notice = OverdueNotice.objects.create(
                hazard=hazard, document=document, department=hazard.department, area_code=hazard.area_code,
                severity=hazard.severity, needs_second=rule.second_signature, rule=rule, over_s=int(seconds),
                over_unit=unit, drafted_by=by, drafted_at=at, changed_at=at,
            )  # fmt: skip
    except IntegrityError as error:
        raise NotOverdue(hazard.number) from error
    NoticeStep.objects.create(
        id=uuid.uuid4(), notice=notice, action="draft", target=notice.state, version=1, actor=by, at=at,
        basis=gettext_noop("drafted by rule") if by is None else gettext_noop("drafted by a supervisor"),
    )  # fmt: skip
    entry = announce(stepped(notice, action="draft", actor_id=by.pk if by else None), at=at)
    notice.period = record_standing(notice, entry, action="draft")
    notice.save(update_fields=["period"])
    return notice


def words_of(hazard: Hazard, rule: SupervisionRule, seconds: float, unit: str, at: datetime) -> dict[str, str]:
    """Return the words that fill the places of the wording; Chinese, as documents of the office are."""
    _unit, amount = limit_of(hazard, hazard.due_stage)
    reply = worktime.due(at, rule.reply_amount, rule.reply_unit, calendar()).at
    place = hazard.dedicated_cell or hazard.cell
    return {
        "number": hazard.number,
        "what": hazard.matter.name_zh,
        "where": place.name_zh if place else "",
        "found": _day(hazard.received_at),
        "grade": GRADES[hazard.severity],
        "stage": STAGES[hazard.due_stage],
        "limit": f"{amount} 个{UNITS[unit]}",
        "due": _moment(hazard.due_at),
        "now": _moment(at),
        "over": span(seconds, unit),
        "unit": hazard.department.name_zh,
        "reply": _moment(reply) if reply else f"收到后 {rule.reply_amount} 个{UNITS[rule.reply_unit]}",
        "basis": hazard.matter.basis,
        "law": rule.basis,
    }


def span(seconds: float, unit: str) -> str:
    """Say a stretch of a clock's own time in Chinese."""
    days, hours, minutes = worktime.parts(seconds, unit)
    name = "日" if unit == "urgent_hours" else "个工作日"
    parts: Iterable[str] = ((f"{days} {name}" if days else ""), (f"{hours} 小时" if hours else ""), f"{minutes} 分")
    return " ".join(part for part in parts if part)


def _day(moment: datetime) -> str:
    local = moment.astimezone(CITY_TIME)
    return f"{local.year} 年 {local.month} 月 {local.day} 日"


def _moment(moment: datetime) -> str:
    local = moment.astimezone(CITY_TIME)
    return f"{local.month} 月 {local.day} 日 {local.hour} 时 {local.minute:02d} 分"


def stepped(notice: OverdueNotice, *, action: str, actor_id: int | None, step: str = "") -> NoticeStepped:
    """Return the fact that a notice took a step. What it carries for screens holds no words and no persons."""
    return NoticeStepped(
        area_code=notice.area_code,
        subject_id=str(notice.pk),
        state=notice.state,
        level=notice.severity,
        action=action,
        actor_id=actor_id,
        department_id=notice.department_id,
        step=step,
    )
