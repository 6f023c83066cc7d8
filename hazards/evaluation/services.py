"""Look for doubts, and set one aside with a reason."""

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from . import detectors
from .access import may_set_aside
from .models import Detector, Finding, SetAside


class NotAllowed(Exception):
    """Only a supervisor of the area sets a doubt aside."""


class SetAsideBefore(Exception):
    """Somebody was there before."""


def seek(*, at: datetime) -> int:
    """Find the doubts of the days before a moment; return how many are new. Any number of runs find each once a week.

    Queries: 2 a detector.
    """
    return sum(_seek(detector, at) for detector in Detector.objects.filter(active=True))


def _seek(detector: Detector, at: datetime) -> int:
    days, kind = detector.thresholds["days"], detectors.PATTERNS[detector.code].kind
    last = timezone.localdate(at)
    found = [
        Finding(
            detector=detector, kind=kind, subject=one.subject, area_code=one.area, figures=one.figures, cases=one.cases,
            week=last - timedelta(days=last.weekday()), first=last - timedelta(days=days - 1), last=last, found_at=at,
        )
        for one in detectors.doubts(detector.code, detector.thresholds, at - timedelta(days=days), at)
    ]  # fmt: skip
    known = Finding.objects.filter(detector=detector)
    before = known.count()
    Finding.objects.bulk_create(found, ignore_conflicts=True)
    return known.count() - before


def set_aside(*, finding: Finding, reason: str, by: Any, at: datetime) -> SetAside:
    """Keep why nothing follows from a doubt. :raises NotAllowed: no supervisor of its area. :raises SetAsideBefore: it is."""
    if not may_set_aside(by, finding):
        raise NotAllowed
    try:
        with transaction.atomic():
            return SetAside.objects.create(finding=finding, by=by, at=at, reason=reason.strip())
    except IntegrityError as error:
        raise SetAsideBefore from error
