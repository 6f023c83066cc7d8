"""Reads of supervision that span tables or feed a screen."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, UUIDField
from django.db.models.functions import Cast

from citysafety import worktime
from citysafety.calendars.services import calendar
from citysafety.evidence.models import Attachment
from citysafety.tallies import selectors as tallies
from hazards.models import Hazard
from hazards.services.clocks import limit_of

from .lifecycle import LIVE, NoticeState
from .models import NoticeStep, OverdueNotice, SupervisionRule

RELATED = ("document__kind", "department", "hazard__matter", "rule", "first_signer")


def notices_seen_by(user: Any) -> QuerySet[OverdueNotice]:
    """Return the notices a person may see, with what a row shows. Queries: 1, however many rows."""
    return OverdueNotice.objects.visible_to(user).select_related(*RELATED)


def history(notice: OverdueNotice) -> QuerySet[NoticeStep]:
    """Return the rows of a notice's history, oldest first. Queries: 1."""
    return NoticeStep.objects.filter(notice=notice).select_related("actor").order_by("version")


def photos(notice: OverdueNotice) -> QuerySet[Attachment]:
    """Return the photos of a notice's answers in the order they came. Queries: 1."""
    rows = Attachment.objects.filter(kind="supervision", subject_id=str(notice.pk)).select_related("photo", "by")
    return rows.order_by("at", "pk")


def pinned(rows: QuerySet[OverdueNotice], *, figure: str, area: str, at: int | None) -> QuerySet[OverdueNotice]:
    """Keep the notices that a figure counted at a position: its list."""
    members = tallies.members("supervision", figure, area, at)
    ids = members.annotate(notice_id=Cast("subject_id", UUIDField())).values("notice_id")
    return rows.filter(pk__in=ids)


def overrun(hazard: Hazard, at: datetime) -> tuple[float, str]:
    """Return by how many seconds of its clock's own time a hazard is over, and the unit. Queries: 0 with its matter."""
    unit, _amount = limit_of(hazard, hazard.due_stage)
    if hazard.due_at is None or hazard.due_at >= at:
        return 0.0, unit
    seconds = worktime.consumed(hazard.due_at, at, unit, calendar())
    return (at - hazard.due_at).total_seconds() if seconds is None else seconds, unit


def overdue_hazards(area: str = "") -> Any:
    """Return overdue hazards that a unit answers for, with what a notice says of them. Queries: 1."""
    rows = (
        Hazard.objects.overdue()
        .filter(department__isnull=False)
        .select_related("matter__matter_class", "department", "cell", "dedicated_cell")
    )
    return (rows.within(area) if area else rows).shapeless()


@dataclass(frozen=True, slots=True)
class OverdueRow:
    """An overdue hazard as supervision sees it: by how much it is over, and its live notice, if any."""

    hazard: Hazard
    over_s: float
    unit: str
    notice: OverdueNotice | None
    issued_before: int


def overdue_rows(area: str, at: datetime, *, severity: str = "", most: int = 500) -> list[OverdueRow]:
    """Return overdue hazards with a unit, the one that is over longest in its own time first. Queries: 3."""
    hazards = overdue_hazards(area)
    hazards = list((hazards.filter(severity=severity) if severity else hazards).order_by("due_at")[:most])
    ids = [hazard.pk for hazard in hazards]
    notices = list(OverdueNotice.objects.filter(hazard__in=ids).select_related(*RELATED))
    live = {notice.hazard_id: notice for notice in notices if notice.state in LIVE}
    issued: dict[UUID, int] = {}
    for notice in notices:
        if notice.issued_at:
            issued[notice.hazard_id] = issued.get(notice.hazard_id, 0) + 1
    rows = [
        OverdueRow(hazard, *overrun(hazard, at), live.get(hazard.pk), issued.get(hazard.pk, 0)) for hazard in hazards
    ]
    return sorted(rows, key=lambda row: -row.over_s)


@dataclass(frozen=True, slots=True)
class Trial:
    """What signing would do with one hazard: nothing is written. ``verdict``: issue, submit, or refused with the reason."""

    hazard: Hazard
    verdict: str
    reason: str
    notice: OverdueNotice | None


def trial(user: Any, hazard_ids: list[UUID]) -> list[Trial]:
    """Try what signing would do with each hazard the reader may see, in the order given. Queries: 3."""
    rules = {rule.severity: rule for rule in SupervisionRule.objects.all()}
    seen = Hazard.objects.visible_to(user).filter(pk__in=hazard_ids).select_related("matter", "department")
    hazards = {hazard.pk: hazard for hazard in seen}
    live = {
        notice.hazard_id: notice
        for notice in OverdueNotice.objects.live().filter(hazard__in=hazard_ids).select_related(*RELATED)
    }
    return [_trial(user, hazards[pk], live.get(pk), rules) for pk in hazard_ids if pk in hazards]


def _trial(user: Any, hazard: Hazard, notice: OverdueNotice | None, rules: dict[str, SupervisionRule]) -> Trial:
    if not user.covers(hazard.area_code):
        return Trial(hazard, "refused", "area", notice)
    if not hazard.overdue or hazard.department is None:
        return Trial(hazard, "refused", "not_overdue", notice)
    if hazard.severity not in rules:
        return Trial(hazard, "refused", "no_rule", notice)
    second = notice.needs_second if notice else rules[hazard.severity].second_signature
    if notice is None or notice.state == NoticeState.DRAFT:
        return Trial(hazard, "submit" if second else "issue", "", notice)
    if notice.state == NoticeState.REVIEW:
        own = notice.first_signer_id == user.pk
        return Trial(hazard, "refused" if own else "issue", "own_signature" if own else "", notice)
    return Trial(hazard, "refused", f"stands_{notice.state}", notice)
