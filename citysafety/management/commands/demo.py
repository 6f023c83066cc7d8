"""Load the demo: the city, its calendars, the accounts and the last thirty days. Does nothing where it is loaded."""

import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection, transaction
from django.utils import timezone

from citysafety.accounts.demo import make_demo_accounts
from citysafety.calendars.services import forget, seed_provisional, seed_years
from citysafety.evidence.services import take_in
from citysafety.management.past import Album, City, Teller
from citysafety.management.pictures import SCENES, picture
from citysafety.management.staff import make_staff
from citysafety.management.waiting import Waiting
from grid.models import Cell, Posting
from hazards.history import import_history
from hazards.models import Hazard
from projects.seeds import seed_supervision

PICTURED = timedelta(days=7)  # of history with photos
SCENES_A_CLASS = 12


class Command(BaseCommand):
    help = "Load the demo city with its accounts and history; quick and harmless when it is loaded already."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=30, help="days of history (30)")
        parser.add_argument("--seed", type=int, default=370500, help="of the generator of history")

    def handle(self, *args: Any, **options: Any) -> None:
        self.began = time.monotonic()
        seed_years()
        seed_provisional(timezone.localdate().year + 1)
        forget()
        if not Cell.objects.exists():
            from grid.services import load_city  # noqa: PLC0415  heavy (GDAL): not at each start

            load_city(str(settings.CITY_FOLDER), at=timezone.now())
            self.say("city loaded")
        seed_supervision(at=timezone.now())
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
            self.load_history(options["days"], options["seed"])

    def load_history(self, days: int, seed: int) -> None:
        """Load offices, pictures, hazards and notices: all of it or, after a crash, all of it again."""
        now = timezone.now()
        with transaction.atomic():
            make_staff(seed=seed)
            album = draw_album(now - PICTURED)
            self.say(f"{3 * SCENES_A_CLASS * len(album)} pictures")
            teller = Teller(City(), now=now, seed=seed, album=album, pictured_since=now - PICTURED)
            waiting = Waiting(teller)
            number = import_history(waiting.among(teller.days(days)))
            with connection.cursor() as cursor:
                used = teller.numbers.get(timezone.localdate(now), 0)
                cursor.execute("SELECT setval('hazard_number', %s, true)", [max(1, used)])
            self.say(f"{number} hazards of the last {days} days")
            self.say(f"{waiting.tell()} notices")

    def say(self, what: str) -> None:
        self.stdout.write(f"{what}: {time.monotonic() - self.began:.1f} s")
        self.began = time.monotonic()


def draw_album(at: Any) -> Album:
    """Draw and seal the scenes of each class of matters: one before and two after each."""
    album = {}
    for category in SCENES:
        shots = [
            picture(category, seed, mended=mended, view=view)
            for seed in range(SCENES_A_CLASS)
            for mended, view in ((False, 0), (True, 0), (True, 1))
        ]
        hashes = take_in(shots, at=at)
        album[category] = [tuple(hashes[n : n + 3]) for n in range(0, len(hashes), 3)]
    return album
