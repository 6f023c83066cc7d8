"""How inspections are told to programs: one function a kind."""

from datetime import date
from typing import Any

from django.utils.timezone import localtime

from grid.models import Premises
from grid.present import point_answer

from .models import ChecklistVersion, Inspection, InspectionPlan
from .selectors import Found


def inspection_answer(row: Inspection) -> dict[str, Any]:
    """Return an inspection as a row of a list."""
    return {
        "id": str(row.pk), "number": row.number, "premises": _premises(row.premises), "area": row.area_code,
        "checklist": row.version.checklist.code, "checklist_version": row.version_id, "version": row.version.number,
        "inspector": row.inspector.name, "of": str(row.of_id) if row.of_id else None, "round": row.round,
        "position": {**point_answer(row.location), "accuracy_m": row.accuracy_m} if row.location else None,
        "distance_m": row.distance_m, "on_site": not row.off_site, "off_site": row.off_site or None,
        "photos_missing": row.photos_missing,
        "inspected_at": localtime(row.inspected_at).isoformat(),
        "received_at": localtime(row.received_at).isoformat(), "words": row.words, "result": row.result,
        "passed": row.passed, "failed": row.failed, "not_applicable": row.not_applicable,
        "reinspect_on": row.reinspect_on, "settled_by": str(row.settled_by_id) if row.settled_by_id else None,
        "imported": row.imported,
    }  # fmt: skip


def _premises(place: Premises) -> dict[str, Any]:
    return {"code": place.code, "name": place.name, "kind": place.kind_id}


def result_answer(found: Found) -> dict[str, Any]:
    """Return what an item came to; ``hazard`` is null where the reader may not see it, ``was_open`` says it was no new one."""
    hazard = found.hazard
    return {
        "item": found.item.code, "text": found.item.name, "matter": found.item.matter.code,
        "result": found.result.result, "words": found.result.words, "was_open": found.result.was_open,
        "hazard": {
            "id": str(hazard.pk), "number": hazard.number, "state": hazard.state,
            "department": hazard.department.code if hazard.department else None,
        } if hazard else None,
        "photos": len(found.photos), "asks_photo": found.item.asks_photo,
    }  # fmt: skip


def version_answer(version: ChecklistVersion) -> dict[str, Any]:
    """Return a version of a checklist as the phone fills it in."""
    return {
        "checklist_version": version.pk, "checklist": version.checklist.code, "name": version.checklist.name,
        "version": version.number, "in_force_from": version.in_force_from, "basis": version.basis,
        "within_m": version.checklist.within_m, "offline_hours": version.checklist.offline_hours,
        "must_be_on_site": version.checklist.must_be_on_site,
        "items": [
            {
                "item": item.code, "text": item.name, "text_zh": item.name_zh, "text_en": item.name_en,
                "clause": item.clause, "matter": item.matter.code, "severity": item.severity,
                "asks_photo": item.asks_photo, "may_be_na": item.may_be_na,
            }
            for item in version.items.all()
        ],
    }  # fmt: skip


def plan_answer(plan: InspectionPlan, today: date) -> dict[str, Any]:
    """Return a premises as the list of what is due shows it. ``colour`` 1 to 4: red, orange, yellow, blue."""
    last = plan.last
    return {
        "premises": _premises(plan.premises), "area": plan.area_code, "checklist": plan.checklist.code,
        "colour": plan.colour, "score": plan.score, "reasons": plan.reasons, "due_on": plan.due_on,
        "overdue": plan.due_on < today, "reinspects": str(plan.reinspects_id) if plan.reinspects_id else None,
        "last": {"id": str(last.pk), "number": last.number, "result": last.result, "inspected_at": localtime(last.inspected_at).isoformat()}
        if last else None,
    }  # fmt: skip
