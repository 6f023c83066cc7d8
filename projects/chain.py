"""What the evidence chain says of overdue notices: drafted, signed with number and paper, received, answered, judged."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from citysafety.evidence.chain import Event, Paper, Record
from hazards.chain import pictures_of

from .lifecycle import LIFECYCLE, NoticeState
from .models import NoticeStep, OverdueNotice


def look(user: Any, ids: list[str]) -> list[Record]:
    """Return overdue notices with all that happened, those the user may not see left out. Queries: 3, however many."""
    wanted = [one for one in map(_uuid, ids) if one]
    rows = OverdueNotice.objects.visible_to(user).filter(pk__in=wanted)
    notices = list(rows.select_related("document__kind", "department", "hazard__matter").order_by("pk"))
    keys = [notice.pk for notice in notices]
    pictures = pictures_of("supervision", keys, {"answer": _("What was done")}, user)
    by_key = {notice.pk: notice for notice in notices}
    labels = {step.action: step.label for step in LIFECYCLE.steps}
    states = dict(NoticeState.choices)
    events: dict[Any, list[Event]] = defaultdict(list)
    for step in NoticeStep.objects.filter(notice__in=keys).select_related("actor").order_by("notice", "version"):
        notice = by_key[step.notice_id]
        events[notice.pk].append(
            Event(
                at=step.at,
                label=str(labels.get(step.action, _("Drafted"))),
                who=step.actor.name if step.actor else "",
                role=step.actor.get_role_display() if step.actor else "",
                to=notice.department.name if step.action == "issue" else "",
                source=str(states.get(step.source, "")),
                target=str(states[step.target]),
                words=step.words,
                basis=_(step.basis) if step.basis else "",
                pictures=pictures.get((str(notice.pk), step.pk), []),
                papers=[_paper(notice)] if step.action == "issue" and notice.document.code else [],
            )
        )
    return [
        Record(
            kind="supervision",
            id=str(notice.pk),
            label=_("overdue notice"),
            number=notice.document.full_number,
            title=notice.hazard.matter.name,
            state=notice.get_state_display(),
            address=reverse("supervision-notice", args=[notice.pk]),
            area=notice.area_code,
            events=events[notice.pk],
            bound=[("hazard", str(notice.hazard_id))],
        )
        for notice in notices
    ]


def about_hazards(user: Any, hazard_ids: list[str]) -> list[str]:
    """Return the notices about some hazards, those the user may not see left out. Queries: 1."""
    rows = OverdueNotice.objects.visible_to(user).filter(hazard__in=hazard_ids).order_by("drafted_at", "pk")
    return [str(pk) for pk in rows.values_list("pk", flat=True)]


def _paper(notice: OverdueNotice) -> Paper:
    document = notice.document
    pdf, proof = reverse("supervision-pdf", args=[notice.pk]), reverse("verify-code", args=[document.code])
    return Paper(document.full_number, document.sealed_id or "", pdf, proof)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
