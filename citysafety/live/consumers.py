"""The socket: lets in, hands to the hub, and waits for the end. A plain ASGI application.

Channels' consumer classes start a receive task and a layer channel a client, which costs twenty times
the fan-out (ADR 0005); this needs neither.
"""

import asyncio
import contextlib
from typing import Any

from . import door
from .client import Client
from .hub import CLOSED, hub_here

MOST_INBOUND = 20  # messages of a client in its life; we ask for none
POLICY = 1008


async def live(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve ``/ws/live/?area=&after=`` from handshake to close; see interfaces in docs/adr/0005."""
    await receive()  # websocket.connect
    hub = hub_here()
    try:
        guest = await hub.threads.run(door.welcome, scope["headers"], scope["query_string"])
    except door.Strange:
        await send({"type": "websocket.close"})  # before accept: HTTP 403
        return
    except door.Refused as refused:
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": refused.code})
        return
    await hub.start()
    await send({"type": "websocket.accept"})
    client = Client(send, guest)
    hub.add(client)
    try:
        await hub.bring_up(client)
        await _until_the_end(client, receive)
    finally:
        hub.drop(client)
        client.is_closed = True
        await hub.see_off(client)


async def _until_the_end(client: Client, receive: Any) -> None:
    """Return when the client leaves or we have closed it. What clients say is ignored; too much of it ends the talk."""
    listening = asyncio.ensure_future(_listen(client, receive))
    closed = asyncio.ensure_future(client.closed.wait())
    try:
        await asyncio.wait({listening, closed}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (listening, closed):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _listen(client: Client, receive: Any) -> None:
    for _ in range(MOST_INBOUND):
        if (await receive())["type"] == "websocket.disconnect":
            return
    CLOSED.labels(POLICY).inc()
    client.close(POLICY)
    await client.closed.wait()


async def nowhere(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Refuse a socket at any other address."""
    await receive()
    await send({"type": "websocket.close"})
