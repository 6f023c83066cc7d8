"""Fill the calendar with the announced years, and for a demonstration with one that is not announced yet."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from citysafety.calendars.services import LAST_YEAR, missing_year_warning, seed_provisional, seed_years


class Command(BaseCommand):
    help = "Write the working days of the announced years that are missing; years that are there keep their edits."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--provisional",
            type=int,
            metavar="YEAR",
            help="also write this year before it is announced, marked provisional: the week and holidays of fixed date",
        )

    def handle(self, *args: Any, provisional: int | None, **options: Any) -> None:
        now = timezone.now()
        new = seed_years(at=now)
        self.stdout.write(f"announced years written: {', '.join(map(str, new)) or 'none, all there'}")
        if provisional is not None:
            written = provisional > LAST_YEAR and seed_provisional(provisional, at=now)
            self.stdout.write(f"{provisional}: {'written, provisional' if written else 'already there'}")
        if warning := missing_year_warning(now):
            self.stderr.write(warning)
