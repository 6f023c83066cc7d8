"""The one thread of a gateway that speaks with the database: lot after lot, and what must be done between them."""

import logging
import os
import queue
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.utils import timezone

from .. import known, partitions
from ..models import Datastream, GatewayProcess, Quantity, RawMessage
from ..models.intake import DEAD
from ..storing import Batch, Store
from . import again
from .lots import NOT_A_CHANNEL, Lot

logger = logging.getLogger(__name__)
AWAY = (OperationalError, InterfaceError)
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0
RENEW_S = 60.0  # a lost bell costs a minute
SAY_S = 5.0
STEP_S = 0.25  # how long it waits for a lot before it looks around


class Keeper(threading.Thread):
    """Takes lots; tells by callbacks what came of them, from its own thread."""

    def __init__(
        self, *, renewed: Callable[[known.Known], None], taken: Callable[[Lot, int], None], away: Callable[[], None],
        figures: Callable[[], dict[str, Any]], ended: Callable[[BaseException], None],
    ) -> None:  # fmt: skip
        super().__init__(name="keeper", daemon=True)
        self.renewed, self.taken, self.away, self.figures, self.ended = renewed, taken, away, figures, ended
        self.lots: queue.SimpleQueue[Lot | None] = queue.SimpleQueue()
        self.given_up = threading.Event()  # the process ends: what cannot be stored now is not
        self.label = f"{socket.gethostname()}:{os.getpid()}"[:64]
        self.started_at = timezone.now()
        self.listening: Any = None  # the raw connection that was asked to tell of changes
        self.read_at = self.said_at = self.looked_at = 0.0
        self.store: Store

    def run(self) -> None:
        try:
            self._insist(self._begin)
            while True:
                try:
                    lot = self.lots.get(timeout=STEP_S)
                except queue.Empty:
                    self._look_around()
                    continue
                if lot is None:
                    break
                self._keep(lot)
                self._look_around()
            self._try(lambda: GatewayProcess.objects.filter(name=self.label).delete())
        except BaseException as error:  # without its keeper a gateway is deaf: the process ends and begins anew
            logger.exception("gateway: the keeper ended")
            self.ended(error)
        finally:
            self._reconnect()

    # -- lots -----------------------------------------------------------------------------------------------------
    def _keep(self, lot: Lot) -> None:
        late = self._insist(lambda: self._take(lot))
        if late is not None:
            self.taken(lot, late)
            if lot.wanted:
                self._try(lambda: self._open(lot))

    def _take(self, lot: Lot) -> int:
        if lot.known is not self.store.known:
            self.store.renew(lot.known)
        try:
            return self.store.take(lot.batch).late
        except AWAY:
            raise
        except Exception:  # one message of many is at fault, and it is not known which
            logger.exception("gateway: a lot of %d messages is taken one by one", len(lot.messages))
            return self._one_by_one(lot)

    def _one_by_one(self, lot: Lot) -> int:
        """Take each message by itself; one that cannot be stored becomes a dead letter."""
        late, known_messages = 0, {id(message) for message in lot.messages}
        kept = {id(message) for message in lot.batch.messages}
        for message in lot.messages:
            try:
                batch = again.read(self.store.known, message)
                batch.messages = [message] if id(message) in kept else batch.messages
                late += self.store.take(batch).late
            except AWAY:
                raise
            except Exception as error:
                why = f"could not be stored: {type(error).__name__}"
                self.store.take(Batch(messages=[again.dead(message, why)]))
                lot.counts["dead"] += 1
        others = [message for message in lot.batch.messages if id(message) not in known_messages]
        self.store.take(Batch(messages=others, unknown=lot.batch.unknown, samples=lot.batch.samples))
        return late

    def _open(self, lot: Lot) -> None:
        """Open the channels that devices may have but did not, and take again what lacked them."""
        quantities = set(
            Quantity.objects.filter(pk__in={quantity for *_, quantity in lot.wanted}).values_list("pk", flat=True)
        )
        rows = [
            Datastream(device_id=device, channel=channel, quantity_id=quantity)
            for device, channel, quantity in sorted(lot.wanted)
            if quantity in quantities and device in lot.known.by_id and channel not in lot.known.by_id[device].channels
        ]
        if not rows:
            return
        Datastream.objects.bulk_create(rows, ignore_conflicts=True)
        fresh = self._renew()
        self.store.renew(fresh)
        first = datetime.fromtimestamp(min(message.received_ms for message in lot.messages) / 1000, UTC)
        for device in {row.device_id for row in rows}:
            of = lot.known.by_id[device]
            letters = RawMessage.objects.filter(
                DEAD, protocol=of.protocol, address=of.address, received_at__gte=first - timedelta(seconds=1),
                reason__startswith=NOT_A_CHANNEL,
            )  # fmt: skip
            again.take(self.store, letters, at=timezone.now())

    # -- the database, which may be away --------------------------------------------------------------------------
    def _insist(self, act: Callable[[], Any]) -> Any:
        """Return what an act gives once the database is there; None when the process ends meanwhile."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                return act()
            except AWAY as error:
                logger.warning("gateway: the database is away, again in %.1f s: %s", pause_s, str(error).strip())
                self._reconnect()
                self.away()
                if self.given_up.wait(pause_s):
                    return None
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    def _try(self, act: Callable[[], Any]) -> None:
        """Do what may be left undone."""
        try:
            act()
        except DatabaseError:
            logger.exception("gateway: %s", self.label)
            self._reconnect()
        except InterfaceError:
            self._reconnect()

    def _reconnect(self) -> None:
        try:
            connection.close()
        except (DatabaseError, InterfaceError):
            connection.connection = None

    # -- between lots -----------------------------------------------------------------------------------------------
    def _begin(self) -> None:
        today = timezone.localdate()
        partitions.make(today - timedelta(days=1), today + timedelta(days=partitions.AHEAD_DAYS))
        self._listen()
        self.read_at = time.monotonic()
        self.store = Store(known.read())
        self.renewed(self.store.known)
        self._try(self._say)

    def _renew(self) -> known.Known:
        self.read_at = time.monotonic()
        fresh = known.read()
        self.renewed(fresh)
        return fresh

    def _listen(self) -> None:
        connection.ensure_connection()
        if self.listening is not connection.connection:
            with connection.cursor() as cursor:
                cursor.execute(f"LISTEN {known.CHANGED}")
            self.listening = connection.connection

    def _is_told(self) -> bool:
        """Hear what was told since: latched rules that begin anew do so at once; of anything else, that it changed."""
        self._listen()
        with connection.wrap_database_errors:
            self.listening.poll()
        told = [one.payload for one in self.listening.notifies]
        self.listening.notifies.clear()
        resets = [words for words in told if words.startswith(known.RESET)]
        for words in resets:
            self.store.known.reset(words)
        return len(told) > len(resets)

    def _look_around(self) -> None:
        now = time.monotonic()
        if now - self.looked_at > STEP_S:  # also under load, and no more often
            self.looked_at = now
            self._try(lambda: self._renew() if self._is_told() or now - self.read_at > RENEW_S else None)
        if now - self.said_at > SAY_S:
            self._try(self._say)

    def _say(self) -> None:
        self.said_at, at = time.monotonic(), timezone.now()
        GatewayProcess.objects.update_or_create(
            name=self.label,
            defaults={
                "started_at": self.started_at, "at": at, "figures": self.figures(), "ports": dict(settings.INTAKE_PORTS),
            },
        )  # fmt: skip
        GatewayProcess.objects.filter(at__lt=at - timedelta(days=1)).delete()
