"""Frames of JT/T 808: flags, escapes, check byte, and the two layouts of the header.

A frame is ``7E | header | body | check | 7E``; between the flags ``7D 01`` stands for 7D and ``7D 02`` for 7E. The check
byte is the exclusive or of every byte of header and body. All integers are big-endian.
"""

from collections.abc import Iterator
from enum import IntEnum
from struct import Struct
from typing import NamedTuple

from monitoring.intake.wire import Malformed

FLAG = b"\x7e"
MAX_BODY = 1023  # bytes: the length has ten bits of the attributes
MAX_HEADER = 21  # of 2019, with the numbers of a sub-package
LONGEST = 2 * (MAX_HEADER + MAX_BODY + 1)  # between the flags, when every byte is escaped
SPLIT, NEWER, ENCRYPTED = 1 << 13, 1 << 14, 0b111 << 10  # of the attributes
AGAIN = 0x10000  # serial numbers begin at 0 again


class Edition(IntEnum):
    """The edition of the standard that a terminal speaks; 2011 and 2013 share the layout of the header."""

    E2011 = 2011
    E2013 = 2013
    E2019 = 2019


class Header(NamedTuple):
    """What stands before the body of a message."""

    msg_id: int
    attributes: int
    version: int  # of the protocol, from 1; 0 in the layout of 2013, which has none
    phone: str  # of the terminal, without the zeros in front; some makers write hexadecimal digits of an IMEI
    serial: int
    total: int = 1  # sub-packages of the whole message
    number: int = 1  # of this sub-package, from 1

    @property
    def edition(self) -> Edition:
        """Return the edition of the header's layout; 2013 stands for 2011 too."""
        return Edition.E2019 if self.version else Edition.E2013

    @property
    def encrypted(self) -> bool:
        return bool(self.attributes & ENCRYPTED)

    @property
    def is_part(self) -> bool:
        """Test whether the body is a part of one only, to be joined."""
        return self.total > 1


class Terminal(NamedTuple):
    """Whom a frame comes from or goes to, and the edition that is spoken with it."""

    phone: str
    edition: Edition = Edition.E2019
    version: int = 1


