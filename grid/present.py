"""How rows of the grid are told to programs: one function a kind."""

from datetime import date
from typing import Any

from django.utils.timezone import localtime

from citysafety import areas
from citysafety.accounts.models import Department
from citysafety.accounts.roles import Role

from .models import Cell, Component, Division, Matter, Premises, Worker
from .models.matters import STAGES
from .rules import masked
from .selectors import Responsible


def matter_answer(matter: Matter) -> dict[str, Any]:
    """Return a matter as the phone keeps it."""
    group, home = matter.matter_class, matter.department
    return {
        "code": matter.code, "name": matter.name, "name_zh": matter.name_zh, "name_en": matter.name_en, "pinyin": matter.pinyin,
        "class": {"code": group.code, "name": group.name, "name_zh": group.name_zh, "name_en": group.name_en, "icon": group.icon},
        "department": home.code, "department_name": home.name, "severity": matter.severity, "special": matter.special,
        "icon": matter.icon, "standard_code": matter.standard_code, "basis": matter.basis,
        "clocks": {stage: dict(zip(("amount", "unit"), matter.clock(stage), strict=True)) for stage in STAGES},
        "rectify_amount": matter.rectify_amount, "rectify_unit": matter.rectify_unit,
        "photos_before": matter.photos_before, "photos_after": matter.photos_after,
        "evidence": {
            "photos_before": matter.photos_before, "photos_after": matter.photos_after,
            "verify_within_m": matter.verify_within_m, "sample_recheck": matter.sample_recheck,
        },
    }  # fmt: skip


def cell_answer(cell: Cell) -> dict[str, Any]:
    return {
        "code": cell.code, "name": cell.name, "name_zh": cell.name_zh, "name_en": cell.name_en, "kind": cell.kind,
        "division": cell.division_id, "area_km2": round(cell.area_km2, 3), "focus": cell.focus, "active": cell.active,
        "staffed": cell.staffed, "synthetic": cell.synthetic, "centre": point_answer(cell.centre),
    }  # fmt: skip


def ended_answer(cell: Cell, successors: list[tuple[str, float]]) -> dict[str, Any]:
    """Return when a re-zoning ended a cell, and which cells took which share of its ground."""
    return {
        "ended_at": localtime(cell.ended_at).isoformat() if cell.ended_at else None,
        "successors": [{"code": code, "share": round(share, 4)} for code, share in successors],
    }


def responsible_answer(found: Responsible, user: Any) -> dict[str, Any]:
    """Return who answers for a cell; strangers to the area see a masked name and no telephone."""
    own = (bool(found.area_code) and areas.covers(user.area_code, found.area_code)) or found.user_id == user.pk
    own = own and user.role != Role.KIOSK
    is_person = found.worker_id is not None
    return {
        "role": found.role,
        "name": found.name if own or not is_person else masked(found.name_zh),
        "phone": found.phone if own or not is_person else "",
        "mine": is_person and found.user_id == user.pk,
    }


def point_answer(point: Any) -> dict[str, float]:
    return {"lon": round(point.x, 6), "lat": round(point.y, 6)}


def worker_answer(worker: Worker, on: date) -> dict[str, Any]:
    """Return a worker as the office sees it; lists hold only workers of the caller's area."""
    return {
        "number": worker.number, "name": worker.user.name, "phone": worker.phone, "state": worker.state, "area": worker.area_code,
        "centre": worker.centre.code, "centre_name": worker.centre.name, "skills": worker.skills,
        "assigned": worker.posted and worker.state == Worker.State.ON_DUTY,
        "training_valid": worker.training_valid_until is None or worker.training_valid_until >= on,
    }  # fmt: skip


def premises_answer(place: Premises) -> dict[str, Any]:
    return {
        "code": place.code, "name": place.name, "name_zh": place.name_zh, "name_en": place.name_en, "kind": place.kind_id,
        "kind_name": place.kind.name, "nine_small": place.kind.nine_small, "area": place.area_code,
        "cell": place.cell.code if place.cell else None, "dedicated_cell": place.dedicated_cell.code if place.dedicated_cell else None,
        "location": point_answer(place.location), "size": place.size, "measure": place.kind.measure,
        "floor_area_m2": place.floor_area_m2, "responsible": place.responsible, "phone": place.phone, "address": place.address,
        "active": place.active, "synthetic": place.synthetic,
    }  # fmt: skip


def component_answer(one: Component) -> dict[str, Any]:
    return {
        "code": one.code, "name": one.name, "name_zh": one.name_zh, "name_en": one.name_en, "class": one.kind_id,
        "class_name": one.kind.name, "state": one.state, "department": one.department.code,
        "department_name": one.department.name, "owner": one.owner, "maintainer": one.maintainer, "area": one.area_code,
        "cell": one.cell.code if one.cell else None, "location": point_answer(one.location),
        "surveyed_on": one.surveyed_on.isoformat() if one.surveyed_on else None,
        "changed_at": localtime(one.changed_at).isoformat(), "note": one.note, "synthetic": one.synthetic,
    }  # fmt: skip


def department_answer(department: Department) -> dict[str, Any]:
    return {
        "code": department.code, "name": department.name, "name_zh": department.name_zh, "name_en": department.name_en,
        "area": department.area_code, "parent": department.parent.code if department.parent else None,
    }  # fmt: skip


def division_answer(division: Division) -> dict[str, Any]:
    return {
        "code": division.code, "name": division.name, "name_zh": division.name_zh, "name_en": division.name_en,
        "level": division.level, "parent": division.parent_id, "statistical": division.statistical,
    }  # fmt: skip
