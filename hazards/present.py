"""What the outside sees of a hazard: the one shape of interfaces, for every door."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.timezone import localtime

from citysafety import worktime
from citysafety.evidence.models import Attachment
from citysafety.evidence.telling import Judged
from citysafety.notices.ladders import limit_of

from . import standard
from .models import ClockChange, Hazard, Step
from .selectors import Near
from .services.clocks import PAUSED, days_of
from .standing import CITY_TIME


def place(hazard: Hazard) -> dict[str, float | None]:
    """Return the location in WGS 84, degrees and metres."""
    return {
        "lon": round(hazard.location.x, 6),
        "lat": round(hazard.location.y, 6),
        "accuracy_m": hazard.accuracy_m,
    }


def hazard_answer(hazard: Hazard) -> dict[str, Any]:
    """Return a hazard, or a line of a list of them, as the API gives it. Queries: 0 when related rows were selected with it."""
    return {
        "id": str(hazard.pk),
        "number": hazard.number,
        "state": hazard.state,
        "version": hazard.version,
        "matter": hazard.matter.code,
        "matter_name": hazard.matter.name,
        "category": hazard.matter.matter_class.code,
        "severity": hazard.severity,
        "criterion": hazard.criterion,
        "description": hazard.description,
        "location": place(hazard),
        "area": hazard.area_code,
        "cell": hazard.cell.code if hazard.cell else None,
        "cell_name": hazard.cell.name if hazard.cell else None,
        "dedicated_cell": hazard.dedicated_cell.code if hazard.dedicated_cell else None,
        "dedicated_cell_name": hazard.dedicated_cell.name if hazard.dedicated_cell else None,
        "component": hazard.component.code if hazard.component else None,
        "component_name": hazard.component.name if hazard.component else None,
        "standard_step": standard.STEP_OF[hazard.state],
        "department": hazard.department.code if hazard.department else None,
        "department_name": hazard.department.name if hazard.department else None,
        "due": {
            "stage": hazard.due_stage or None,
            "at": _moment(hazard.due_at),
            "reason": hazard.due_reason,
        },
        "overdue": hazard.overdue,
        "handled_on_spot": hazard.claimed_on_spot,
        "rectified_on_spot": hazard.handled_on_spot,
        "occurred_at": hazard.occurred_at.astimezone(CITY_TIME).isoformat(),
        "received_at": hazard.received_at.astimezone(CITY_TIME).isoformat(),
        "changed_at": hazard.changed_at.astimezone(CITY_TIME).isoformat(),
        "merged_into": str(hazard.merged_into_id) if hazard.merged_into_id else None,
        "paused_until": _moment(hazard.paused_until),
        "extension_asked_at": _moment(hazard.extension_asked_at),
        "pause_asked_at": _moment(hazard.pause_asked_at),
        "pinned_at": _moment(hazard.pinned_at),
        "plan_asked_at": _moment(hazard.plan_asked_at),
        "plan_approved_at": _moment(hazard.plan_approved_at),
        "stopped_at": _moment(hazard.stopped_at),
        "listed_at": _moment(hazard.listed_at),
        "contested_at": _moment(hazard.contested_at),
        "imported": hazard.imported,
    }


def near_answer(near: Near) -> dict[str, Any]:
    """Return an open case that may be the same, with its distance in metres."""
    return {**hazard_answer(near.hazard), "metres": near.metres, "same_matter": near.is_same_matter}


def _moment(at: datetime | None) -> str | None:
    return at.astimezone(CITY_TIME).isoformat() if at else None


def step_answer(step: Step) -> dict[str, Any]:
    """Return one row of the history."""
    return {
        "id": str(step.pk),
        "action": step.action,
        "from": step.source or None,
        "to": step.target,
        "version": step.version,
        "at": localtime(step.at).isoformat(),
        "actor": step.actor.name if step.actor else None,
        "actor_role": step.actor.role if step.actor else None,
        "department": step.department.name if step.department else None,
        "words": step.words,
        "location": {"lon": round(step.location.x, 6), "lat": round(step.location.y, 6)} if step.location else None,
        "basis": step.basis,
    }


def photo_answer(attachment: Attachment, judged: Judged) -> dict[str, Any]:
    """Return a photo with its addresses and its trust record; pictures are derivatives without EXIF."""
    return {
        "sha256": attachment.photo_id,
        "role": attachment.role,
        "at": localtime(attachment.at).isoformat(),
        "by": attachment.by.name,
        "used_by": str(attachment.used_by) if attachment.used_by else None,
        "thumb": reverse("evidence", args=[attachment.pk, "thumb"]),
        "view": reverse("evidence", args=[attachment.pk, "view"]),
        "trust": judged.as_answer(),
    }


def clock_answer(hazard: Hazard, at: datetime) -> dict[str, Any]:
    """Return the running clocks with their arithmetic, what the other stages took, and what was changed. Queries: 2."""
    stages = []
    for clock in hazard.clocks.order_by("started_at"):
        days = days_of(hazard, clock.stage)
        due = worktime.due_after(clock.started_at, clock.amount, clock.unit, days, consumed_s=clock.consumed_s)
        stands = clock.due_reason == PAUSED and clock.stopped_at is not None
        stages.append(
            {
                "stage": clock.stage,
                "running": clock.stopped_at is None,
                "unit": clock.unit,
                "amount": clock.amount,
                "limit_s": limit_of(clock, days),
                "started_at": localtime(clock.started_at).isoformat(),
                "stopped_at": localtime(clock.stopped_at).isoformat() if clock.stopped_at else None,
                "consumed_s": clock.consumed_s,
                "used_s": clock.consumed_s
                + (worktime.consumed(clock.started_at, clock.stopped_at or at, clock.unit, days) or 0),
                "due_at": localtime(clock.due_at).isoformat() if clock.due_at else None,
                "reason": clock.due_reason,
                "marked_at": localtime(clock.marked_at).isoformat() if clock.marked_at else None,
                "not_after": _moment(clock.not_after),
                "arithmetic": due.arithmetic.as_dict() if due.arithmetic and not stands else None,
            }
        )
    changes = hazard.clock_changes.select_related("cause", "asked_by", "decided_by").order_by("pk")
    return {
        "now": localtime(at).isoformat(),
        "due_stage": hazard.due_stage or None,
        "stages": stages,
        "changes": [change_answer(change) for change in changes],
    }


def change_answer(change: ClockChange) -> dict[str, Any]:
    """Return what was asked of a clock or done to it."""
    return {
        "kind": change.kind,
        "stage": change.stage,
        "unit": change.unit or None,
        "asked": change.amount,
        "granted": change.granted,
        "cause": {"code": change.cause.code, "name": change.cause.name, "kind": change.cause.kind} if change.cause else None,
        "until": _moment(change.until),
        "words": change.words,
        "asked_at": _moment(change.asked_at),
        "asked_by": change.asked_by.name if change.asked_by else None,
        "decided_at": _moment(change.decided_at),
        "decided_by": change.decided_by.name if change.decided_by else None,
        "is_granted": change.is_granted,
        "ended_at": _moment(change.ended_at),
    }  # fmt: skip


def standard_answer(reached: Iterable[standard.Reached]) -> list[dict[str, Any]]:
    """Return the seven steps of the standard, with when a case reached each."""
    return [
        {"step": one.key, "label": str(one.label), "at": _moment(one.at), "is_now": one.is_now, "is_passed": one.is_passed}
        for one in reached
    ]  # fmt: skip
