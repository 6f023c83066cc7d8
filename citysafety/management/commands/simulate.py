"""Keep the demo city at work through the real API."""

import json
import signal
import threading
import time
from collections import defaultdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from citysafety.management.offices import Offices
from citysafety.management.simulator import Door, Simulator
from grid.models import Cell


class Command(BaseCommand):
    help = "File, handle and close invented hazards through the API, as the demo accounts."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--base", default="", help="address of the instance (from var/ports.json)")
        parser.add_argument("--hazards-per-day", type=float, default=1200, help="rate of filing (1200)")
        parser.add_argument(
            "--pause", type=float, default=90, help="seconds between two steps of a hazard, on average (90)"
        )
        parser.add_argument(
            "--count",
            type=int,
            default=None,
            help="file so many, see them to their end and stop; no other cases are touched",
        )
        parser.add_argument("--full-speed", action="store_true", help="no pauses: as fast as the instance answers")
        parser.add_argument("--workers", type=int, default=2, help="requests at a time (2)")
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            accounts = json.loads((settings.VAR_DIR / "demo-accounts.json").read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise CommandError("There are no demo accounts here; load the demo first: bin/manage demo") from error
        base = options["base"] or f"http://127.0.0.1:{json.loads((settings.VAR_DIR / 'ports.json').read_text())['web']}"
        cells = defaultdict(list)
        for code, centre in Cell.objects.active().filter(kind="base").values_list("code", "centre"):
            cells[code[:6]].append((centre.x, centre.y))
        fast = options["full_speed"]
        offices = None if fast or options["count"] else Offices(timezone.now())
        simulator = Simulator(
            Door(base), accounts, cells, a_day=1e9 if fast else options["hazards_per_day"],
            pause_s=0 if fast else options["pause"], seed=options["seed"], most=options["count"],
            offices=offices,
        )  # fmt: skip
        stop, began = threading.Event(), time.monotonic()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        simulator.learn(stop)
        failed: list[BaseException] = []

        def work() -> None:
            try:
                simulator.work(stop)
            except Exception as error:
                failed.append(error)
                stop.set()

        threads = [threading.Thread(target=work) for _ in range(options["workers"])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if offices:
            offices.close()
        self.report(simulator, time.monotonic() - began)
        if failed:
            raise CommandError(f"A part of the simulation ended with {failed[0]!r}.")

    def report(self, simulator: Simulator, spent_s: float) -> None:
        """Say what was done, how fast, and where the time went."""
        self.stdout.write(
            f"filed {simulator.filed}, steps {simulator.stepped}, ended {simulator.ended}, refused {simulator.refused},"
            f" sent again {simulator.repeated} in {spent_s:.1f} s:"
            f" {simulator.filed / spent_s:.1f} hazards/s, {simulator.stepped / spent_s:.1f} steps/s"
        )
        for kind, (number, seconds) in sorted(simulator.door.spent.items(), key=lambda row: -row[1][1]):
            self.stdout.write(f"  {kind:15} {number:7.0f} requests, {1000 * seconds / number:7.1f} ms each")
