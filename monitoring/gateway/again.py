"""Messages that were kept, taken again: dead letters after a mapping was mended, or the messages of a lot one by one."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from ..known import Known
from ..models import RawMessage
from ..storing import LATE_MS, Batch, Message, Store
from .lots import Lot, clean, ms_of
from .talks import opener

A_CHUNK = 500


class Nobody:
    """Whom nothing is sent to: the device was answered, or is gone."""

    def __init__(self, peer: str) -> None:
        self.peer = peer

    def send(self, data: bytes) -> None:
        """Drop the answer."""

    def hang_up(self, reason: str) -> None:
        """Nobody holds a line."""


def read(known: Known, message: Message) -> Batch:
    """Return what one message says by a snapshot; with itself as a dead letter where it cannot be taken whole."""
    lot = Lot(known)
    talk = opener(message.protocol)(Nobody(message.peer), True)
    talk.device = known.find(message.protocol, message.address)
    talk.hear(message.data, message.received_ms, lot)
    talk.close(message.received_ms, lot)
    return lot.batch


def dead(message: Message, reason: str) -> Message:
    return replace(message, reason=clean(reason)[:200])


def take(store: Store, letters: QuerySet[RawMessage], *, at: datetime) -> tuple[int, int]:
    """Take dead letters again, the oldest first; return how many were taken whole and how many still are not.

    What is taken is marked; any number of runs take a letter once. What is older than five minutes raises nothing.
    """
    whole = left = 0
    for rows in _chunks(letters):
        for row in rows:
            is_whole = _take(store, row, at)
            whole, left = whole + is_whole, left + (not is_whole)
    return whole, left


def _chunks(letters: QuerySet[RawMessage]) -> Iterator[list[RawMessage]]:
    """Yield rows from the oldest on; ids are dealt as they came."""
    last = 0
    while rows := list(letters.filter(pk__gt=last).order_by("pk")[:A_CHUNK]):
        yield rows
        last = rows[-1].pk


@transaction.atomic
def _take(store: Store, row: RawMessage, at: datetime) -> bool:
    mine = RawMessage.objects.filter(pk=row.pk, received_at=row.received_at)
    if not mine.filter(replayed_at=None).select_for_update().exists():
        return True
    message = Message(row.protocol, row.address, row.peer, ms_of(row.received_at), bytes(row.data))
    batch = read(store.known, message)
    reasons = [one.reason for one in batch.messages if one.reason]
    is_nothing = not (batch.stream or batch.fixes or batch.seen)
    if ms_of(at) - message.received_ms > LATE_MS:
        batch.afterwards = [True] * len(batch.stream)
        batch.fixes = [(*fix[:-1], True) for fix in batch.fixes]
    batch.messages, batch.seen = [], {}
    batch.unknown.clear()
    store.take(batch)
    if reasons or is_nothing:
        if reasons:
            mine.update(reason=reasons[0])
        return False
    mine.update(replayed_at=at)
    return True
