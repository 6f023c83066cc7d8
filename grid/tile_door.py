"""Tiles in front of the pages: a map asks for dozens at once, and each is one look-up (ADR 0013).

Requests that come while one group is being answered make up the next: one statement asks for all of them who is signed
in, one which version is active, one makes what was not made before. What is not plainly a tile for somebody who is
signed in goes on to the pages, which say why.
"""

import asyncio
import logging
import re
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from http.cookies import CookieError, SimpleCookie
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.http.request import split_domain_port, validate_host
from prometheus_client import Counter

from citysafety.accounts.callers import Caller, caller_of, live_sessions
from citysafety.middleware import REQUEST_ID
from citysafety.pgline import Line

from . import tiles
from .tiles import FOR_EVER, TILE_TYPE, Asked, encoding_of

ADDRESS = re.compile(r"/tiles/(\d{1,9})/cells/(\d{1,2})/(\d{1,6})/(\d{1,6})\.mvt", re.ASCII)
GROUPS, MOST = 2, 32  # at work at once, and tiles in one of them
TURNS = 4  # of the loop in which those who were just answered ask again: one statement for all of them
PATIENCE_S = 0.02  # until a second group begins beside one that takes long: fewer groups ask for less
SERVED = Counter("citysafety_tiles", "Tiles served in front of the pages")
THREADS = ThreadPoolExecutor(GROUPS, thread_name_prefix="tiles")  # for what takes longer than a hand-over
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wish:
    """One request: who asks for what."""

    caller: Caller
    tile: Asked


class TileDoor:
    """An ASGI application that answers what it can, and hands on everything else."""

    def __init__(self, behind: Any) -> None:
        self._behind = behind
        self._lines = [Line(tiles.BEGIN) for _ in range(GROUPS)]  # those that are free
        self._waiting: list[tuple[Wish, asyncio.Future]] = []
        self._at_work: set[asyncio.Task] = set()
        self._groups = 0
        self._relief: asyncio.TimerHandle | None = None

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        wish, body = None, None
        if scope["type"] == "http" and scope["path"].startswith("/tiles/"):
            headers = dict(scope["headers"])
            wish = wish_of(scope, headers)
        if wish is not None:
            body = await self._answer(wish)
        if body is None:
            await self._behind(scope, receive, send)
            return
        SERVED.inc()
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        request_id = given if REQUEST_ID.match(given) else uuid.uuid4().hex
        said = [
            *constant_headers(wish.tile.encoding),
            (b"content-length", str(len(body)).encode()),
            (b"x-request-id", request_id.encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": said})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, wish: Wish) -> bytes | None:
        answered = asyncio.get_running_loop().create_future()
        self._waiting.append((wish, answered))
        if len(self._lines) == GROUPS:
            self._begin()
        elif self._lines and not self._relief:
            self._relief = asyncio.get_running_loop().call_later(PATIENCE_S, self._relieve, self._groups)
        return await answered

    def _begin(self) -> None:
        task = asyncio.create_task(self._work(self._lines.pop()))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)

    def _relieve(self, groups: int) -> None:
        """Let a second group begin, if the one that was at work still is."""
        self._relief = None
        if self._waiting and self._lines and self._groups == groups:
            self._begin()

    async def _work(self, line: Line) -> None:
        """Answer what waits, group after group."""
        expected = 1
        while self._waiting:
            for _turn in range(TURNS):
                if len(self._waiting) >= expected:
                    break
                await asyncio.sleep(0)
            if not self._waiting:  # the other line took them
                break
            group, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            expected = len(group)
            self._groups += 1
            bodies = await granted([wish for wish, _answered in group], line)
            for (_wish, answered), body in zip(group, bodies, strict=True):
                if not answered.done():
                    answered.set_result(body)
        self._lines.append(line)


async def granted(wishes: Sequence[Wish], line: Line) -> list[bytes | None]:
    """Return the tiles of those who are signed in and ask for what there is; None for all others. Queries: 1 where all
    come with tokens, else 3 or 4; packing and sessions go to threads.
    """
    sessions = {wish.caller for wish in wishes if wish.caller.session_key}
    steps = tiles.looking([wish.tile for wish in wishes], sorted({wish.caller.digest for wish in wishes} - {""}))
    try:
        known = await in_thread(_live, sessions) if sessions else set()
        rows = None
        while True:
            try:
                values = steps.send(rows)
            except StopIteration as end:
                look: tiles.Look = end.value
                break
            rows = await line.ask(tiles.EXECUTE, values)
        is_long = any(one.encoding for one in look.plain)
        found = await in_thread(look.packed) if is_long else look.packed()
    except Exception as error:
        logger.warning("tiles: %s: %s", type(error).__name__, error)
        return [None] * len(wishes)
    known |= {Caller(digest=digest) for digest in look.live}
    return [found.get(wish.tile) if wish.caller in known else None for wish in wishes]


async def in_thread(act: Callable[..., Any], *given: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(THREADS, act, *given)


def _live(callers: set[Caller]) -> set[Caller]:
    try:
        return live_sessions(callers)
    except DatabaseError:
        connection.close()  # it may have ended; the next group opens another
        raise


def wish_of(scope: dict[str, Any], headers: dict[bytes, bytes]) -> Wish | None:
    """Return what a request wants; None where the pages have to look at it."""
    place = ADDRESS.fullmatch(scope["path"])
    if place is None or scope["method"] != "GET" or scope["query_string"] or not is_our_host(headers.get(b"host", b"")):
        return None
    key = session_key(headers.get(b"cookie", b"")) if b"authorization" not in headers else ""
    caller = caller_of(headers.get(b"authorization", b"").decode("latin-1"), key)
    if caller is None:
        return None
    encoding = encoding_of(headers.get(b"accept-encoding", b"").decode("latin-1"))
    return Wish(caller, Asked(*map(int, place.groups()), encoding=encoding))


@lru_cache(maxsize=256)
def session_key(cookies: bytes) -> str:
    """Return the key of the session in a header of cookies, which a browser repeats letter by letter."""
    try:
        found = SimpleCookie(cookies.decode("latin-1")).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return ""
    return found.value if found else ""


@lru_cache(maxsize=64)
def is_our_host(host: bytes) -> bool:
    return validate_host(split_domain_port(host.decode("latin-1"))[0], settings.ALLOWED_HOSTS)


@lru_cache(maxsize=8)
def constant_headers(encoding: str) -> list[tuple[bytes, bytes]]:
    """Return what the middleware says of every answer, for one that no browser shows as a page."""
    said = {
        "content-type": TILE_TYPE,
        "cache-control": FOR_EVER,
        "vary": "Accept-Encoding",
        "x-content-type-options": "nosniff",
        "x-frame-options": settings.X_FRAME_OPTIONS,
        "referrer-policy": settings.SECURE_REFERRER_POLICY,
        "cross-origin-opener-policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    }
    if encoding:
        said["content-encoding"] = encoding
    if settings.SECURE_HSTS_SECONDS:
        said["strict-transport-security"] = f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains; preload"
    return [(name.encode(), value.encode()) for name, value in said.items()]
