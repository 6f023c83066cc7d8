"""From the commit of a change to the last of a thousand screens, and to the pixels of a wall in Chromium."""

import asyncio
import base64
import contextlib
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import uvloop

from . import browser, city, servers
from .figures import Report, Turn, Verdict, at_most, in_turns, percentile
from .filing import places

SCREENS, CHANGES, PAUSE_S = 1000, 40, 0.2
PATIENCE_S = 10
PING, PONG = 9, 10
# In the page, before anything of it runs: when a row of the live list was first there to be seen.
WATCH = """
window.seen = {};
new MutationObserver(() => {
  for (const row of document.querySelectorAll('#live li[data-id]')) {
    const id = row.dataset.id;
    if (id in window.seen) continue;
    window.seen[id] = null;
    requestAnimationFrame(() => requestAnimationFrame(() => {
      window.seen[id] = (performance.timeOrigin + performance.now()) / 1000;
    }));
  }
}).observe(document, { childList: true, subtree: true });
"""


class Screens:
    """A thousand sockets of one kind, in a thread of their own; tells when the last of them heard of a hazard."""

    def __init__(self, port: int, header: str) -> None:
        self.port, self.header = port, header
        self.wanted, self.heard, self.last = b"", 0, 0.0
        self.open, self.lost = 0, 0
        self.complete, self.ready = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=lambda: uvloop.run(self._run()), daemon=True)

    def listen_for(self, wanted: str) -> None:
        self.complete.clear()
        self.heard, self.wanted = 0, wanted.encode()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        self.end = asyncio.Event()
        self.stop = lambda: loop.call_soon_threadsafe(self.end.set)
        lines = []
        for _ in range(SCREENS):
            line, _protocol = await loop.create_connection(lambda: Screen(self), "127.0.0.1", self.port)
            lines.append(line)
        while self.open < SCREENS and not self.lost:
            await asyncio.sleep(0.05)
        await asyncio.sleep(2)  # greetings and first figures are over
        self.ready.set()
        await self.end.wait()
        for line in lines:
            line.abort()


class Screen(asyncio.Protocol):
    """One socket: text is looked through, not taken apart; a ping is answered, as the server drops whoever is silent."""

    def __init__(self, screens: Screens) -> None:
        self.screens, self.greeted, self.rest, self.done = screens, False, b"", b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            "GET /ws/live/ HTTP/1.1", f"Host: 127.0.0.1:{self.screens.port}", "Upgrade: websocket",
            "Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", self.screens.header,
        ]  # fmt: skip
        transport.write("\r\n".join([*lines, "", ""]).encode())

    def data_received(self, data: bytes) -> None:
        self.rest += data
        if not self.greeted:
            head, end, self.rest = self.rest.partition(b"\r\n\r\n")
            if not end:
                self.rest = head
                return
            self.greeted = True
            self.screens.open += head.startswith(b"HTTP/1.1 101")
        while (found := frame_of(self.rest)) is not None:
            kind, payload, self.rest = found
            if kind == PING:
                self.transport.write(bytes([0x80 | PONG, 0x80 | len(payload), 0, 0, 0, 0]) + payload)
            elif self.screens.wanted and self.done != self.screens.wanted and self.screens.wanted in payload:
                self.done = self.screens.wanted
                self.screens.heard += 1
                if self.screens.heard == SCREENS:
                    self.screens.last = time.time()
                    self.screens.complete.set()

    def connection_lost(self, error: Exception | None) -> None:
        self.screens.lost += 1


def frame_of(data: bytes) -> tuple[int, bytes, bytes] | None:
    """Return kind and payload of the first frame that a server sent, and what follows it; None until it is whole (RFC 6455, 5.2)."""
    if len(data) < 2:
        return None
    size, start = data[1], 2
    if size >= 126:
        start = 4 if size == 126 else 10
        size = int.from_bytes(data[2:start], "big")
    if len(data) < start + size:
        return None
    return data[0] & 0x0F, data[start : start + size], data[start + size :]


@contextlib.contextmanager
def screens(port: int, header: str) -> Iterator[Screens]:
    crowd = Screens(port, header)
    crowd.thread.start()
    if not crowd.ready.wait(60):
        raise RuntimeError(f"{crowd.open} of {SCREENS} sockets opened")
    try:
        yield crowd
    finally:
        crowd.stop()
        crowd.thread.join(10)


