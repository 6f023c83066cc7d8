"""What the outside sees of a hazard: the one shape of interfaces, for every door."""

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.timezone import localtime

from citysafety import worktime
from citysafety.calendars.services import calendar
from citysafety.evidence.models import Attachment
from citysafety.evidence.telling import Judged

from .models import Hazard, Step
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
        "department": hazard.department.code if hazard.department else None,
        "department_name": hazard.department.name if hazard.department else None,
        "due": {
            "stage": hazard.due_stage or None,
            "at": hazard.due_at.astimezone(CITY_TIME).isoformat() if hazard.due_at else None,
            "reason": hazard.due_reason,
        },
        "overdue": hazard.overdue,
        "handled_on_spot": hazard.claimed_on_spot,
        "rectified_on_spot": hazard.handled_on_spot,
        "occurred_at": hazard.occurred_at.astimezone(CITY_TIME).isoformat(),
        "received_at": hazard.received_at.astimezone(CITY_TIME).isoformat(),
        "changed_at": hazard.changed_at.astimezone(CITY_TIME).isoformat(),
        "merged_into": str(hazard.merged_into_id) if hazard.merged_into_id else None,
        "imported": hazard.imported,
    }


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
    """Return the running clock with its arithmetic, and what the other stages took. Queries: 1."""
    days = calendar()
    stages = []
    for clock in hazard.clocks.order_by("started_at"):
        due = worktime.due_after(clock.started_at, clock.amount, clock.unit, days, consumed_s=clock.consumed_s)
        stages.append(
            {
                "stage": clock.stage,
                "running": clock.stopped_at is None,
                "unit": clock.unit,
                "amount": clock.amount,
                "started_at": localtime(clock.started_at).isoformat(),
                "stopped_at": localtime(clock.stopped_at).isoformat() if clock.stopped_at else None,
                "consumed_s": clock.consumed_s,
                "due_at": localtime(clock.due_at).isoformat() if clock.due_at else None,
                "reason": clock.due_reason,
                "marked_at": localtime(clock.marked_at).isoformat() if clock.marked_at else None,
                "arithmetic": due.arithmetic.as_dict() if due.arithmetic else None,
            }
        )
    return {"now": localtime(at).isoformat(), "due_stage": hazard.due_stage or None, "stages": stages}
