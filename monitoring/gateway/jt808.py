"""Vehicles: JT/T 808 messages to positions and readings, and the answers that terminals wait for.

Channels, where a vehicle has them: ``speed`` (km/h), ``mileage`` (km), ``fuel`` (L), ``alarms`` and ``status`` (bits).
Active safety (T/JSATL 12) is events: ``adas``, ``dsm``, ``tyres``, ``bsd`` with the number of what was seen, 0 at its end.
"""

import hmac
import time
from typing import Any

from django.conf import settings

from citysafety.coordinates import BadPosition, wgs84_from_gcj02

from ..intake import jt808
from ..intake.jt808 import Position, safety
from ..intake.jt808.framing import Header
from ..intake.wire import Malformed
from ..known import KnownDevice
from .lots import Letter, Line, Lot, clean

NAME = "jt808"
DONE, FAILED, BAD = 0, 1, 2  # results of 0x8001
NO_SUCH_VEHICLE, NO_SUCH_TERMINAL = 2, 4  # of 0x8100
EVENTS = {safety.ASSISTANCE: "adas", safety.DRIVER: "dsm", safety.TYRES: "tyres", safety.BLIND_SPOT: "bsd"}
ENDS = 2  # state of an event
MEDIA = 0x0801


def code_of(device: KnownDevice) -> str:
    """Return the code by which a terminal is let in: the one of its options, or one that only we can work out."""
    if given := device.options.get("auth_code"):
        return str(given)
    return hmac.new(settings.SECRET_KEY.encode(), f"jt808:{device.address}".encode(), "sha256").hexdigest()[:12]


class Talk:
    """One connection; as a rule of one terminal. Before its code was right, nothing of it is taken."""

    def __init__(self, line: Line, trusted: bool = False) -> None:
        self.line, self.trusted = line, trusted
        self.splitter, self.joiner = jt808.Splitter(), jt808.Joiner()
        self.device: KnownDevice | None = None
        self.let_in: set[str] = set()
        self.serial = 0

    def hear(self, data: bytes, received: int, lot: Lot) -> int:
        frames = self.splitter.feed(data)
        for frame in frames:
            try:
                if isinstance(frame, Malformed):
                    raise frame
                message = jt808.decode(frame)
                if message.header.is_part:
                    joined = self.joiner.feed(message.header, message.raw, time.monotonic())
                    if joined is None:
                        continue
                    message = jt808.whole(*joined)
                    frame = b"".join(  # as it may be taken again
                        jt808.frames(
                            message.header.msg_id, message.raw, jt808.terminal_of(message.header), message.header.serial
                        )
                    )
                self._take(message, frame, received, lot)
            except Malformed as error:
                said = data if isinstance(frame, Malformed) else frame
                lot.damaged(NAME, self.device, self.line, received, said, str(error))
        return len(frames)

    def tick(self, received: int, lot: Lot) -> list[bytes]:
        return [
            jt808.encode_resend(one.terminal, self._next(), one.resend.serial, one.resend.numbers)
            for one in self.joiner.missing(time.monotonic())
        ]

    def close(self, received: int, lot: Lot) -> None:
        """Nothing is left of a stream that ends: a frame without its end is sent again."""

    def _next(self) -> int:
        self.serial = (self.serial + 1) % 0x10000
        return self.serial

    def _take(self, message: jt808.Message, frame: bytes, received: int, lot: Lot) -> None:
        header = message.header
        self.device = device = lot.known.find(NAME, header.phone)
        if device is None:
            lot.meet(NAME, header.phone, received, frame)
            if isinstance(message.body, jt808.Registration):
                lot.answer(self.line, jt808.encode_registered(header, self._next(), NO_SUCH_TERMINAL))
            return
        if isinstance(message.body, jt808.Registration):
            self._register(message.body, header, device, received, frame, lot)
        elif isinstance(message.body, jt808.Authentication):
            self._let_in(message.body, header, device, received, frame, lot)
        elif not self._is_in(device):
            lot.counts["not let in"] += 1
            lot.answer(self.line, jt808.encode_answer(header, self._next(), FAILED))
        else:
            self._store(message, frame, device, received, lot)

    def _register(
        self, said: jt808.Registration, header: Header, device: KnownDevice, received: int, frame: bytes, lot: Lot
    ) -> None:
        """Give a terminal its code; where options name its plate or its own number, to no other."""
        letter = lot.letter(NAME, device, self.line, received, frame, keep=True)
        result = DONE
        if device.options.get("terminal_id", said.terminal_id) != said.terminal_id:
            result = NO_SUCH_TERMINAL
        elif device.options.get("plate", said.plate) != said.plate:
            result = NO_SUCH_VEHICLE
        if result == DONE:
            letter.say(plate=clean(said.plate), model=clean(said.model))
        else:
            letter.refuse(f"registered as another: plate {said.plate}, terminal {said.terminal_id}")
        lot.answer(self.line, jt808.encode_registered(header, self._next(), result, code_of(device)))

    def _is_in(self, device: KnownDevice) -> bool:
        return self.trusted or device.address in self.let_in or device.options.get("auth") is False

    def _let_in(
        self, said: jt808.Authentication, header: Header, device: KnownDevice, received: int, frame: bytes, lot: Lot
    ) -> None:
        is_right = hmac.compare_digest(said.code.encode(), code_of(device).encode())
        if is_right:
            self.let_in.add(device.address)
            lot.letter(NAME, device, self.line, received, frame)
        else:
            lot.counts["wrong code"] += 1
        result = DONE if is_right else FAILED
        lot.answer(
            self.line, jt808.encode_answer(header, self._next(), result), hang_up="" if is_right else "wrong code"
        )

    def _store(self, message: jt808.Message, frame: bytes, device: KnownDevice, received: int, lot: Lot) -> None:
        header, body = message.header, message.body
        is_read = isinstance(body, jt808.Position | jt808.Batch | jt808.Found | jt808.Empty | jt808.Answer)
        letter = lot.letter(NAME, device, self.line, received, frame, keep=not is_read)
        result = DONE
        match body:
            case jt808.Position():
                place(letter, body, message.raw)
            case jt808.Found():
                place(letter, body.position, message.raw[2:])
            case jt808.Batch():
                for one in body.positions:
                    place(letter, one, jt808.position.encode(one), afterwards=body.is_late)
            case jt808.Unread(error=str(why)):
                letter.refuse(why)
                result = BAD
        letter.end()
        if isinstance(body, jt808.Answer):
            return
        if header.msg_id == MEDIA and len(message.raw) >= 4:
            media = int.from_bytes(message.raw[:4], "big")
            lot.answer(self.line, jt808.encode_media_answer(header, self._next(), media))
            return
        lot.answer(self.line, jt808.encode_answer(header, self._next(), result))


