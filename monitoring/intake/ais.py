"""AIS over NMEA 0183 (ITU-R M.1371-5 in sentences of IEC 61162-1): positions and names of ships, as a receiver passes them on.

A sentence is ``!AIVDM,total,number,sequence,channel,payload,fill*hh``, at times after a tag block ``\\s:station,c:time*hh\\``.
A message of more than one sentence is joined by `Parts`. The payload is read by pyais, positions in bulk by numpy
(`positions`) with equal results. Messages tell no time but a second: use the time of receipt.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import reduce
from operator import xor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyais.bit_vector import bit_vector
from pyais.encode import encode_dict
from pyais.exceptions import AISBaseException
from pyais.messages import MSG_CLASS

from .ais_words import DISTRESS, station_kind
from .wire import Malformed

LONGEST_LINE = 512  # bytes: a tag block, and more than the 82 characters of the standard, which receivers outgrow
PARTS_WAIT = 10.0  # seconds
MOST_OPEN = 1000  # messages whose parts are awaited
LAST_TYPE = 27  # M.1371-5 knows the types 1 to 27


# --- lines -----------------------------------------------------------------------------------------------------------


class Splitter:
    """Cuts a stream of bytes into lines. A datagram is a stream of its own: feed it, then `close`."""

    def __init__(self) -> None:
        self._held = b""
        self._skipping = False  # inside a line that is too long

    def feed(self, data: bytes) -> list[bytes | Malformed]:
        *lines, self._held = re.split(rb"[\r\n]", self._held + data)
        frames: list[bytes | Malformed] = []
        for line in lines:
            if not self._skipping:
                frames += self._frame(line)
            self._skipping = False
        if self._skipping:
            self._held = b""
        elif len(self._held) > LONGEST_LINE:
            frames += self._frame(self._held)
            self._held, self._skipping = b"", True
        return frames

    def close(self) -> list[bytes | Malformed]:
        """Return what stands without an end of line."""
        return self.feed(b"\n")

    @staticmethod
    def _frame(line: bytes) -> list[bytes | Malformed]:
        line = line.strip()
        if not line:
            return []
        if len(line) > LONGEST_LINE:
            return [Malformed(f"a line of more than {LONGEST_LINE} bytes: {line[:40]!r}…")]
        return [line]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, undamaged: its check sum was right."""

    talker: str
    total: int
    number: int
    sequence: str
    channel: str
    payload: bytes
    fill: int
    station: str | None = None  # who received it, from the tag block
    received: float | None = None  # when, in seconds since 1970, from the tag block


_SENTENCE = re.compile(
    rb"!(?P<talker>[A-Z]{2}VD[MO]),(?P<total>[1-9]),(?P<number>[1-9]),(?P<sequence>[0-9]{0,2}),"
    rb"(?P<channel>[A-Z0-9]?),(?P<payload>[0-W`-w]+),(?P<fill>[0-5])"
)
_TAGGED = re.compile(rb"\\(?P<tags>[^\\]*)\*(?P<check>[0-9A-Fa-f]{2})\\(?P<sentence>!.*)", re.DOTALL)
_MILLISECONDS_FROM = 10**11  # a time this large counts milliseconds: seconds reach it in the year 5138


def _check_sum(data: bytes) -> int:
    return reduce(xor, data, 0)


