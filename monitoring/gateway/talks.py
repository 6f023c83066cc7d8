"""What a conversation with devices is, and which module holds that of each protocol."""

from collections.abc import Callable
from typing import Any, Protocol

from ..known import KnownDevice
from .lots import Line, Lot

DAMAGED_AT_MOST = 50  # in a row: who speaks something else is hung up on


class Talk(Protocol):
    """One connection's conversation: bytes in, rows and answers into a lot."""

    device: KnownDevice | None  # who spoke last, as far as it is known
    splitter: Any

    def hear(self, data: bytes, received: int, lot: Lot) -> int:
        """Take bytes up; return how many messages were whole now."""
        ...

    def tick(self, received: int, lot: Lot) -> list[bytes]:
        """Return what to ask the device for now; called every few seconds."""
        ...

    def close(self, received: int, lot: Lot) -> None:
        """Take what the end of the stream, or of a datagram, leaves."""
        ...


Opener = Callable[[Line, bool], Talk]  # trusted: bytes that were let in before, taken again


def opener(protocol: str) -> Opener:
    """Return how to begin a conversation of a protocol."""
    from . import ais, gb26875, hj212, jt808, jt809  # noqa: PLC0415  they import this module

    talks: dict[str, Opener] = {
        "jt808": jt808.Talk,
        "jt809": jt809.Talk,
        "hj212": hj212.Talk,
        "gb26875": gb26875.Talk,
        "ais": ais.Talk,
    }
    return talks[protocol]
