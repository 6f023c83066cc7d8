"""What is asked of monitoring."""

from django.db.models import Max

from .models import System

USUAL_DAYS = 365


def longest_kept() -> int:
    """Return for how many days readings stay, as the most patient system wants it. Queries: 1."""
    return System.objects.aggregate(most=Max("keep_days"))["most"] or USUAL_DAYS
