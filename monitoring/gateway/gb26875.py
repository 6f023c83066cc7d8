"""Fire devices: GB/T 26875.3 packets to readings, and their confirmations.

Channels by the numbers of the standard: ``state:<system>:<address>`` and ``state:<system>:<address>:<component>:<address>``
with the state word (rules watch its bits), ``analog:…:<kind>``, ``operation:<system>:<address>``, ``transmitter`` and
``transmitter-operation`` of the transmission device itself. An operation is an event: its bits at its moment.
"""

from datetime import UTC, datetime

from ..intake import gb26875
from ..intake.gb26875.messages import Object
from ..intake.gb26875.tables import ANALOGS
from ..intake.wire import Malformed
from ..known import KnownDevice
from ..storing import BAD, GOOD
from .lots import Letter, Line, Lot

NAME = "gb26875"
SYSTEM_STATE, STATE, ANALOG, OPERATION, TRANSMITTER, TRANSMITTER_OPERATION = 1, 2, 3, 4, 21, 24
READ = (SYSTEM_STATE, STATE, ANALOG, OPERATION, TRANSMITTER, TRANSMITTER_OPERATION)


class Talk:
    """One connection of a user information transmission device."""

    def __init__(self, line: Line, trusted: bool = False) -> None:
        self.line, self.splitter = line, gb26875.Splitter()
        self.device: KnownDevice | None = None

    def hear(self, data: bytes, received: int, lot: Lot) -> int:
        packets = self.splitter.feed(data)
        for packet in packets:
            try:
                if isinstance(packet, Malformed):
                    raise packet
                self._take(gb26875.decode(packet), packet, received, lot)
            except gb26875.Damaged as error:
                device = lot.known.find(NAME, address_of(error.header))
                lot.damaged(NAME, device, self.line, received, data, str(error))
                lot.answer(self.line, gb26875.deny(error.header, _at(received)))
            except Malformed as error:
                lot.damaged(NAME, self.device, self.line, received, data, str(error))
        return len(packets)

    def tick(self, received: int, lot: Lot) -> list[bytes]:
        return []

    def close(self, received: int, lot: Lot) -> None:
        """Nothing is left of a stream that ends."""

    def _take(self, message: gb26875.Message, packet: bytes, received: int, lot: Lot) -> None:
        address, now = address_of(message.header), _at(received)
        self.device = device = lot.known.find(NAME, address)
        if device is None:
            lot.meet(NAME, address, received, packet)
            lot.answer(self.line, gb26875.deny(message.header, now))
            return
        is_read = message.type_flag in READ or not message.data
        letter = lot.letter(NAME, device, self.line, received, packet, keep=not is_read)
        for one in message.objects:
            read(letter, message.type_flag or 0, one, one.get("time") or message.header.at)
        if message.remarks and message.type_flag is not None:
            letter.refuse("; ".join(message.remarks))
        letter.end()
        lot.answer(self.line, gb26875.answer(message, now))


def address_of(header: gb26875.Header) -> str:
    """Return a device's address as twelve hexadecimal digits, as `decode` prints it."""
    return f"{header.source:012x}"


def _at(received: int) -> datetime:
    return datetime.fromtimestamp(received / 1000, UTC)


def read(letter: Letter, type_flag: int, one: Object, at: datetime | None) -> None:
    """Lay one object into a lot."""
    system = f"{one.get('system_type')}:{one.get('system_addr')}"
    match type_flag:
        case 1:
            letter.value(f"state:{system}", "state", at, one["state"])
        case 2:
            letter.value(f"state:{system}:{_component(one)}", "state", at, one["state"])
        case 3:
            kind, raw = one["analog_type"], one["analog_value_raw"]
            known = ANALOGS.get(kind)
            value, quality = (raw, GOOD) if known is None else (known.value(raw), GOOD if known.is_valid(raw) else BAD)
            letter.value(f"analog:{system}:{_component(one)}:{kind}", f"analog-{kind}", at, value, quality=quality)
        case 4:
            letter.value(f"operation:{system}", "operation", at, one["operation"])
        case 21:
            letter.value("transmitter", "state", at, one["state"])
        case 24:
            letter.value("transmitter-operation", "operation", at, one["operation"])


def _component(one: Object) -> str:
    return f"{one['component_type']}:{one['component_addr']}"
