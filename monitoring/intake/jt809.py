"""JT/T 809, what a platform says to the one above it (道路运输车辆卫星定位系统 平台数据交换), 2011 and 2019.

A frame is ``5B | header | body | CRC | 5D``; between the marks ``5A 01`` stands for 5B, ``5A 02`` for 5A, ``5E 01`` for 5D
and ``5E 02`` for 5E. The CRC is CRC-16/CCITT-FALSE over header and body. The header of 2019 ends with the time of sending,
8 bytes more, and nothing in it tells the edition: what stands there is taken for a time when it is a second of this century.
"""

from binascii import crc_hqx
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from struct import Struct
from typing import Any, NamedTuple

from monitoring.intake.jt808 import fields, position
from monitoring.intake.jt808.fields import BEIJING, Reader
from monitoring.intake.jt808.position import Position
from monitoring.intake.wire import Malformed

BEGIN, END = b"\x5b", b"\x5d"
MAX_FRAME = 1 << 16  # bytes without escapes; the standard sets no limit, a batch of five positions takes a few hundred
LONGEST = 2 * MAX_FRAME  # between the marks
E2011, E2019 = 2011, 2019
SINCE, UNTIL = 946_684_800, 4_102_444_800  # the seconds of this century
PLATE = 21  # bytes
VEHICLE_MESSAGES = (0x1200, 0x9200, 0x1300, 0x9300, 0x1400, 0x9400, 0x1500, 0x9500, 0x1600, 0x9600)
LOGIN_RESULTS = ("done", "wrong_ip", "wrong_access_code", "no_such_user", "wrong_password", "busy", "other")
WARNINGS = {
    0x01: "overspeed",
    0x02: "fatigue",
    0x03: "emergency",
    0x04: "area_entered",
    0x05: "area_left",
    0x06: "congestion",
    0x07: "dangerous_section",
    0x08: "border_crossed",
    0x09: "theft",
    0x0A: "robbery",
    0x0B: "route_deviation",
    0x0C: "moved",
    0x0D: "driving_time_exceeded",
    0x0E: "other",
}


class Header(NamedTuple):
    """What stands before the body of a message."""

    serial: int
    msg_id: int
    access_code: int  # of the lower platform
    version: tuple[int, int, int] = (1, 0, 0)
    encrypted: bool = False
    key: int = 0
    time: datetime | None = None  # when it was sent: since 2019

    @property
    def edition(self) -> int:
        return E2019 if self.time else E2011


class Vehicle(NamedTuple):
    plate: str
    colour: int  # 1 blue, 2 yellow, 3 black, 4 white, 5 green, 9 other


class Message(NamedTuple):
    """One message: its header, its bytes, and what these say as plain values."""

    header: Header
    raw: bytes  # the body
    vehicle: Vehicle | None
    sub_id: int | None  # of messages about vehicles: what they are about
    body: dict[str, Any]
    positions: tuple["Place", ...] = ()


class Place(NamedTuple):
    """One position of 0x1202 or 0x1203, whichever edition it came in."""

    lat: float | None  # degrees, WGS-84 unless shifted
    lon: float | None
    shifted: bool
    time: datetime | None
    speed_kmh: float
    recorder_speed_kmh: float | None
    mileage_km: float | None
    course: int
    altitude: int
    status: int  # the bits of JT/T 808
    alarm: int

    @property
    def alarms(self) -> list[str]:
        return fields.named(self.alarm, position.ALARMS)

    @property
    def states(self) -> list[str]:
        return fields.named(self.status, position.STATES)

    def tell(self) -> dict[str, Any]:
        return {
            **self._asdict(),
            "time": fields.told_moment(self.time),
            "alarms": self.alarms,
            "states": self.states,
        }