def place(letter: Letter, said: Position, sent: bytes, *, afterwards: bool = False) -> None:
    """Lay one position into a lot, with the channels that the vehicle has."""
    at = said.time
    letter.fix(
        sent, at, where(said), speed_kmh=said.speed / 10, course=said.course, flags=said.status, alarms=said.alarm,
        afterwards=afterwards,
    )  # fmt: skip
    channels = letter.device.channels
    if channels:
        values: dict[str, Any] = {"alarms": said.alarm, "status": said.status, "speed": said.speed / 10}
        if "mileage" in channels or "fuel" in channels:
            values |= {name: number / 10 for name, number in _items(said).items()}
        for name, number in values.items():
            letter.value(name, name, at, number, afterwards=afterwards, optional=True)
    if said.tail:
        for event in said.safety():
            seen = sum(1 << n for n in range(16) if any(tyre.kinds >> n & 1 for tyre in event.tyres)) or event.kind or 0
            channel = EVENTS[event.item]
            letter.value(channel, channel, event.time or at, 0 if event.state == ENDS else seen, afterwards=afterwards)


def _items(said: Position) -> dict[str, int]:
    values = {"mileage": said.item(0x01), "fuel": said.item(0x02)}
    sizes = {"mileage": 4, "fuel": 2}
    return {
        name: int.from_bytes(value, "big")
        for name, value in values.items()
        if value is not None and len(value) == sizes[name]
    }


def where(said: Position) -> tuple[float, float] | None:
    """Return lon and lat in WGS 84; None while the terminal has not located."""
    if not said.located or said.lon is None or said.lat is None:
        return None
    if not said.shifted:
        return said.lon, said.lat
    try:
        return wgs84_from_gcj02(said.lon, said.lat)
    except BadPosition:
        return None
