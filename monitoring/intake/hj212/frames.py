"""HJ 212-2017 污染物在线监控(监测)系统数据传输标准, clause 6.3: the frame.

``##`` + length of the data segment (4 decimal digits, bytes) + data segment + check word (4 hexadecimal digits) + CR LF.
"""

import re
from typing import Literal

from monitoring.intake.wire import Malformed

CrcMode = Literal["standard", "modbus_le", "off"]

MAX_DATA_LENGTH = 1024  # bytes, HJ 212-2017 table 1: what we send
LONGEST_FRAME = 2 + 4 + 9999 + 4  # what four digits can announce: stations in the field pass 1,024 bytes
START = b"##"
LINE_END = b"\r\n"


def _shifted(register: int) -> int:
    for _ in range(8):
        register, carry = register >> 1, register & 1
        if carry:
            register ^= 0xA001
    return register


SHIFTED = [_shifted(byte) for byte in range(256)]


def crc16(data: bytes) -> int:
    """Return the check word of HJ 212-2017 appendix A.

    Not CRC-16/MODBUS: the register is shifted *before* the byte is mixed in, and its low byte is lost.
    """
    register = 0xFFFF
    for byte in data:
        register = SHIFTED[(register >> 8) ^ byte]
    return register


def crc16_modbus_le(data: bytes) -> int:
    """Return CRC-16/MODBUS with its bytes swapped (low byte first), as some stations send it in place of appendix A."""
    register = 0xFFFF
    for byte in data:
        register = (register >> 8) ^ SHIFTED[(register ^ byte) & 0xFF]
    return (register & 0xFF) << 8 | register >> 8


CHECKS = {"standard": crc16, "modbus_le": crc16_modbus_le}  # "off" checks nothing


def frame(text: str, crc: CrcMode = "standard") -> bytes:
    """Return the frame of a data segment. :raises ValueError: it is longer than the standard allows."""
    data = text.encode()
    if len(data) > MAX_DATA_LENGTH:
        raise ValueError(f"data segment of {len(data)} bytes; the standard allows {MAX_DATA_LENGTH}")
    return START + b"%04d" % len(data) + data + b"%04X" % CHECKS.get(crc, crc16)(data) + LINE_END


def unframe(message: bytes, crc: CrcMode = "standard") -> str:
    """Return the data segment of one frame, with or without its CR LF. :raises Malformed: it is damaged."""
    body = message.removesuffix(LINE_END)
    if not body.startswith(START):
        raise Malformed(f"starts with {body[:2]!r}, expected b'##'")
    declared, data, check = body[2:6], body[6:-4], body[-4:]
    if len(body) < 10 or not declared.isdigit():
        raise Malformed(f"length field {declared!r}, expected four digits")
    if int(declared) != len(data):
        raise Malformed(f"length field {declared.decode()}, data segment of {len(data)} bytes")
    _checked(data, check, crc)
    return _text(data)


def _checked(data: bytes, check: bytes, crc: CrcMode) -> None:
    if not re.fullmatch(rb"[0-9A-Fa-f]{4}", check):
        raise Malformed(f"check word {check!r}, expected four hexadecimal digits")
    if crc != "off" and int(check, 16) != CHECKS[crc](data):
        raise Malformed(f"check word {check.decode().upper()}, expected {CHECKS[crc](data):04X} ({crc})")


def _text(data: bytes) -> str:
    """Return the characters: ASCII, with logs in UTF-8 (clause 6.3.1), which older stations send in GB 18030."""
    control = re.search(rb"[\x00-\x1f\x7f]", data)
    if control:
        raise Malformed(f"control character 0x{control[0][0]:02X} at byte {control.start()} of the data segment")
    for encoding in ("utf-8", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Malformed("data segment is neither UTF-8 nor GB 18030")


class Splitter:
    """Cuts a stream into frames, which it gives without their CR LF.

    A length that passes the end of its line is wrong; the search then goes on one byte further, so that a frame which
    begins inside a damaged one is found. Nothing longer than `LONGEST_FRAME` is ever held back.
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self._junk = b""
        self._junked = 0

    def feed(self, data: bytes) -> list[bytes | Malformed]:
        found: list[bytes | Malformed] = []
        self._held += data
        while True:
            self._skip_to_start()
            length = self._length()
            if length is None:
                break
            if length == 0:
                self._drop(1)
                continue
            self._tell_junk(found)
            found.append(bytes(self._held[:length]))
            del self._held[:length]
        self._tell_junk(found)
        return found

    def _skip_to_start(self) -> None:
        at = self._held.find(START)
        if at < 0:
            at = len(self._held) - self._held.endswith(b"#")
        self._drop(at)

    def _length(self) -> int | None:
        """Return the bytes of the frame that begins here: 0 where none does, ``None`` while more must come."""
        declared = bytes(self._held[2:6])
        if not declared.isdigit():
            return 0 if declared.strip(b"0123456789") else None
        if len(declared) < 4:
            return None
        length = 6 + int(declared) + 4
        if any(self._held.find(end, 6, length) >= 0 for end in (b"\r", b"\n")):
            return 0
        return length if len(self._held) >= length else None

    def _drop(self, count: int) -> None:
        dropped = bytes(self._held[:count]).strip(LINE_END)
        del self._held[:count]
        self._junk = (self._junk + dropped)[:20]
        self._junked += len(dropped)

    def _tell_junk(self, found: list[bytes | Malformed]) -> None:
        if self._junked:
            found.append(Malformed(f"{self._junked} bytes that are no frame, beginning with {self._junk!r}"))
        self._junk, self._junked = b"", 0
