"""Supervision as the API shows it."""

from typing import Any

from django.urls import reverse
from django.utils.timezone import localtime

from hazards.desk import span_words

from .models import NoticeStep, OverdueNotice
from .selectors import OverdueRow, Trial


def notice_answer(notice: OverdueNotice) -> dict[str, Any]:
    """Return a notice with its document. Queries: 0 with its relations."""
    document = notice.document
    return {
        "id": str(notice.pk),
        "number": document.full_number or None,
        "state": notice.state,
        "version": notice.version,
        "hazard": {"id": str(notice.hazard_id), "number": notice.hazard.number, "matter": notice.hazard.matter.name},
        "severity": notice.severity,
        "department": {"code": notice.department.code, "name": notice.department.name},
        "area": notice.area_code,
        "needs_second": notice.needs_second,
        "unanswered": notice.unanswered,
        "drafted_at": _iso(notice.drafted_at),
        "issued_at": _iso(notice.issued_at),
        "opened_at": _iso(notice.opened_at),
        "reply_due": {"at": _iso(notice.reply_due_at), "reason": notice.reply_due_reason},
        "document": {
            "state": document.state,
            "title": document.title,
            "addressee": document.addressee,
            "body": document.body,
            "copies": document.copies,
            "sha256": document.sealed_id,
            "pdf": reverse("supervision-pdf", args=[notice.pk]),
        },
    }


def step_answer(step: NoticeStep) -> dict[str, Any]:
    """Return one row of the history."""
    return {
        "id": str(step.pk),
        "action": step.action,
        "from": step.source or None,
        "to": step.target,
        "version": step.version,
        "at": _iso(step.at),
        "actor": step.actor.name if step.actor else None,
        "words": step.words,
        "basis": step.basis,
    }


def overdue_answer(row: OverdueRow) -> dict[str, Any]:
    """Return an overdue hazard with its live notice."""
    hazard = row.hazard
    return {
        "hazard": str(hazard.pk),
        "number": hazard.number,
        "matter": hazard.matter.name,
        "severity": hazard.severity,
        "department": hazard.department.name,
        "due_at": _iso(hazard.due_at),
        "over_s": round(row.over_s),
        "unit": row.unit,
        "notice": {"id": str(row.notice.pk), "state": row.notice.state} if row.notice else None,
        "issued_before": row.issued_before,
    }


def trial_answer(trial: Trial) -> dict[str, Any]:
    """Return what signing would do with one hazard."""
    return {
        "hazard": str(trial.hazard.pk),
        "number": trial.hazard.number,
        "department": trial.hazard.department.name if trial.hazard.department else "",
        "verdict": trial.verdict,
        "reason": trial.reason,
        "notice": str(trial.notice.pk) if trial.notice else None,
        "over_s": round(trial.over_s),
        "unit": trial.unit,
        "over": span_words(trial.over_s, trial.unit) if trial.over_s else "",
        "reply_due_at": _iso(trial.reply_due_at),
    }


def _iso(moment: Any) -> str | None:
    return localtime(moment).isoformat() if moment else None
