"""Celery doors of the grid."""

from celery import shared_task
from django.utils import timezone

from . import services


@shared_task(acks_late=True)
def mark_postings(**_from_newer_version: object) -> None:
    """Mark who is posted today; safe to run twice."""
    services.mark_postings(at=timezone.now())


@shared_task(acks_late=True)
def activate_rezonings(**_from_newer_version: object) -> None:
    """Bring re-zonings into force whose time has come; safe to run twice and at once."""
    services.activate_due(at=timezone.now())
