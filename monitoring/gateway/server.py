"""A gateway process: its ports, its lots, and who is answered when."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..known import Known
from .keeper import Keeper
from .lines import FLOOD, Connection, Datagrams, Limits, Peer
from .lots import Lot
from .talks import DAMAGED_AT_MOST

logger = logging.getLogger(__name__)
STREAMS = ("jt808", "jt809", "gb26875", "hj212", "ais")
DATAGRAMS = ("jt808", "gb26875", "ais")
SEAL_S = 0.005  # what comes within so long is stored at once
MOST_IN_A_LOT = 5_000  # messages
MOST_BYTES_IN_A_LOT = 8 << 20
MOST_WAITING = 20_000  # messages, and bytes, that wait for the database before sockets are no longer read
MOST_WAITING_BYTES = 64 << 20
TICK_S = 5.0
END_S = 10.0  # how long what is there may take to be stored when the process ends


class PortTaken(Exception):
    """A port on which the gateway is to listen is not free; its words are for who starts it."""


class Gateway:
    """Everything of one process but its signals."""

    lot: Lot  # what comes now is laid into this one

    def __init__(
        self, *, host: str, ports: Mapping[str, int], limits: Mapping[str, Limits], keeps_raw: bool = False,
        most_lines: int = 20_000,
    ) -> None:  # fmt: skip
        self.host, self.ports, self.limits = host, dict(ports), limits
        self.keeps_raw, self.most_lines = keeps_raw, most_lines
        self.counts: Counter[str] = Counter()
        self.lines: set[Connection] = set()
        self.doors: list[asyncio.Server] = []
        self.datagrams: list[Datagrams] = []
        self.waiting: list[Lot] = []  # with the keeper, in their order
        self.is_paused = self.is_away = self.is_ending = False
        self.sealing: asyncio.TimerHandle | None = None
        self.lag_s = 0.0

    # -- begin and end ----------------------------------------------------------------------------------------------
    async def start(self) -> None:
        """Read what is known, then listen. :raises PortTaken: one port cannot be had."""
        self.loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[None] = self.loop.create_future()
        self.over: asyncio.Future[None] = self.loop.create_future()  # done when the keeper ended by itself
        self.keeper = Keeper(
            renewed=lambda known: self.loop.call_soon_threadsafe(self._renewed, known),
            taken=lambda lot, late: self.loop.call_soon_threadsafe(self._taken, lot, late),
            away=lambda: self.loop.call_soon_threadsafe(self._away),
            figures=self.figures,
            ended=lambda error: self.loop.call_soon_threadsafe(self._ended, error),
        )
        self.keeper.start()
        await self.ready
        try:
            for protocol in STREAMS:
                await self._listen(protocol)
        except OSError as error:
            await self.stop()
            raise PortTaken(
                f"Port {self.ports[protocol]} ({protocol}) of {self.host} is taken: {error.strerror}."
                f" Choose others: INTAKE_PORT_OFFSET=1000, or {protocol.upper()}_PORT=…"
            ) from error
        self.ticking = self.loop.create_task(self._tick())

    async def _listen(self, protocol: str) -> None:
        port = self.ports[protocol]
        door = await self.loop.create_server(
            lambda: Connection(self, protocol), self.host, port, reuse_port=True, backlog=1024
        )
        self.doors.append(door)
        self.ports[protocol] = door.sockets[0].getsockname()[1]  # the one that was given for 0
        if protocol in DATAGRAMS:
            _transport, datagrams = await self.loop.create_datagram_endpoint(
                lambda: Datagrams(self, protocol), local_addr=(self.host, self.ports[protocol]), reuse_port=True
            )
            self.datagrams.append(datagrams)

    async def stop(self) -> None:
        """Hear no more, store what was heard, answer, close."""
        self.is_ending = self.is_paused = True
        if hasattr(self, "ticking"):
            self.ticking.cancel()
        for door in self.doors:
            door.close()
        for line in self._open_lines():
            line.transport.pause_reading()
        if self.ready.done():
            self._seal()
        until = time.monotonic() + END_S
        while self.waiting and time.monotonic() < until:
            await asyncio.sleep(0.01)
        if self.waiting:
            logger.error("gateway: %d lots could not be stored; none of them was answered", len(self.waiting))
        for line in list(self.lines):
            line.transport.close()
        for datagrams in self.datagrams:
            datagrams.transport.close()
        self.keeper.given_up.set()
        self.keeper.lots.put(None)
        await self.loop.run_in_executor(None, self.keeper.join, END_S)

    # -- lines ------------------------------------------------------------------------------------------------------
    def enter(self, line: Connection) -> None:
        self.lines.add(line)
        if len(self.lines) > self.most_lines:
            line.hang_up("no room")
        elif self.is_paused:
            line.transport.pause_reading()

    def leave(self, line: Connection) -> None:
        self.lines.discard(line)
        if not self.is_ending:
            line.talk.close(time.time_ns() // 1_000_000, self.lot)
            self._touched()

    def hear(self, line: Connection | Peer, data: bytes, *, is_whole: bool = False) -> None:
        """Take up what a line says."""
        now, received, lot = time.monotonic(), time.time_ns() // 1_000_000, self.lot
        line.heard = now
        damaged = lot.counts["damaged"]
        if not line.flow.passes(0, len(data), now):
            line.hang_up(FLOOD)
            return
        try:
            many = line.talk.hear(data, received, lot)
            if is_whole:
                line.talk.close(received, lot)
                line.talk.splitter = type(line.talk.splitter)()  # a datagram is a stream of its own
        except Exception as error:  # no bytes may end the process; the device sends again what was not answered
            logger.exception("gateway: %s from %s", line.protocol, line.peer)
            lot.damaged(
                line.protocol, line.talk.device, line, received, data, f"could not be read: {type(error).__name__}"
            )
            line.hang_up("could not be read")
            many = 1
        else:
            if not line.flow.passes(many, 0, now):
                line.hang_up(FLOOD)
        bad = lot.counts["damaged"] - damaged
        line.bad = line.bad + bad if bad >= many else 0
        if line.bad > DAMAGED_AT_MOST:
            line.hang_up("speaks another protocol")
        self._touched()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            if not self.is_paused:
                self._look_after()

    def _look_after(self) -> None:
        """Hang up on who is silent; ask for what lacks."""
        now, received = time.monotonic(), time.time_ns() // 1_000_000
        peers: list[Connection | Peer] = [peer for datagrams in self.datagrams for peer in datagrams.peers.values()]
        for line in [*self.lines, *peers]:
            if now - line.heard > self.limits[line.protocol].idle_s:
                line.hang_up("silent")
                continue
            for question in line.talk.tick(received, self.lot):
                line.send(question)

    # -- lots -------------------------------------------------------------------------------------------------------
    def _touched(self) -> None:
        if self.lot.many >= MOST_IN_A_LOT or self.lot.size >= MOST_BYTES_IN_A_LOT:
            self._seal()
        elif self.sealing is None and not self.waiting:
            self.sealing = self.loop.call_later(SEAL_S, self._seal)

    def _seal(self) -> None:
        """Hand the lot over, if there is anything in it, and begin the next."""
        if self.sealing is not None:
            self.sealing.cancel()
            self.sealing = None
        lot = self.lot
        if lot.counts or lot.answers:
            self.lot = Lot(lot.known, self.keeps_raw)
            self.waiting.append(lot)
            self.keeper.lots.put(lot)
            if self._is_full():
                self._pause()

    def _is_full(self, share: float = 1.0) -> bool:
        return (
            sum(lot.many for lot in self.waiting) > MOST_WAITING * share
            or sum(lot.size for lot in self.waiting) > MOST_WAITING_BYTES * share
        )

    def _pause(self) -> None:
        if not self.is_paused:
            self.is_paused = True
            for line in self._open_lines():
                line.transport.pause_reading()

    def _resume(self) -> None:
        self.is_paused = False
        now = time.monotonic()
        for line in self._open_lines():
            line.heard = now
            line.transport.resume_reading()

    def _open_lines(self) -> list[Connection]:
        return [line for line in self.lines if not (line.is_over or line.transport.is_closing())]

    # -- from the keeper --------------------------------------------------------------------------------------------
    def _renewed(self, known: Known) -> None:
        """Read what comes from now on by a newer snapshot."""
        if not self.ready.done():
            self.lot = Lot(known, self.keeps_raw)
            self.ready.set_result(None)
            return
        self._seal()
        self.lot.known = known

    def _away(self) -> None:
        if self.ready.done():
            self.is_away = True
            self._pause()

    def _taken(self, lot: Lot, late: int) -> None:
        """Answer those whose messages are stored now."""
        self.waiting.remove(lot)
        self.is_away = False
        self.counts.update(lot.counts)
        self.counts["late"] += late
        self.counts["answers"] += len(lot.answers)
        if lot.messages:
            self.lag_s = time.time() - lot.messages[0].received_ms / 1000
        for line, data, reason in lot.answers:
            line.send(data)
            if reason:
                line.hang_up(reason)
        if self.is_paused and not self.is_ending and not self._is_full(0.5):
            self._resume()
        if not self.waiting:
            self._seal()

    def _ended(self, error: BaseException) -> None:
        for future in (self.ready, self.over):
            if not future.done():
                future.set_exception(error)

    def figures(self) -> dict[str, Any]:
        """Return the figures of this process since it began; read from the keeper's thread."""
        return {
            **dict(self.counts), "lines": len(self.lines), "waiting": sum(lot.many for lot in list(self.waiting)),
            "lag_s": round(self.lag_s, 3), "paused": self.is_paused,
        }  # fmt: skip