def read_sentence(line: bytes) -> Sentence:
    """Return the sentence that a line holds. :raises Malformed: it holds none, or a damaged one."""
    tags: dict[str, str] = {}
    if tagged := _TAGGED.fullmatch(line):
        if _check_sum(tagged["tags"]) == int(tagged["check"], 16):  # a damaged block does no harm to the sentence
            tags = _read_tags(tagged["tags"])
        line = tagged["sentence"]
    body, star, check = line[:-3], line[-3:-2], line[-2:]
    if not line.startswith(b"!") or star != b"*":
        raise Malformed(f"no AIS sentence !…*hh: {line[:82]!r}")
    if not re.fullmatch(rb"[0-9A-Fa-f]{2}", check) or int(check, 16) != _check_sum(body[1:]):
        raise Malformed(f"check sum {check.decode('latin-1')!r}, expected {_check_sum(body[1:]):02X}")
    found = _SENTENCE.fullmatch(body)
    if not found:
        raise Malformed(f"no AIS sentence of seven fields: {line[:82]!r}")
    total, number = int(found["total"]), int(found["number"])
    if number > total:
        raise Malformed(f"part {number} of {total}")
    return Sentence(
        talker=found["talker"].decode(),
        total=total,
        number=number,
        sequence=found["sequence"].decode(),
        channel=found["channel"].decode(),
        payload=found["payload"],
        fill=int(found["fill"]),
        station=tags.get("s"),
        received=_seconds(tags.get("c")),
    )


def _read_tags(block: bytes) -> dict[str, str]:
    pairs = (field.partition(":") for field in block.decode("ascii", "replace").split(","))
    return {key: value for key, _, value in pairs}


def _seconds(text: str | None) -> float | None:
    if text is None or not re.fullmatch(r"[0-9]{1,13}", text):
        return None
    number = int(text)
    return number / 1000 if number >= _MILLISECONDS_FROM else float(number)


# --- parts -----------------------------------------------------------------------------------------------------------

_Key = tuple[str, str, str]


class Parts:
    """Joins the sentences of one receiver into messages; what stays incomplete is dropped and told."""

    def __init__(self) -> None:
        self._open: dict[_Key, tuple[float, dict[int, Sentence]]] = {}  # in the order in which they began

    def add(self, sentence: Sentence, at: float) -> list[tuple[Sentence, ...] | Malformed]:
        """Return the message that is whole now, if one is, after one refusal for each that will never be.

        :param at: seconds of any clock that never goes back.
        """
        if sentence.total == 1:
            return [*self._expire(at), (sentence,)]
        told: list[tuple[Sentence, ...] | Malformed] = [*self._expire(at)]
        key = (sentence.talker, sentence.sequence, sentence.channel)
        began, parts = self._open.get(key, (at, {}))
        if parts and (sentence.number in parts or next(iter(parts.values())).total != sentence.total):
            del self._open[key]  # another message under the same number: the older one is lost
            told.append(_incomplete())
            began, parts = at, {}
        parts[sentence.number] = sentence
        if len(parts) == sentence.total:
            self._open.pop(key, None)
            told.append(tuple(parts[number] for number in sorted(parts)))
            return told
        self._open[key] = (began, parts)
        if len(self._open) > MOST_OPEN:
            del self._open[next(iter(self._open))]
            told.append(_incomplete())
        return told

    def close(self) -> list[Malformed]:
        """Return a refusal for each message that is still incomplete."""
        lost = [_incomplete() for _ in self._open]
        self._open.clear()
        return lost

    def _expire(self, at: float) -> list[Malformed]:
        lost: list[Malformed] = []
        while self._open:
            key, (began, _) = next(iter(self._open.items()))
            if at - began <= PARTS_WAIT:
                break
            del self._open[key]
            lost.append(_incomplete())
        return lost


def _incomplete() -> Malformed:
    return Malformed("incomplete")


