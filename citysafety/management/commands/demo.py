"""Load the demo: the city, its calendars, the accounts and the last thirty days. Does nothing where it is loaded."""

import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from citysafety.accounts.demo import make_demo_accounts
from citysafety.calendars.services import forget, seed_provisional, seed_years
from citysafety.management.devices import seed_devices
from citysafety.management.loading import DAYS, SEED, load_history
from citysafety.management.parts import seed_components
from citysafety.management.rezonings import seed_rezonings
from citysafety.management.rosters import seed_rosters
from grid.models import Cell, Posting
from hazards.evaluation.seeds import seed_evaluation
from hazards.listings.seeds import seed_majors
from hazards.models import Hazard
from hazards.rechecks.seeds import seed_rechecks
from hazards.seeds import seed_ladders, seed_limits
from hazards.writeoffs.seeds import seed_signatures
from monitoring.seeds import seed_alarm_ladders
from projects.seeds import seed_supervision


class Command(BaseCommand):
    help = "Load the demo city with its accounts and history; quick and harmless when it is loaded already."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=DAYS, help="days of history (30)")
        parser.add_argument("--seed", type=int, default=SEED, help="of the generator of history")

    def handle(self, *args: Any, **options: Any) -> None:
        self.began = time.monotonic()
        seed_years()
        seed_provisional(timezone.localdate().year + 1)
        forget()
        if not Cell.objects.exists():
            from grid.services import load_city  # noqa: PLC0415  heavy (GDAL): not at each start

            load_city(str(settings.CITY_FOLDER), at=timezone.now())
            self.say("city loaded")
        seed_limits()
        seed_evaluation()
        seed_ladders()
        seed_alarm_ladders()
        seed_rechecks(since=timezone.localdate() - timedelta(days=14))
        seed_signatures()
        seed_majors(at=timezone.now() - timedelta(days=365))
        seed_supervision(at=timezone.now() - timedelta(days=365))  # in force before the demo's notices
        workers = {
            county: [
                p.worker.user
                for p in Posting.objects.filter(
                    until=None, role="primary", cell__code__startswith=county
                ).select_related("worker__user")[:4]
            ]
            for county in ("370502", "370503")
        }
        make_demo_accounts(settings.VAR_DIR, workers=workers)
        if not Hazard.objects.exists():
            load_history(options["days"], options["seed"], at=timezone.now(), say=self.say)
        if parts := seed_components(at=timezone.now()):
            self.say(f"{parts} components imported")
        rows, devices = seed_devices(at=timezone.now())
        if rows or devices:
            self.say(f"{devices} devices registered")
        if drawn := seed_rezonings(at=timezone.now()):
            self.say(f"{drawn} re-zonings drafted")
        if fresh := seed_rosters(city=settings.CITY_CODE, at=timezone.now()):
            self.say(f"{fresh} shifts planned")

    def say(self, what: str) -> None:
        self.stdout.write(f"{what}: {time.monotonic() - self.began:.1f} s")
        self.began = time.monotonic()
