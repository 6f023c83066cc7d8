"""Evaluations of more days than a page can count at once are worked out beside it and kept for an hour."""

from hashlib import sha256

from django.core.cache import cache
from django.utils import timezone

from .models import EvaluationRule, Indicator
from .selectors import Table, evaluate
from .spans import Days

AT_ONCE_DAYS = 31  # a month of the largest city takes a second
KEPT_FOR_S, WAITED_FOR_S = 3600, 120


def looked_up(area: str, dimension: str, days: Days, *, with_times: bool = False) -> Table | None:
    """Return an evaluation, made now or kept; None while a long one is being worked out. Queries: 4, 1 or 2 more for a cell.

    A kept one costs 2: it holds only as long as rule and formulas are what they were.
    """
    from ..tasks import evaluate as task  # noqa: PLC0415  doors stand above

    if not with_times and (days.last - days.first).days < AT_ONCE_DAYS:
        return evaluate(area, dimension, days)
    key = _key(area, dimension, days, with_times)
    if (kept := cache.get(key)) is None and cache.add(f"{key}:asked", 1, WAITED_FOR_S):
        task.delay(area, dimension, str(days), with_times)
        kept = cache.get(key)
    return kept


def work_out(area: str, dimension: str, days: str, *, with_times: bool) -> None:
    """Work out an evaluation and keep it; one that is kept already stays."""
    span = Days.read(days)
    key = _key(area, dimension, span, with_times)
    if cache.get(key) is None:
        cache.set(key, evaluate(area, dimension, span, with_times=with_times), KEPT_FOR_S)
    cache.delete(f"{key}:asked")


def _key(area: str, dimension: str, days: Days, with_times: bool) -> str:
    """Return the name under which an evaluation is kept: of these formulas, of this day. Queries: 2."""
    rules = (EvaluationRule.present().least, *Indicator.objects.filter(active=True).values_list(
        "code", "numerator", "denominator", "weight", "full_at", "none_at"
    ))  # fmt: skip
    digest = sha256(repr((area, dimension, str(days), with_times, timezone.localdate(), rules)).encode()).hexdigest()
    return f"evaluation:{digest}"
