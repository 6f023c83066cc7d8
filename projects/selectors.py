"""Reads of supervision that span tables or feed a screen."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Min, Q, QuerySet, UUIDField
from django.db.models.functions import Cast

from citysafety import worktime
from citysafety.calendars.services import calendar
from citysafety.evidence.models import Attachment
from citysafety.notices.models import Notice
from citysafety.tallies import selectors as tallies
from hazards.models import Hazard
from hazards.services.clocks import days_of, limit_of

from .lifecycle import LIVE, NoticeState
from .models import NoticeStep, OverdueNotice, SupervisionRule

MOST_ROWS = 500
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
    seconds = worktime.consumed(hazard.due_at, at, unit, days_of(hazard, hazard.due_stage))
    return (at - hazard.due_at).total_seconds() if seconds is None else seconds, unit


def overdue_hazards(area: str = "") -> Any:
    """Return overdue hazards that a unit answers for, with what a notice says of them. Queries: 1."""
    rows = (
        Hazard.objects.overdue()
        .filter(department__isnull=False)
        .select_related("matter__matter_class", "department", "cell", "dedicated_cell")
    )
    return (rows.within(area) if area else rows).shapeless()


def overdue_by_severity(area: str) -> dict[str, int]:
    """Count the overdue hazards of an area that a unit answers for. Queries: 1."""
    rows = overdue_hazards(area).order_by().select_related(None)
    return dict(rows.values_list("severity").annotate(Count("pk")))


@dataclass(frozen=True, slots=True)
class OverdueRow:
    """An overdue hazard as supervision sees it: by how much it is over, and its live notice, if any."""

    hazard: Hazard
    over_s: float
    unit: str
    notice: OverdueNotice | None
    issued_before: int


def overdue_rows(hazards: QuerySet[Hazard], at: datetime, *, most: int = MOST_ROWS) -> list[OverdueRow]:
    """Return those due first of some overdue hazards, the one that is over longest in its own time first. Queries: 2."""
    chosen = list(hazards.order_by("due_at", "id")[:most])
    notices = list(OverdueNotice.objects.filter(hazard__in=[one.pk for one in chosen]).select_related(*RELATED))
    live = {notice.hazard_id: notice for notice in notices if notice.state in LIVE}
    issued = Counter(notice.hazard_id for notice in notices if notice.issued_at)
    rows = [OverdueRow(one, *overrun(one, at), live.get(one.pk), issued[one.pk]) for one in chosen]
    return sorted(rows, key=lambda row: -row.over_s)


@dataclass(frozen=True, slots=True)
class Delivery:
    """When a notice came to its unit: written to an inbox, sent to a mailbox or address, opened. None: not yet."""

    inbox_at: datetime | None
    inboxes: int
    sent_at: datetime | None
    failed: int


def delivery(notice: OverdueNotice) -> Delivery:
    """Return how a notice was brought to its unit. Queries: 1."""
    told = Notice.objects.filter(topic="supervision.issued", subject_id=str(notice.pk))
    found = told.aggregate(
        inbox_at=Min("created_at"),
        inboxes=Count("pk", distinct=True),
        sent_at=Min("deliveries__sent_at"),
        failed=Count("deliveries", filter=Q(deliveries__parked_at__isnull=False), distinct=True),
    )
    return Delivery(**found)


@dataclass(frozen=True, slots=True)
class Trial:
    """What signing would do with one hazard: nothing is written. ``verdict``: issue, submit, or refused with the reason."""

    hazard: Hazard
    verdict: str
    reason: str
    notice: OverdueNotice | None
    over_s: float = 0.0
    unit: str = "work_days"
    reply_due_at: datetime | None = None  # when it would have to be answered, were it issued now


def trial(user: Any, hazard_ids: list[UUID], at: datetime) -> list[Trial]:
    """Try what signing would do with each hazard the reader may see, in the order given. Queries: 3."""
    rules = {rule.severity: rule for rule in SupervisionRule.objects.all()}
    seen = Hazard.objects.visible_to(user).filter(pk__in=hazard_ids).select_related("matter", "department")
    hazards = {hazard.pk: hazard for hazard in seen}
    live = {
        notice.hazard_id: notice
        for notice in OverdueNotice.objects.live().filter(hazard__in=hazard_ids).select_related(*RELATED)
    }
    tried = [_trial(user, hazards[pk], live.get(pk), rules) for pk in hazard_ids if pk in hazards]
    return [_timed(one, rules, at) for one in tried]


def _timed(tried: Trial, rules: dict[str, SupervisionRule], at: datetime) -> Trial:
    """Say by how much the hazard is over, and until when a notice issued now would have to be answered."""
    over_s, unit = overrun(tried.hazard, at)
    rule = tried.notice.rule if tried.notice else rules.get(tried.hazard.severity)
    reply_due_at = None
    if rule and tried.verdict != "refused":
        reply_due_at = worktime.due(at, rule.reply_amount, rule.reply_unit, calendar()).at
    return replace(tried, over_s=over_s, unit=unit, reply_due_at=reply_due_at)


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
