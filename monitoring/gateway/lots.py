"""A lot: what came within a few milliseconds, with the snapshot it was read by and the answers that wait for its commit."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from hashlib import blake2b
from typing import Any, Protocol

from ..known import Known, KnownDevice
from ..storing import GOOD, Batch, Message

LONGEST_KEPT = 1 << 20  # bytes of a message that are kept
NOT_A_CHANNEL = "no channel "  # how the reason of a dead letter begins that lacks channels
NAN = float("nan")


class Line(Protocol):
    """Whom an answer goes to."""

    peer: str

    def send(self, data: bytes) -> None: ...

    def hang_up(self, reason: str) -> None: ...


@dataclass(slots=True, eq=False)
class Lot:
    """Messages that are stored in one transaction."""

    known: Known
    keeps_raw: bool = False  # bytes of what was taken are kept too
    batch: Batch = field(default_factory=Batch)
    answers: list[tuple[Line, bytes, str]] = field(default_factory=list)  # and why to hang up afterwards, if at all
    messages: list[Message] = field(default_factory=list)  # all, for the case that they must be taken one by one
    wanted: set[tuple[int, str, str]] = field(default_factory=set)  # device, channel, quantity: to be opened
    counts: Counter[str] = field(default_factory=Counter)
    size: int = 0

    @property
    def many(self) -> int:
        """Return how many messages of any kind it holds."""
        return self.counts["messages"] + self.counts["unknown"] + self.counts["damaged"]

    def letter(
        self, protocol: str, device: KnownDevice, line: Line, received: int, data: bytes, *, keep: bool = False
    ) -> "Letter":
        """Begin a message of a device that is known; ``keep``: nothing but its bytes says what it says."""
        message = Message(protocol, device.address, line.peer, received, data[:LONGEST_KEPT])
        self.messages.append(message)
        self.counts["messages"] += 1
        self.size += len(data)
        if keep or device.options.get("raw", self.keeps_raw):
            self.batch.messages.append(message)
        self.batch.seen[device.id] = (received, -1)
        return Letter(self, device, message)

    def meet(self, protocol: str, address: str, received: int, data: bytes) -> None:
        """Count a message of an address that no device has."""
        self.batch.meet(protocol, clean(address)[:64], received, data)
        self.counts["unknown"] += 1
        self.size += len(data)

    def damaged(
        self, protocol: str, device: KnownDevice | None, line: Line, received: int, data: bytes, why: str
    ) -> None:
        """Keep bytes that are no message, if they came from where a device speaks; of others they are only counted."""
        self.counts["damaged"] += 1
        self.size += len(data)
        if device is not None:
            self.batch.messages.append(Message(protocol, device.address, line.peer, received, data[:4096], clean(why)))
            self.counts["dead"] += 1

    def answer(self, line: Line, data: bytes | None, *, hang_up: str = "") -> None:
        """Answer once everything of this lot is stored."""
        if data is not None:
            self.answers.append((line, data, hang_up))


@dataclass(slots=True)
class Letter:
    """One message of a known device on its way into a lot."""

    lot: Lot
    device: KnownDevice
    message: Message
    missing: list[str] = field(default_factory=list)

    def value(
        self, channel: str, quantity: str, at: datetime | None, value: float, *, quality: int = GOOD,
        afterwards: bool = False, optional: bool = False,
    ) -> None:  # fmt: skip
        """Add a reading; a channel that the device does not have is told by :meth:`end`, unless it is optional."""
        known = self.device.channels.get(channel)
        if known is None:
            if not optional:
                self._miss(channel, quantity)
            return
        received = self.message.received_ms
        self.lot.batch.read(
            known.place, received if at is None else ms_of(at), value * known.factor + known.offset, received,
            quality=quality, afterwards=afterwards,
        )  # fmt: skip
        self.lot.counts["readings"] += 1

    def _miss(self, channel: str, quantity: str) -> None:
        if any(fnmatchcase(channel, pattern) for pattern in self.device.options.get("ignore_channels", ())):
            return
        if self.device.options.get("open_channels"):
            self.lot.wanted.add((self.device.id, channel, quantity))
        self.missing.append(channel)

    def fix(
        self, sent: bytes, at: datetime | None, place: tuple[float, float] | None, *, speed_kmh: float | None,
        course: float | None, flags: int, alarms: int, afterwards: bool = False,
    ) -> None:  # fmt: skip
        """Add a position: lon and lat in WGS 84, or none while the device has none."""
        received = self.message.received_ms
        lon, lat = place or (NAN, NAN)
        self.lot.batch.fixes.append((
            self.device.id, received if at is None else ms_of(at), digest(sent), lon, lat,
            NAN if speed_kmh is None else speed_kmh, -1 if course is None else int(course) % 360, flags, alarms,
            received, afterwards,
        ))  # fmt: skip
        self.lot.counts["fixes"] += 1

    def say(self, **more: Any) -> None:
        """Note what a device says of itself, such as the name of a ship."""
        self.lot.batch.more.setdefault(self.device.id, {}).update(more)

    def refuse(self, reason: str) -> None:
        """Keep the message as one that could not be taken, or not whole: a dead letter."""
        if not self.message.reason:
            if not any(one is self.message for one in self.lot.batch.messages[-1:]):
                self.lot.batch.messages.append(self.message)
            self.message.reason = clean(reason)[:200]
            self.lot.counts["dead"] += 1

    def end(self) -> None:
        """Tell which channels the device does not have."""
        if self.missing:
            self.refuse(NOT_A_CHANNEL + ", ".join(sorted(set(self.missing))))


def clean(words: str) -> str:
    """Return words as PostgreSQL takes them."""
    return words.replace("\0", "").encode("utf-8", "replace").decode()


def ms_of(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def digest(sent: bytes) -> int:
    """Return a number of 64 bits that tells apart what was sent: a repeat has the same."""
    return int.from_bytes(blake2b(sent, digest_size=8).digest(), "big", signed=True)
