"""Dispatch several cases at once, with some seconds to take it back (ADR 0015)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from citysafety.accounts.models import Department
from citysafety.accounts.rights import sentence
from citysafety.accounts.selectors import OfficeChoice, choose_for, offices_around
from citysafety.lifecycle import StepNotAllowed
from hazards.lifecycle import LIFECYCLE
from hazards.models import Hazard
from hazards.services.steps import FieldsMissing, NotAllowed, StaleVersion, StepInput, permitted, take_step

from .models import HeldDispatch

HOLD = timedelta(seconds=10)  # to take it back; a unit's clock starts when it goes out
MOST_AT_ONCE = 100
REFUSALS = {
    "not_open": _("It is not accepted, or was dispatched already."),
    "stale": _("It changed meanwhile."),
    "department": _("This office cannot be chosen for its place."),
    "held": _("It is going out already, from this desk or another."),
    "gone": _("It is not visible to you."),
    "used": _("This id was used for something else."),
}
State = HeldDispatch.State


@dataclass(frozen=True, slots=True)
class Wanted:
    """One dispatch that is asked for. ``id`` becomes the step's."""

    id: UUID
    hazard: UUID
    version: int
    department: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one case: its offices to choose from, or why it is refused."""

    hazard_id: UUID
    hazard: Hazard | None
    refusal: str
    offices: OfficeChoice | None = None


def refusal_words(refusal: str) -> str:
    """Say why a dispatch did not go out."""
    if not refusal:
        return ""
    return str(REFUSALS[refusal]) if refusal in REFUSALS else sentence(refusal)


def trial(user: Any, ids: list[UUID]) -> list[Verdict]:
    """Say of each case whether the user may dispatch it now, and to which offices; nothing is written. Queries: 3."""
    rows = Hazard.objects.visible_to(user).filter(pk__in=ids).select_related("matter", "cell", "dedicated_cell")
    hazards = {hazard.pk: hazard for hazard in rows.shapeless()}
    held = set(HeldDispatch.objects.filter(hazard__in=ids, state=State.HELD).values_list("hazard_id", flat=True))
    offices = offices_around(user, {hazard.area_code for hazard in hazards.values()})
    return [_verdict(user, pk, hazards.get(pk), held, offices) for pk in dict.fromkeys(ids)]


def _verdict(user: Any, pk: UUID, hazard: Hazard | None, held: set[UUID], offices: list[Department]) -> Verdict:
    if hazard is None:
        return Verdict(pk, None, "gone")
    refusal = _refusal(user, hazard, held)
    if refusal:
        return Verdict(pk, hazard, refusal)
    return Verdict(pk, hazard, "", choose_for(user, offices, hazard.area_code, hazard.matter.department_id))


def _refusal(user: Any, hazard: Hazard, held: set[UUID]) -> str:
    try:
        permitted(user, "dispatch", hazard)
        LIFECYCLE.step(hazard.state, "dispatch")
    except NotAllowed as refusal:
        return refusal.rule
    except StepNotAllowed:
        return "not_open"
    return "held" if hazard.pk in held else ""


def hold(*, batch: UUID, wanted: list[Wanted], actor: Any, at: datetime) -> dict[UUID, str]:
    """Take several dispatches; each goes out after :data:`HOLD` unless it is undone. Return the refusal of each
    hazard, empty where it was taken. One that is refused keeps no other back.
    """
    verdicts = {verdict.hazard_id: verdict for verdict in trial(actor, [one.hazard for one in wanted])}
    refusals: dict[UUID, str] = {}
    for one in wanted:
        verdict = verdicts[one.hazard]
        refusals[one.hazard] = verdict.refusal or _take(batch, one, verdict, actor, at)
    return refusals


def _take(batch: UUID, one: Wanted, verdict: Verdict, actor: Any, at: datetime) -> str:
    hazard, offices = verdict.hazard, verdict.offices
    if hazard is None or offices is None:
        return "gone"
    if hazard.version != one.version:
        return "stale"
    office = next((o for o in (*offices.around, *offices.elsewhere) if o.code == one.department), None)
    if office is None:
        return "department"
    row = HeldDispatch(
        id=one.id, batch=batch, hazard=hazard, version=one.version, department=office, actor=actor, held_at=at,
        send_at=at + HOLD,
    )  # fmt: skip
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        return "held" if "held_once_a_hazard" in str(error) else "used"
    return ""


@transaction.atomic
def undo(*, ids: list[UUID], actor: Any, at: datetime) -> list[HeldDispatch]:
    """Take back what the actor gave and what has not gone out. Return the rows as they stand now; those that say
    ``sent`` went out before.
    """
    rows = list(
        HeldDispatch.objects.select_for_update(of=("self",))
        .select_related("hazard", "department")
        .filter(pk__in=ids, actor=actor)
        .order_by("pk")
    )
    for row in rows:
        if row.state == State.HELD:
            _end(row, State.UNDONE, at)
    return rows


def send_due(*, at: datetime) -> int:
    """Let go out what was held long enough; return how many. Any number of workers may run it: each row goes once."""
    due = HeldDispatch.objects.filter(state=State.HELD, send_at__lte=at).order_by("send_at", "pk")
    return sum(_send(pk, at) for pk in due.values_list("pk", flat=True))


@transaction.atomic
def _send(pk: UUID, at: datetime) -> bool:
    rows = HeldDispatch.objects.select_for_update(skip_locked=True, of=("self",)).select_related("actor", "department")
    row = rows.filter(pk=pk, state=State.HELD).first()
    if row is None:  # another worker has it, or it was undone
        return False
    given = StepInput(id=row.pk, version=row.version, department=row.department.code)
    refusal = ""
    try:
        with transaction.atomic():
            take_step(hazard_id=row.hazard_id, action="dispatch", given=given, actor=row.actor, at=at)
    except NotAllowed as error:
        refusal = error.rule
    except (StepNotAllowed, StaleVersion):
        refusal = "stale"
    except FieldsMissing:
        refusal = "department"
    except IntegrityError:  # a step of this id exists
        refusal = "used"
    _end(row, State.REFUSED if refusal else State.SENT, at, refusal)
    return not refusal


def _end(row: HeldDispatch, state: str, at: datetime, refusal: str = "") -> None:
    row.state, row.ended_at, row.refusal = state, at, refusal
    row.save(update_fields=["state", "ended_at", "refusal"])
