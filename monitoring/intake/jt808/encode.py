"""Frames as terminals send them, and what a platform answers and asks. Long messages become sub-packages."""

from collections.abc import Iterable, Sequence

from monitoring.intake.jt808 import fields, position
from monitoring.intake.jt808.bodies import CARD_IN, Authentication, DriverCard, Registration
from monitoring.intake.jt808.framing import Edition, Header, Terminal, frame, frames
from monitoring.intake.jt808.position import Position

SIZES = {Edition.E2011: (5, 8, 7), Edition.E2013: (5, 20, 7), Edition.E2019: (11, 30, 30)}  # maker, model, terminal


def terminal_of(header: Header) -> Terminal:
    """Return whom an answer to this message goes to, in the layout that the terminal itself uses."""
    return Terminal(header.phone, header.edition, header.version or 1)


# From terminals.


def encode_register(terminal: Terminal, serial: int, who: Registration) -> bytes:
    """Return 0x0100. :raises ValueError: a field takes fewer bytes in the terminal's edition."""
    sizes = zip((who.maker, who.model, who.terminal_id), SIZES[terminal.edition], strict=True)
    body = who.province.to_bytes(2, "big") + who.city.to_bytes(2, "big")
    body += b"".join(fields.filled(words, size) for words, size in sizes)
    return frame(0x0100, body + bytes([who.colour]) + who.plate.encode(fields.CHARSET), terminal, serial)


def encode_auth(terminal: Terminal, serial: int, auth: Authentication) -> bytes:
    body = auth.code.encode(fields.CHARSET)
    if terminal.edition >= Edition.E2019:
        body = fields.measured(auth.code) + fields.filled(auth.imei, 15) + fields.filled(auth.software, 20)
    return frame(0x0102, body, terminal, serial)


def encode_heartbeat(terminal: Terminal, serial: int) -> bytes:
    return frame(0x0002, b"", terminal, serial)


def encode_logout(terminal: Terminal, serial: int) -> bytes:
    return frame(0x0003, b"", terminal, serial)


def encode_terminal_answer(terminal: Terminal, serial: int, to: Header, result: int = 0) -> bytes:
    """Return 0x0001, the answer of a terminal to what the platform asked."""
    return frame(0x0001, _answer(to, result), terminal, serial)


def encode_position(terminal: Terminal, serial: int, where: Position) -> bytes:
    return frame(0x0200, position.encode(where), terminal, serial)


def encode_found(terminal: Terminal, serial: int, to: int, where: Position) -> bytes:
    """Return 0x0201, the answer to the question 0x8201 of the serial number ``to``."""
    return frame(0x0201, to.to_bytes(2, "big") + position.encode(where), terminal, serial)


def encode_batch(terminal: Terminal, serial: int, positions: Sequence[Position], kind: int = 0) -> list[bytes]:
    """Return 0x0704; ``kind`` 1 for positions from where there was no network."""
    body = len(positions).to_bytes(2, "big") + bytes([kind])
    for one in map(position.encode, positions):
        body += len(one).to_bytes(2, "big") + one
    return frames(0x0704, body, terminal, serial)


def encode_waybill(terminal: Terminal, serial: int, content: bytes) -> list[bytes]:
    return frames(0x0701, len(content).to_bytes(4, "big") + content, terminal, serial)


def encode_driver_card(terminal: Terminal, serial: int, card: DriverCard) -> bytes:
    """Return 0x0702 in the terminal's edition. :raises ValueError: a field does not fit, or the time is missing."""
    name, issuer = fields.measured(card.name), fields.measured(card.issuer)
    if terminal.edition == Edition.E2011:
        person, certificate = fields.filled(card.person, 20), fields.filled(card.certificate, 40)
        return frame(0x0702, name + person + certificate + issuer, terminal, serial)
    if card.time is None:
        raise ValueError("a card that was put in or taken out at no time")
    body = bytes([card.status]) + fields.bcd(card.time)
    if card.status == CARD_IN:
        body += bytes([card.result])
        if card.result == 0:
            day = f"{card.valid_to:%Y%m%d}" if card.valid_to else "0" * 8
            body += name + fields.filled(card.certificate, 20) + issuer + bytes.fromhex(day)
            body += fields.filled(card.person, 20) if terminal.edition >= Edition.E2019 else b""
    return frame(0x0702, body, terminal, serial)


# From a platform. What answers a message goes to the terminal of its header.


def _answer(to: Header, result: int) -> bytes:
    return to.serial.to_bytes(2, "big") + to.msg_id.to_bytes(2, "big") + bytes([result])


def encode_answer(to: Header, serial: int, result: int = 0) -> bytes:
    """Return 0x8001: 0 done, 1 failed, 2 bad message, 3 not supported, 4 alarm handled."""
    return frame(0x8001, _answer(to, result), terminal_of(to), serial)


def encode_registered(to: Header, serial: int, result: int = 0, code: str = "") -> bytes:
    """Return 0x8100; the code goes with the result 0 only."""
    body = to.serial.to_bytes(2, "big") + bytes([result])
    return frame(0x8100, body + (code.encode(fields.CHARSET) if result == 0 else b""), terminal_of(to), serial)


def encode_media_answer(to: Header, serial: int, media_id: int, numbers: Sequence[int] = ()) -> bytes:
    """Return 0x8800; with the numbers of sub-packages that are missing, nothing behind the id when none is."""
    body = media_id.to_bytes(4, "big")
    return frame(0x8800, body + (_numbers(numbers, 1) if numbers else b""), terminal_of(to), serial)


def encode_resend(terminal: Terminal, serial: int, first: int, numbers: Sequence[int]) -> bytes:
    """Return 0x8003, which asks for sub-packages of the message whose first one had the serial number ``first``."""
    count = 2 if terminal.edition >= Edition.E2019 else 1
    return frame(0x8003, first.to_bytes(2, "big") + _numbers(numbers, count), terminal, serial)


def _numbers(numbers: Sequence[int], count: int) -> bytes:
    return len(numbers).to_bytes(count, "big") + b"".join(number.to_bytes(2, "big") for number in numbers)


def encode_query(terminal: Terminal, serial: int) -> bytes:
    """Return 0x8201, which asks for the position now."""
    return frame(0x8201, b"", terminal, serial)


def encode_tracking(terminal: Terminal, serial: int, interval_s: int, for_s: int) -> bytes:
    """Return 0x8202; the interval 0 ends it."""
    body = interval_s.to_bytes(2, "big") + (for_s.to_bytes(4, "big") if interval_s else b"")
    return frame(0x8202, body, terminal, serial)


def encode_text(terminal: Terminal, serial: int, words: str, flags: int = 0b1101, kind: int = 1) -> list[bytes]:
    """Return 0x8300; as it stands: urgent, shown and read aloud, a notice."""
    head = bytes([flags, kind]) if terminal.edition >= Edition.E2019 else bytes([flags])
    return frames(0x8300, head + words.encode(fields.CHARSET), terminal, serial)


def encode_parameters(terminal: Terminal, serial: int, values: Iterable[tuple[int, bytes]]) -> bytes:
    """Return 0x8103, which sets parameters."""
    pairs = list(values)
    body = bytes([len(pairs)])
    for key, value in pairs:
        body += key.to_bytes(4, "big") + bytes([len(value)]) + value
    return frame(0x8103, body, terminal, serial)