# --- messages --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Message:
    """What a station says: degrees, knots, metres; None for what is not available, out of range or not of this type."""

    type: int
    mmsi: int
    lon: float | None = None
    lat: float | None = None
    speed: float | None = None  # knots over ground
    course: float | None = None  # degrees over ground
    heading: int | None = None  # degrees, as said: above 359 it is no direction
    turn: float | None = None  # degrees a minute, to starboard
    status: int | None = None  # ais_words.NAVIGATION_STATUS
    second: int | None = None  # of the minute in which the position was taken
    accurate: bool | None = None  # better than 10 m
    altitude: int | None = None  # metres, of aircraft
    imo: int | None = None
    callsign: str | None = None
    shipname: str | None = None  # of an aid to navigation: its name
    shiptype: int | None = None  # ais_words.ship_words
    to_bow: int | None = None
    to_stern: int | None = None
    to_port: int | None = None
    to_starboard: int | None = None
    draught: float | None = None  # metres
    destination: str | None = None
    eta: str | None = None  # month-dayThour:minute in UTC; the message has no year
    mothership: int | None = None  # her MMSI
    aid_type: int | None = None
    off_position: bool | None = None
    virtual: bool | None = None
    text: str | None = None  # a message of safety
    time: datetime | None = None  # of a base station's clock
    station: str | None = None  # who received it
    received: float | None = None  # when

    @property
    def place(self) -> tuple[float, float] | None:
        """Where it is, (lon, lat); None unless both are known."""
        return None if self.lon is None or self.lat is None else (self.lon, self.lat)

    @property
    def points_to(self) -> float | None:
        """The direction in which she is drawn: of the bow, else of her course."""
        return self.heading if self.heading is not None and self.heading < 360 else self.course

    @property
    def in_distress(self) -> bool:
        """Whether a distress transmitter speaks: SART, man overboard or EPIRB, by its MMSI."""
        return station_kind(self.mmsi) in DISTRESS


_STATIC = ("callsign", "shipname", "shiptype", "to_bow", "to_stern", "to_port", "to_starboard")
_PLACE = ("accurate", "lon", "lat")
_CLASS_A = ("status", "turn", "speed", *_PLACE, "course", "heading", "second")
_CLASS_B = ("speed", *_PLACE, "course", "heading", "second")
_BASE = ("time", "second", *_PLACE)
_SIZE = _STATIC[3:]


class _Kind(NamedTuple):
    """What is read of a type, and the bits up to its end: of a message cut short, numbers would be read that none sent."""

    bits: int
    says: tuple[str, ...]


_KINDS = {
    **dict.fromkeys((1, 2, 3), _Kind(143, _CLASS_A)),
    **dict.fromkeys((4, 11), _Kind(134, _BASE)),
    5: _Kind(420, ("imo", *_STATIC, "eta", "draught", "destination")),  # 422; some stations leave out two
    9: _Kind(134, ("altitude", "speed", *_PLACE, "course", "second")),
    12: _Kind(72, ("text",)),
    14: _Kind(40, ("text",)),
    18: _Kind(139, _CLASS_B),
    19: _Kind(301, (*_CLASS_B, "shipname", "shiptype", *_SIZE)),
    21: _Kind(270, ("aid_type", "aid_name", *_PLACE, *_SIZE, "second", "off_position", "virtual")),
    27: _Kind(94, ("status", "speed", *_PLACE, "course")),
}
_PART_A = _Kind(160, ("shipname",))
_PART_B = _Kind(162, _STATIC[:1] + _STATIC[2:])
_PART_B_OF_A_BOAT = _Kind(162, ("callsign", "shiptype", "mothership"))


def decode(*parts: bytes | Sentence) -> Message:
    """Return the message that one or more sentences make. :raises Malformed: they make none."""
    sentences = [part if isinstance(part, Sentence) else read_sentence(part) for part in parts]
    if not sentences or [sentence.number for sentence in sentences] != list(range(1, sentences[0].total + 1)):
        raise Malformed("incomplete")
    bits = bit_vector(b"".join(sentence.payload for sentence in sentences), sentences[-1].fill)
    if len(bits) < 38:
        raise Malformed(f"a payload of {len(bits)} bits, expected at least 38 for type and MMSI")
    number, mmsi = bits.get(0, 6), bits.get(8, 30)
    if not 1 <= number <= LAST_TYPE:
        raise Malformed(f"message type {number}, expected 1 to {LAST_TYPE}")
    kind = _kind(number, mmsi, bits)
    said = _read(number, kind, bits) if kind else {}
    return Message(number, mmsi, station=sentences[0].station, received=sentences[0].received, **said)


def _kind(number: int, mmsi: int, bits: Any) -> _Kind | None:
    if number != 24:
        return _KINDS.get(number)
    if len(bits) < 40 or bits.get(38, 2) > 1:
        raise Malformed("type 24 without its part, expected A or B")
    if bits.get(38, 2) == 0:
        return _PART_A
    return _PART_B_OF_A_BOAT if station_kind(mmsi) == "craft" else _PART_B


