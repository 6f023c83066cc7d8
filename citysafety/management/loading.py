"""Load the demo city's past: offices, pictures, hazards and notices, all of it or nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from citysafety.evidence.services import take_in
from citysafety.evidence.trust import note_imported
from hazards.history import import_history
from hazards.models import Hazard

from .doubtful import cheat
from .governed import govern
from .inspected import inspect
from .listed import list_majors
from .past import Album, City, Teller
from .pictures import SCENES, picture
from .publicly import speak
from .sampled import sample
from .staff import make_staff
from .supervised import supervise
from .waiting import Waiting

PICTURED = timedelta(days=7)  # of history with photos
SCENES_A_CLASS = 12
DAYS, SEED = 30, 370500  # of the demo


@transaction.atomic
def load_history(days: int, seed: int, *, at: datetime, say: Callable[[str], None]) -> int:
    """Load the hazards of the last days that have none yet; return how many came.

    Where hazards are there already only the days before the oldest are told, without pictures and notices.
    """
    make_staff(seed=seed)
    oldest = Hazard.objects.order_by("received_at").values_list("received_at", flat=True).first()
    there = (timezone.localdate(at) - timezone.localdate(oldest)).days + 1 if oldest else 0
    pictured = at if there else at - PICTURED
    album = {} if there else draw_album(pictured)
    say(f"{sum(3 * len(scenes) for scenes in album.values())} pictures")
    teller = Teller(City(), now=at, seed=seed, album=album, pictured_since=pictured)
    told = teller.days(days, but=there)
    waiting = Waiting(teller)
    number = import_history(told if there else waiting.among(told), say=say)
    if not there:
        with connection.cursor() as cursor:
            days_of_demo = [
                timezone.localdate(at - timedelta(days=n)) for n in range(3)
            ]  # the public's begin before today
            used = max(teller.numbers.get(day, 0) for day in days_of_demo)
            cursor.execute("SELECT setval('hazard_number', %s, true)", [max(1, used)])
    say(f"{number} hazards of {max(0, days - there)} days")
    if not there:
        say(f"{waiting.tell()} notices")
        say(f"{supervise(at)} overdue notices")
        say(f"{govern(at)} cases whose limits were changed, or that were reported twice")
        say(f"{list_majors(at)} major hazards with plans, stopped work and listings")
        say(f"{inspect(at, seed=seed)} inspections")
        say(f"{speak(at)} reports of the public")
        say(f"{note_imported(at=at)} photos")
        say(f"{cheat(at)} doubts of invented patterns")
        say(f"{sample(at)} re-checks drawn")
    return number


def draw_album(at: datetime) -> Album:
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
