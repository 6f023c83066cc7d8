"""A lean HTTP client: so many connections, each asking again as soon as it has its answer."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import cycle, islice

import uvloop

from .figures import Turn, percentile

GAP, LENGTH = b"\r\n\r\n", b"content-length:"


def request(method: str, path: str, *, body: bytes = b"", headers: Iterable[str] = ()) -> bytes:
    """Return the bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json", *headers]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Line(asyncio.Protocol):
    """One kept connection."""

    def __init__(self, crowd: "Crowd") -> None:
        self.crowd, self.seen, self.left, self.asked_at = crowd, b"", 0, 0.0
        self.over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def ask(self) -> None:
        asked = self.crowd.next()
        if asked is None:
            self.transport.close()
            self.end()
            return
        self.asked_at = time.perf_counter()
        self.transport.write(asked)

    def data_received(self, data: bytes) -> None:
        """Read the head and count the rest: what asks shares its processors with what answers."""
        if self.left:
            self.left -= len(data)
        else:
            data = self.seen + data
            end = data.find(GAP)
            if end < 0:
                self.seen = data
                return
            self.seen = b""
            begins = data.find(LENGTH, 0, end)
            if begins < 0:
                begins = data[:end].lower().find(LENGTH)
            if begins < 0:
                self.crowd.wrong += 1  # nothing that we measure answers in chunks
                self.transport.abort()
                return
            length = int(data[begins + len(LENGTH) : data.find(b"\r", begins)])
            self.crowd.received += length
            self.left = length - (len(data) - end - len(GAP))
            if data[9:10] != b"2":
                self.crowd.wrong += 1
                self.crowd.said = self.crowd.said or data[:600]
        if self.left <= 0:
            self.left = 0
            self.crowd.took.append(time.perf_counter() - self.asked_at)
            self.ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.over.done():
            self.crowd.wrong += 1
            self.end()

    def end(self) -> None:
        if not self.over.done():
            self.over.set_result(None)


class Crowd:
    """All connections of a run: what is left to ask and what came of it."""

    def __init__(self, asked: Iterator[bytes], seconds: float | None) -> None:
        self.asked, self.seconds = asked, seconds
        self.took: list[float] = []
        self.wrong, self.received, self.said = 0, 0, b""

    def next(self) -> bytes | None:
        if self.seconds is not None and time.perf_counter() - self.began > self.seconds:
            return None
        return next(self.asked, None)

    async def run(self, ports: Sequence[int], connections: int) -> None:
        loop = asyncio.get_running_loop()
        made = [
            await loop.create_connection(lambda: Line(self), "127.0.0.1", port)
            for port in islice(cycle(ports), connections)
        ]
        self.began = time.perf_counter()  # the connections stand: what is measured is answers
        for _transport, line in made:
            line.ask()
        await asyncio.gather(*(line.over for _transport, line in made))
        self.lasted = time.perf_counter() - self.began


def run(asked: Iterable[bytes], ports: Sequence[int], *, connections: int, seconds: float | None = None) -> Crowd:
    """Ask until the requests or the seconds are over, the connections shared evenly among the ports."""
    crowd = Crowd(iter(asked), seconds)
    uvloop.run(crowd.run(ports, connections))
    if crowd.said:
        with suppress(UnicodeDecodeError):
            print(f"    first wrong answer: {crowd.said.decode()}")
    return crowd


def rate(crowd: Crowd) -> Turn:
    """Return answers a second, with the times they took beside it."""
    beside = {"p50 ms": 1000 * percentile(crowd.took, 0.5), "p99 ms": 1000 * percentile(crowd.took, 0.99)}
    return Turn(len(crowd.took) / crowd.lasted, crowd.wrong + (not crowd.took), beside)


def delay(crowd: Crowd) -> Turn:
    """Return the median time of an answer in milliseconds."""
    return Turn(
        1000 * percentile(crowd.took, 0.5),
        crowd.wrong + (not crowd.took),
        {"p95 ms": 1000 * percentile(crowd.took, 0.95)},
    )
