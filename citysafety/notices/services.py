"""Write notices, and carry them out. Writing is rows only; whatever leaves the house leaves from a worker."""

import logging
import random
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from celery import current_app
from django.db import transaction
from django.db.models import CharField, F, Q, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from citysafety import areas
from citysafety.accounts.models import User

from .carriers import Gone, NotCarried, carry
from .models import ATTEMPTS, Channel, Delivery, Notice
from .topics import TOPICS

log = logging.getLogger(__name__)
FIRST_RETRY = timedelta(seconds=30)
KICKED_AT_ONCE = 100  # the minute sweep takes what is beyond


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What is to be written to some people. ``params`` are JSON; ``subject`` is (kind, id) of the record it is about.

    ``channels`` names the kinds that may carry it besides the inbox, None: all. ``group`` (area, department) lets the
    group robots of that department and of the areas around hear of it too: in the same words, once.
    """

    recipients: Iterable[User | int]
    topic: str
    params: dict[str, Any]
    subject: tuple[str, Any] = ("", "")
    source_key: str
    level: int | None = None
    channels: Collection[str] | None = None
    group: tuple[str, int | None] | None = None
    at: datetime | None = None  # where many are written together, each of its own moment

    @property
    def ids(self) -> set[int]:
        return {one if isinstance(one, int) else one.pk for one in self.recipients}


def notify(*, at: datetime | None = None, **news: Any) -> int:
    """Write one notice to each recipient and return how many are new; the fields are those of :class:`News`. Queries: 4.

    The same ``source_key`` writes to a recipient once, however often and by however many at a time it is called.

    :raises KeyError: nobody registered the topic.
    """
    return notify_all([News(**news)], at=at)


@transaction.atomic
def notify_all(many: Iterable[News], *, at: datetime | None = None) -> int:
    """Write many notices as :func:`notify` does each, and return how many are new. Queries: 4, 1 more with groups.

    :raises KeyError: nobody registered a topic.
    """
    at = at or timezone.now()
    wanted = {(news.source_key, one): news for news in many if TOPICS[news.topic] for one in news.ids}
    if not wanted:
        return 0
    keys, ids = {key for key, _one in wanted}, {one for _key, one in wanted}
    of_these = Notice.objects.filter(source_key__in=keys, recipient__in=ids)
    known = set(of_these.values_list("source_key", "recipient_id"))
    fresh = sorted(set(wanted) - known)
    Notice.objects.bulk_create(
        [
            Notice(
                recipient_id=one, topic=wanted[key, one].topic, kind=wanted[key, one].subject[0],
                subject_id=str(wanted[key, one].subject[1]), params=wanted[key, one].params,
                level=wanted[key, one].level, source_key=key, created_at=wanted[key, one].at or at,
            )
            for key, one in fresh
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    new = {
        (key, one): pk
        for key, one, pk in of_these.values_list("source_key", "recipient_id", "pk")
        if (key, one) not in known
    }
    deliveries = Delivery.objects.bulk_create(
        [Delivery(notice_id=notice, channel_id=channel, next_try_at=at) for notice, channel in _ways(wanted, new)],
        ignore_conflicts=True,
    )
    if deliveries:
        waiting = [str(delivery.pk) for delivery in deliveries[:KICKED_AT_ONCE]]
        transaction.on_commit(lambda: _kick(waiting), robust=True)  # a lost kick costs a minute, never a notice
    return len(new)


def _ways(wanted: dict[tuple[str, int], News], new: dict[tuple[str, int], int]) -> Iterator[tuple[int, int]]:
    """Yield notice and channel of everything that is to leave the house. Queries: 1, 1 more with groups."""
    of_person: dict[int, list[tuple[int, str]]] = defaultdict(list)
    people = {one for _key, one in new}
    for pk, user_id, kind in Channel.objects.filter(user__in=people, enabled=True).values_list("pk", "user_id", "kind"):
        of_person[user_id].append((pk, kind))
    told: dict[str, int] = {}  # the notice whose words a group hears
    for (key, one), notice in sorted(new.items()):
        allowed = wanted[key, one].channels
        yield from ((notice, pk) for pk, kind in of_person[one] if allowed is None or kind in allowed)
        if wanted[key, one].group:
            told.setdefault(key, notice)
    if not told:
        return
    groups = {key: news.group for (key, _one), news in wanted.items() if news.group and key in told}
    lines = {key: areas.lineage(area) for key, (area, _department) in groups.items()}
    around = {area for line in lines.values() for area in line}
    robots = Channel.objects.filter(Q(area_code__in=around) | Q(area_code=""), user=None, enabled=True).values_list(
        "pk", "area_code", "department_id"
    )
    robots = list(robots)
    for key, (_area, department) in groups.items():
        for pk, area, of_department in robots:
            if (not area or area in lines[key]) and of_department in (None, department):
                yield told[key], pk


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
    mine = Delivery.objects.filter(pk=delivery_id, sent_at=None)
    try:
        has_it = carry(delivery)
    except Gone as refusal:  # the device said so once and for all
        Channel.objects.filter(pk=delivery.channel_id).update(enabled=False)
        mine.update(reason=str(refusal)[:300])
        _park(mine, at)
        return False
    except NotCarried as refusal:
        _put_back(delivery, str(refusal), at)
        return False
    now = timezone.now()
    return bool(mine.update(sent_at=now, delivered_at=now if has_it else None, claimed_at=None, reason=""))


def _put_back(delivery: Delivery, reason: str, at: datetime) -> None:
    """Let a delivery wait for its next try, twice as long each time and never in step with others."""
    wait = FIRST_RETRY * 2 ** (delivery.attempts - 1) * random.uniform(0.75, 1.25)
    mine = Delivery.objects.filter(pk=delivery.pk, sent_at=None)
    mine.update(claimed_at=None, reason=reason[:300], next_try_at=at + wait)
    if delivery.attempts >= ATTEMPTS:
        _park(mine, at)


def _park(deliveries: Any, at: datetime) -> None:
    if deliveries.update(parked_at=at, claimed_at=None):
        log.error("a delivery of a notice is parked")


def unpark(deliveries: Any, *, at: datetime) -> int:
    """Give parked deliveries a new start; return how many."""
    return deliveries.exclude(parked_at=None).update(parked_at=None, attempts=0, next_try_at=at, claimed_at=None)


def waiting(at: datetime, limit: int = 500) -> list[str]:
    """Return the deliveries that are due, oldest first: what the sweep hands to workers."""
    return [str(pk) for pk in Delivery.objects.due(at).order_by("next_try_at").values_list("pk", flat=True)[:limit]]


def mark_read(notices: Any, *, at: datetime) -> int:
    """Mark notices read; the first reading counts, and is when their deliveries were opened. Queries: 2."""
    _of_its_reader().filter(notice__in=notices.filter(read_at=None).values("pk"), opened_at=None).update(opened_at=at)
    return notices.filter(read_at=None).update(read_at=at)


def sign_for(notice: Notice, *, at: datetime) -> None:
    """Record that its reader has it and knows; the first time counts. Queries: 3."""
    mark_read(Notice.objects.filter(pk=notice.pk), at=at)
    if Notice.objects.filter(pk=notice.pk, signed_at=None).update(signed_at=at):
        _of_its_reader().filter(notice=notice).update(receipt_at=at)


def _of_its_reader() -> Any:
    """Return the deliveries that went to the reader, not to a group."""
    return Delivery.objects.filter(channel__user__isnull=False)


@transaction.atomic
def remember_device(user: User, *, endpoint: str, keys: dict[str, str]) -> Channel:
    """Let notices be pushed to a device of a person's; whoever used it before hears nothing there any more. Queries: 3 or 4."""
    forget_devices(Channel.objects.filter(address=endpoint).exclude(user=user))
    channel, _made = Channel.objects.update_or_create(
        user=user, kind=Channel.Kind.PUSH, address=endpoint, defaults={"keys": keys, "enabled": True}
    )
    return channel


def forget_devices(channels: Any) -> int:
    """Forget the addresses and keys of devices; what was delivered to them stays told. Queries: 1."""
    gone = Concat(Value("removed "), Cast("pk", CharField()))
    return channels.filter(kind=Channel.Kind.PUSH).update(enabled=False, keys={}, address=gone)
