"""The relay: deals positions to facts, lets projections and listeners write their rows, hands the batch on.

One leader at a time. It holds a session lock on the very connection it works with, so a leader
that lost the lock has lost its hands too; the others try for the lock twice a second.
"""

import logging
import select
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import DatabaseError, connection, transaction

from .facts import DayBegan
from .models import Head, OutboxEntry
from .services import BELL, announce

RELAY_LOCK = 0x0B0C  # any constant: names the one advisory lock of the relay
BATCH = 500
PACE_S = 0.05  # between batches, so that changes share a frame
SWEEP_S = 1.0  # looks without a bell: a lost one costs this much
BEAT_S = 5.0
CHORES_S = 60.0
CITY_TIME = ZoneInfo("Asia/Shanghai")

Listener = Callable[[Any], None]  # hears one fact, or with :func:`at_once` those of a batch
Projection = Callable[[list[OutboxEntry]], None]

logger = logging.getLogger(__name__)

DEAL = """
WITH waiting AS (
  SELECT id, row_number() OVER (ORDER BY id) AS place
  FROM (SELECT id FROM outbox_outboxentry WHERE position IS NULL ORDER BY id LIMIT %s) oldest
)
UPDATE outbox_outboxentry e SET position = %s + w.place, relayed_at = %s
FROM waiting w WHERE e.id = w.id
RETURNING e.id"""


def at_once(listener: Callable[[Sequence[OutboxEntry]], None]) -> Listener:
    """Let a listener hear what a batch has for it in one call, where that costs less than one after the other."""
    listener.at_once = True  # type: ignore[attr-defined]  # a mark on the function itself
    return listener


def hear(listener: Listener, entries: Sequence[OutboxEntry]) -> None:
    """Let a listener hear facts, each by itself or all at once as it takes them."""
    if getattr(listener, "at_once", False):
        listener(entries)
        return
    for entry in entries:
        listener(entry)


def relay_waiting(
    *, listen: Mapping[str, Sequence[Listener]], project: Iterable[Projection] = (), limit: int = BATCH
) -> list[OutboxEntry]:
    """Deal positions to waiting facts, oldest first, and let everybody inside hear of them; return those dealt.

    One transaction: positions, projections over the whole batch, then each fact's listeners. Ids are dealt
    at INSERT and become visible in another order; positions are dealt here, by one writer, after commit.
    A listener that fails is rolled back alone and its fact marked; a projection that fails stops the batch,
    since wrong figures are worse than late ones.
    """
    with transaction.atomic():
        head = _locked_head()
        with connection.cursor() as cursor:
            cursor.execute("SELECT greatest(clock_timestamp(), %s)", [head.as_of])
            as_of = cursor.fetchone()[0]
            cursor.execute(DEAL, [limit, head.position, as_of])
            dealt = [row[0] for row in cursor.fetchall()]
        if not dealt:
            return []
        entries = list(OutboxEntry.objects.filter(pk__in=dealt).order_by("position"))
        for projection in project:
            projection(entries)
        _let_all_hear(_calls(entries, listen))
        failed = [entry.pk for entry in entries if entry.failed]
        if failed:
            OutboxEntry.objects.filter(pk__in=failed).update(failed=True)
        Head.objects.filter(pk=1).update(position=entries[-1].position, as_of=as_of)
    return entries


def _locked_head() -> Head:
    head = Head.objects.select_for_update().filter(pk=1).first()
    if head is None:
        Head.objects.get_or_create(pk=1)
        head = Head.objects.select_for_update().get(pk=1)
    return head


def _calls(
    entries: Sequence[OutboxEntry], listen: Mapping[str, Sequence[Listener]]
) -> list[tuple[Listener, Sequence[OutboxEntry]]]:
    """Return who hears what: facts in their order, and after them what is heard at once."""
    single: list[tuple[Listener, Sequence[OutboxEntry]]] = []
    shared: dict[Listener, list[OutboxEntry]] = {}
    for entry in entries:
        for listener in listen.get(entry.topic, ()):
            if getattr(listener, "at_once", False):
                shared.setdefault(listener, []).append(entry)
            else:
                single.append((listener, [entry]))
    return [*single, *shared.items()]