def _read(number: int, kind: _Kind, bits: Any) -> dict[str, Any]:
    if len(bits) < kind.bits:
        raise Malformed(f"type {number} of {len(bits)} bits, expected at least {kind.bits}")
    try:
        message = MSG_CLASS[number].from_vector(bits)
    except (AISBaseException, ValueError) as error:
        raise Malformed(f"type {number}: {error}") from error
    said = {name: _READERS[name](message, bits) for name in kind.says}
    if "aid_name" in said:
        said["shipname"] = said.pop("aid_name")
    return said


# --- fields: from what pyais reads, None for what is not available ---------------------------------------------------

_Reader = Callable[[Any, Any], Any]
_NO_SPEED = {9: 1023, 27: 63}  # in whole knots; 102.3 of the other types
_TEXT_AT = {12: 72, 14: 40}
_SHIPTYPE_AT = {5: 232, 19: 263, 24: 40}  # pyais forgets numbers that it has no name for


def _within(name: str, low: float, high: float) -> _Reader:
    def read(message: Any, bits: Any) -> Any:
        value = getattr(message, name)
        return value if low <= value <= high else None

    return read


def _number(name: str, low: int, high: int) -> _Reader:
    read = _within(name, low, high)
    return lambda message, bits: None if (value := read(message, bits)) is None else int(value)


def _flag(name: str) -> _Reader:
    return lambda message, bits: bool(getattr(message, name))


def _written(*names: str) -> _Reader:
    def read(message: Any, bits: Any) -> str | None:
        text = "".join(getattr(message, name) or "" for name in names)
        return text.partition("@")[0].rstrip() or None

    return read


def _text(message: Any, bits: Any) -> str | None:
    whole = (len(bits) - _TEXT_AT[message.msg_type]) // 6  # what is left over is no character
    return (message.text or "")[:whole].partition("@")[0].rstrip() or None


def _side(name: str) -> _Reader:
    def read(message: Any, bits: Any) -> int | None:
        known = any((message.to_bow, message.to_stern, message.to_port, message.to_starboard))
        return int(getattr(message, name)) if known else None

    return read


def _speed(message: Any, bits: Any) -> float | None:
    speed = float(message.speed)
    return speed if speed < _NO_SPEED.get(message.msg_type, 102.3) else None


def _turn(message: Any, bits: Any) -> float | None:
    """Return the rate of a turn indicator; 127 says only that she turns and has none."""
    turn = float(message.turn)
    return turn if abs(turn) not in (127, 128) else None


def _shiptype(message: Any, bits: Any) -> int | None:
    return bits.get(_SHIPTYPE_AT[message.msg_type], 8) or None


def _off_position(message: Any, bits: Any) -> bool | None:
    return bool(message.off_position) if message.second <= 59 else None


def _eta(message: Any, bits: Any) -> str | None:
    if not (1 <= message.month <= 12 and 1 <= message.day <= 31 and message.hour <= 23 and message.minute <= 59):
        return None
    return f"{message.month:02d}-{message.day:02d}T{message.hour:02d}:{message.minute:02d}"


def _time(message: Any, bits: Any) -> datetime | None:
    said = (message.year, message.month, message.day, message.hour, message.minute, message.second)
    try:
        return datetime(*said, tzinfo=UTC)
    except ValueError:
        return None


