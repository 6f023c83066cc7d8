"""Celery doors of monitoring."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from . import partitions, rollups, selectors
from .services import alarms


@shared_task(acks_late=True)
def make_days(**_from_newer_version: object) -> None:
    """Make the days that come and drop those that are over; safe to run twice and at once."""
    raw_days, readings_days = max(settings.RAW_KEEP_DAYS, settings.DEAD_KEEP_DAYS), selectors.longest_kept()
    partitions.keep(timezone.localdate(), readings_days=readings_days, raw_days=raw_days)
    rollups.forget_minutes(before=timezone.now() - timedelta(days=readings_days))


@shared_task(acks_late=True)
def roll_up(**_from_newer_version: object) -> None:
    """Bring the sums of readings by minute, hour and day up to now; any number of runs come to the same."""
    rollups.roll_up(at=timezone.now())


@shared_task(acks_late=True)
def settle_flapping(**_from_newer_version: object) -> None:
    """Let alarms that flapped return once they were quiet; any number of sweeps do it once."""
    alarms.settle_flapping(at=timezone.now())
