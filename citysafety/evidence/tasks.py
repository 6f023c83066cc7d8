"""Celery doors of evidence."""

from celery import shared_task
from django.utils import timezone

from . import services


@shared_task
def derive(*, sha256: str, **_from_newer_version: object) -> None:
    """Make the pictures of one photo. Safe to run twice."""
    services.derive(sha256=sha256, at=timezone.now())


@shared_task
def sweep(**_from_newer_version: object) -> None:
    """Queue every photo still without pictures: a lost message delays a thumbnail and never drops it."""
    for sha256 in services.waiting(at=timezone.now()):
        derive.delay(sha256=sha256)