_READERS: dict[str, _Reader] = {
    "lon": _within("lon", -180, 180),
    "lat": _within("lat", -90, 90),
    "speed": _speed,
    "course": _within("course", 0, 359.9),
    "heading": _number("heading", 0, 510),
    "turn": _turn,
    "status": _number("status", 0, 14),
    "second": _number("second", 0, 59),
    "accurate": _flag("accuracy"),
    "altitude": _number("alt", 0, 4094),
    "imo": _number("imo", 1, 999_999_999),
    "callsign": _written("callsign"),
    "shipname": _written("shipname"),
    "shiptype": _shiptype,
    "to_bow": _side("to_bow"),
    "to_stern": _side("to_stern"),
    "to_port": _side("to_port"),
    "to_starboard": _side("to_starboard"),
    "draught": _within("draught", 0.1, 25.5),
    "destination": _written("destination"),
    "eta": _eta,
    "mothership": _number("mothership_mmsi", 1, 999_999_999),
    "aid_type": _number("aid_type", 1, 31),
    "aid_name": _written("name", "name_ext"),
    "off_position": _off_position,
    "virtual": _flag("virtual_aid"),
    "text": _text,
    "time": _time,
}


def tell(message: Message) -> dict[str, Any]:
    """Return the message as plain values."""
    return {**asdict(message), "time": message.time and message.time.isoformat()}


class Stream:
    """Bytes of one receiver in, messages out, in the order in which they became whole."""

    def __init__(self) -> None:
        self._splitter, self._parts = Splitter(), Parts()

    def feed(self, data: bytes, at: float) -> list[Message | Malformed]:
        """:param at: seconds of any clock that never goes back."""
        return [told for frame in self._splitter.feed(data) for told in self._told(frame, at)]

    def close(self, at: float) -> list[Message | Malformed]:
        """Return what the end of the stream leaves: an unended line, messages that stay incomplete."""
        rest = [told for frame in self._splitter.close() for told in self._told(frame, at)]
        return [*rest, *self._parts.close()]

    def _told(self, frame: bytes | Malformed, at: float) -> Iterator[Message | Malformed]:
        if isinstance(frame, Malformed):
            yield frame
            return
        try:
            sentence = read_sentence(frame)
        except Malformed as error:
            yield error
            return
        for found in self._parts.add(sentence, at):
            try:
                yield found if isinstance(found, Malformed) else decode(*found)
            except Malformed as error:
                yield error


# --- positions in bulk -----------------------------------------------------------------------------------------------

_SINGLE = 47  # bytes of `!AIVDM,1,1,,A,` + 28 characters (168 bits) + `,0*hh`
_PAYLOAD = slice(14, 42)


class Positions(NamedTuple):
    """Positions as columns, in the order of their lines; NaN and 255 stand for "not available"."""

    line: NDArray[np.int64]  # index of the line that said it
    type: NDArray[np.int64]
    mmsi: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    speed: NDArray[np.float64]
    course: NDArray[np.float64]
    heading: NDArray[np.float64]  # below 360
    status: NDArray[np.uint8]  # 255 also of class B, which has none


def positions(lines: Sequence[bytes]) -> tuple[Positions, list[int]]:
    """Return the positions of types 1, 2, 3 and 18 that stand in one undamaged sentence of the usual form.

    With them, the indices of all other lines, of which `read_sentence`, `Parts` and `decode` make what there is to
    make. A tag block before a sentence is passed over. The values equal those of `decode`.
    """
    if not lines:
        return _columns(np.empty((_SINGLE, 0), np.uint8), np.empty(0, np.int64)), []
    usual = [index for index, line in enumerate(lines) if _looks_usual(line)]
    raw = b"".join([lines[index][-_SINGLE:] for index in usual])
    table = np.frombuffer(raw, np.uint8).reshape(-1, _SINGLE).T
    table = np.ascontiguousarray(table)
    good = _undamaged(table)
    found = np.asarray(usual, np.int64)[good]
    rest = np.ones(len(lines), bool)
    rest[found] = False
    return _columns(table[:, good], found), np.flatnonzero(rest).tolist()


def _looks_usual(line: bytes) -> bool:
    return len(line) == _SINGLE or (
        len(line) > _SINGLE and line[:1] == b"\\" and line[-_SINGLE - 1 : -_SINGLE] == b"\\"
    )


