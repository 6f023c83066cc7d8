"""`bin/manage load_city FOLDER [--dry-run] [--crs EPSG:…]`: the command line's door to `grid.services.load_city`."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from grid.services import CityRefused, load_city

WIDTH = 30


class Command(BaseCommand):
    help = "Load divisions, cells, departments, centres, workers, matters and premises of a city from a folder."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder")
        parser.add_argument("--dry-run", action="store_true", help="check and write, then undo all of it")
        parser.add_argument("--crs", default="", help="CRS of layers that name none, such as EPSG:4549")

    def handle(self, *args: Any, folder: str, dry_run: bool, crs: str, **options: Any) -> None:
        try:
            report = load_city(folder, at=timezone.now(), dry_run=dry_run, crs=crs, progress=self.bar)
        except FileNotFoundError:
            self.stderr.write(_("There is no folder %(folder)s.") % {"folder": folder})
            sys.exit(2)
        except CityRefused as refusal:
            self.end_bar()
            for problem in refusal.problems.listed:
                self.stderr.write(str(problem))
            hidden = refusal.problems.count - len(refusal.problems.listed)
            if hidden:
                self.stderr.write(_("… and %(n)s more") % {"n": hidden})
            self.stderr.write(str(refusal))
            sys.exit(1)
        self.end_bar()
        for table, count in report.rows.items():
            self.stdout.write(f"{table:12} {count:>7}")
        for note in report.notes:
            self.stdout.write(note)
        if report.version:
            self.stdout.write(_("grid version %(n)s") % {"n": report.version})
        if dry_run:
            self.stdout.write(_("dry run: nothing was changed"))

    def bar(self, what: str, done: int, whole: int) -> None:
        """Draw a progress bar on a terminal; elsewhere say nothing."""
        if sys.stderr.isatty():
            filled = WIDTH * done // max(whole, 1)
            print(f"\r{what:12} [{'#' * filled:{WIDTH}}] {done}/{whole}", end="", file=sys.stderr, flush=True)

    def end_bar(self) -> None:
        if sys.stderr.isatty():
            print(file=sys.stderr)
