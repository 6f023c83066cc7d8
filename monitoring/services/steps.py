"""Take a step in the life of an alarm: what people do with it (ISA-18.2-2016; IEC 62682)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from citysafety.accounts.rights import may
from citysafety.accounts.selectors import offices_open_to
from citysafety.lifecycle import Step, StepNotAllowed
from hazards.models import Hazard
from hazards.services import FilingRefused, report_hazard
from hazards.services.given import FieldsMissing, NotAllowed, StaleVersion
from hazards.services.reporting import Filing

from ..engine import NORMAL
from ..known import CHANGED, RESET
from ..lifecycle import LIFECYCLE
from ..models import Alarm, AlarmPolicy, Shelving
from .moving import Move, write
from .quiet import Quiet, settle_quiet

RELATED = ("rule__matter", "device", "datastream__quantity", "assigned_to", "hazard")


class KeptFrom(StepNotAllowed):
    """The state has the step, and something else keeps the alarm from it; the message says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmInput:
    """What a person brings to a step; ``until`` is aware, ``matter`` and ``criterion`` are those of a hazard."""

    id: UUID
    version: int | None
    words: str = ""
    department: str = ""
    until: datetime | None = None
    matter: str = ""
    criterion: str = ""


def permitted(user: Any, action: str, alarm: Alarm) -> None:
    """Let pass who may take an action on this alarm. :raises NotAllowed: everybody else."""
    verdicts = [may(user, step, alarm) for step in LIFECYCLE.steps_named(action)]
    if not any(verdict.allowed for verdict in verdicts):
        raise NotAllowed(verdicts[0].rule if verdicts else "denied.action")


def steps_open_to(user: Any, alarm: Alarm) -> list[Step]:
    """Return the rows a person may take now: the buttons of a page."""
    return [
        step
        for step in LIFECYCLE.steps_from(alarm.state)
        if step.roles and not kept_from(step.action, alarm) and may(user, step, alarm).allowed
    ]


def kept_from(action: str, alarm: Alarm) -> str:
    """Say why an alarm has no such step although its state has; "" where it has."""
    match action:
        case "shelve" if alarm.quiet == Alarm.Quiet.SHELVED:
            return _("It is shelved already; end that first.")
        case "unshelve" if alarm.quiet != Alarm.Quiet.SHELVED:
            return _("It is not shelved.")
        case "reset" if not alarm.rule.latching:
            return _("Its rule does not latch: it returns by itself.")
        case "file_hazard" if alarm.hazard_id:
            return _("It is a hazard already.")
    return ""


@transaction.atomic
def take_step(*, alarm_id: UUID, action: str, given: AlarmInput, actor: Any, at: datetime) -> Alarm:
    """Take one step: lock, ask the table, check, act, write. Statements: 9, with a department, a shelving or a hazard more.

    :raises NotAllowed: wrong role, area or department; StepNotAllowed: not open as the alarm stands.
    :raises StaleVersion: ``given.version`` is not the present one; FieldsMissing: what is missing or wrong.
    """
    alarm = Alarm.objects.select_related(*RELATED).select_for_update(of=("self",)).get(pk=alarm_id)
    permitted(actor, action, alarm)
    step = LIFECYCLE.step(alarm.state, action)
    if words := kept_from(action, alarm):
        raise KeptFrom(words)
    if given.version is not None and given.version != alarm.version:
        raise StaleVersion(f"{given.version} is not {alarm.version}")
    _check(step, given)
    move = Move(alarm, action, id=given.id, words=given.words.strip(), actor=actor)
    if act := EFFECTS.get(action):
        act(Doing(alarm, given, actor, at, move.said))
    write([move], at=at)
    return alarm


def _check(step: Step, given: AlarmInput) -> None:
    errors: dict[str, str] = {}
    for name in ("reason", "words"):
        if name in step.requires and not given.words.strip():
            errors[name] = _("This step needs words.")
    if given.version is None:
        errors["version"] = _("A step carries the version that its sender saw.")
    if errors:
        raise FieldsMissing(errors)


@dataclass(frozen=True, slots=True)
class Doing:
    """A step that is being taken; ``said`` is what its row of history keeps besides words."""

    alarm: Alarm
    given: AlarmInput
    actor: Any
    at: datetime
    said: dict[str, Any] = field(default_factory=dict)


def _acknowledge(doing: Doing) -> None:
    doing.alarm.acknowledged_at = doing.at


def _assign(doing: Doing) -> None:
    """Give it to a department: one that answers for the place or lies in the area of duty. Queries: 1."""
    offices, code = offices_open_to(doing.actor, doing.alarm.area_code), doing.given.department
    office = offices.filter(code=code).first()
    if office is None:
        words = _("There is no department “%(code)s” that answers for the place or lies in your area of duty.")
        raise FieldsMissing({"department": words % {"code": code}})
    doing.alarm.assigned_to = office
    doing.said.update(department=office.code, zh=office.name_zh, en=office.name_en)


