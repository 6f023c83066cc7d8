"""In front of the pages: a tile is given again from memory, in the event loop, to whoever was let in a moment ago.

The view decides who is let in and what a tile is; this only repeats its answers. An address holds its grid version, so
an answer is never old; who signs out, or loses a right, is asked for again within ``TRUST_S``, as with sockets.
"""

import time
from collections import OrderedDict
from typing import Any

TRUST_S = 3.0
MOST_BYTES = 64 * 1024 * 1024
MOST_GUESTS = 10_000
OF_ONE_REQUEST = (b"x-request-id",)  # not repeated to others


class KeptTiles:
    """An ASGI application around the one that makes tiles."""

    def __init__(self, pages: Any) -> None:
        self.pages = pages
        self.answers: OrderedDict[tuple, list[dict[str, Any]]] = OrderedDict()
        self.bytes = 0
        self.trusted: dict[tuple, float] = {}

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer from memory where tile and guest are known; else let the pages answer, and remember it."""
        # With a query a guest may be let in by the query: only who shows a key or a cookie is known again.
        guest = tuple(value for name, value in scope["headers"] if name in (b"authorization", b"cookie"))
        if not scope["path"].startswith("/tiles/") or scope["method"] != "GET" or scope["query_string"] or not guest:
            await self.pages(scope, receive, send)
            return
        version = scope["path"].split("/", 3)[2]
        encodings = tuple(value for name, value in scope["headers"] if name == b"accept-encoding")
        guest, tile = (version, *guest), (scope["path"], encodings)
        if tile in self.answers and self.trusted.get(guest, 0.0) > time.monotonic():
            self.answers.move_to_end(tile)
            for message in self.answers[tile]:
                await send(message)
            return
        said: list[dict[str, Any]] = []

        async def hear(message: dict[str, Any]) -> None:
            said.append(message)
            await send(message)

        await self.pages(scope, receive, hear)
        self._remember(tile, guest, said)

    def _remember(self, tile: tuple, guest: tuple, said: list[dict[str, Any]]) -> None:
        start = said[0] if said else {"status": 0}
        if start["status"] != 200 or any(name.lower() == b"set-cookie" for name, _value in start["headers"]):
            self.trusted.pop(guest, None)
            return
        if len(self.trusted) >= MOST_GUESTS:
            self.trusted.clear()
        self.trusted[guest] = time.monotonic() + TRUST_S
        headers = [pair for pair in start["headers"] if pair[0].lower() not in OF_ONE_REQUEST]
        self._drop(tile)
        self.answers[tile] = [{**start, "headers": headers}, *said[1:]]
        self.bytes += _size(said)
        while self.bytes > MOST_BYTES:
            self._drop(next(iter(self.answers)))

    def _drop(self, tile: tuple) -> None:
        self.bytes -= _size(self.answers.pop(tile, []))


def _size(messages: list[dict[str, Any]]) -> int:
    return sum(len(message.get("body", b"")) for message in messages)
