"""How re-checks are told to programs."""

from typing import Any

from django.utils.timezone import localtime

from .models import Recheck, RecheckStep


def recheck_answer(row: Recheck) -> dict[str, Any]:
    """Return a re-check as a row of a list. Queries: 0 when related rows were selected with it."""
    hazard = row.hazard
    return {
        "id": str(row.pk), "state": row.state, "version": row.version,
        "hazard": {
            "id": str(hazard.pk), "number": hazard.number, "state": hazard.state, "matter": hazard.matter.code,
            "matter_name": hazard.matter.name,
            "location": {"lon": round(hazard.location.x, 6), "lat": round(hazard.location.y, 6)},
            "within_m": hazard.matter.verify_within_m,
        },
        "closed_at": localtime(row.closing.at).isoformat(), "area": row.area_code, "draw": row.draw_id,
        "checker": row.checker.username if row.checker else None,
        "checker_name": row.checker.name if row.checker else None,
        "due_on": row.due_on, "overdue": row.is_overdue(), "drawn_at": localtime(row.drawn_at).isoformat(),
        "done_at": localtime(row.done_at).isoformat() if row.done_at else None,
    }  # fmt: skip


def step_answer(step: RecheckStep) -> dict[str, Any]:
    """Return one row of the history."""
    place = step.location
    return {
        "id": str(step.pk), "action": step.action, "version": step.version, "at": localtime(step.at).isoformat(),
        "actor": step.actor.name if step.actor else None, "checker": step.checker.name if step.checker else None,
        "words": step.words, "basis": step.basis, "accuracy_m": step.accuracy_m,
        "location": {"lon": round(place.x, 6), "lat": round(place.y, 6)} if place else None,
    }  # fmt: skip