def filer(points: list[tuple[float, float]], matters: list[str]) -> Callable[[str], float]:
    """Return what files a hazard and tells when its commit was begun."""
    from django.contrib.auth import get_user_model  # noqa: PLC0415  models are ready now
    from django.db import transaction  # noqa: PLC0415

    from hazards.services import report_hazard  # noqa: PLC0415
    from hazards.services.reporting import Filing  # noqa: PLC0415

    worker = get_user_model().objects.get(username=city.accounts("grid_worker")[0]["username"])

    def file(claimed: str) -> float:
        at, n = datetime.now(UTC), hash(claimed)
        (lon, lat), matter = points[n % len(points)], matters[n % len(matters)]
        filing = Filing(
            id=uuid.UUID(claimed), matter=matter, description="", lon=lon, lat=lat, accuracy_m=8.0, occurred_at=at
        )
        with transaction.atomic():
            report_hazard(filing=filing, reporter=worker, at=at)
            return time.time()

    return file


def run() -> Report:
    """File one hazard after the other; a turn's value is what 95 of 100 changes did not exceed."""
    city.start_django()
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(city.copy_of("bench_screen"))
        city.use(database)
        stack.callback(city.use, city.PREPARED)
        env = {"DATABASE_URL": city.address(database)}
        matters = city.values(
            city.ask(database, "SELECT code FROM grid_matter WHERE active AND severity = 'general' LIMIT 20")
        )
        # In a thread of its own: Django refuses the browser's, where an event loop runs.
        hand = stack.enter_context(ThreadPoolExecutor(1))
        file = filer(places(database), matters)
        signed_in = browser.cookie("operator")
        chromium = stack.enter_context(browser.chromium())
        [port] = stack.enter_context(servers.web(1, env=env))
        stack.enter_context(servers.relay(env))
        base = f"http://127.0.0.1:{port}"
        wall = stack.enter_context(browser.page(chromium, base, signed_in))
        wall.add_init_script(WATCH)
        wall.goto(f"{base}/wall/")
        wall.wait_for_selector("html[data-truth=live]", state="attached")
        wall.wait_for_selector("#map[data-map=ready]", state="attached")
        crowd = stack.enter_context(screens(port, city.token("operator")))

        def turn(took: Callable[[str, float], float | None]) -> Turn:
            times, late = [], 0
            for _ in range(CHANGES):
                claimed = str(uuid.uuid4())
                crowd.listen_for(claimed)
                found = took(claimed, hand.submit(file, claimed).result())
                times, late = ([*times, 1000 * found], late) if found is not None else (times, late + 1)
                time.sleep(PAUSE_S)
            return Turn(
                percentile(times, 0.95), late, {"p50 ms": percentile(times, 0.5), "longest ms": max(times, default=0)}
            )

        def to_sockets(claimed: str, committed: float) -> float | None:
            return crowd.last - committed if crowd.complete.wait(PATIENCE_S) else None

        def to_pixels(claimed: str, committed: float) -> float | None:
            until = time.time() + PATIENCE_S
            while time.time() < until:
                if seen := wall.evaluate("id => window.seen[id]", claimed):
                    return seen - committed
                time.sleep(0.02)
            return None

        sides = in_turns(
            {
                "last of 1,000 screens, p95": ("ms", lambda: turn(to_sockets)),
                "pixels of a wall, p95": ("ms", lambda: turn(to_pixels)),
            }
        )
    sockets, pixels = sides.values()
    return Report(
        f"From before the commit of a hazard to {SCREENS:,} signed-in sockets of one web process that show the city, and to"
        f" two frames after its row stands on a wall in Chromium beside them; 3 turns of {CHANGES} changes",
        [sockets, pixels],
        [
            Verdict(sockets, None, at_most(1000, "ms"), at_most(150, "ms")),
            Verdict(pixels, None, at_most(1000, "ms"), at_most(300, "ms")),
        ],
        ["the wall draws its map with the processor: no graphics card; it shares both cores with all the rest"],
    )
