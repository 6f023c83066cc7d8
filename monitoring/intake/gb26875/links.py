"""What goes over the line between a transmission device and the centre, both ways (GB/T 26875.3-2011, clauses 6 and 8.3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitoring.intake.gb26875.frames import Header, frame
from monitoring.intake.gb26875.messages import Message, encode_objects
from monitoring.intake.gb26875.tables import ANSWER, CONFIRM, CONTROL, DATA, DENY, REQUEST

Objects = Sequence[Mapping[str, Any]]

INITIALISE, SET_CLOCK, CHECK_POST = 89, 90, 91
READS = (*range(61, 69), 81, *range(84, 87), 88)


@dataclass(frozen=True, slots=True)
class Link:
    """The addresses of two ends; the serial numbers are counted by who begins."""

    device: int
    centre: int = 0
    version: tuple[int, int] = (1, 0)

    def up(self, command: int, serial: int, at: datetime) -> Header:
        return Header(serial, self.device, self.centre, command, at, self.version)

    def down(self, command: int, serial: int, at: datetime) -> Header:
        return Header(serial, self.centre, self.device, command, at, self.version)


def confirm(header: Header, at: datetime) -> bytes:
    """Return the confirmation of a packet: its serial number, nothing else."""
    return frame(header.back(CONFIRM, at))


def deny(header: Header, at: datetime) -> bytes:
    """Return the denial of a packet, also of a `Damaged` one; its sender repeats it up to three times."""
    return frame(header.back(DENY, at))


def answer(message: Message, at: datetime) -> bytes | None:
    """Return what the centre answers to a device: data are confirmed, commands that it does not know denied.

    Data that differ from the standard are confirmed too: a repetition would not differ from them.
    """
    command = message.header.command
    if command == DATA:
        return confirm(message.header, at)
    return None if command in (CONFIRM, ANSWER, DENY) else deny(message.header, at)


# from the centre


def set_clock(link: Link, to: datetime, *, serial: int, at: datetime) -> bytes:
    """Set the device's clock (type 90)."""
    return frame(link.down(CONTROL, serial, at), encode_objects(SET_CLOCK, [{"time": to}]))


def check_post(link: Link, *, serial: int, at: datetime, minutes: int = 0) -> bytes:
    """Call whoever should be at the post (type 91); the device then sends an operation with ``post_answered``.

    The standard reserves the byte and sets it 0; some devices take it as the minutes they wait.
    """
    return frame(link.down(CONTROL, serial, at), encode_objects(CHECK_POST, [{"reserved": minutes}]))


def initialise(link: Link, *, serial: int, at: datetime) -> bytes:
    """Have the device start anew (type 89)."""
    return frame(link.down(CONTROL, serial, at), encode_objects(INITIALISE, [{"reserved": 0}]))


def read(link: Link, type_flag: int, objects: Objects = ({"reserved": 0},), *, serial: int, at: datetime) -> bytes:
    """Ask for what types 61-68 name of systems and components, 81 and 84-88 of the device itself."""
    if type_flag not in READS:
        raise ValueError(f"type {type_flag} reads nothing")
    return frame(link.down(REQUEST, serial, at), encode_objects(type_flag, objects))


# from the device


def encode_data(link: Link, type_flag: int, objects: Objects, *, serial: int, at: datetime) -> bytes:
    """Send what happened (types 1-28); the centre confirms it."""
    return frame(link.up(DATA, serial, at), encode_objects(type_flag, objects))


def encode_answer(to: Header, type_flag: int, objects: Objects, *, at: datetime) -> bytes:
    """Answer a request with what it asked for (types 1-28)."""
    return frame(to.back(ANSWER, at), encode_objects(type_flag, objects))


def encode_heartbeat(link: Link, *, serial: int, at: datetime) -> bytes:
    """Send data without data: the standard names no heart-beat, and this is what devices do."""
    return frame(link.up(DATA, serial, at))
