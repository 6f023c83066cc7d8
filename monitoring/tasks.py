"""Celery doors of monitoring."""

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from . import partitions, selectors
from .services import alarms


@shared_task(acks_late=True)
def make_days(**_from_newer_version: object) -> None:
    """Make the days that come and drop those that are over; safe to run twice and at once."""
    raw_days = max(settings.RAW_KEEP_DAYS, settings.DEAD_KEEP_DAYS)
    partitions.keep(timezone.localdate(), readings_days=selectors.longest_kept(), raw_days=raw_days)


@shared_task(acks_late=True)
def settle_flapping(**_from_newer_version: object) -> None:
    """Let alarms that flapped return once they were quiet; any number of sweeps do it once."""
    alarms.settle_flapping(at=timezone.now())
