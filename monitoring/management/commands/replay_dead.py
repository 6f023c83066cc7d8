"""`bin/manage replay_dead`: take messages again that could not be taken, after what was wrong was mended."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from monitoring import known
from monitoring.gateway import again
from monitoring.models import RawMessage
from monitoring.models.intake import DEAD
from monitoring.storing import Store


def moment(text: str) -> datetime:
    """Return a time of the city. :raises ValueError: it is none."""
    at = parse_datetime(text) or parse_datetime(f"{text} 00:00")
    if at is None:
        raise ValueError(text)
    return at if at.tzinfo else timezone.make_aware(at)


class Command(BaseCommand):
    help = "Takes dead letters again: messages that devices sent and that could not be taken. Safe to run twice."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--protocol", choices=sorted(settings.INTAKE_PORTS))
        parser.add_argument("--address", help="of one device")
        parser.add_argument("--since", type=moment, help="received from then on: 2026-11-23 or 2026-11-23T14:00")

    def handle(self, *args: Any, **options: Any) -> None:
        letters = RawMessage.objects.filter(DEAD, protocol__in=settings.INTAKE_PORTS)
        for name in ("protocol", "address"):
            if options[name]:
                letters = letters.filter(**{name: options[name]})
        if options["since"]:
            letters = letters.filter(received_at__gte=options["since"])
        whole, left = again.take(Store(known.read()), letters, at=timezone.now())
        self.stdout.write(f"{whole} taken, {left} still cannot be taken")
        if left:
            reasons = letters.values_list("reason", flat=True).distinct()[:5]
            raise CommandError("They say why: " + "; ".join(reasons))
