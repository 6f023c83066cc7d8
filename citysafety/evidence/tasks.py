"""Celery doors of evidence."""

from celery import shared_task
from django.utils import timezone

from . import services, trust


@shared_task
def derive(*, sha256: str, **_from_newer_version: object) -> None:
    """Make the pictures of one photo. Safe to run twice."""
    services.derive(sha256=sha256, at=timezone.now())


@shared_task
def compare(*, sha256: str, **_from_newer_version: object) -> None:
    """Look at one photo, where nobody did, and judge its waiting records. Safe to run twice."""
    trust.look_at(sha256=sha256, at=timezone.now())
    trust.compare(sha256=sha256, at=timezone.now())


@shared_task
def sweep(**_from_newer_version: object) -> None:
    """Queue every photo still without pictures or not yet compared: a lost message delays either and never drops it."""
    for sha256 in services.waiting(at=timezone.now()):
        derive.delay(sha256=sha256)
    for sha256 in dict.fromkeys([*services.unlooked(), *services.uncompared()]):
        compare.delay(sha256=sha256)
