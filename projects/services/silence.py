"""Mark notices that were not answered in time, and report lasting silence to leaders."""

from datetime import datetime, timedelta

from django.db import transaction

from citysafety import worktime
from citysafety.calendars.services import calendar
from citysafety.outbox.services import announce

from ..models import OverdueNotice
from ..standing import record_standing
from .drafting import stepped

AT_ONCE = 200


def mark_unanswered(*, at: datetime) -> int:
    """Mark what was not answered in time, and what has been silent for longer than its rule allows; return how many.

    Any number of sweeps mark a notice once for each answer asked.
    """
    waiting = OverdueNotice.objects.awaiting_reply()
    late = list(waiting.filter(unanswered=False, reply_due_at__lt=at).values_list("pk", flat=True)[:AT_ONCE])
    silent = list(
        waiting.filter(unanswered=True, climbed=False, reply_due_at__lt=at - timedelta(minutes=1))
        .select_related("rule")
        .order_by("reply_due_at")[:AT_ONCE]
    )
    climbing = [notice.pk for notice in silent if _climbs(notice, at)]
    marked = sum(_mark(pk, "mark_unanswered", "unanswered", at) for pk in late)
    return marked + sum(_mark(pk, "climb", "climbed", at) for pk in climbing)


def _climbs(notice: OverdueNotice, at: datetime) -> bool:
    due = worktime.due(notice.reply_due_at, notice.rule.climb_amount, notice.rule.climb_unit, calendar())
    return due.at is not None and due.at < at


@transaction.atomic
def _mark(notice_id: object, action: str, field: str, at: datetime) -> bool:
    notice = OverdueNotice.objects.awaiting_reply().filter(pk=notice_id, **{field: False}, reply_due_at__lt=at)
    found = notice.select_for_update(of=("self",), skip_locked=True).first()
    if found is None:
        return False
    setattr(found, field, True)
    entry = announce(stepped(found, action=action, actor_id=None), at=at)
    found.period = record_standing(found, entry, action=action)
    found.save(update_fields=[field, "period"])
    return True