def _shelve(doing: Doing) -> None:
    """Keep rule and subject quiet for a while. Queries: 3."""
    alarm, until, at = doing.alarm, doing.given.until, doing.at
    longest = AlarmPolicy.present().shelve_most_h
    if until is None or not at < until <= at + timedelta(hours=longest):
        seen = date_format(localtime(until), "Y-m-d H:i") if until else "–"
        words = _("“%(seen)s”: expected a moment within the next %(n)s hours.") % {"seen": seen, "n": longest}
        raise FieldsMissing({"until": words})
    of_subject = Shelving.objects.filter(rule=alarm.rule_id, subject=alarm.subject, ended_at=None)
    of_subject.filter(until__lte=at).update(ended_at=F("until"))  # the sweep may not have come yet
    if of_subject.exists():  # what is in maintenance too may be shelved beneath
        raise KeptFrom(_("It is shelved already; end that first."))
    Shelving.objects.create(
        rule_id=alarm.rule_id, subject=alarm.subject, by=doing.actor, reason=doing.given.words.strip()[:500],
        began_at=at, until=until,
    )  # fmt: skip
    alarm.quiet = alarm.quiet or Alarm.Quiet.SHELVED
    doing.said["until"] = until.isoformat()


def _unshelve(doing: Doing) -> None:
    """End the shelving; what else keeps it quiet still does. Queries: 3."""
    alarm = doing.alarm
    Shelving.objects.filter(rule=alarm.rule_id, subject=alarm.subject, ended_at=None).update(ended_at=doing.at)
    key = (alarm.rule_id, alarm.subject)
    alarm.quiet = Quiet({key}, doing.at).why(alarm.device, key)


def _confirm(doing: Doing) -> None:
    doing.alarm.verdict = Alarm.Verdict.REAL


def _false_alarm(doing: Doing) -> None:
    doing.alarm.verdict = Alarm.Verdict.FALSE


def _reset(doing: Doing) -> None:
    """Let what latched begin anew, here and in every gateway. Statements: 1."""
    alarm = doing.alarm
    alarm.zone, alarm.flapping, alarm.returned_at = NORMAL, False, doing.at
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANGED, f"{RESET} {alarm.rule_id} {alarm.subject}"])


def _file_hazard(doing: Doing) -> None:
    """Make it a hazard, with the rule's matter, the alarm's place and what the alarm says. Queries: those of a filing."""
    alarm, given = doing.alarm, doing.given
    code = given.matter or (alarm.rule.matter.code if alarm.rule.matter else "")
    if not code:
        raise FieldsMissing({"matter": _("Its rule names no matter: name one.")})
    if alarm.location is None:
        raise FieldsMissing({"location": _("The place of the alarm is not known.")})
    filing = Filing(
        id=uuid4(), matter=code, description=description_of(alarm, given.words), lon=alarm.location.x,
        lat=alarm.location.y, accuracy_m=None, occurred_at=min(alarm.measured_at, doing.at), criterion=given.criterion,
    )  # fmt: skip
    try:
        alarm.hazard, _candidates = report_hazard(filing=filing, reporter=doing.actor, at=doing.at)
    except FilingRefused as refusal:
        raise FieldsMissing({refusal.field: str(refusal)}) from refusal
    doing.said["hazard"] = alarm.hazard.number


def description_of(alarm: Alarm, words: str) -> str:
    """Return what a hazard says of the alarm that it comes from. Queries: 0 with its relations."""
    said = [_("Alarm %(number)s: %(rule)s, %(device)s") % {
        "number": alarm.number, "rule": alarm.rule.name, "device": alarm.device.name,
    }]  # fmt: skip
    if alarm.value is not None and alarm.limit is not None:
        unit = alarm.datastream.quantity.unit if alarm.datastream else ""
        numbers = {"value": f"{alarm.value:g}", "limit": f"{alarm.limit:g}", "unit": unit}
        said.append(_("%(value)s %(unit)s against a limit of %(limit)s %(unit)s") % numbers)
    return "\n".join([" · ".join(said), *([words.strip()] if words.strip() else [])])[:2000]


EFFECTS: dict[str, Callable[[Doing], None]] = {
    "acknowledge": _acknowledge,
    "assign": _assign,
    "shelve": _shelve,
    "unshelve": _unshelve,
    "confirm": _confirm,
    "false_alarm": _false_alarm,
    "reset": _reset,
    "file_hazard": _file_hazard,
}


@transaction.atomic
def end_shelving(*, shelving_id: int, by: Any, at: datetime) -> Shelving:
    """End a shelving before its time, also of what is over; its open alarm is heard again. Queries: 14 at most.

    :raises NotAllowed: who may not take the step of its newest alarm; StepNotAllowed: it has ended.
    """
    row = Shelving.objects.select_for_update().get(pk=shelving_id)
    newest = Alarm.objects.filter(rule=row.rule_id, subject=row.subject).order_by("-raised_at").first()
    if newest is not None:
        permitted(by, "unshelve", newest)
    if row.ended_at is not None:
        raise KeptFrom(_("It has ended already."))
    row.ended_at = at
    row.save(update_fields=["ended_at"])
    settle_quiet(at=at, among=Q(rule=row.rule_id, subject=row.subject), by=by)
    return row


@transaction.atomic
def tell_of_write_off(hazard_id: UUID, *, at: datetime) -> int:
    """Note at the alarms that a hazard came from that it is written off; return at how many. Statements: 7."""
    rows = Alarm.objects.filter(hazard=hazard_id).select_related("rule").order_by("pk").select_for_update(of=("self",))
    number = Hazard.objects.values_list("number", flat=True).get(pk=hazard_id)
    moves = [Move(alarm, "comment", said={"written_off": number}) for alarm in rows]
    write(moves, at=at)
    return len(moves)
