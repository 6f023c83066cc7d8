"""`bin/manage open311 …`: ask any server of GeoReport v2, report to it, or read an answer that was saved."""

import json
import sys
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from hazards.open311.answers import NotUnderstood, Row, understand
from hazards.open311.client import FORMATS, GeoReport, Refused, Unreachable, as_json

NEEDS = {"definition": "CODE", "request": "ID", "token": "TOKEN", "file": "CODE", "understand": "FILE"}
ALONE = ("discovery", "services", "requests")


def pair(text: str) -> tuple[str, str]:
    """Return name and value of ``NAME=VALUE``."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise ArgumentTypeError(f"{text!r}: expected NAME=VALUE")
    return name, value


class Command(BaseCommand):
    help = "Asks a server of Open311 GeoReport v2; prints one line of JSON for each row, and for an error."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=[*ALONE, *NEEDS])
        parser.add_argument("which", nargs="?", default="", help="a code, an id, a token; a file, - for standard input")
        parser.add_argument("--base", default="", help="what the server's addresses begin with, …/open311/v2")
        parser.add_argument("--key", default="", help="api_key")
        parser.add_argument("--format", choices=FORMATS, default="xml")
        parser.add_argument("--jurisdiction", default="", metavar="ID")
        parser.add_argument(
            "--with", dest="given", type=pair, action="append", default=[], metavar="NAME=VALUE",
            help="a filter of requests, or a field of a report; several times",
        )  # fmt: skip
        parser.add_argument(
            "--attribute", dest="attributes", type=pair, action="append", default=[], metavar="CODE=VALUE",
            help="an attribute of a report; several times",
        )  # fmt: skip

    def handle(self, *args: Any, what: str, which: str, base: str, **options: Any) -> None:
        if what in NEEDS and not which:
            raise CommandError(f"{what} needs {NEEDS[what]}")
        if what != "understand" and not base:
            raise CommandError(f"{what} needs --base")
        try:
            if what == "understand":
                self.understand(which)
            else:
                for row in self.ask(what, which, base, options):
                    self.stdout.write(as_json(row))
        except Refused as refusal:
            told = {"error": str(refusal), "status": refusal.status}
            self.fail(told | {"errors": [[fault.code, fault.description] for fault in refusal.faults]})
        except (Unreachable, NotUnderstood, ValueError, OSError) as error:
            self.fail({"error": str(error)})

    def ask(self, what: str, which: str, base: str, options: dict[str, Any]) -> tuple[Row, ...]:
        server = GeoReport(
            base, key=options["key"], form=options["format"], jurisdiction_id=options["jurisdiction"]
        )  # fmt: skip
        given = dict(options["given"])
        if what == "file":
            return (server.file(which, attributes=dict(options["attributes"]), **given),)
        if what == "requests":
            return server.requests(**given)
        if what == "services":
            return server.services()
        if what == "discovery":
            return (server.discovery(),)
        return ({"definition": server.definition, "request": server.request, "token": server.token}[what](which),)

    def understand(self, file: str) -> None:
        """Print what an answer that was saved says; the first line says of what kind it is and whether it is well formed."""
        found = understand(sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes())
        head = {"kind": found.kind, "rows": len(found.rows), "well_formed": found.well_formed}
        self.stdout.write(json.dumps(head))
        for row in found.rows:
            self.stdout.write(as_json(row))

    def fail(self, told: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(told, ensure_ascii=False))
        sys.exit(1)
