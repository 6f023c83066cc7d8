"""GB/T 26875.3-2011, clause 7: the packet between a user information transmission device and the centre.

``@@`` · serial 2 · version 2 · time 6 · source 6 · target 6 · length 2 · command 1 · application data · sum 1 · ``##``;
numbers low byte first. Nothing is escaped, so a packet is found by its length, its end and its sum.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from monitoring.intake.wire import Malformed

START, END = b"@@", b"##"
HEADER = 27  # bytes, with the start
SHORTEST = HEADER + 3
MAX_DATA = 1024  # bytes of application data, clause 7.2
LONGEST = SHORTEST + MAX_DATA
CHINA_TIME = timezone(timedelta(hours=8))  # packets carry local time without a zone


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before the application data."""

    serial: int
    source: int  # six bytes each; some devices put an IP address and a port there
    target: int
    command: int
    at: datetime | None  # None where the six bytes are no time
    version: tuple[int, int] = (1, 0)  # main, the user's own

    def back(self, command: int, at: datetime) -> "Header":
        """Return the header of an answer: the same serial number, source and target exchanged."""
        return replace(self, source=self.target, target=self.source, command=command, at=at)


class Damaged(Malformed):
    """A packet whose start, length and end fit, but not its sum: it is to be denied (clause 6.5)."""

    def __init__(self, words: str, header: Header) -> None:
        super().__init__(words)
        self.header = header


def checksum(data: bytes) -> int:
    """Return the sum of the bytes from the serial number to the end of the application data, its low eight bits."""
    return sum(data) & 0xFF


def time_of(data: bytes) -> datetime | None:
    """Return the time of six bytes: second, minute, hour, day, month, year since 2000, plain binary (clause 8.2.2)."""
    second, minute, hour, day, month, year = data
    try:
        return datetime(2000 + year, month, day, hour, minute, second, tzinfo=CHINA_TIME)
    except ValueError:
        return None


def time_bytes(at: datetime | None) -> bytes:
    """Return the six bytes of a time; of none, zeros. :raises ValueError: it is not of 2000…2255."""
    if at is None:
        return bytes(6)
    local = at.astimezone(CHINA_TIME)
    return bytes([local.second, local.minute, local.hour, local.day, local.month, local.year - 2000])


def frame(header: Header, data: bytes = b"") -> bytes:
    """Return a packet. :raises ValueError: the application data are longer than the standard allows."""
    if len(data) > MAX_DATA:
        raise ValueError(f"application data of {len(data)} bytes; the standard allows {MAX_DATA}")
    covered = (
        header.serial.to_bytes(2, "little")
        + bytes(header.version)
        + time_bytes(header.at)
        + header.source.to_bytes(6, "little")
        + header.target.to_bytes(6, "little")
        + len(data).to_bytes(2, "little")
        + bytes([header.command])
        + data
    )
    return START + covered + bytes([checksum(covered)]) + END


def header_of(packet: bytes) -> Header:
    """Return the header of at least `HEADER` bytes that begin with the start."""
    return Header(
        serial=int.from_bytes(packet[2:4], "little"),
        version=(packet[4], packet[5]),
        at=time_of(packet[6:12]),
        source=int.from_bytes(packet[12:18], "little"),
        target=int.from_bytes(packet[18:24], "little"),
        command=packet[26],
    )


def unframe(packet: bytes) -> tuple[Header, bytes]:
    """Return the header and the application data of one packet. :raises Malformed: it is damaged."""
    if not packet.startswith(START):
        raise Malformed(f"starts with {packet[:2].hex() or 'nothing'}, expected 4040 (@@)")
    if len(packet) < SHORTEST:
        raise Malformed(f"{len(packet)} bytes, expected at least {SHORTEST}")
    length = _length(packet)
    if length > MAX_DATA or len(packet) != SHORTEST + length:
        raise Malformed(f"length field {length}, application data of {len(packet) - SHORTEST} bytes")
    if not packet.endswith(END):
        raise Malformed(f"ends with {packet[-2:].hex()}, expected 2323 (##)")
    expected = checksum(packet[2:-3])
    if packet[-3] != expected:
        raise Damaged(f"checksum {packet[-3]:02X}, expected {expected:02X}", header_of(packet))
    return header_of(packet), packet[HEADER:-3]


def _length(packet: bytes | bytearray) -> int:
    return int.from_bytes(packet[24:26], "little")


def _packet_length(held: bytes | bytearray) -> int | None:
    """Return the bytes of the packet that begins here: 0 where none does, ``None`` while more must come."""
    if len(held) < 26:
        return None
    data = _length(held)
    if data > MAX_DATA:
        return 0
    length = SHORTEST + data
    if len(held) < length:
        return None
    return length if held[length - 2 : length] == END else 0


def _is_packet(packet: bytes) -> bool:
    try:
        unframe(packet)
    except Malformed:
        return False
    return True


class Splitter:
    """Cuts a stream into packets; where none begins, it looks one byte further.

    A packet with a wrong sum is told as `Damaged` and searched for another inside; nothing longer than `LONGEST` is
    ever held back.
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self._told = 0  # bytes still to be passed of a damaged packet that was told
        self._junk = b""
        self._junked = 0

    def feed(self, data: bytes) -> list[bytes | Malformed]:
        found: list[bytes | Malformed] = []
        self._held += data
        while True:
            self._skip_to_start()
            length = _packet_length(self._held)
            if length is None:
                inside = self._inside()
                if not inside:
                    break
                self._drop(inside)
            elif length == 0 or not self._take(length, found):
                self._drop(1)
        self._tell_junk(found)
        return found

    def _take(self, length: int, found: list[bytes | Malformed]) -> bool:
        packet = bytes(self._held[:length])
        try:
            unframe(packet)
        except Damaged as error:
            if self._told == 0:
                self._tell_junk(found)
                found.append(error)
                self._told = length
            return False
        self._tell_junk(found)
        found.append(packet)
        self._told = 0
        del self._held[:length]
        return True

    def _skip_to_start(self) -> None:
        at = self._held.find(START)
        if at < 0:
            at = len(self._held) - self._held.endswith(START[:1])
        self._drop(at)

    def _inside(self) -> int:
        """Return where a whole packet begins behind one that is still waited for; 0 for nowhere.

        What announces a thousand bytes and then breaks off must not hold back the fire alarm that follows.
        """
        at = self._held.find(START, 1)
        while at > 0:
            packet = bytes(self._held[at : at + LONGEST])
            if _is_packet(packet[: _packet_length(packet) or 0]):
                return at
            at = self._held.find(START, at + 1)
        return 0

    def _drop(self, count: int) -> None:
        passed = min(count, self._told)
        self._told -= passed
        self._junk = (self._junk + bytes(self._held[passed:count]))[:20]
        self._junked += count - passed
        del self._held[:count]

    def _tell_junk(self, found: list[bytes | Malformed]) -> None:
        if self._junked:
            found.append(Malformed(f"{self._junked} bytes that are no packet, beginning with {self._junk.hex()}"))
        self._junk, self._junked = b"", 0
