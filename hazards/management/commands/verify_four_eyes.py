"""`bin/manage verify_four_eyes`: compute the hashes of write-off lists and the draws of re-checks anew."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from hazards.rechecks.models import RecheckDraw
from hazards.rechecks.services import chosen_again
from hazards.writeoffs.canonical import still_matches
from hazards.writeoffs.models import WriteOffList


class Command(BaseCommand):
    help = (
        "Recomputes the hash of frozen write-off lists and every draw of re-checks; prints what differs, exit 1 on any."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", nargs="?", help="of one write-off list; without it everything")

    def handle(self, *args: Any, **options: Any) -> None:
        lists = WriteOffList.objects.filter(frozen_at__isnull=False).select_related("maker").order_by("number")
        if options["number"]:
            lists = lists.filter(number=options["number"])
        found = [(f"write-off list {row.number}", still_matches(row)) for row in lists]
        if not options["number"]:
            rows = RecheckDraw.objects.select_related("rule__matter", "rule__matter_class").order_by("pk")
            found += [(f"draw {row.pk}: {row}", chosen_again(row)) for row in rows]
        elif not found:
            sys.exit(f"there is no frozen write-off list {options['number']}")
        wrong = [name for name, holds in found if not holds]
        for name in wrong:
            self.stdout.write(f"{name}: does not match")
        self.stdout.write(f"checked: {len(found)}, differences: {len(wrong)}")
        if wrong:
            sys.exit(1)
