"""The doors through which Celery lets held dispatches go out."""

from celery import shared_task
from django.utils import timezone

from . import services


@shared_task
def send_due(**_from_newer_version: object) -> None:
    """Send what was held long enough; swept every two seconds, so nothing depends on a message that may be lost."""
    services.send_due(at=timezone.now())