def _undamaged(table: NDArray[np.uint8]) -> NDArray[np.bool_]:
    good = np.ones(table.shape[1], bool)
    for at, expected in ((0, b"!"), (3, b"V"), (4, b"D"), (6, b",1,1,,"), (13, b","), (42, b",0*")):
        for offset, byte in enumerate(expected):
            good &= table[at + offset] == byte
    good &= (table[5] == ord("M")) | (table[5] == ord("O"))
    for row in table[1:3]:
        good &= (row >= ord("A")) & (row <= ord("Z"))
    channel = table[12]
    good &= ((channel >= ord("A")) & (channel <= ord("Z"))) | ((channel >= ord("0")) & (channel <= ord("9")))
    payload = table[_PAYLOAD]
    good &= (((payload >= 48) & (payload <= 87)) | ((payload >= 96) & (payload <= 119))).all(axis=0)
    good &= np.isin(payload[0], np.frombuffer(b"123B", np.uint8))
    check = np.bitwise_xor.reduce(table[1:44], axis=0)
    good &= (_HEX[table[45]] == check >> 4) & (_HEX[table[46]] == check & 15)
    return good


_HEX = np.full(256, 255, np.uint8)
for _digit, _characters in enumerate(zip(b"0123456789ABCDEF", b"0123456789abcdef", strict=True)):
    _HEX[list(_characters)] = _digit


def _columns(table: NDArray[np.uint8], found: NDArray[np.int64]) -> Positions:
    sixes = table[_PAYLOAD].astype(np.int64) - 48
    sixes -= (sixes > 40) * 8
    class_b = sixes[0] == 18
    # Class B says nothing of status and turn: its fields from the speed on stand four bits earlier.
    speed = np.where(class_b, _bits(sixes, 46, 10), _bits(sixes, 50, 10))
    lon = _signed(np.where(class_b, _bits(sixes, 57, 28), _bits(sixes, 61, 28)), 28)
    lat = _signed(np.where(class_b, _bits(sixes, 85, 27), _bits(sixes, 89, 27)), 27)
    course = np.where(class_b, _bits(sixes, 112, 12), _bits(sixes, 116, 12))
    heading = np.where(class_b, _bits(sixes, 124, 9), _bits(sixes, 128, 9))
    status = np.where(class_b, 15, _bits(sixes, 38, 4))
    return Positions(
        line=found,
        type=sixes[0],
        mmsi=_bits(sixes, 8, 30),
        lon=_degrees(lon, 180),
        lat=_degrees(lat, 90),
        speed=np.where(speed < 1023, speed / 10, np.nan),
        course=np.where(course < 3600, course / 10, np.nan),
        heading=np.where(heading < 360, heading, np.nan).astype(np.float64),
        status=np.where(status < 15, status, 255).astype(np.uint8),
    )


def _bits(sixes: NDArray[np.int64], start: int, width: int) -> NDArray[np.int64]:
    """Return the field of that place and width from columns of six bits each."""
    first, last = start // 6, (start + width - 1) // 6
    value: NDArray[np.int64] = sixes[first]
    for row in sixes[first + 1 : last + 1]:
        value = value << 6 | row
    value = value >> (6 * (last + 1) - start - width)
    return value & ((1 << width) - 1)