class Splitter:
    """Cuts a stream into frames, flags included; holds back less than the longest frame.

    One flag may end a frame and begin the next. Bytes before the first flag, and stretches that are longer than any frame,
    are told once and left out.
    """

    def __init__(self) -> None:
        self._rest = b""  # after the last flag
        self._begun = False  # a flag was seen
        self._skipping = False  # what comes until the next flag is no frame

    @property
    def held(self) -> int:
        """Return the number of bytes that wait for the end of their frame."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[bytes | Malformed]:
        """Return the frames that are whole now, and a `Malformed` for each stretch that is none."""
        first, *others = data.split(FLAG)
        found: list[bytes | Malformed] = []
        found.extend(self._more(first))
        for piece in others:
            if self._begun and self._rest and not self._skipping:
                found.append(FLAG + self._rest + FLAG)
            self._rest, self._begun, self._skipping = b"", True, False
            found.extend(self._more(piece))
        return found

    def _more(self, piece: bytes) -> Iterator[Malformed]:
        """Take up bytes that hold no flag."""
        if not piece or self._skipping:
            return
        if not self._begun:
            self._skipping = True
            yield Malformed("bytes before the first 7E")
        elif len(self._rest) + len(piece) > LONGEST:
            self._rest, self._skipping = b"", True
            yield Malformed(f"no 7E within {LONGEST} bytes, the longest frame")
        else:
            self._rest += piece


def checked(data: bytes) -> int:
    """Return the exclusive or of all bytes: 0 over a message with its check byte."""
    word = int.from_bytes(data, "big")
    width = 1 << (len(data) * 8 - 1).bit_length()
    while width > 8:  # fold: the lower half takes in the upper one
        width >>= 1
        word ^= word >> width
    return word & 0xFF


def escape(data: bytes) -> bytes:
    return data.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02")


def unescape(data: bytes) -> bytes:
    """Undo `escape`. A 7D that begins no escape stands for itself: some terminals forget one, and the check byte tells."""
    return data.replace(b"\x7d\x02", b"\x7e").replace(b"\x7d\x01", b"\x7d") if b"\x7d" in data else data


_OLD = Struct(">HH6sH")
_NEW = Struct(">HHB10sH")
_PART = Struct(">HH")


def unframe(frame: bytes) -> tuple[Header, bytes]:
    """Return header and body of one frame. :raises Malformed: it is damaged.

    Some terminals set the bit of 2019 and send the layout of 2013: where the length of the body does not fit the one, the
    other is tried. A flag that was not escaped is taken for what it is; in a stream the `Splitter` would have cut there.
    """
    if len(frame) < 2 or frame[:1] != FLAG or frame[-1:] != FLAG:
        raise Malformed(f"no 7E … 7E: {frame[:1].hex()} … {frame[-1:].hex()}, {len(frame)} bytes")
    if len(frame) > LONGEST + 2:
        raise Malformed(f"{len(frame)} bytes, the longest frame has {LONGEST + 2}")
    data = unescape(frame[1:-1])
    if len(data) < _OLD.size + 1:
        raise Malformed(f"{len(data)} bytes between the flags, a message has at least {_OLD.size + 1}")
    if wrong := checked(data):
        raise Malformed(f"check byte {data[-1]:02X}, expected {data[-1] ^ wrong:02X}")
    attributes = data[2] << 8 | data[3]
    length, split = attributes & MAX_BODY, _PART.size if attributes & SPLIT else 0
    for layout in (_NEW, _OLD) if attributes & NEWER else (_OLD,):
        if layout.size + split + length + 1 == len(data):
            return _header(data, layout, split), data[layout.size + split : -1]
    raise Malformed(
        f"body of {length} bytes declared, {len(data) - 1 - split - (_NEW if attributes & NEWER else _OLD).size} seen"
    )


def _header(data: bytes, layout: Struct, split: int) -> Header:
    if layout is _OLD:
        msg_id, attributes, phone, serial = _OLD.unpack_from(data)
        version = 0
    else:
        msg_id, attributes, version, phone, serial = _NEW.unpack_from(data)
        version = version or 1
    digits = phone.hex().lstrip("0") or "0"
    if not split:
        return Header(msg_id, attributes, version, digits, serial)
    total, number = _PART.unpack_from(data, layout.size)
    if not 1 <= number <= total:
        raise Malformed(f"sub-package {number} of {total}")
    return Header(msg_id, attributes, version, digits, serial, total, number)


def frame(msg_id: int, body: bytes, terminal: Terminal, serial: int, part: tuple[int, int] | None = None) -> bytes:
    """Return one frame; ``part`` is the total and the number of a sub-package.

    :raises ValueError: the body or the terminal's number is too long.
    """
    if len(body) > MAX_BODY:
        raise ValueError(f"a body of {len(body)} bytes; a frame takes {MAX_BODY}")
    newer = terminal.edition >= Edition.E2019
    digits = 20 if newer else 12
    if len(terminal.phone) > digits:
        raise ValueError(f"{terminal.phone} has more than {digits} digits")
    phone = bytes.fromhex(terminal.phone.zfill(digits))
    attributes = len(body) | (NEWER if newer else 0) | (SPLIT if part else 0)
    head = (
        _NEW.pack(msg_id, attributes, terminal.version, phone, serial % AGAIN)
        if newer
        else _OLD.pack(msg_id, attributes, phone, serial % AGAIN)
    )
    data = head + (_PART.pack(*part) if part else b"") + body
    return FLAG + escape(data + bytes([checked(data)])) + FLAG


def frames(msg_id: int, body: bytes, terminal: Terminal, serial: int) -> list[bytes]:
    """Return a message as one frame, or as many sub-packages as it takes; their serial numbers run on from ``serial``."""
    if len(body) <= MAX_BODY:
        return [frame(msg_id, body, terminal, serial)]
    pieces = [body[start : start + MAX_BODY] for start in range(0, len(body), MAX_BODY)]
    if len(pieces) >= AGAIN:
        raise ValueError(f"{len(body)} bytes are more than {AGAIN - 1} sub-packages take")
    return [frame(msg_id, piece, terminal, serial + n, (len(pieces), n + 1)) for n, piece in enumerate(pieces)]
