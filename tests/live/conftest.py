"""A real site for sockets: uvicorn, Redis, PostgreSQL, and the relay in a thread."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from channels.routing import URLRouter
from django.db import connection, transaction
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from citysafety.accounts.models import User
from citysafety.accounts.tokens import issue
from citysafety.live.bus import Publisher
from citysafety.live.hub import hub_here
from citysafety.live.routing import websocket_urlpatterns
from citysafety.outbox.relay import Relay
from citysafety.outbox.services import announce_all
from citysafety.tallies.services import fold
from tests.factories import make_city
from tests.running import RedisServer
from tests.tallies.conftest import probes  # noqa: F401
from tests.tallies.probes import ProbeMoved

CELL = "370502001001001"


@pytest.fixture
def redis_server(settings) -> Iterator[RedisServer]:
    server = RedisServer()
    settings.LIVE_REDIS_URL = server.address
    yield server
    server.end()


class RunningRelay:
    """The relay in a thread of the test, folding probes and pushing to the screens."""

    def __init__(self) -> None:
        bus = Publisher()
        self.relay = Relay(listen={}, project=[fold], city="3705", push=bus.push, tell=bus.tell)
        self.thread = threading.Thread(target=self.relay.run)
        self.thread.start()

    def stop(self) -> None:
        self.relay.stop.set()
        self.thread.join()


@pytest.fixture
def relay(transactional_db, redis_server) -> Iterator[RunningRelay]:
    """The relay at work; ``stop()`` silences it."""
    running = RunningRelay()
    yield running
    running.stop()


class Site:
    """One web process: its sockets at ``address``, its hub."""

    def __init__(self) -> None:
        config = uvicorn.Config(
            self.application, host="127.0.0.1", port=0, log_level="error", lifespan="off", interface="asgi3",
            ws_per_message_deflate=False, ws_max_size=16384, timeout_graceful_shutdown=1,
        )  # fmt: skip
        self.hub = self.loop = None
        self.server = uvicorn.Server(config)
        self.routes = URLRouter(websocket_urlpatterns)
        self.thread = threading.Thread(target=lambda: asyncio.run(self.server.serve()))
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        self.port = self.server.servers[0].sockets[0].getsockname()[1]
        self.address = f"ws://127.0.0.1:{self.port}/ws/live/"

    async def application(self, scope, receive, send) -> None:
        self.loop, self.hub = asyncio.get_running_loop(), hub_here()
        await self.routes(scope, receive, send)

    def stop(self) -> None:
        if self.hub is not None:
            asyncio.run_coroutine_threadsafe(self.hub.stop(), self.loop).result(10)
        self.server.should_exit = True
        self.thread.join()


@pytest.fixture
def site(transactional_db, redis_server, probes) -> Iterator[Site]:  # noqa: F811
    make_city()  # its areas may be asked for
    running = Site()
    yield running
    running.stop()


def someone(username: str = "operator", area: str = "3705", role: str = "operator") -> User:
    return User.objects.create(username=username, role=role, area_code=area)


@pytest.fixture
def token(transactional_db) -> str:
    return issue(someone(), "test")


@contextmanager
def screen(site: Site, token: str | None = None, query: str = "", **headers: str) -> Iterator[ClientConnection]:
    """Open a socket; with a token as programs do, or with the headers given."""
    sent = {name.title(): value for name, value in headers.items()}
    if token:
        sent["Authorization"] = f"Token {token}"
    with connect(site.address + query, additional_headers=sent, max_size=None, compression=None) as socket:
        yield socket


def frame(socket: ClientConnection, kind: str, timeout: float = 5) -> dict:
    """Return the next frame of a kind; others are passed over."""
    until = time.monotonic() + timeout
    while (left := until - time.monotonic()) > 0:
        found = json.loads(socket.recv(left))
        if found["type"] == kind:
            return found
    raise TimeoutError(kind)


def frames_for(socket: ClientConnection, seconds: float) -> list[dict]:
    """Return all frames of some seconds."""
    got, until = [], time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        try:
            got.append(json.loads(socket.recv(left)))
        except TimeoutError:
            break
    return got


def close_code(socket: ClientConnection, timeout: float = 8) -> int:
    """Return the code the server closes with."""
    until = time.monotonic() + timeout
    with pytest.raises(ConnectionClosed) as closed:
        while (left := until - time.monotonic()) > 0:
            socket.recv(left)
    return closed.value.rcvd.code


def happen(*subjects: str, area: str = CELL) -> None:
    """Let probes move: announced and committed."""
    with transaction.atomic():
        announce_all(
            [ProbeMoved(area_code=area, subject_id=subject, state="open", lon=118.5, lat=37.4) for subject in subjects]
        )


def wait_until_dealt(position: int, timeout: float = 10) -> None:
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(max(position), 0) FROM outbox_head")
            if cursor.fetchone()[0] >= position:
                return
        time.sleep(0.02)
    raise AssertionError(f"position {position} was not dealt")