def _let_all_hear(calls: Sequence[tuple[Listener, Sequence[OutboxEntry]]]) -> None:
    """Let listeners write their rows; one savepoint for all of them, since nearly always all go well.

    When one fails, all of it is undone and done again with a savepoint each.
    """
    if not calls:
        return
    try:
        with transaction.atomic():
            for listener, heard in calls:
                hear(listener, heard)
    except Exception:
        if not connection.is_usable():
            raise  # the database went away: nothing of this batch stands, the next leader does it again
        for listener, heard in calls:
            for entry in heard:
                _let_hear(listener, entry)


def _let_hear(listener: Listener, entry: OutboxEntry) -> None:
    try:
        with transaction.atomic():
            hear(listener, [entry])
    except Exception:
        if not connection.is_usable():
            raise  # the database went away: nothing of this batch stands, the next leader does it again
        # One bad listener must not silence the city: keep the fact, mark it for the operator, go on.
        logger.exception("Listener %s failed for fact %s", listener.__qualname__, entry.pk)
        entry.failed = True


def begin_day(*, city: str, at: datetime) -> OutboxEntry | None:
    """Announce the day of ``at`` unless it was announced before. One query; idempotent.

    Without it "today" would stay yesterday until the first fact of the morning.
    """
    day = str(at.astimezone(CITY_TIME).date())
    with transaction.atomic():
        if OutboxEntry.objects.filter(kind="day", subject_id=day).exists():
            return None
        return announce(DayBegan(area_code=city, subject_id=day))


def beat() -> Head:
    """Say that the relay is alive; return the head."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO outbox_head (id, position, beat_at) VALUES (1, 0, clock_timestamp())"
            " ON CONFLICT (id) DO UPDATE SET beat_at = clock_timestamp()"
        )
    return Head.objects.get(pk=1)


@dataclass
class Relay:
    """The loop of one relay process. What stands above the outbox is handed in.

    ``push`` gets each batch after its commit, ``tell`` the head every five seconds, ``chores``
    the database clock once a minute. Push and tell may fail: screens heal themselves by position.
    """

    listen: Mapping[str, Sequence[Listener]]
    project: Sequence[Projection]
    city: str
    push: Callable[[list[OutboxEntry]], None] = lambda entries: None
    tell: Callable[[Head], None] = lambda head: None
    chores: Callable[[datetime], None] = lambda at: None
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Lead or wait to lead until told to stop; a lost database is a pause, not an end."""
        while not self.stop.is_set():
            try:
                if self._take_lead():
                    logger.info("relay: leading")
                    self._lead()
                else:
                    self.stop.wait(0.5)
            except DatabaseError:
                logger.exception("relay: the database is away; trying again")
                self.stop.wait(1)
            except Exception:
                logger.exception("relay: a batch could not be relayed; trying again")
                self.stop.wait(1)
            finally:
                if self._must_reconnect():
                    connection.close()
        connection.close()

    def _take_lead(self) -> bool:
        with connection.cursor() as cursor:
            # Re-entrant: whoever holds it already, on this connection, keeps it.
            cursor.execute("SELECT pg_advisory_unlock_all(), pg_try_advisory_lock(%s)", [RELAY_LOCK])
            leads = cursor.fetchone()[1]
            if leads:
                cursor.execute(f"LISTEN {BELL}")
        return leads

    def _must_reconnect(self) -> bool:
        return connection.connection is not None and not connection.is_usable()

    def _lead(self) -> None:
        beaten = tidied = -CHORES_S
        while not self.stop.is_set():
            started = time.monotonic()
            entries = relay_waiting(listen=self.listen, project=self.project)
            if entries:
                self._hand_on(self.push, entries)
            if started - beaten >= BEAT_S:
                beaten = started
                head = beat()
                self._hand_on(self.tell, head)
                begin_day(city=self.city, at=head.beat_at)
            if started - tidied >= CHORES_S:
                tidied = started
                self._hand_on(self.chores, Head.objects.get(pk=1).beat_at)
            if len(entries) < BATCH:
                self._wait(SWEEP_S if not entries else PACE_S)

    def _hand_on(self, act: Callable, what: object) -> None:
        try:
            act(what)
        except Exception:
            if self._must_reconnect():
                raise
            logger.exception("relay: %s failed", getattr(act, "__qualname__", act))

    def _wait(self, seconds: float) -> None:
        """Wait for the bell. After a batch only time counts: whoever rings meanwhile shares the next frame."""
        raw = connection.connection
        if seconds == PACE_S:
            self.stop.wait(seconds)
            return
        if not raw.notifies and select.select([raw], [], [], seconds)[0]:
            raw.poll()
        raw.notifies.clear()
