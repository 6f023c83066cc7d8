"""Ships: AIS messages of receivers to positions and what ships say of themselves. Nobody is answered."""

import time
from datetime import UTC, datetime

from ..intake import ais
from ..intake.wire import Malformed
from ..known import KnownDevice
from .lots import Letter, Line, Lot, clean

NAME = "ais"
KNOT_KMH = 1.852
CLOCK_MS = 86_400_000  # a receiver's time is believed as far as it is within a day of ours
UNDEFINED = 15  # navigation status, as the standard has it
AHEAD_S = 5  # a ship's second may lie so far in front of ours
SAYS = ("shipname", "callsign", "shiptype", "imo", "destination", "draught", "eta", "mothership", "heading")


class Talk:
    """One receiver, which hears many ships."""

    def __init__(self, line: Line, trusted: bool = False) -> None:
        self.line = line
        self.splitter, self.parts = ais.Splitter(), ais.Parts()
        self.device: KnownDevice | None = None

    def hear(self, data: bytes, received: int, lot: Lot) -> int:
        return self._take(self.splitter.feed(data), received, lot)

    def tick(self, received: int, lot: Lot) -> list[bytes]:
        return []

    def close(self, received: int, lot: Lot) -> None:
        self._take(self.splitter.close(), received, lot)

    def _take(self, lines: list[bytes | Malformed], received: int, lot: Lot) -> int:
        for line in lines:
            try:
                if isinstance(line, Malformed):
                    raise line
                sentence = ais.read_sentence(line)
                found = self.parts.add(sentence, time.monotonic())
            except Malformed:
                lot.counts["damaged"] += 1
                continue
            for sentences in found:
                try:
                    if isinstance(sentences, Malformed):
                        raise sentences
                    sent = line if len(sentences) == 1 else b"\r\n".join(map(written, sentences))
                    self._store(ais.decode(*sentences), sent, b"".join(one.payload for one in sentences), received, lot)
                except Malformed:
                    lot.counts["damaged"] += 1
        return len(lines)

    def _store(self, message: ais.Message, sent: bytes, payload: bytes, received: int, lot: Lot) -> None:
        address = f"{message.mmsi:09d}"
        device = lot.known.find(NAME, address)
        if device is None:
            lot.meet(NAME, address, received, sent)
            return
        is_read = message.place is not None or any(getattr(message, name) is not None for name in SAYS)
        letter = lot.letter(NAME, device, self.line, received, sent + b"\r\n", keep=not is_read)
        if message.place is not None:
            place(letter, message, payload)
        said = {name: getattr(message, name) for name in SAYS if getattr(message, name) is not None}
        if said:
            letter.say(**{name: clean(value) if isinstance(value, str) else value for name, value in said.items()})
        letter.end()


def place(letter: Letter, message: ais.Message, payload: bytes) -> None:
    """Lay a position into a lot; ``flags`` is the navigation status, an alarm bit says distress."""
    at = moment(message, letter.message.received_ms)
    speed = None if message.speed is None else message.speed * KNOT_KMH
    flags = UNDEFINED if message.status is None else message.status
    letter.fix(
        payload, at, message.place, speed_kmh=speed, course=message.course, flags=flags,
        alarms=int(message.in_distress),
    )  # fmt: skip
    if letter.device.channels:
        if speed is not None:
            letter.value("speed", "speed", at, speed, optional=True)
        if flags != UNDEFINED:
            letter.value("status", "status", at, flags, optional=True)


def moment(message: ais.Message, received: int) -> datetime:
    """Return when a position was taken: the message tells the second, the receiver or we the minute.

    So two receivers that hear one ship make one position of it.
    """
    if message.received is not None and abs(message.received * 1000 - received) < CLOCK_MS:
        heard = int(message.received)
    else:
        heard = received // 1000
    behind = 0 if message.second is None else (heard - message.second) % 60
    if behind >= 60 - AHEAD_S:
        behind -= 60
    return datetime.fromtimestamp(heard - behind, UTC)


def written(sentence: ais.Sentence) -> bytes:
    """Return a sentence as it came, without its tag block."""
    said = f"{sentence.talker},{sentence.total},{sentence.number},{sentence.sequence},{sentence.channel},"
    body = said.encode() + sentence.payload + f",{sentence.fill}".encode()
    check = 0
    for byte in body:
        check ^= byte
    return b"!" + body + b"*%02X" % check
