"""Celery doors of supervision."""

from celery import shared_task
from django.utils import timezone

from . import services


@shared_task
def draft_due(**_from_newer_version: object) -> None:
    """Draft the notices that rules call for. Any number of sweeps draft a notice once."""
    services.draft_due(at=timezone.now())


@shared_task
def mark_unanswered(**_from_newer_version: object) -> None:
    """Mark what was not answered in time. Any number of sweeps mark a notice once."""
    services.mark_unanswered(at=timezone.now())