class Splitter:
    """Cuts a stream into frames, marks included; holds back no more than the longest frame.

    Bytes between frames, and stretches that are longer than any frame, are told once and left out.
    """

    def __init__(self) -> None:
        self._rest = b""  # from the mark that begins a frame
        self._skipping = False  # what comes until the next beginning was told to be no frame

    @property
    def held(self) -> int:
        return len(self._rest)

    def feed(self, data: bytes) -> list[bytes | Malformed]:
        """Return the frames that are whole now, and a `Malformed` for each stretch that is none."""
        found: list[bytes | Malformed] = []
        first, *others = data.split(BEGIN)  # no frame holds the mark of another's beginning
        found.extend(self._more(first))
        for piece in others:
            if self._rest:
                found.append(Malformed("5B inside the frame, or its 5D is missing"))
            self._rest, self._skipping = BEGIN, False
            found.extend(self._more(piece))
        return found

    def _more(self, piece: bytes) -> Iterator[bytes | Malformed]:
        """Take up bytes that hold no beginning."""
        if self._rest:
            inside, ended, piece = piece.partition(END)
            if len(self._rest) + len(inside) > LONGEST:
                self._rest, self._skipping = b"", not ended
                yield Malformed(f"no 5D within {LONGEST} bytes, the longest frame")
            elif ended:
                yield self._rest + inside + END
                self._rest = b""
            else:
                self._rest += inside
        if piece and not self._skipping:
            self._skipping = True
            yield Malformed("bytes before 5B")


def crc(data: bytes) -> int:
    """Return CRC-16/CCITT-FALSE: polynomial 0x1021, from 0xFFFF, nothing reflected."""
    return crc_hqx(data, 0xFFFF)


def escape(data: bytes) -> bytes:
    plain = data.replace(b"\x5a", b"\x5a\x02").replace(b"\x5b", b"\x5a\x01")
    return plain.replace(b"\x5e", b"\x5e\x02").replace(b"\x5d", b"\x5e\x01")


def unescape(data: bytes) -> bytes:
    """Undo `escape`. What begins no escape stands for itself: some platforms forget one, and the CRC tells."""
    plain = data.replace(b"\x5a\x01", b"\x5b").replace(b"\x5e\x01", b"\x5d")
    return plain.replace(b"\x5a\x02", b"\x5a").replace(b"\x5e\x02", b"\x5e")


_HEAD = Struct(">IIHI3sBI")
_EDGES = 1 + 2 + 1  # 5B, CRC, 5D
_UTC = Struct(">Q")


def unframe(frame: bytes) -> tuple[Header, bytes]:
    """Return header and body of one frame. :raises Malformed: it is damaged."""
    if len(frame) < 2 or frame[:1] != BEGIN or frame[-1:] != END:
        raise Malformed(f"no 5B … 5D: {frame[:1].hex()} … {frame[-1:].hex()}, {len(frame)} bytes")
    if len(frame) > LONGEST + 1:
        raise Malformed(f"{len(frame)} bytes, the longest frame has {LONGEST + 1}")
    data = unescape(frame[1:-1])
    if len(data) < _HEAD.size + 2:
        raise Malformed(f"{len(data)} bytes between the marks, a message has at least {_HEAD.size + 2}")
    check = int.from_bytes(data[-2:], "big")
    if check != (right := crc(data[:-2])):
        raise Malformed(f"CRC {check:04X}, expected {right:04X}")
    length, serial, msg_id, access_code, version, encrypted, key = _HEAD.unpack_from(data)
    if length != len(data) + 2:
        raise Malformed(f"length {length} declared, {len(data) + 2} seen")
    body = data[_HEAD.size : -2]
    time = _sent_at(body)
    numbers = (version[0], version[1], version[2])
    header = Header(serial, msg_id, access_code, numbers, bool(encrypted), key, time)
    return header, body[_UTC.size :] if time else body


def _sent_at(body: bytes) -> datetime | None:
    """Return the time at the end of the header of 2019; None where there is none."""
    if len(body) < _UTC.size:
        return None
    seconds = int(_UTC.unpack_from(body)[0])
    return datetime.fromtimestamp(seconds, UTC) if SINCE <= seconds < UNTIL else None


def encode(header: Header, body: bytes) -> bytes:
    """Return one frame, of 2019 when the header has a time. :raises ValueError: it is longer than any frame."""
    time = _UTC.pack(int(header.time.timestamp())) if header.time else b""
    length = _EDGES + _HEAD.size + len(time) + len(body)
    if length > MAX_FRAME:
        raise ValueError(f"a frame of {length} bytes; the longest has {MAX_FRAME}")
    head = _HEAD.pack(
        length,
        header.serial,
        header.msg_id,
        header.access_code,
        bytes(header.version),
        header.encrypted,
        header.key,
    )
    data = head + time + body
    return BEGIN + escape(data + crc(data).to_bytes(2, "big")) + END


