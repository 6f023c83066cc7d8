"""`bin/manage decode PROTOCOL [FILE]`: what a message says, one JSON object a line."""

import json
import sys
from argparse import FileType
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from monitoring.intake import ais, cap, gb26875, hj212, jt808, jt809
from monitoring.intake.wire import Malformed

Told = dict[str, Any]
Reader = Callable[[Iterable[bytes]], Iterator[Told]]


def each_line(read: Callable[[bytes], Told]) -> Reader:
    """Return a reader of messages that stand on a line each."""

    def reader(lines: Iterable[bytes]) -> Iterator[Told]:
        for line in lines:
            yield told(read, line.strip())

    return reader


def told(read: Callable[[bytes], Told], message: bytes) -> Told:
    try:
        return {"ok": True, **read(message)}
    except Malformed as error:
        return {"ok": False, "error": str(error)}


def from_hex(line: bytes) -> bytes:
    """Return the bytes that a line spells in hexadecimal digits. :raises Malformed: it spells none."""
    try:
        return bytes.fromhex(line.decode("ascii"))
    except ValueError as error:
        raise Malformed(f"no hexadecimal digits: {line[:40]!r}") from error


def each_hex(read: Callable[[bytes], Told]) -> Reader:
    """Return a reader of messages that stand on a line each, in hexadecimal digits."""
    return each_line(lambda line: read(from_hex(line)))


def ais_messages(lines: Iterable[bytes]) -> Iterator[Told]:
    """Yield the messages of a log in the order in which they become whole; a log tells no time, so none is too late."""
    stream = ais.Stream()
    for line in lines:
        yield from map(ais_told, stream.feed(line, at=0))
    yield from map(ais_told, stream.close(at=0))


def ais_told(message: ais.Message | Malformed) -> Told:
    return {"ok": False, "error": str(message)} if isinstance(message, Malformed) else {"ok": True, **ais.tell(message)}


def cap_message(lines: Iterable[bytes]) -> Iterator[Told]:
    """Yield the one warning that a file holds."""
    yield told(lambda data: cap.tell(cap.decode(data)), b"".join(lines))


READERS: dict[str, Callable[[dict[str, Any]], Reader]] = {  # by protocol, from the options of the command
    "ais": lambda options: ais_messages,
    "cap": lambda options: cap_message,
    "gb26875": lambda options: each_hex(lambda frame: gb26875.tell(gb26875.decode(frame))),
    "hj212": lambda options: each_line(lambda line: hj212.tell(hj212.decode(line, options["crc"]))),
    "jt808": lambda _options: each_hex(lambda frame: jt808.tell(jt808.decode(frame))),
    "jt809": lambda _options: each_hex(lambda frame: jt809.tell(jt809.decode(frame))),
}


class Command(BaseCommand):
    help = "Decodes messages of a protocol, one on a line (those of bytes as hexadecimal digits), to one JSON object a line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("protocol", choices=sorted(READERS))
        parser.add_argument("file", nargs="?", type=FileType("rb"), default=sys.stdin.buffer, help="standard input")
        parser.add_argument("--crc", choices=["standard", "modbus_le", "off"], default="standard", help="of hj212")

    def handle(self, *args: Any, **options: Any) -> None:
        for row in READERS[options["protocol"]](options)(options["file"]):
            sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
