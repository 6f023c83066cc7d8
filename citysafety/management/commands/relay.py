"""`bin/manage relay`: the process that carries news from the outbox to listeners, figures and screens."""

import signal
from datetime import datetime, timedelta

from django.conf import settings
from django.core.management.base import BaseCommand

from citysafety.live.bus import Publisher
from citysafety.outbox.relay import Relay
from citysafety.outbox.services import prune_relayed
from citysafety.subscriptions import LISTENERS, PROJECTIONS
from citysafety.tallies import services as tallies

KEEP_FACTS = timedelta(days=90)
KEEP_POSITIONS = timedelta(hours=2)  # an hour is promised


def tidy(at: datetime) -> None:
    """Prune what is older than promised: positions after two hours, facts after ninety days."""
    tallies.prune(before=at - KEEP_POSITIONS)
    prune_relayed(before=at - KEEP_FACTS)


class Command(BaseCommand):
    help = "Relays facts: one process leads, any others wait to take over. Ends on SIGTERM or Ctrl-C."

    def handle(self, *args, **options) -> None:
        bus = Publisher()
        relay = Relay(
            listen=LISTENERS, project=PROJECTIONS, city=settings.CITY_CODE, push=bus.push, tell=bus.tell, chores=tidy
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: relay.stop.set())
        relay.run()
