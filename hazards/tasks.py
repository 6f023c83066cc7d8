"""Celery doors of hazards."""

from celery import shared_task
from django.utils import timezone

from . import listeners, services
from .inspections.planning import replan


@shared_task
def mark_overdue(**_from_newer_version: object) -> None:
    """Mark what ran out since the last sweep, and end pauses whose time has come. Any number of sweeps do it once."""
    services.resume_ended(at=timezone.now())
    services.mark_overdue(at=timezone.now())


@shared_task
def warn_of_missing_calendar(**_from_newer_version: object) -> None:
    """Say that a year's working days are missing, once a day however often it runs."""
    listeners.tell_of_missing_calendar(at=timezone.now())


@shared_task
def plan_inspections(**_from_newer_version: object) -> None:
    """Grade all premises anew: what was registered or closed since, and what is a year old. Any number of runs do the same."""
    replan(at=timezone.now())
