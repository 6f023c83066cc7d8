"""Celery doors of monitoring."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from citysafety.outbox.selectors import now

from . import ladders, partitions, rollups, selectors
from .services.alarms import settle_flapping
from .services.quiet import settle_quiet


@shared_task
def make_days(**_from_newer_version: object) -> None:
    """Make the days that come and drop those that are over; safe to run twice and at once."""
    raw_days, readings_days = max(settings.RAW_KEEP_DAYS, settings.DEAD_KEEP_DAYS), selectors.longest_kept()
    partitions.keep(timezone.localdate(), readings_days=readings_days, raw_days=raw_days)
    rollups.forget_minutes(before=timezone.now() - timedelta(days=readings_days))


@shared_task
def roll_up(**_from_newer_version: object) -> None:
    """Bring the sums of readings by minute, hour and day up to now; any number of runs come to the same."""
    rollups.roll_up(at=timezone.now())


@shared_task
def settle_alarms(**_from_newer_version: object) -> None:
    """End shelvings and maintenance that are due, begin those whose time has come, let flapping end; any number of sweeps do it once."""
    settle_quiet(at=timezone.now())
    settle_flapping(at=timezone.now())


@shared_task
def climb_alarms(**_from_newer_version: object) -> None:
    """Take the rungs of alarms that nobody acknowledged. By the database's clock: hosts differ."""
    ladders.climb(at=now())
