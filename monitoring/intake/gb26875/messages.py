"""GB/T 26875.3-2011, clause 8: the application data, read and written by the layouts of its types."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from monitoring.intake.gb26875.frames import Header, time_bytes, time_of, unframe
from monitoring.intake.gb26875.states import conditions, operations
from monitoring.intake.gb26875.tables import (
    ANALOGS,
    COMMANDS,
    COMPONENT_TYPES,
    OPERATION_BITS,
    STATE_BITS,
    SYSTEM_TYPES,
    TYPES,
    Bit,
    Word,
)

Object = dict[str, Any]  # a field's name: a number, words, or a time
TEXT_BYTES = 31  # of a component's description


class Kind(NamedTuple):
    """How a field is written: in so many bytes, or (0) in a byte with their number and so many more."""

    size: int
    read: Callable[[bytes], Any]
    write: Callable[[Any], bytes]


def _number(size: int, *, signed: bool = False) -> Kind:
    return Kind(
        size,
        lambda data: int.from_bytes(data, "little", signed=signed),
        lambda number: number.to_bytes(size, "little", signed=signed),
    )


def _words(data: bytes) -> str:
    """Return GB 18030 up to the first zero; what no reader could see, or the field's end cut in two, is left out."""
    text = data.split(b"\0")[0].decode("gb18030", errors="replace").rstrip("\ufffd")
    return "".join(letter for letter in text if letter.isprintable()).strip()


def _filled(text: str) -> bytes:
    data = text.encode("gb18030")
    if len(data) > TEXT_BYTES:
        raise ValueError(f"{text!r} takes {len(data)} bytes, expected at most {TEXT_BYTES}")
    return data.ljust(TEXT_BYTES, b"\0")


def _measured(text: str) -> bytes:
    data = text.encode("gb18030")
    if len(data) > 255:
        raise ValueError(f"words of {len(data)} bytes, expected at most 255")
    return bytes([len(data)]) + data


U8, U16, U32, I16 = _number(1), _number(2), _number(4), _number(2, signed=True)
TIME = Kind(6, time_of, time_bytes)
DESCRIPTION = Kind(TEXT_BYTES, _words, _filled)
TEXT = Kind(0, lambda data: _words(data[1:]), _measured)

Fields = tuple[tuple[str, Kind], ...]


class Layout(NamedTuple):
    """The fields of one object of a type, and how many objects a packet may carry."""

    most: int
    fields: Fields

    @property
    def size(self) -> int:
        return sum(kind.size for _, kind in self.fields)


_SYSTEM: Fields = (("system_type", U8), ("system_addr", U8))
_COMPONENT: Fields = (*_SYSTEM, ("component_type", U8), ("component_addr", U32))
_ASKED: Fields = (*_SYSTEM, ("component_addr", U32))
_OPERATION: Fields = (("operation", U8), ("operator", U8))
_VERSION: Fields = (("version_main", U8), ("version_sub", U8))
_TIME: Fields = (("time", TIME),)
_SINCE: Fields = (("count", U8), ("since", TIME))
_RESERVED: Fields = (("reserved", U8),)

LAYOUTS = {  # clause 8.3: up 1-28, down 61-91
    1: Layout(102, (*_SYSTEM, ("state", U16), *_TIME)),
    2: Layout(22, (*_COMPONENT, ("state", U16), ("description", DESCRIPTION), *_TIME)),
    3: Layout(63, (*_COMPONENT, ("analog_type", U8), ("analog_value_raw", I16), *_TIME)),
    4: Layout(102, (*_SYSTEM, *_OPERATION, *_TIME)),
    5: Layout(1, (*_SYSTEM, *_VERSION)),
    6: Layout(3, (*_SYSTEM, ("text", TEXT))),
    7: Layout(26, (*_COMPONENT, ("description", DESCRIPTION))),
    8: Layout(1, (*_SYSTEM, *_TIME)),
    21: Layout(1, (("state", U8), *_TIME)),
    24: Layout(127, (*_OPERATION, *_TIME)),
    25: Layout(1, _VERSION),
    26: Layout(1, (("text", TEXT),)),
    28: Layout(1, _TIME),
    61: Layout(102, _SYSTEM),
    62: Layout(22, _ASKED),
    63: Layout(63, _ASKED),
    64: Layout(1, (*_SYSTEM, *_SINCE)),
    65: Layout(1, _SYSTEM),
    66: Layout(3, _SYSTEM),
    67: Layout(26, _ASKED),
    68: Layout(1, _SYSTEM),
    81: Layout(1, _RESERVED),
    84: Layout(1, _SINCE),
    85: Layout(1, _RESERVED),
    86: Layout(1, _RESERVED),
    88: Layout(1, _RESERVED),
    89: Layout(1, _RESERVED),
    90: Layout(1, _TIME),
    91: Layout(1, _RESERVED),
}