# What messages say. A body that is not as it should be is told with its bytes: the frame is good all the same.

Told = dict[str, Any]


def _nothing(header: Header, reader: Reader) -> Told:
    return {}


def _login(header: Header, reader: Reader) -> Told:
    told: Told = {"user": reader.dword(), "password": reader.text(8)}
    if len(reader) == 4 + 32 + 2:  # since 2019
        told["access_code"] = reader.dword()
    return told | {"down_link_ip": reader.text(32), "down_link_port": reader.word()}


def _login_answer(header: Header, reader: Reader) -> Told:
    result = reader.byte()
    name = LOGIN_RESULTS[result] if result < len(LOGIN_RESULTS) else "other"
    return {"result": result, "result_name": name, "verify_code": reader.dword()}


def _logout(header: Header, reader: Reader) -> Told:
    return {"user": reader.dword(), "password": reader.text(8)}


def _verify_code(header: Header, reader: Reader) -> Told:
    return {"verify_code": reader.dword()}


def _result(header: Header, reader: Reader) -> Told:
    return {"result": reader.byte()}


def _reason(header: Header, reader: Reader) -> Told:
    return {"reason": reader.byte()}


def _received(header: Header, reader: Reader) -> Told:
    return {"count": reader.dword(), "since": _utc(reader), "until": _utc(reader)}


def _utc(reader: Reader) -> str | None:
    seconds = reader.number(8)
    return datetime.fromtimestamp(seconds, UTC).isoformat() if 0 < seconds < UNTIL else None


def _registration(header: Header, reader: Reader) -> Told:
    told: Told = {"platform": reader.text(11), "maker": reader.text(11)}
    if len(reader) >= 30 + 15 + 30 + 13:
        told |= {"model": reader.text(30), "imei": reader.text(15), "terminal_id": reader.text(30)}
        return told | {"phone": reader.text(13)}
    # The length tells 20 bytes of model, as programs write it, from the 8 of the standard's first text.
    return told | {
        "model": reader.text(20 if len(reader) >= 20 + 7 + 12 else 8),
        "terminal_id": reader.text(7),
        "phone": reader.text(12),
    }


def _driver(header: Header, reader: Reader) -> Told:
    told: Told = {"name": reader.text(16), "person": reader.text(20), "certificate": reader.text(40)}
    told["issuer"] = reader.text(200)
    if len(reader) == 8:  # since 2019
        told["valid_to"] = _utc(reader)
    return told


def _waybill(header: Header, reader: Reader) -> Told:
    content = reader.take(reader.dword())
    return {"text": fields.text(content), "hex": content.hex()}


def _warning(header: Header, reader: Reader) -> Told:
    if header.edition == E2011:
        told: Told = {"source": reader.byte()}
        told |= _warning_type(reader) | {"time": _utc(reader), "warning_id": reader.dword()}
    else:
        told = {"platform": reader.text(11)}
        told |= _warning_type(reader) | {"time": _utc(reader), "since": _utc(reader), "until": _utc(reader)}
        told |= {"plate": reader.text(PLATE), "colour": reader.byte(), "to_platform": reader.text(11)}
        told["line"] = reader.dword()
    return told | {"text": reader.text(reader.dword())}


def _warning_type(reader: Reader) -> Told:
    kind = reader.word()
    return {"type": kind, "type_name": WARNINGS.get(kind)}


def _urged(header: Header, reader: Reader) -> Told:
    return {"supervision_id": reader.dword(), "result": reader.byte()}


