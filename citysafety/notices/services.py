"""Write notices, and carry them out. Writing is rows only; whatever leaves the house leaves from a worker."""

import logging
import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from celery import current_app
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from citysafety.accounts.models import User

from .carriers import NotCarried, carry
from .models import ATTEMPTS, Channel, Delivery, Notice
from .topics import TOPICS

log = logging.getLogger(__name__)
FIRST_RETRY = timedelta(seconds=30)
KICKED_AT_ONCE = 100  # the minute sweep takes what is beyond


@transaction.atomic
def notify(
    *,
    recipients: Iterable[User | int],
    topic: str,
    params: dict[str, Any],
    subject: tuple[str, Any] = ("", ""),
    source_key: str,
    level: int | None = None,
    at: datetime | None = None,
) -> int:
    """Write one notice to each recipient and return how many are new. Queries: 4.

    The same ``source_key`` writes to a recipient once, however often and by however many at a time it is called.
    ``params`` are JSON; ``subject`` is (kind, id) of the record it is about.

    :raises KeyError: nobody registered the topic.
    """
    topic = TOPICS[topic].key
    ids = {one if isinstance(one, int) else one.pk for one in recipients}
    if not ids:
        return 0
    at = at or timezone.now()
    known = set(Notice.objects.filter(source_key=source_key, recipient__in=ids).values_list("recipient_id", flat=True))
    kind, subject_id = subject
    Notice.objects.bulk_create(
        [
            Notice(
                recipient_id=one, topic=topic, kind=kind, subject_id=str(subject_id), params=params, level=level,
                source_key=source_key, created_at=at,
            )
            for one in sorted(ids - known)
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    new = dict(
        Notice.objects.filter(source_key=source_key, recipient__in=ids - known).values_list("recipient_id", "pk")
    )
    channels = Channel.objects.filter(user__in=new, enabled=True).values_list("pk", "user_id")
    deliveries = Delivery.objects.bulk_create(
        [Delivery(notice_id=new[user_id], channel_id=pk, next_try_at=at) for pk, user_id in channels],
        ignore_conflicts=True,
    )
    if deliveries:
        waiting = [str(delivery.pk) for delivery in deliveries[:KICKED_AT_ONCE]]
        transaction.on_commit(lambda: _kick(waiting), robust=True)  # a lost kick costs a minute, never a notice
    return len(new)


def _kick(delivery_ids: list[str]) -> None:
    for delivery_id in delivery_ids:
        current_app.send_task("citysafety.notices.tasks.deliver", [delivery_id], retry=False)


def deliver(delivery_id: UUID | str, *, at: datetime) -> bool:
    """Carry a delivery out if it is due and nobody else is at it; return whether it was sent now.

    Claimed by a conditional UPDATE that also counts the attempt, so a delivery that kills its worker is parked too.
    A worker that dies after the receiver took it and before the row says so repeats it, with the same id.
    """
    claimed = Delivery.objects.due(at).filter(pk=delivery_id, attempts__lt=ATTEMPTS)
    if not claimed.update(claimed_at=at, attempts=F("attempts") + 1):
        _park(Delivery.objects.due(at).filter(pk=delivery_id, attempts__gte=ATTEMPTS), at)
        return False
    delivery = Delivery.objects.select_related("notice__recipient", "channel").get(pk=delivery_id)
    try:
        carry(delivery)
    except NotCarried as refusal:
        _put_back(delivery, str(refusal), at)
        return False
    mine = Delivery.objects.filter(pk=delivery_id, sent_at=None)
    return bool(mine.update(sent_at=timezone.now(), claimed_at=None, reason=""))


def _put_back(delivery: Delivery, reason: str, at: datetime) -> None:
    """Let a delivery wait for its next try, twice as long each time and never in step with others."""
    wait = FIRST_RETRY * 2 ** (delivery.attempts - 1) * random.uniform(0.75, 1.25)
    mine = Delivery.objects.filter(pk=delivery.pk, sent_at=None)
    mine.update(claimed_at=None, reason=reason[:300], next_try_at=at + wait)
    if delivery.attempts >= ATTEMPTS:
        _park(mine, at)


def _park(deliveries: Any, at: datetime) -> None:
    if deliveries.update(parked_at=at, claimed_at=None):
        log.error("a delivery of a notice is parked after %s attempts", ATTEMPTS)


def unpark(deliveries: Any, *, at: datetime) -> int:
    """Give parked deliveries a new start; return how many."""
    return deliveries.exclude(parked_at=None).update(parked_at=None, attempts=0, next_try_at=at, claimed_at=None)


def waiting(at: datetime, limit: int = 500) -> list[str]:
    """Return the deliveries that are due, oldest first: what the sweep hands to workers."""
    return [str(pk) for pk in Delivery.objects.due(at).order_by("next_try_at").values_list("pk", flat=True)[:limit]]


def mark_read(notices: Any, *, at: datetime) -> int:
    """Mark notices read; the first reading counts."""
    return notices.filter(read_at=None).update(read_at=at)
