"""In which figures an overdue notice counts: the one place where the figures of supervision are defined."""

from zoneinfo import ZoneInfo

from citysafety.outbox.models import OutboxEntry
from citysafety.tallies.models import Period
from citysafety.tallies.services import record

from .models import OverdueNotice

CITY_TIME = ZoneInfo("Asia/Shanghai")
ISSUED_TODAY, UNANSWERED = "supervision.issued_today", "supervision.unanswered"


def record_standing(notice: OverdueNotice, entry: OutboxEntry, *, action: str) -> Period:
    """Record what the change announced by an entry does to the figures. Queries: 1."""
    return record(
        entry,
        kind="supervision",
        subject_id=str(notice.pk),
        area=notice.area_code,
        state=notice.state,
        now=[UNANSWERED] if notice.unanswered else [],
        today=[ISSUED_TODAY] if action == "issue" else [],
        day=entry.at.astimezone(CITY_TIME).date(),
        previous=notice.period_id,
    )
