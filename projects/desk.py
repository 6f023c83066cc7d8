"""Supervision in words for its pages: rows, forms, verdicts."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from citysafety.lifecycle import Step
from hazards.desk import ASKED_WORDS, span_words

from .lifecycle import LIFECYCLE, NoticeState
from .models import NoticeStep, OverdueNotice
from .selectors import Delivery, OverdueRow
from .services.steps import photos_for_answer, steps_open_to
from .standing import ISSUED_TODAY, UNANSWERED

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


COLUMNS = (
    ("number", gettext_lazy("Number")),
    ("severity", gettext_lazy("Severity")),
    ("matter", gettext_lazy("Matter")),
    ("place", gettext_lazy("Place")),
    ("department", gettext_lazy("Department")),
    ("due", gettext_lazy("Due")),
    ("over", gettext_lazy("Over by")),
    ("notice", gettext_lazy("Overdue notice")),
)
SHOWN_FIRST = [key for key, _label in COLUMNS if key != "place"]
NOTICE_COLUMNS = (
    (gettext_lazy("Number"), lambda one: one.document.full_number),
    (gettext_lazy("Case"), lambda one: one.hazard.number),
    (gettext_lazy("Matter"), lambda one: one.hazard.matter.name),
    (gettext_lazy("Department"), lambda one: one.department.name),
    (gettext_lazy("State"), lambda one: one.get_state_display()),
    (gettext_lazy("Issued"), lambda one: one.issued_at),
    (gettext_lazy("Answer by"), lambda one: one.reply_due_at),
    (gettext_lazy("not answered in time"), lambda one: _("yes") if one.unanswered else _("no")),
)
FIGURE_WORDS = {ISSUED_TODAY: gettext_lazy("Issued today"), UNANSWERED: gettext_lazy("Not answered in time")}


def cell(row: OverdueRow, column: str) -> Any:
    """Return what a row of the overdue list says in a column, for a sheet."""
    hazard = row.hazard
    place = hazard.dedicated_cell or hazard.cell
    words = {
        "number": hazard.number,
        "severity": hazard.get_severity_display(),
        "matter": hazard.matter.name,
        "place": place.name if place else "",
        "department": hazard.department.name,
        "due": hazard.due_at,
        "over": over_words(row),
        "notice": row.notice.get_state_display() if row.notice else "",
    }
    return words[column]


def road(notice: OverdueNotice, delivery: Delivery, history: list[NoticeStep]) -> list[dict[str, Any]]:
    """Return the way of a notice to its unit: issued, in the inboxes, sent, opened, signed for; each with its time."""
    received = next((step for step in history if step.action == "receive"), None)
    rows = [
        {"label": NoticeState.ISSUED.label, "at": notice.issued_at},
        {"label": _("In the inbox"), "at": delivery.inbox_at, "more": _("%(n)s people") % {"n": delivery.inboxes}},
        {"label": _("Opened"), "at": notice.opened_at, "more": notice.opened_by.name if notice.opened_by else ""},
        {"label": _("Signed for"), "at": received and received.at, "more": received.actor.name if received else ""},
    ]
    if delivery.sent_at or delivery.failed:
        failed = _("%(n)s given up") % {"n": delivery.failed} if delivery.failed else ""
        rows.insert(2, {"label": _("Sent outside"), "at": delivery.sent_at, "more": failed})
    return rows


def over_words(row: OverdueRow) -> str:
    """Say by how much a hazard is over in its own time."""
    return span_words(row.over_s, row.unit)


def step_forms(user: Any, notice: OverdueNotice) -> list[dict[str, Any]]:
    """Return a form for each step the reader may take now, as the page of a case has them. Queries: 1 for an answer."""
    return [
        _form(step, notice, user) for step in steps_open_to(user, notice) if step.action != "issue" or _is_final(notice)
    ]


def may_prepare(user: Any, notice: OverdueNotice) -> bool:
    """Test whether the reader may have the final bytes made now."""
    return not _is_final(notice) and any(step.action == "issue" for step in steps_open_to(user, notice))


def _is_final(notice: OverdueNotice) -> bool:
    return notice.document.state == "prepared"


def _form(step: Step, notice: OverdueNotice, user: Any) -> dict[str, Any]:
    photos = []
    if "photo:answer" in step.requires:
        there = len(photos_for_answer(notice, user))
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
