"""The doors through which Celery watches rosters."""

from celery import shared_task
from django.utils import timezone

from . import watch


@shared_task
def announce_gaps() -> int:
    """Announce gaps that come near; safe to run twice, an announced gap is a row."""
    return watch.announce_gaps(at=timezone.now())
