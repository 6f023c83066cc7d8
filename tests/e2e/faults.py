"""Faults between a client and the site: answers lost after the commit, lines cut, lines that fall silent."""

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: close() sends RST


class Line:
    """One connection through the proxy. ``silent``: nothing passes any more in either direction, nobody is told."""

    def __init__(self, ours: asyncio.StreamWriter, theirs: asyncio.StreamWriter) -> None:
        self.ours, self.theirs = ours, theirs
        self.port = ours.get_extra_info("peername")[1]  # by which a client knows its line
        self.speaks = asyncio.Event()
        self.speaks.set()

    def reset(self) -> None:
        """Cut it with RST to both sides."""
        for writer in (self.ours, self.theirs):
            with suppress(OSError):
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()


class Proxy:
    """A TCP proxy of the tests' own, in a thread.

    ``lose``: the share of connections whose answer is lost. The request goes through, the server commits and begins
    to answer, and then the line is reset: before the first byte, or in the middle of the answer.
    """

    def __init__(self, port: int, *, lose: float = 0.0, seed: int = 1) -> None:
        self.target, self.lose, self.rnd = port, lose, random.Random(seed)
        self.lines: dict[int, Line] = {}
        self.lost = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, out = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:  # the server is down: so is the line
            writer.transport.abort()
            return
        line = Line(writer, out)
        self.lines[line.port] = line
        loses = self.rnd.random() < self.lose
        ways = [self._pump(line, reader, out, False), self._pump(line, there, writer, loses)]
        tasks = [asyncio.ensure_future(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            self.lines.pop(line.port, None)
            for one in (writer, out):
                one.close()

    async def _pump(self, line: Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, loses: bool) -> None:
        with suppress(OSError):
            while block := await reader.read(65536):
                await line.speaks.wait()
                if loses:
                    self.lost += 1
                    if self.rnd.random() < 0.5:
                        writer.write(block[: len(block) // 2])
                        await writer.drain()
                    line.reset()
                    return
                writer.write(block)
                await writer.drain()

    async def start(self) -> int:
        """Listen; return the port."""
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self.server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more and let go of every line."""
        self.server.close()
        waiting = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


@contextmanager
def losing_proxy(port: int, *, lose: float) -> Iterator[tuple[Proxy, int]]:
    """Run a proxy in a thread of its own; yield it and its port."""
    proxy, loop = Proxy(port, lose=lose), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield proxy, asyncio.run_coroutine_threadsafe(proxy.start(), loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(proxy.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
