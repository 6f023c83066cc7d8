"""One socket as the hub sees it: a bounded way out."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from typing import Any

from . import frames
from .door import TOO_SLOW, Guest
from .frames import Batch, Row
from .wire import Frame, Wire

MOST_FRAMES = 200
MOST_CHARACTERS = 1_000_000
LAST_WORD_S = 5.0

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Rest:
    """What is left of a coroutine that was started by hand and had to wait."""

    def __init__(self, begun: Any, waits_for: Any) -> None:
        self.begun, self.waits_for = begun, waits_for

    def __await__(self) -> Generator[Any, Any, Any]:
        yield self.waits_for
        return (yield from self.begun.__await__())


class Client:
    """A socket. Frames go out in order; who does not read them is closed with 1013 and comes back by position.

    ``position``: every fact of the area up to it has been offered. Until :meth:`release` batches are held back.
    """

    def __init__(self, send: Send, guest: Guest) -> None:
        self.guest = guest
        self.area = guest.area
        self.position = 0
        self.wants_tally = True
        self.is_ready = False
        self.is_closed = False
        self.closed = asyncio.Event()
        self._send, self._wire = send, Wire.behind(send)
        self._held: list[tuple[Batch, list[Row]]] = []
        self._backlog: deque[Frame] = deque()
        self._waiting_characters = 0
        self._sender: asyncio.Task | None = None
        self._closer: asyncio.Task | None = None

    def hear(self, batch: Batch, rows: list[Row], frame: Frame) -> None:
        """Take a batch of the hub: hold it while backfilling, leave out what the backfill had."""
        if not self.is_ready:
            self._held.append((batch, rows))
            if len(self._held) > MOST_FRAMES:
                self.close(TOO_SLOW)
        elif batch.first > self.position:
            self.position = batch.last
            self.offer(frame)
        elif batch.last > self.position:
            rows = [row for row in rows if row[0] > self.position]
            self.position = batch.last
            if rows:
                self.offer(frames.facts(batch.last, rows))

    def release(self, position: int) -> None:
        """Stand at a position, everything up to it having been offered, and take what was held back since."""
        self.position, self.is_ready = position, True
        for batch, rows in self._held:
            self.hear(batch, rows, frames.facts(batch.last, rows))
        self._held.clear()

    def offer(self, frame: Frame) -> None:
        """Send a frame, at once when the socket takes it, else in turn."""
        if self.is_closed:
            return
        if self._sender is not None:
            self._backlog.append(frame)
            self._waiting_characters += len(frame)
            if len(self._backlog) > MOST_FRAMES or self._waiting_characters > MOST_CHARACTERS:
                self.close(TOO_SLOW)
            return
        if self._wire is not None and self._wire.takes(frame):
            return
        # A task for each frame and client would cost more than the sending: the server's send() is run by hand,
        # and only where it has to wait for a slow socket a task takes over.
        sending = self._send({"type": "websocket.send", "text": frame})
        try:
            waits_for = sending.send(None)
        except StopIteration:
            return
        except Exception:  # the other side has gone; its disconnect message is on the way
            self._give_up()
            return
        self._sender = asyncio.ensure_future(self._drain(Rest(sending, waits_for)))

    async def _drain(self, rest: Rest) -> None:
        try:
            await rest
            while self._backlog:
                frame = self._backlog.popleft()
                self._waiting_characters -= len(frame)
                await self._send({"type": "websocket.send", "text": frame})
        except Exception:
            self._give_up()
        finally:
            self._sender = None

    def close(self, code: int) -> None:
        """Close with a code; what waits is dropped."""
        if self.is_closed:
            return
        self.is_closed = True
        if self._sender is not None:
            self._sender.cancel()
        self._closer = asyncio.ensure_future(self._say_last(code))

    async def _say_last(self, code: int) -> None:
        try:
            await asyncio.wait_for(self._send({"type": "websocket.close", "code": code}), LAST_WORD_S)
        except Exception:  # a socket that takes nothing takes no farewell either
            pass
        finally:
            self._give_up()

    def _give_up(self) -> None:
        self.is_closed = True
        self._backlog.clear()
        self._held.clear()
        self.closed.set()
