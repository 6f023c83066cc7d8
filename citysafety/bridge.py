"""From the event loop to the lasting threads and back, with one hand-over each way (ADR 0006).

a2wsgi hands over each piece of a body and of an answer by itself, and a thread waits for the loop at each. Here the
loop has read the body before a thread begins, so that a slow upload holds none, and sends the answer when it is made.
"""

import asyncio
import contextvars
import io
from collections.abc import Iterable
from typing import Any

from a2wsgi import WSGIMiddleware
from a2wsgi.wsgi import build_environ

LONGEST_BODY = 16 * 1024 * 1024  # bytes taken before a thread begins: more than any request of ours may have
HELD = 512 * 1024  # bytes of an answer that are held; a longer one goes out in parts, as fast as the reader takes it

Head = tuple[str, list[tuple[str, str]]]


class Threads(WSGIMiddleware):
    """A WSGI application in threads of its own, as an ASGI application."""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not _is_short(scope):
            await super().__call__(scope, receive, send)  # read piece by piece, so that the application may refuse it
            return
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        loop = asyncio.get_running_loop()
        environ = build_environ(scope, io.BytesIO(body))  # type: ignore[arg-type]  # read as a stream, as ours is

        def part(head: Head | None, body: bytes) -> None:
            asyncio.run_coroutine_threadsafe(_send(send, head, body, more=True), loop).result()

        run = contextvars.copy_context().run
        head, rest = await loop.run_in_executor(self.executor, run, _answer, self.app, environ, part)
        await _send(send, head, rest, more=False)


def _is_short(scope: dict[str, Any]) -> bool:
    """Test whether a body may be taken whole: it says how long it is, or there is none."""
    given = dict(scope["headers"])
    if b"transfer-encoding" in given:
        return False
    length = given.get(b"content-length", b"0")
    return length.isdigit() and int(length) <= LONGEST_BODY


def _answer(app: Any, environ: dict[str, Any], part: Any) -> tuple[Head | None, bytes]:
    """Run the application; return the head, None once it was sent, and what is left of the answer."""
    said: list[Head] = []
    answer: Iterable[bytes] = app(environ, lambda status, headers, error=None: said.append((status, headers)))
    try:
        held: list[bytes] = []
        size, sent = 0, False
        for chunk in answer:
            held.append(chunk)
            size += len(chunk)
            if size > HELD:
                part(None if sent else said[-1], b"".join(held))
                held, size, sent = [], 0, True
        return None if sent else said[-1], b"".join(held)
    finally:
        getattr(answer, "close", lambda: None)()


async def _send(send: Any, head: Head | None, body: bytes, *, more: bool) -> None:
    if head is not None:
        status, headers = head
        spelled = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await send({"type": "http.response.start", "status": int(status[:3]), "headers": spelled})
    await send({"type": "http.response.body", "body": body, "more_body": more})
