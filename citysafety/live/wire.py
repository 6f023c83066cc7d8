"""Finished frames straight to a socket's transport: one frame is spelled once, whatever the number of screens (ADR 0012).

uvicorn's ``send`` spells a frame anew for each socket. Here the bytes are handed to the transport that it would hand
them to, in the same thread, so that both keep their order; where the transport is full its ``send`` takes over, waits
and is bounded as ever (``client.py``). Another server, or one that compresses, has its own way to spell frames.
"""

import struct
from functools import cached_property
from typing import Any, Self

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

TEXT = 0x81  # a whole message in one frame, text (RFC 6455, 5.2)


class Frame(str):
    """The text of a frame, with the bytes that it is on the wire."""

    @cached_property
    def wire(self) -> bytes:
        body = self.encode()
        length = len(body)
        if length < 126:
            head = struct.pack("!BB", TEXT, length)
        elif length < 1 << 16:
            head = struct.pack("!BBH", TEXT, 126, length)
        else:
            head = struct.pack("!BBQ", TEXT, 127, length)
        return head + body


class Wire:
    """The transport behind a socket."""

    def __init__(self, protocol: WebSocketsSansIOProtocol) -> None:
        self._protocol = protocol
        self._write, self._is_closing = protocol.transport.write, protocol.transport.is_closing

    @classmethod
    def behind(cls, send: Any) -> Self | None:
        """Return what stands behind an ASGI ``send``; None where it is another server's, or the socket compresses."""
        protocol = getattr(send, "__self__", None)
        if not isinstance(protocol, WebSocketsSansIOProtocol) or protocol.conn.extensions:
            return None
        return cls(protocol)

    def takes(self, frame: Frame) -> bool:
        """Hand over a frame; False where the socket is full, closing or gone: its ``send`` then says which."""
        protocol = self._protocol
        if protocol.close_sent or protocol.disconnected or self._is_closing() or not protocol.writable.is_set():
            return False
        self._write(frame.wire)
        return True