@dataclass(frozen=True, slots=True)
class Message:
    """One packet. Application data that fit no layout are kept as they came: devices in the field differ."""

    header: Header
    data: bytes
    type_flag: int | None = None
    count: int = 0
    objects: tuple[Object, ...] = ()
    rest: bytes = b""  # what the objects left over

    @property
    def remarks(self) -> list[str]:
        """Return where the application data differ from the standard, in an operator's words."""
        if self.type_flag is None:
            return [f"application data of {len(self.data)} byte"] if self.data else []
        if self.type_flag not in LAYOUTS:
            return [f"type {self.type_flag} is not of the standard"]
        found = []
        if len(self.objects) != self.count:
            found.append(f"{self.count} objects announced, {len(self.objects)} found")
        if self.rest:
            found.append(f"{len(self.rest)} bytes after the last object")
        return found


def decode(packet: bytes) -> Message:
    """Return what a packet says. :raises Malformed: it is damaged (`Damaged`, to be denied, where only its sum is)."""
    header, data = unframe(packet)
    if len(data) < 2:  # empty: a heart-beat; one byte: a vendor's handshake
        return Message(header, data)
    type_flag, count, body = data[0], data[1], data[2:]
    if type_flag not in LAYOUTS:
        return Message(header, data, type_flag, count, rest=body)
    objects, rest = _read(_fields_of(LAYOUTS[type_flag], count, len(body)), count, body)
    return Message(header, data, type_flag, count, tuple(objects), rest)


def _fields_of(layout: Layout, count: int, length: int) -> Fields:
    """Return the layout's fields; with or without a time where only that makes the length come out."""
    if 0 in (kind.size for _, kind in layout.fields) or length == count * layout.size:
        return layout.fields
    if layout.fields[-1] == _TIME[0] and length == count * (layout.size - TIME.size):
        return layout.fields[:-1]
    if layout.fields[-1] != _TIME[0] and length == count * (layout.size + TIME.size):
        return (*layout.fields, *_TIME)
    return layout.fields


def _read(fields: Fields, count: int, body: bytes) -> tuple[list[Object], bytes]:
    objects: list[Object] = []
    while len(objects) < count:
        one: Object = {}
        at = 0
        for name, kind in fields:
            size = kind.size or 1 + int.from_bytes(body[at : at + 1], "little")
            if at + size > len(body):
                return objects, body
            one[name] = kind.read(body[at : at + size])
            at += size
        objects.append(one)
        body = body[at:]
    return objects, body


def encode_objects(type_flag: int, objects: Sequence[Mapping[str, Any]]) -> bytes:
    """Return application data. :raises ValueError: objects that the type does not have, cannot hold or has too many of."""
    layout = LAYOUTS.get(type_flag)
    if layout is None:
        raise ValueError(f"type {type_flag} is not of the standard")
    if len(objects) > layout.most:
        raise ValueError(f"{len(objects)} objects of type {type_flag}, expected at most {layout.most}")
    body = b"".join(_write(name, kind, one) for one in objects for name, kind in layout.fields)
    return bytes([type_flag, len(objects)]) + body


def _write(name: str, kind: Kind, one: Mapping[str, Any]) -> bytes:
    try:
        return kind.write(one[name])
    except (AttributeError, KeyError, OverflowError, TypeError) as error:
        raise ValueError(f"{name}={one.get(name)!r} does not fit its field") from error


def tell(message: Message) -> dict[str, Any]:
    """Return a message as plain values: its fields, then what they mean."""
    header, type_flag = message.header, message.type_flag
    return {
        "serial": header.serial,
        "version": list(header.version),
        "time": header.at.isoformat() if header.at else None,
        "source": f"{header.source:012x}",
        "target": f"{header.target:012x}",
        "command": header.command,
        "command_means": _word(COMMANDS, header.command),
        "type_flag": type_flag,
        "type_means": _word(TYPES, type_flag),
        "objects": [_told(type_flag, one) for one in message.objects],
        "app_data": message.data.hex(),
        "remarks": message.remarks,
    }


def _told(type_flag: int | None, one: Object) -> Object:
    told = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in one.items()}
    if "system_type" in one:
        told["system_means"] = _word(SYSTEM_TYPES, one["system_type"])
    if "component_type" in one:
        told["component_means"] = _word(COMPONENT_TYPES, one["component_type"])
    if type_flag in STATE_BITS:
        told["conditions"] = _bits(conditions(type_flag, one["state"]))
    if type_flag in OPERATION_BITS:
        told["operations"] = _bits(operations(type_flag, one["operation"]))
    if (analog := ANALOGS.get(one.get("analog_type", -1))) is not None:
        raw = one["analog_value_raw"]
        told["analog_means"] = {"zh": analog.zh, "en": analog.en}
        told |= {"analog_value": analog.value(raw), "unit": analog.unit, "valid": analog.is_valid(raw)}
    return told


def _bits(bits: list[Bit]) -> list[Object]:
    return [bit._asdict() for bit in bits]


def _word(table: Mapping[int, Word], code: int | None) -> dict[str, str] | None:
    word = None if code is None else table.get(code)
    return word and word._asdict()
