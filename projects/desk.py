"""Supervision in words for its pages: rows, forms, verdicts."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from citysafety.evidence import services as evidence
from citysafety.lifecycle import Step
from hazards.desk import ASKED_WORDS, span_words

from .lifecycle import LIFECYCLE, NoticeState
from .models import OverdueNotice
from .selectors import OverdueRow
from .services.steps import steps_open_to

SIGNS = {
    NoticeState.DRAFT: ("open", ""),
    NoticeState.REVIEW: ("half", "strong"),
    NoticeState.ISSUED: ("half", ""),
    NoticeState.RECEIVED: ("clock", ""),
    NoticeState.ANSWERED: ("clock", "strong"),
    NoticeState.CLOSED: ("tick", "ended"),
    NoticeState.WITHDRAWN: ("no", "ended"),
    NoticeState.DISCARDED: ("no", "ended"),
}
VERDICTS = {
    "issue": gettext_lazy("can be signed"),
    "submit": gettext_lazy("major: goes to a second signature"),
    "area": gettext_lazy("not signed: outside your area of duty"),
    "not_overdue": gettext_lazy("not signed: not overdue with a unit any more"),
    "no_rule": gettext_lazy("not signed: no rule of supervision for it"),
    "own_signature": gettext_lazy("not signed: you signed first, another signs second"),
    "stands_issued": gettext_lazy("not signed: the last notice waits to be received"),
    "stands_received": gettext_lazy("not signed: the last notice waits for its answer"),
    "stands_answered": gettext_lazy("not signed: an answer waits for your judgement"),
}


def over_words(row: OverdueRow) -> str:
    """Say by how much a hazard is over in its own time."""
    return span_words(row.over_s, row.unit)


def step_forms(user: Any, notice: OverdueNotice) -> list[dict[str, Any]]:
    """Return a form for each step the reader may take now, as the page of a case has them. Queries: 1 for an answer."""
    return [_form(step, notice) for step in steps_open_to(user, notice) if step.action != "issue" or _is_final(notice)]


def may_prepare(user: Any, notice: OverdueNotice) -> bool:
    """Test whether the reader may have the final bytes made now."""
    return not _is_final(notice) and any(step.action == "issue" for step in steps_open_to(user, notice))


def _is_final(notice: OverdueNotice) -> bool:
    return notice.document.state == "prepared"


def _form(step: Step, notice: OverdueNotice) -> dict[str, Any]:
    photos = []
    if "photo:answer" in step.requires:
        there = len(evidence.unused(kind="supervision", subject_id=str(notice.pk), role="answer", step_id=None))
        photos = [{"role": "answer", "label": _("What was done"), "need": max(0, 1 - there), "there": there}]
    asks_reason, asks_words = "reason" in step.requires, "words" in step.requires
    asked = [str(ASKED_WORDS.get(name, _("photo"))) for name in step.requires]
    return {
        "action": step.action,
        "label": step.label,
        "basis": _(step.basis),
        "asks": ", ".join(asked),
        "words_name": "reason" if asks_reason else "words",
        "words_label": _("Reason") if asks_reason else _("What was done") if asks_words else _("Words (if useful)"),
        "asks_words": asks_reason or asks_words,
        "photos": photos,
        "sha256": notice.document.sealed_id if step.action == "issue" else "",
    }


def happened(steps: Any, photos: Any) -> list[dict[str, Any]]:
    """Return the steps of a notice in the order of time, each with the photos that served it."""
    labels = {step.action: step.label for step in LIFECYCLE.steps}
    served: dict[Any, list[Any]] = {}
    for photo in photos:
        served.setdefault(photo.used_by, []).append(photo)
    return [
        {
            "step": step,
            "label": labels.get(step.action, _("Drafted")),
            "basis": _(step.basis) if step.basis else "",
            "photos": served.get(step.pk, []),
        }
        for step in steps
    ]