READERS: dict[int, Callable[[Header, Reader], Told]] = {
    0x1001: _login,
    0x1002: _login_answer,
    0x1003: _logout,
    0x1004: _nothing,
    0x1005: _nothing,
    0x1006: _nothing,
    0x1007: _reason,
    0x1008: _reason,
    0x9001: _verify_code,
    0x9002: _result,
    0x9003: _verify_code,
    0x9004: _nothing,
    0x9005: _nothing,
    0x9006: _nothing,
    0x9007: _reason,
    0x9008: _reason,
    0x9101: _received,
}
SUB_READERS: dict[int, Callable[[Header, Reader], Told]] = {
    0x1201: _registration,
    0x1207: _result,
    0x1209: _result,
    0x120A: _driver,
    0x120B: _waybill,
    0x120C: _driver,
    0x120D: _waybill,
    0x1401: _urged,
    0x1402: _warning,
    0x920A: _nothing,
    0x920B: _nothing,
}


def decode(frame: bytes) -> Message:
    """Return the message of one frame. :raises Malformed: it is damaged."""
    header, raw = unframe(frame)
    if header.encrypted:
        return Message(header, raw, None, None, {"hex": raw.hex()})
    if header.msg_id in VEHICLE_MESSAGES:
        return _about_vehicle(header, raw)
    return Message(header, raw, None, None, _read(READERS, header.msg_id, header, raw))


def _about_vehicle(header: Header, raw: bytes) -> Message:
    """Read plate, colour, sub-type and length; the alarms of 2019 and the posts of platforms have no plate there."""
    for skip in (PLATE + 1, 0):
        sub_id, length = int.from_bytes(raw[skip : skip + 2], "big"), int.from_bytes(raw[skip + 2 : skip + 6], "big")
        if len(raw) >= skip + 6 and sub_id >> 8 == header.msg_id >> 8 and length == len(raw) - skip - 6:
            vehicle = _vehicle(raw) if skip else None
            if sub_id in (0x1202, 0x1203, 0x9202, 0x9203):
                return _positions(header, raw, vehicle, sub_id, raw[skip + 6 :])
            return Message(header, raw, vehicle, sub_id, _read(SUB_READERS, sub_id, header, raw[skip + 6 :]))
    error = "no sub-type and length of the data where they should be"
    return Message(header, raw, None, None, {"hex": raw.hex(), "error": error})  # some of 2019 have no length


def _vehicle(raw: bytes) -> Vehicle:
    return Vehicle(fields.text(raw[:PLATE]), raw[PLATE])


def _read(readers: dict[int, Callable[[Header, Reader], Told]], key: int, header: Header, data: bytes) -> Told:
    read = readers.get(key)
    if read is None:
        return {"hex": data.hex()}
    reader = Reader(data)
    try:
        told = read(header, reader)
        reader.end()
        return told
    except Malformed as error:
        return {"hex": data.hex(), "error": str(error)}


def _positions(header: Header, raw: bytes, vehicle: Vehicle | None, sub_id: int, data: bytes) -> Message:
    reader = Reader(data)
    place = _place_of_2019 if header.edition == E2019 else _place_of_2011
    try:
        count = reader.byte() if sub_id & 0xFF == 0x03 else 1
        places = tuple(place(reader) for _ in range(count))
        reader.end()
    except Malformed as error:
        return Message(header, raw, vehicle, sub_id, {"hex": data.hex(), "error": str(error)})
    told = [one.tell() for one in places]
    body = {"count": count, "positions": told} if sub_id & 0xFF == 0x03 else told[0]
    return Message(header, raw, vehicle, sub_id, body, places)


_PLACE = Struct(">BBHBBBIIHHIHHII")


def _place_of_2011(reader: Reader) -> Place:
    return _binary(bool(reader.byte()), reader.take(_PLACE.size))


def _binary(shifted: bool, data: bytes) -> Place:
    """Read a position with a binary date, longitude first, in whole km/h and km."""
    numbers = _PLACE.unpack(data)
    speed, recorder, mileage, course, altitude, status, alarm = numbers[8:]
    inside = _as_808(alarm, status, numbers[7], numbers[6])
    place = inside.lat, inside.lon, shifted, _binary_time(data)
    return Place(*place, float(speed), float(recorder), float(mileage), course, altitude, status, alarm)


def _binary_time(data: bytes) -> datetime | None:
    day, month, year, hour, minute, second = _PLACE.unpack(data)[:6]
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=BEIJING)
    except ValueError:
        return None


