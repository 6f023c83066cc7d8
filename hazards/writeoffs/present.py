"""How write-off lists are told to programs."""

from typing import Any

from django.utils.timezone import localtime

from ..models import Hazard
from .models import WriteOffItem, WriteOffList, WriteOffSignature
from .selectors import state_of


def list_answer(row: WriteOffList) -> dict[str, Any]:
    """Return a list as a row of a list. Queries: 0 with its maker and its signatures counted."""
    return {
        "id": str(row.pk), "number": row.number, "title": row.title, "state": state_of(row), "area": row.area_code,
        "query": row.query, "filter": row.said, "maker": row.maker.name, "made_at": localtime(row.made_at).isoformat(),
        "frozen_at": localtime(row.frozen_at).isoformat() if row.frozen_at else None,
        "cases": row.size if row.is_frozen else None, "sha256": row.sha256 or None, "demanded": row.demanded,
        "signatures_asked": row.asked, "signatures": row.signed,
    }  # fmt: skip


def signature_answer(one: WriteOffSignature) -> dict[str, Any]:
    """Return one signature."""
    return {
        "place": one.place,
        "role": one.role,
        "name": one.name,
        "at": localtime(one.at).isoformat(),
        "sha256": one.sha256,
    }


def item_answer(item: WriteOffItem) -> dict[str, Any]:
    """Return a frozen row; ``reopened_since`` is of now, all else as it was frozen."""
    return {
        "position": item.position, "hazard": str(item.hazard_id), "number": item.number, "severity": item.severity,
        "matter": item.matter_code, "matter_name": item.matter, "area": item.area_code, "place": item.place,
        "found_at": localtime(item.found_at).isoformat(), "closed_at": localtime(item.closed_at).isoformat(),
        "department": item.department_code or None, "department_name": item.department or None,
        "verifier": item.verifier_name or None, "verified_by": item.verified_by or None,
        "verified_at": localtime(item.verified_at).isoformat() if item.verified_at else None,
        "evidence": item.evidence, "reopened_since": item.is_reopened,
    }  # fmt: skip


def case_answer(hazard: Hazard) -> dict[str, Any]:
    """Return a case that a draft holds now."""
    return {
        "hazard": str(hazard.pk), "number": hazard.number, "severity": hazard.severity, "matter": hazard.matter.code,
        "matter_name": hazard.matter.name, "area": hazard.area_code,
        "closed_at": localtime(hazard.written_off_at).isoformat(),
        "department": hazard.department.code if hazard.department else None,
    }  # fmt: skip