def _signed(value: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    return value - ((value >> (width - 1)) << width)


def _degrees(raw: NDArray[np.int64], limit: int) -> NDArray[np.float64]:
    """Return 1/10,000 minutes as degrees, rounded to six places as pyais does it."""
    degrees = ((10 * raw + 3) // 6) / 1e6
    return np.where(np.abs(degrees) <= limit, degrees, np.nan)


# --- what stations send ----------------------------------------------------------------------------------------------


def encode_position(
    mmsi: int,
    place: tuple[float, float] | None,
    *,
    speed: float | None = None,
    course: float | None = None,
    heading: int | None = None,
    status: int | None = None,
    second: int | None = None,
    channel: str = "A",
) -> list[bytes]:
    """Return the position of a class A station: type 1."""
    said = _motion(place, speed, course, heading, second)
    return _sentences(channel, type=1, mmsi=mmsi, status=15 if status is None else status, turn=-128, **said)


def encode_class_b(
    mmsi: int,
    place: tuple[float, float] | None,
    *,
    speed: float | None = None,
    course: float | None = None,
    heading: int | None = None,
    second: int | None = None,
    channel: str = "B",
) -> list[bytes]:
    """Return the position of a class B station: type 18."""
    return _sentences(channel, type=18, mmsi=mmsi, cs=1, **_motion(place, speed, course, heading, second))


def encode_static(
    mmsi: int,
    *,
    shipname: str,
    callsign: str = "",
    imo: int = 0,
    shiptype: int = 0,
    destination: str = "",
    draught: float = 0.0,
    size: tuple[int, int, int, int] = (0, 0, 0, 0),
    sequence: int = 1,
    channel: str = "A",
) -> list[bytes]:
    """Return who a class A station is and where she goes: type 5, in two sentences.

    :param size: metres from the antenna to bow, stern, port and starboard.
    :param sequence: 0 to 9, another one for each message of more than one sentence.
    """
    said = {"shipname": shipname, "callsign": callsign, "imo": imo, "destination": destination, **_sides(size)}
    said |= {"ship_type": shiptype, "draught": draught, "hour": 24, "minute": 60}
    return _sentences(channel, sequence, type=5, mmsi=mmsi, **said)


def encode_class_b_static(
    mmsi: int,
    *,
    shipname: str,
    callsign: str = "",
    shiptype: int = 0,
    size: tuple[int, int, int, int] = (0, 0, 0, 0),
    channel: str = "B",
) -> list[bytes]:
    """Return who a class B station is: type 24, its parts A and B, each a message of one sentence."""
    name = _sentences(channel, type=24, partno=0, mmsi=mmsi, shipname=shipname)
    said = {"callsign": callsign, "ship_type": shiptype, **_sides(size)}
    return [*name, *_sentences(channel, type=24, partno=1, mmsi=mmsi, **said)]


def encode_safety(mmsi: int, text: str, *, sequence: int = 1, channel: str = "A") -> list[bytes]:
    """Return a message of safety to all: type 14, such as "MOB ACTIVE" of a transmitter in distress."""
    return _sentences(channel, sequence, type=14, mmsi=mmsi, text=text)


def encode_aid(
    mmsi: int,
    place: tuple[float, float],
    *,
    name: str,
    aid_type: int = 0,
    off_position: bool = False,
    virtual: bool = False,
    second: int | None = None,
    sequence: int = 1,
    channel: str = "A",
) -> list[bytes]:
    """Return what an aid to navigation, or a drifter that speaks as one, says: type 21."""
    said: dict[str, Any] = {"name": name[:20], "name_ext": name[20:], "aid_type": aid_type, "virtual_aid": virtual}
    said |= {"off_position": off_position, "lon": place[0], "lat": place[1], "second": _or(second, 60)}
    return _sentences(channel, sequence, type=21, mmsi=mmsi, **said)


def _motion(
    place: tuple[float, float] | None,
    speed: float | None,
    course: float | None,
    heading: int | None,
    second: int | None,
) -> dict[str, Any]:
    lon, lat = place or (181.0, 91.0)
    said = {"lon": lon, "lat": lat, "speed": _tenths(_or(speed, 102.3)), "course": _tenths(_or(course, 360.0))}
    return {**said, "heading": _or(heading, 511), "second": _or(second, 60)}


def _or(value: Any, unavailable: Any) -> Any:
    return unavailable if value is None else value


def _tenths(value: float) -> float:
    return round(value * 10) / 10  # pyais cuts what is beyond the first place


def _sides(size: tuple[int, int, int, int]) -> dict[str, int]:
    return dict(zip(("to_bow", "to_stern", "to_port", "to_starboard"), size, strict=True))


def _sentences(channel: str, sequence: int | None = None, /, **said: Any) -> list[bytes]:
    lines = encode_dict(said, talker_id="AI", sentence_type="VDM", radio_channel=channel, seq_id=sequence)
    return [line.encode("ascii") + b"\r\n" for line in lines]
