"""What the bodies of messages say, from terminals and to them: JT/T 808-2011, -2013 and -2019, clause 8.

A body that is not as the standard lays it out does not make its frame bad: it is told as `Unread`, with its bytes.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol

from monitoring.intake.jt808 import fields, position
from monitoring.intake.jt808.fields import Reader
from monitoring.intake.jt808.framing import Edition, Header
from monitoring.intake.jt808.position import Position
from monitoring.intake.wire import Malformed

PART_OF_2013, PART_OF_2019 = 37, 76  # bytes of a registration before plate or VIN
CATCH_UP = 1  # of a batch: positions from where there was no network; they raise no live alarm
CARD_IN, CARD_OUT = 1, 2


class Body(Protocol):
    def tell(self) -> dict[str, Any]: ...


class Empty(NamedTuple):
    """A heartbeat, a log-out, a question without a parameter."""

    def tell(self) -> dict[str, Any]:
        return {}


class Unread(NamedTuple):
    """Bytes that are kept as they are: of a message that is not read here, or of a body that is not as it should be."""

    data: bytes
    error: str | None = None

    def tell(self) -> dict[str, Any]:
        return {"hex": self.data.hex()} | ({"error": self.error} if self.error else {})


class Answer(NamedTuple):
    """0x0001 of a terminal, 0x8001 of a platform: 0 done, 1 failed, 2 bad message, 3 not supported, 4 alarm handled."""

    serial: int
    msg_id: int
    result: int

    def tell(self) -> dict[str, Any]:
        return {"serial": self.serial, "msg_id": f"0x{self.msg_id:04X}", "result": self.result}


class Registration(NamedTuple):
    """0x0100: who a terminal is and which vehicle it sits in."""

    province: int
    city: int
    maker: str
    model: str
    terminal_id: str
    colour: int  # of the plate; 0: no plate, and a VIN instead of its number
    plate: str
    edition: Edition = Edition.E2019

    def tell(self) -> dict[str, Any]:
        return {**self._asdict(), "edition": int(self.edition)}


class Registered(NamedTuple):
    """0x8100: 0 done, 1 the vehicle is registered, 2 no such vehicle, 3 the terminal is registered, 4 no such terminal."""

    serial: int
    result: int
    code: str = ""

    def tell(self) -> dict[str, Any]:
        return self._asdict()


class Authentication(NamedTuple):
    """0x0102: the code that 0x8100 gave; since 2019 with IMEI and version of the software."""

    code: str
    imei: str = ""
    software: str = ""

    def tell(self) -> dict[str, Any]:
        return self._asdict()


class Found(NamedTuple):
    """0x0201: the position that 0x8201 asked for."""

    serial: int
    position: Position

    def tell(self) -> dict[str, Any]:
        return {"serial": self.serial, "position": self.position.tell()}


class Batch(NamedTuple):
    """0x0704: several positions, as they were taken or later from where there was no network."""

    kind: int
    positions: tuple[Position, ...]

    @property
    def is_late(self) -> bool:
        return self.kind == CATCH_UP

    def tell(self) -> dict[str, Any]:
        return {
            "count": len(self.positions),
            "type": self.kind,
            "positions": [position.tell() for position in self.positions],
        }


class Waybill(NamedTuple):
    """0x0701: an electronic waybill, whose content the standard leaves free."""

    content: bytes

    @property
    def text(self) -> str:
        return fields.text(self.content)

    def tell(self) -> dict[str, Any]:
        return {"text": self.text, "hex": self.content.hex()}


class DriverCard(NamedTuple):
    """0x0702: who drives. 2011 knows no card: ``status`` is 0 and there is no time."""

    status: int  # 1 put in, 2 taken out
    time: datetime | None
    result: int = 0  # of reading the card: 0 read, 1 not authentic, 2 locked, 3 taken out, 4 bad data
    name: str = ""
    certificate: str = ""  # of the trade
    issuer: str = ""
    valid_to: date | None = None
    person: str = ""  # identity card: 2011 and 2019

    def tell(self) -> dict[str, Any]:
        return {
            **self._asdict(),
            "time": fields.told_moment(self.time),
            "valid_to": self.valid_to.isoformat() if self.valid_to else None,
        }


class Resend(NamedTuple):
    """0x8003, since 2019 also 0x0005: which sub-packages of a message did not come."""

    serial: int  # of the first sub-package
    numbers: tuple[int, ...]

    def tell(self) -> dict[str, Any]:
        return {"serial": self.serial, "numbers": list(self.numbers)}


class MediaAnswer(NamedTuple):
    """0x8800: media data came; with numbers: these sub-packages did not."""

    media_id: int
    numbers: tuple[int, ...] = ()

    def tell(self) -> dict[str, Any]:
        return {"media_id": self.media_id, "numbers": list(self.numbers)}


class Tracking(NamedTuple):
    """0x8202: send a position each so many seconds, for so many seconds; 0 ends it."""

    interval_s: int
    for_s: int = 0

    def tell(self) -> dict[str, Any]:
        return self._asdict()


class Text(NamedTuple):
    """0x8300: words for the driver."""

    flags: int  # bit 0 urgent, 2 shown, 3 read aloud (2013)
    words: str
    kind: int = 0  # since 2019: 1 notice, 2 service

    def tell(self) -> dict[str, Any]:
        return self._asdict()


class Parameters(NamedTuple):
    """0x8103: parameters to set, by their ids."""

    values: tuple[tuple[int, bytes], ...]

    def tell(self) -> dict[str, Any]:
        return {"parameters": {f"0x{key:04X}": value.hex() for key, value in self.values}}


def _empty(header: Header, body: bytes) -> Body:
    return Empty() if not body else Unread(body)


def _answer(header: Header, body: bytes) -> Body:
    reader = Reader(body)
    return Answer(reader.word(), reader.word(), reader.byte())


def _registration(header: Header, body: bytes) -> Body:
    if header.edition == Edition.E2019 and len(body) >= PART_OF_2019:
        edition, sizes = Edition.E2019, (11, 30, 30)
    elif len(body) >= PART_OF_2013:
        edition, sizes = Edition.E2013, (5, 20, 7)
    else:
        edition, sizes = Edition.E2011, (5, 8, 7)
    reader = Reader(body)
    province, city = reader.word(), reader.word()
    maker, model, terminal_id = (reader.text(size) for size in sizes)
    colour = reader.byte()
    return Registration(province, city, maker, model, terminal_id, colour, fields.text(reader.rest()), edition)


def _registered(header: Header, body: bytes) -> Body:
    reader = Reader(body)
    return Registered(reader.word(), reader.byte(), fields.text(reader.rest()))


def _authentication(header: Header, body: bytes) -> Body:
    if header.edition == Edition.E2019 and body and 1 + body[0] + 15 + 20 == len(body):
        reader = Reader(body)
        return Authentication(reader.text(reader.byte()), reader.text(15), reader.text(20))
    return Authentication(fields.text(body))


def _position(header: Header, body: bytes) -> Body:
    return position.decode(body)


def _found(header: Header, body: bytes) -> Body:
    reader = Reader(body)
    return Found(reader.word(), position.decode(reader.rest()))


def _batch(header: Header, body: bytes) -> Body:
    reader = Reader(body)
    count, kind = reader.word(), reader.byte()
    positions = tuple(position.decode(reader.take(reader.word())) for _ in range(count))
    reader.end()
    return Batch(kind, positions)


def _waybill(header: Header, body: bytes) -> Body:
    reader = Reader(body)
    content = reader.take(reader.dword())
    reader.end()
    return Waybill(content)


def _driver_card(header: Header, body: bytes) -> Body:
    for layout in (_card_of_2013, _card_of_2011):
        reader = Reader(body)
        try:
            card = layout(reader)
            reader.end()
            return card
        except Malformed:
            continue
    raise Malformed(f"{len(body)} bytes are no driver's card of 2011, 2013 or 2019")


def _card_of_2013(reader: Reader) -> DriverCard:
    status = reader.byte()
    if status not in (CARD_IN, CARD_OUT):
        raise Malformed(f"status {status}, expected 1 or 2")
    time = fields.moment(reader.take(6))
    if status == CARD_OUT and not len(reader):
        return DriverCard(status, time)
    result = reader.byte()
    if not len(reader):
        return DriverCard(status, time, result)  # a card that was not read has nothing more to say
    name = reader.text(reader.byte())
    certificate, issuer = reader.text(20), reader.text(reader.byte())
    valid_to = fields.day(reader.take(4))
    person = reader.text(20) if len(reader) else ""
    return DriverCard(status, time, result, name, certificate, issuer, valid_to, person)


def _card_of_2011(reader: Reader) -> DriverCard:
    name = reader.text(reader.byte())
    person, certificate = reader.text(20), reader.text(40)
    return DriverCard(0, None, 0, name, certificate, reader.text(reader.byte()), None, person)


def _resend(header: Header, body: bytes) -> Body:
    reader = Reader(body)
    serial = reader.word()
    count = reader.number(1 if len(reader) % 2 else 2)  # one byte of count in 2013, two in 2019
    numbers = tuple(reader.word() for _ in range(count))
    reader.end()
    return Resend(serial, numbers)


def _media_answer(header: Header, body: bytes) -> Body:
    reader = Reader(body)
    media_id = reader.dword()
    numbers = tuple(reader.word() for _ in range(reader.byte())) if len(reader) else ()
    return MediaAnswer(media_id, numbers)


def _tracking(header: Header, body: bytes) -> Body:
    reader = Reader(body)
    return Tracking(reader.word(), reader.dword() if len(reader) else 0)


def _text(header: Header, body: bytes) -> Body:
    reader = Reader(body)
    flags, kind = reader.byte(), reader.byte() if header.edition == Edition.E2019 else 0
    return Text(flags, fields.text(reader.rest()), kind)


def _parameters(header: Header, body: bytes) -> Body:
    reader = Reader(body)
    values = tuple((reader.dword(), reader.take(reader.byte())) for _ in range(reader.byte()))
    reader.end()
    return Parameters(values)


READERS: dict[int, Callable[[Header, bytes], Body]] = {
    0x0001: _answer,
    0x0002: _empty,
    0x0003: _empty,
    0x0005: _resend,
    0x0100: _registration,
    0x0102: _authentication,
    0x0200: _position,
    0x0201: _found,
    0x0701: _waybill,
    0x0702: _driver_card,
    0x0704: _batch,
    0x8001: _answer,
    0x8003: _resend,
    0x8100: _registered,
    0x8103: _parameters,
    0x8201: _empty,
    0x8202: _tracking,
    0x8300: _text,
    0x8800: _media_answer,
}


def read(header: Header, body: bytes) -> Body:
    """Return what a whole body says; `Unread` where it is not read here, encrypted, or not as it should be."""
    reader = READERS.get(header.msg_id)
    if reader is None or header.encrypted:
        return Unread(body)
    try:
        return reader(header, body)
    except Malformed as error:
        return Unread(body, str(error))
