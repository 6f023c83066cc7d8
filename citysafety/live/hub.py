"""The hub: one a process. Hears the relay once, tells every socket.

Each frame is encoded once an area and handed to each client there; positions tell what is missing, and what is
missing is read from the outbox, whatever Redis did.
"""

import asyncio
import contextlib
import logging
import time
import weakref
from collections import defaultdict

from django.utils import timezone
from prometheus_client import Counter, Gauge

from citysafety.areas import lineage
from citysafety.outbox import selectors as outbox
from citysafety.tallies import selectors as tallies
from citysafety.version import version

from . import bus, door, frames, presence
from .client import Client
from .frames import Batch, Presence
from .threads import Threads

HEARTBEAT_S = 15.0
TALLY_S = 1.0
RIGHTS_S = 3.0  # a change is followed within this and one query
TICK_S = 1.0
SILENT_S = 10.0  # two beats of the relay missed

logger = logging.getLogger(__name__)
SOCKETS = Gauge("citysafety_live_sockets", "Open sockets of this process")
CLOSED = Counter("citysafety_live_closed", "Sockets closed by us", ["code"])
_hubs: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, "Hub"] = weakref.WeakKeyDictionary()


def hub_here() -> "Hub":
    """Return the hub of the running event loop, the one of the process."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]


class Hub:
    """Keeps ``head``: every fact up to it has been handed to the clients."""

    def __init__(self) -> None:
        self.areas: dict[str, set[Client]] = defaultdict(set)
        self.clients: set[Client] = set()
        self.threads = Threads()
        self.head = 0
        self.relay = "ok"
        self.idle_since: str | None = None
        self._figures: dict[str, dict] = {}
        self._beaten = time.monotonic()
        self._bus_up = False
        self._turn = asyncio.Lock()  # one delivery at a time, in order
        self._stirred = asyncio.Event()
        self._tasks: list[asyncio.Task] = []
        self._starting = asyncio.Lock()

    # -- life ------------------------------------------------------------------------------------
    async def start(self) -> None:
        """Take the head from the database and begin to listen; once."""
        async with self._starting:
            if self._tasks:
                return
            self.head = (await self.threads.run(outbox.head)).position
            loops = (self._hear, self._watch, self._count, self._guard)
            self._tasks = [asyncio.ensure_future(self._forever(loop)) for loop in loops]

    async def stop(self) -> None:
        """End the loops and close what they hold."""
        running = set(self._tasks)
        while running:  # more than once: Redis' client may take a cancellation for its own timeout
            for task in running:
                task.cancel()
            _, running = await asyncio.wait(running, timeout=1)
        await self.threads.close()
        _hubs.pop(asyncio.get_running_loop(), None)

    async def _forever(self, loop) -> None:
        while True:
            try:
                await loop()
            except asyncio.CancelledError:
                raise
            except Exception as error:
                logger.warning("live: %s: %s: %s", loop.__name__, type(error).__name__, error)
                await asyncio.sleep(TICK_S)

    # -- clients ---------------------------------------------------------------------------------
    def add(self, client: Client) -> None:
        self.clients.add(client)
        self.areas[client.area].add(client)
        SOCKETS.set(len(self.clients))

    def drop(self, client: Client) -> None:
        self.clients.discard(client)
        self.areas[client.area].discard(client)
        if not self.areas[client.area]:
            del self.areas[client.area]
            self._figures.pop(client.area, None)
        SOCKETS.set(len(self.clients))

    async def see_off(self, client: Client) -> None:
        """A console whose line ended has no case open, unless it is back on another line already."""
        page = client.guest.page
        if page and not any(other.guest.page == page for other in self.clients):
            await self.threads.run(presence.leave, client.guest.user_id, page)

    async def bring_up(self, client: Client) -> None:
        """Give a new client what it missed since its ``after``, then let it hear. It was added before: no gap."""
        after = client.guest.after
        if after is None:
            client.release(self.head)
        else:
            try:
                last, entries = await self.threads.run(outbox.entries_after, after, client.area)
            except (outbox.PositionGone, ValueError):
                client.offer(frames.reset(self.head))
                client.release(self.head)
            else:
                for frame in frames.backfill(frames.rows_of(entries), to=last):
                    client.offer(frame)
                client.release(last)
        client.offer(self._heartbeat(client.position))
        if client.guest.page:
            people = await self.threads.run(presence.here, client.area)
            client.offer(frames.presence([presence.item(entry, here=True) for entry in people]))
        self._stirred.set()

    def _show(self, news: Presence) -> None:
        """Tell the consoles whose area covers a case who came to it or left it; nobody else."""
        frame = frames.presence([news.item])
        for code in lineage(news.area):
            for client in list(self.areas.get(code, ())):
                if client.guest.page and client.is_ready:
                    client.offer(frame)

    # -- facts -----------------------------------------------------------------------------------
    async def _hear(self) -> None:
        """Listen to the bus; whatever it lost is caught up by position."""
        heard = time.monotonic()
        try:
            async with contextlib.aclosing(bus.messages()) as messages:
                async for message in messages:
                    heard = heard if message is None else time.monotonic()
                    if not self._bus_up:
                        self._bus_up = True
                        await self.catch_up()
                    if isinstance(message, Batch):
                        await self._take(message)
                    elif isinstance(message, Presence):
                        self._show(message)
                    elif message is not None:
                        self._beaten = time.monotonic()
                        if message > self.head:
                            await self.catch_up()
                    elif time.monotonic() - heard > 2 * SILENT_S:
                        raise ConnectionError("nothing heard; the line may be half open")
        finally:
            self._bus_up = False

    async def _take(self, batch: Batch) -> None:
        async with self._turn:
            if batch.last <= self.head:
                return
            if batch.first <= self.head + 1:
                self._deliver(batch)
                return
        await self.catch_up()

    async def catch_up(self) -> None:
        """Deliver from the database what the bus did not bring; too much of it: let the screens load afresh."""
        async with self._turn:
            try:
                last, entries = await self.threads.run(outbox.entries_after, self.head)
            except (outbox.PositionGone, ValueError):
                self.head = (await self.threads.run(outbox.head)).position
                for client in list(self.clients):
                    client.position = self.head
                    client.offer(frames.reset(self.head))
                self._stirred.set()
                return
            if last > self.head:
                self._deliver(Batch(self.head + 1, last, frames.rows_of(entries)))

    def _deliver(self, batch: Batch) -> None:
        rows = defaultdict(list)
        for row in batch.rows:
            area, *extra = row[1]
            for code in (*lineage(area), *extra):
                if code in self.areas:
                    rows[code].append(row)
        for code, heard in rows.items():
            frame = frames.facts(batch.last, heard)
            for client in list(self.areas[code]):
                client.hear(batch, heard, frame)
        self.head = batch.last
        self._stirred.set()

    # -- figures ---------------------------------------------------------------------------------
    async def _count(self) -> None:
        """Send an area's figures when they changed, once a second at most; one query for all areas."""
        await self._stirred.wait()
        self._stirred.clear()
        areas = [area for area in self.areas if area]
        if areas:
            boards = await self.threads.run(tallies.boards, areas)
            await self._reach(next(iter(boards.values())).position)
            for area, board in boards.items():
                self._send_board(area, board)
        await asyncio.sleep(TALLY_S)

    def _send_board(self, area: str, board: tallies.Board) -> None:
        frame = frames.tally(board.position, area, board.as_of.isoformat(), board.figures)
        changed = self._figures.get(area) != board.figures
        for client in list(self.areas.get(area, ())):
            if client.is_ready and (changed or client.wants_tally):
                client.wants_tally = False
                client.offer(frame)
        if area in self.areas:
            self._figures[area] = board.figures

    async def _reach(self, position: int) -> None:
        """Wait until the facts behind figures have gone out, so that no frame runs ahead of the facts."""
        for _ in range(10):
            if self.head >= position:
                return
            await asyncio.sleep(0.03)
        await self.catch_up()

    # -- heartbeat and rights --------------------------------------------------------------------
    async def _watch(self) -> None:
        """Once a second: read the database where the bus is down or silent; say what is wrong, and heartbeats."""
        told = time.monotonic()
        while True:
            await asyncio.sleep(TICK_S)
            relay = await self._state_of_relay()
            if relay != self.relay or time.monotonic() - told >= HEARTBEAT_S:
                told, self.relay = time.monotonic(), relay
                await self._look_for_idleness()
                frame = self._heartbeat(self.head)
                for client in list(self.clients):
                    if client.is_ready:
                        client.offer(frame)

    def _heartbeat(self, position: int) -> frames.Frame:
        return frames.heartbeat(position, timezone.now().isoformat(), self.relay, version(), self.idle_since)

    async def _look_for_idleness(self) -> None:
        """Learn whether beat and workers are silent, while anybody hears it; what was known stays where nobody answers."""
        if not self.clients:
            self.idle_since = None
            return
        try:
            since = (await self.threads.run(outbox.head)).idle_since(timezone.now())
        except Exception as error:
            logger.warning("live: the database does not answer: %s", error)
            return
        self.idle_since = since.isoformat() if since else None

    async def _state_of_relay(self) -> str:
        overdue = time.monotonic() - self._beaten > SILENT_S
        if self._bus_up and not overdue:
            return "ok"
        if not self.clients:
            return self.relay
        try:
            await self.catch_up()
            silent_s = (await self.threads.run(outbox.head)).silent_s
        except Exception as error:
            logger.warning("live: the database does not answer: %s", error)
            return "silent" if overdue else "ok"
        return "silent" if silent_s is None or silent_s > SILENT_S else "slow"

    async def _guard(self) -> None:
        """Close the sockets of those whose rights, token or session changed."""
        await asyncio.sleep(RIGHTS_S)
        if not self.clients:
            return
        gone = await self.threads.run(door.gone, {client.guest for client in self.clients})
        for client in list(self.clients):
            if client.guest in gone:
                CLOSED.labels(door.RIGHTS_CHANGED).inc()
                client.close(door.RIGHTS_CHANGED)