def _place_of_2019(reader: Reader) -> Place:
    """Read a position of 2019: a body of JT/T 808 and what three platforms say about it.

    Some platforms put the position of 2011 there, without its first byte: its binary date gives it away.
    """
    shifted = bool(reader.byte())
    data = reader.take(reader.dword())
    reader.take(3 * (11 + 4))  # platform and alarm, three times
    if len(data) == _PLACE.size and (time := _binary_time(data)) and time.year >= fields.CENTURY:
        return _binary(shifted, data)
    inside = position.decode(data)
    recorder, mileage = (position.read(key, inside.item(key) or b"") for key in (0x03, 0x01))
    return Place(
        inside.lat,
        inside.lon,
        shifted or inside.shifted,
        inside.time,
        inside.speed / 10,
        recorder / 10 if recorder is not None else None,
        mileage / 10 if mileage is not None else None,
        inside.course,
        inside.altitude,
        inside.status,
        inside.alarm,
    )


def _as_808(alarm: int, status: int, latitude: int, longitude: int) -> Position:
    return Position(alarm, status, latitude, longitude, 0, 0, 0, bytes(6))


def tell(message: Message) -> dict[str, Any]:
    """Return the message as plain values."""
    header = message.header
    told: dict[str, Any] = {
        "msg_id": f"0x{header.msg_id:04X}",
        "serial": header.serial,
        "access_code": header.access_code,
        "version": list(header.version),
        "edition": header.edition,
    }
    if header.encrypted:
        told |= {"encrypted": True, "key": header.key}
    if header.time:
        told["time"] = header.time.isoformat()
    if message.vehicle:
        told |= {"plate": message.vehicle.plate, "colour": message.vehicle.colour}
    if message.sub_id is not None:
        told["sub_id"] = f"0x{message.sub_id:04X}"
    return told | {"body": message.body}


# Frames as platforms send them; the header says which edition, by its time.


def answer_to(header: Header, msg_id: int, serial: int, at: datetime) -> Header:
    """Return the header of an answer, in the edition of what is answered."""
    return Header(serial, msg_id, header.access_code, header.version, time=at if header.time else None)


def encode_login(header: Header, user: int, password: str, ip: str, port: int) -> bytes:
    """Return 0x1001, with which a lower platform opens the main link and says where the down link is to go."""
    body = user.to_bytes(4, "big") + fields.filled(password, 8)
    body += header.access_code.to_bytes(4, "big") if header.time else b""
    return encode(header._replace(msg_id=0x1001), body + fields.filled(ip, 32) + port.to_bytes(2, "big"))


def encode_login_answer(header: Header, result: int, verify_code: int) -> bytes:
    """Return 0x1002; the results are `LOGIN_RESULTS`."""
    return encode(header._replace(msg_id=0x1002), bytes([result]) + verify_code.to_bytes(4, "big"))


def encode_logout(header: Header, user: int, password: str) -> bytes:
    return encode(header._replace(msg_id=0x1003), user.to_bytes(4, "big") + fields.filled(password, 8))


def encode_bare(header: Header, msg_id: int) -> bytes:
    """Return a message without a body: 0x1004, 0x1005, 0x1006, 0x9004, 0x9005, 0x9006."""
    return encode(header._replace(msg_id=msg_id), b"")


def encode_down_login(header: Header, verify_code: int) -> bytes:
    """Return 0x9001, with which the upper platform opens the down link by the code that it gave in 0x1002."""
    return encode(header._replace(msg_id=0x9001), verify_code.to_bytes(4, "big"))


def encode_down_login_answer(header: Header, result: int) -> bytes:
    """Return 0x9002: 0 done, 1 wrong code, 2 busy, 3 other."""
    return encode(header._replace(msg_id=0x9002), bytes([result]))


def encode_received(header: Header, count: int, since: datetime, until: datetime) -> bytes:
    """Return 0x9101, by which the upper platform says how many positions came."""
    body = count.to_bytes(4, "big") + _UTC.pack(fields.seconds(since)) + _UTC.pack(fields.seconds(until))
    return encode(header._replace(msg_id=0x9101), body)


