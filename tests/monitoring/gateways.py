"""A gateway on real sockets and a real database, and devices that speak with it."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvloop
from django.utils import timezone

from monitoring import partitions
from monitoring.gateway.lines import Limits
from monitoring.gateway.server import Gateway
from monitoring.models import Datastream, Device, DeviceKind, Quantity, RiskField, System

PROTOCOLS = ("jt808", "jt809", "gb26875", "hj212", "ais")
GENEROUS = Limits(idle_s=600, messages_s=1e6, bytes_s=1e9)


class Running:
    """A gateway in a thread of its own."""

    def __init__(self, **more: Any) -> None:
        given: dict[str, Any] = {
            "host": "127.0.0.1", "ports": dict.fromkeys(PROTOCOLS, 0), "limits": dict.fromkeys(PROTOCOLS, GENEROUS),
        }  # fmt: skip
        self.gateway = Gateway(**(given | more))
        self.started, self.failed = threading.Event(), None
        self.thread = threading.Thread(target=uvloop.run, args=(self._run(),), daemon=True)
        self.thread.start()
        assert self.started.wait(30)
        if self.failed:
            raise self.failed

    async def _run(self) -> None:
        self.loop, self.ended = asyncio.get_running_loop(), asyncio.Event()
        try:
            await self.gateway.start()
        except Exception as error:
            self.failed = error
            self.started.set()
            return
        self.started.set()
        await self.ended.wait()
        await self.gateway.stop()

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.ended.set)
        self.thread.join(30)
        assert not self.thread.is_alive()

    def port(self, protocol: str) -> int:
        return self.gateway.ports[protocol]

    def line(self, protocol: str) -> "Caller":
        return Caller(self.port(protocol))


@contextmanager
def running(**more: Any) -> Iterator[Running]:
    gateway = Running(**more)
    try:
        yield gateway
    finally:
        gateway.stop()


class Caller:
    """A device at the other end of a connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)

    def say(self, *data: bytes) -> None:
        self.socket.sendall(b"".join(data))

    def hear(self, seconds: float = 10) -> bytes:
        """Return what comes next; nothing when nothing comes in time or the line is closed."""
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(1 << 16)
        except (TimeoutError, ConnectionError):
            return b""

    def hears(self, splitter: Any, many: int, seconds: float = 20) -> list[bytes]:
        """Return so many frames, as soon as they came."""
        frames: list[bytes] = []
        end = time.monotonic() + seconds
        while len(frames) < many:
            data = self.hear(max(end - time.monotonic(), 0.01))
            assert data, f"{len(frames)} of {many} answers came"
            frames += splitter.feed(data)
        return frames

    def is_hung_up(self, seconds: float = 10) -> bool:
        self.socket.settimeout(seconds)
        try:
            while self.socket.recv(1 << 16):
                pass
        except TimeoutError:
            return False
        except ConnectionError:
            return True
        return True

    def close(self) -> None:
        self.socket.close()


def device(protocol: str, address: str, *channels: str, **more: Any) -> Device:
    """Make a device with channels, each of a quantity of its own."""
    now = timezone.now()
    partitions.make(now.date(), now.date())
    system, _made = System.objects.get_or_create(code="things", defaults={"name_zh": "监测系统"})
    field, _made = RiskField.objects.get_or_create(code="things", defaults={"name_zh": "风险"})
    kind, _made = DeviceKind.objects.get_or_create(
        code="thing", defaults={"name_zh": "设备", "system": system, "field": field}
    )
    made = Device.objects.create(
        code=f"{protocol}-{address}", name_zh="设备", kind=kind, protocol=protocol, address=address, area_code="370502",
        registered_at=now, changed_at=now, **more,
    )  # fmt: skip
    for channel in channels:
        quantity, _made = Quantity.objects.get_or_create(code="any", defaults={"name_zh": "量"})
        Datastream.objects.create(device=made, quantity=quantity, channel=channel)
    return made
