"""`bin/manage reconcile`: recount everything and compare it with what is kept."""

import sys

from django.core.management.base import BaseCommand
from django.db import connection, transaction

from citysafety.tallies.reconciling import differences

MOST_SHOWN = 100


class Command(BaseCommand):
    help = "Recounts figures from the rows, compares with periods and tallies; prints differences, exit 1 on any."

    def handle(self, *args, **options) -> None:
        found = 0
        # One snapshot of everything: the city may go on meanwhile.
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            for line in differences(self.progress):
                found += 1
                if found <= MOST_SHOWN:
                    self.stdout.write(line)
        if found > MOST_SHOWN:
            self.stdout.write(f"… and {found - MOST_SHOWN} more")
        self.stdout.write(f"differences: {found}")
        if found:
            sys.exit(1)

    def progress(self, what: str, count: int) -> None:
        self.stderr.write(f"{what}: {count}")
