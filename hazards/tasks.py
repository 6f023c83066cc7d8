"""Celery doors of hazards."""

from celery import shared_task
from django.utils import timezone

from . import services


@shared_task
def mark_overdue(**_from_newer_version: object) -> None:
    """Mark what ran out since the last sweep. Any number of sweeps mark a hazard once."""
    services.mark_overdue(at=timezone.now())
