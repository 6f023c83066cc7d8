"""Load the demo: the city, its calendars, the accounts and the last thirty days. Does nothing where it is loaded."""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.utils import timezone

from citysafety.accounts.demo import make_demo_accounts
from citysafety.calendars.services import forget, seed_provisional, seed_years
from citysafety.management.past import City, Teller
from grid.models import Cell, Posting
from hazards.history import import_history
from hazards.models import Hazard


class Command(BaseCommand):
    help = "Load the demo city with its accounts and history; quick and harmless when it is loaded already."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=30, help="days of history (30)")
        parser.add_argument("--seed", type=int, default=370500, help="of the generator of history")

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        seed_years()
        seed_provisional(timezone.localdate().year + 1)
        forget()
        if not Cell.objects.exists():
            from grid.services import load_city  # noqa: PLC0415  heavy (GDAL): not at each start

            load_city(str(settings.CITY_FOLDER), at=timezone.now())
            self.stdout.write(f"city loaded in {time.monotonic() - began:.1f} s")
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
            began = time.monotonic()
            teller = Teller(City(), now=timezone.now(), seed=options["seed"])
            number = import_history(teller.days(options["days"]))
            with connection.cursor() as cursor:
                used = teller.numbers.get(timezone.localdate(), 0)
                cursor.execute("SELECT setval('hazard_number', %s, true)", [max(1, used)])
            self.stdout.write(
                f"{number} hazards of the last {options['days']} days in {time.monotonic() - began:.1f} s"
            )
