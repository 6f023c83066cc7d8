"""`bin/manage load_history`: a believable past of hazards, a year of it without a word, for demos and benches."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from citysafety.calendars.services import forget, seed_provisional, seed_years
from citysafety.management import loading
from grid.models import Cell

A_YEAR = 365


class Command(BaseCommand):
    help = "Loads invented hazards of past days with their whole life; days that have hazards stay as they are."

    def add_arguments(self, parser: CommandParser) -> None:
        span = parser.add_mutually_exclusive_group()
        span.add_argument("--days", type=int, help="how far back")
        span.add_argument("--years", type=int, help="how far back (1); five make five million hazards")
        parser.add_argument("--seed", type=int, default=loading.SEED, help="of the generator")

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["days"] or (options["years"] or 1) * A_YEAR
        if not 1 <= days <= 10 * A_YEAR:
            raise CommandError(f"{days} days were asked for; expected 1 to {10 * A_YEAR}.")
        if not Cell.objects.exists():
            raise CommandError("There is no city yet: bin/manage demo loads it.")
        self.began = time.monotonic()
        seed_years()
        seed_provisional(timezone.localdate().year + 1)
        forget()
        loading.load_history(days, options["seed"], at=timezone.now(), say=self.say)

    def say(self, what: str) -> None:
        self.stdout.write(f"{what}: {time.monotonic() - self.began:.1f} s")
        self.began = time.monotonic()
