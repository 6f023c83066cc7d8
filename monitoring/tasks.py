"""Celery doors of monitoring."""

from celery import shared_task
from django.utils import timezone

from citysafety.outbox.selectors import now

from . import ladders
from .services.alarms import settle_flapping
from .services.quiet import settle_quiet


@shared_task
def settle_alarms(**_from_newer_version: object) -> None:
    """End shelvings and maintenance that are due, begin those whose time has come, let flapping end; any number of sweeps do it once."""
    settle_quiet(at=timezone.now())
    settle_flapping(at=timezone.now())


@shared_task
def climb_alarms(**_from_newer_version: object) -> None:
    """Take the rungs of alarms that nobody acknowledged. By the database's clock: hosts differ."""
    ladders.climb(at=now())