def _encode_sub(header: Header, vehicle: Vehicle | None, sub_id: int, data: bytes) -> bytes:
    body = fields.filled(vehicle.plate, PLATE) + bytes([vehicle.colour]) if vehicle else b""
    body += sub_id.to_bytes(2, "big") + len(data).to_bytes(4, "big") + data
    return encode(header._replace(msg_id=sub_id & 0xFF00), body)


def encode_registration(
    header: Header,
    vehicle: Vehicle,
    *,
    platform: str,
    maker: str,
    model: str,
    terminal_id: str,
    phone: str,
    imei: str = "",
) -> bytes:
    """Return 0x1201; the IMEI is sent since 2019."""
    data = fields.filled(platform, 11) + fields.filled(maker, 11)
    if header.time:
        data += fields.filled(model, 30) + fields.filled(imei, 15) + fields.filled(terminal_id, 30)
        data += fields.filled(phone, 13)
    else:
        data += fields.filled(model, 20) + fields.filled(terminal_id, 7) + phone.zfill(12).encode("ascii")
    return _encode_sub(header, vehicle, 0x1201, data)


def encode_position(header: Header, vehicle: Vehicle, where: Position) -> bytes:
    """Return 0x1202 of a position of JT/T 808."""
    return _encode_sub(header, vehicle, 0x1202, _place(header, where))


def encode_batch(header: Header, vehicle: Vehicle, positions: Sequence[Position]) -> bytes:
    """Return 0x1203, for what could not be sent while the link was down; the standard sends five at most."""
    data = bytes([len(positions)]) + b"".join(_place(header, where) for where in positions)
    return _encode_sub(header, vehicle, 0x1203, data)


def _place(header: Header, where: Position) -> bytes:
    """Return a position as this edition writes it: 2011 in binary days and km/h, 2019 as JT/T 808 does."""
    if header.time:
        data = position.encode(where)
        return bytes([where.shifted]) + len(data).to_bytes(4, "big") + data + bytes(3 * (11 + 4))
    at = where.time
    days = (at.day, at.month, at.year, at.hour, at.minute, at.second) if at else (0,) * 6
    mileage = position.read(0x01, where.item(0x01) or b"") or 0
    recorder = position.read(0x03, where.item(0x03) or b"") or 0
    return bytes([where.shifted]) + _PLACE.pack(
        *days,
        where.longitude,
        where.latitude,
        round(where.speed / 10),
        round(recorder / 10),
        round(mileage / 10),
        where.course,
        where.altitude,
        where.status,
        where.alarm,
    )


def encode_waybill(header: Header, vehicle: Vehicle, content: bytes, *, asked: bool = False) -> bytes:
    """Return 0x120D of one's own accord, 0x120B when it was asked for."""
    return _encode_sub(header, vehicle, 0x120B if asked else 0x120D, len(content).to_bytes(4, "big") + content)


def encode_driver(
    header: Header, vehicle: Vehicle, *, name: str, person: str, certificate: str, issuer: str, asked: bool = False
) -> bytes:
    """Return 0x120C of one's own accord, 0x120A when it was asked for."""
    sizes = ((name, 16), (person, 20), (certificate, 40), (issuer, 200))
    data = b"".join(fields.filled(words, size) for words, size in sizes)
    return _encode_sub(header, vehicle, 0x120A if asked else 0x120C, data)


def encode_warning(
    header: Header, vehicle: Vehicle, *, kind: int, at: datetime, words: str, platform: str = "", warning_id: int = 0
) -> bytes:
    """Return 0x1402, an alarm of a vehicle; 2011 numbers it, 2019 names the platform that raised it."""
    text = words.encode(fields.CHARSET)
    time, tail = _UTC.pack(fields.seconds(at)), len(text).to_bytes(4, "big") + text
    if not header.time:
        data = bytes([1]) + kind.to_bytes(2, "big") + time + warning_id.to_bytes(4, "big")  # 1: of the terminal
        return _encode_sub(header, vehicle, 0x1402, data + tail)
    data = fields.filled(platform, 11) + kind.to_bytes(2, "big") + 3 * time
    data += fields.filled(vehicle.plate, PLATE) + bytes([vehicle.colour]) + bytes(11 + 4)
    return _encode_sub(header, None, 0x1402, data + tail)
