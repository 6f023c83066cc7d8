"""Connections and datagrams: who speaks, how much, since when; who says too much or nothing is hung up on."""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .talks import opener

if TYPE_CHECKING:
    from .server import Gateway

FLOOD = "flood"
BURST_S = 10  # after a silence a device may say at once what it may say in so long
MOST_UNREAD = 1 << 18  # bytes of answers that a device has not read
MOST_PEERS = 20_000  # of one UDP port


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may do."""

    idle_s: float
    messages_s: float
    bytes_s: float


class Flow:
    """A bucket of messages and one of bytes, filled by the clock."""

    def __init__(self, limits: Limits, now: float) -> None:
        self.limits, self.at = limits, now
        self.messages, self.bytes = BURST_S * limits.messages_s, BURST_S * limits.bytes_s

    def passes(self, messages: int, size: int, now: float) -> bool:
        """Take from both buckets; return whether there was enough in them."""
        passed, self.at = now - self.at, now
        limits = self.limits
        self.messages = _poured(self.messages, passed * limits.messages_s, BURST_S * limits.messages_s, messages)
        self.bytes = _poured(self.bytes, passed * limits.bytes_s, BURST_S * limits.bytes_s, size)
        return self.messages >= 0 and self.bytes >= 0


def _poured(there: float, comes: float, most: float, goes: float) -> float:
    """Return what is in a bucket afterwards; a debt is never more than what it holds."""
    return max(min(there + comes, most) - goes, -most)


class Connection(asyncio.Protocol):
    """One TCP connection."""

    def __init__(self, gateway: "Gateway", protocol: str) -> None:
        self.gateway, self.protocol = gateway, protocol
        self.bad = 0
        self.is_over = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        host, port = (transport.get_extra_info("peername") or ("?", 0))[:2]
        self.peer = f"{host}:{port}"
        self.heard = time.monotonic()
        self.talk = opener(self.protocol)(self, False)
        self.flow = Flow(self.gateway.limits[self.protocol], self.heard)
        self.gateway.enter(self)

    def data_received(self, data: bytes) -> None:
        if not self.is_over:
            self.gateway.hear(self, data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_over = True
        self.gateway.leave(self)

    def send(self, data: bytes) -> None:
        if self.is_over or self.transport.is_closing():
            return
        if self.transport.get_write_buffer_size() > MOST_UNREAD:
            self.hang_up("does not read")
            return
        self.transport.write(data)

    def hang_up(self, reason: str) -> None:
        if not self.is_over:
            self.is_over = True
            self.gateway.counts[f"hung up: {reason}"] += 1
            self.transport.close()


class Peer:
    """Who sends datagrams from one address."""

    def __init__(self, port: "Datagrams", address: tuple, now: float) -> None:
        self.port, self.address, self.protocol = port, address, port.protocol
        self.peer = f"{address[0]}:{address[1]}"
        self.heard, self.bad = now, 0
        self.talk = opener(port.protocol)(self, False)
        self.flow = Flow(port.gateway.limits[port.protocol], now)

    def send(self, data: bytes) -> None:
        self.port.transport.sendto(data, self.address)

    def hang_up(self, reason: str) -> None:
        self.port.gateway.counts[f"hung up: {reason}"] += 1
        if reason != FLOOD:  # who comes back at once must not find its buckets full
            self.port.peers.pop(self.address, None)


class Datagrams(asyncio.DatagramProtocol):
    """One UDP port: each datagram holds whole messages."""

    def __init__(self, gateway: "Gateway", protocol: str) -> None:
        self.gateway, self.protocol = gateway, protocol
        self.peers: OrderedDict[tuple, Peer] = OrderedDict()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple) -> None:
        if self.gateway.is_paused:  # nobody can be asked to wait; who wants an answer sends again
            self.gateway.counts["datagrams without room"] += 1
            return
        peer = self.peers.get(addr)
        if peer is None:
            peer = self.peers[addr] = Peer(self, addr, time.monotonic())
            if len(self.peers) > MOST_PEERS:
                self.peers.popitem(last=False)
        self.peers.move_to_end(addr)
        self.gateway.hear(peer, data, is_whole=True)

    def error_received(self, exc: Exception) -> None:
        self.gateway.counts["datagrams not delivered"] += 1
