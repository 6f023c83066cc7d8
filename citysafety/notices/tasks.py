"""The doors through which Celery carries notices out."""

from celery import shared_task
from django.utils import timezone

from . import services


@shared_task
def deliver(delivery_id: str) -> None:
    """Carry one delivery; safe to run twice, the row is claimed."""
    services.deliver(delivery_id, at=timezone.now())


@shared_task
def sweep() -> None:
    """Hand out everything that waits: retries, and what a lost message or a dead worker left behind."""
    for delivery_id in services.waiting(timezone.now()):
        deliver.delay(delivery_id)
