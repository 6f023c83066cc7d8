"""How re-zonings are told to programs, and what a preview says."""

import json
from typing import Any

from django.utils.timezone import localtime

from ..models import DraftCell, Rezoning, RezoningRecord, RezoningStep
from .preview import Burden, Kind, Preview


def rezoning_answer(rezoning: Rezoning) -> dict[str, Any]:
    """Return a re-zoning as a line of a list. Queries: 0 with its people selected and its cells prefetched."""
    return {
        "id": str(rezoning.pk), "number": rezoning.number, "area": rezoning.area_code, "state": rezoning.state,
        "version": rezoning.version, "reason": rezoning.reason, "basis": rezoning.basis,
        "effective_at": _moment(rezoning.effective_at), "drafted_by": rezoning.drafted_by.name,
        "drafted_at": _moment(rezoning.drafted_at), "changed_at": _moment(rezoning.changed_at),
        "approved_by": rezoning.approved_by.name if rezoning.approved_by else None,
        "ends": [cell.code for cell in rezoning.ends.all()], "begins": [draft.code for draft in rezoning.draws.all()],
        "grid_version": rezoning.grid_version.number if rezoning.grid_version else None,
        "rollback_version": rezoning.rollback_version.number if rezoning.rollback_version else None,
    }  # fmt: skip


def draft_answer(draft: DraftCell) -> dict[str, Any]:
    """Return a drafted cell with its outline."""
    return {
        "code": draft.code, "name_zh": draft.name_zh, "name_en": draft.name_en, "kind": draft.kind,
        "division": draft.division_id, "worker": draft.worker.number if draft.worker else None,
        "nobody_yet": draft.nobody_yet, "geometry": json.loads(draft.geometry.geojson),
    }  # fmt: skip


def step_answer(step: RezoningStep) -> dict[str, Any]:
    """Return one row of the history."""
    return {
        "id": str(step.pk), "action": step.action, "from": step.source or None, "to": step.target, "version": step.version,
        "at": _moment(step.at), "actor": step.actor.name if step.actor else None, "words": step.words,
    }  # fmt: skip


def record_answer(row: RezoningRecord) -> dict[str, Any]:
    """Return what was foretold, or moved, of one kind."""
    return {
        "moment": row.moment, "kind": row.kind, "at": _moment(row.at), "moved": row.moved, "stays": row.stays,
        "pairs": [{"from": old, "to": new, "count": n} for old, new, n in row.pairs],
        "rows": [{"label": one["label"], "page": one["href"], "from": one["old"], "to": one["new"]} for one in row.rows],
    }  # fmt: skip


def preview_answer(found: Preview) -> dict[str, Any]:
    """Return what would move."""
    return {
        "moves": {kind.kind: _kind(kind) for kind in found.kinds},
        "postings": [
            {"worker": one.worker.number, "name": one.worker.user.name, "cell": one.cell.code, "role": one.role}
            for one in found.ending
        ],
        "accounts": [{"username": user.username, "from": user.area_code, "to": code} for user, code in found.accounts],
        "measures": [str(label) for label in found.measures],
        "before": [_burden(one) for one in found.before],
        "after": [_burden(one) for one in found.after],
    }


def _kind(kind: Kind) -> dict[str, Any]:
    return {
        "label": str(kind.label),
        "moved": kind.moved,
        "stays": kind.stays,
        "pairs": [{"from": old, "to": new, "count": n} for old, new, n in kind.pairs],
        "rows": [{"label": row.label, "page": row.href, "from": row.old, "to": row.new} for row in kind.rows],
    }


def _burden(one: Burden) -> dict[str, Any]:
    return {"code": one.code, "km2": round(one.km2, 3), "counts": one.counts}


def _moment(at: Any) -> str | None:
    return localtime(at).isoformat() if at else None
