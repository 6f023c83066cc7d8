"""`bin/manage replay PROTOCOL FILE [--rate N]`: send recorded messages to the running gateway, as a device would."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from monitoring.gateway.jt808 import code_of
from monitoring.intake import jt808
from monitoring.intake.wire import Malformed
from monitoring.known import KnownDevice
from monitoring.models import Device

TEXT = ("ais", "hj212")
QUIET_S = 1.0  # nothing more was answered for so long


class Command(BaseCommand):
    help = "Sends the messages of a file to the running gateway: one a line, those of bytes as hexadecimal digits."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("protocol", choices=sorted(settings.INTAKE_PORTS))
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--rate", type=float, default=0.0, metavar="N", help="messages a second; as fast as it goes"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        protocol, rate = options["protocol"], options["rate"]
        try:
            lines = options["file"].read_bytes().splitlines()
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        messages = list(_messages(protocol, lines))
        host, port = settings.INTAKE_HOST, _port(protocol)
        host = "127.0.0.1" if host == "0.0.0.0" else host
        try:
            line = socket.create_connection((host, port), timeout=QUIET_S)
        except OSError as error:
            raise CommandError(f"No gateway at {host}:{port} ({error}). bin/run starts one.") from error
        with line:
            answered = _send(line, messages, rate)
        self.stdout.write(f"{len(messages)} messages sent, {answered} bytes of answers")


def _send(line: socket.socket, messages: list[bytes], rate: float) -> int:
    """Send messages at a rate, reading answers meanwhile; return how many bytes of answers came."""
    began, answered = time.monotonic(), 0
    for number, message in enumerate(messages):
        if rate and (early := began + number / rate - time.monotonic()) > 0:
            time.sleep(early)
        line.settimeout(30)
        try:
            line.sendall(message)
        except OSError as error:
            raise CommandError(
                f"The gateway hung up, or reads no more, after {number} messages ({error}): --rate 100 stays within its limits."
            ) from error
        answered += _read(line, 0)
    while more := _read(line, QUIET_S):
        answered += more
    return answered


def _read(line: socket.socket, seconds: float) -> int:
    line.settimeout(seconds)
    try:
        return len(line.recv(1 << 16))
    except (BlockingIOError, TimeoutError, ConnectionError):
        return 0


def _port(protocol: str) -> int:
    """Return the port in use: bin/run notes it."""
    try:
        noted = json.loads((settings.VAR_DIR / "ports.json").read_text())
    except (OSError, ValueError):
        noted = {}
    return int(noted.get(protocol, settings.INTAKE_PORTS[protocol]))


def _messages(protocol: str, lines: list[bytes]) -> Iterator[bytes]:
    """Yield the messages of a file. :raises CommandError: a line is none."""
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if not line:
            continue
        if protocol in TEXT:
            yield line + b"\r\n"
            continue
        try:
            message = bytes.fromhex(line.decode("ascii"))
        except ValueError as error:
            raise CommandError(f"Line {number} holds no hexadecimal digits: {line[:40]!r}") from error
        if protocol == "jt808":
            yield from _let_in(message, seen)
        yield message


def _let_in(frame: bytes, seen: set[str]) -> Iterator[bytes]:
    """Yield what a terminal says before anything else: its code, which we know for terminals that we know."""
    try:
        header = jt808.decode(frame).header
    except Malformed:
        return
    if header.phone in seen:
        return
    seen.add(header.phone)
    row = Device.objects.exclude(state=Device.State.RETIRED).filter(protocol="jt808", address=header.phone)
    if device := row.values_list("id", "protocol", "address", "kind_id", "options", "area_code").first():
        auth = jt808.Authentication(code_of(KnownDevice(*device)))
        yield jt808.encode_auth(jt808.terminal_of(header), 0, auth)
