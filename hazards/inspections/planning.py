"""Keep the plan: each premises' grade, its last inspection and the day of the next."""

from collections import Counter
from collections.abc import Collection
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from grid.models import Premises

from ..lifecycle import OPEN
from .models import CheckedKind, Inspection, InspectionPlan, Outcome, Result, RiskGrade, RiskRule
from .risk import Known, grade

REMEMBERED = timedelta(days=365)  # failed items count for a year
AT_ONCE = 2000  # rows written by one statement
KEPT = ("checklist", "area_code", "score", "colour", "reasons", "last", "due_on", "reinspects", "graded_at")
# A hazard that was merged into another is as open as that one.
STILL_OPEN = Q(hazard__state__in=sorted(OPEN)) | Q(hazard__merged_into__state__in=sorted(OPEN))


@transaction.atomic
def replan(*, at: datetime, premises: Collection[int] | None = None) -> int:
    """Grade premises anew and set the day of their next inspection; all of the register without names. Return how many.

    Premises that are closed, or of a kind that no checklist is for, leave the plan. Queries: 8, and 1 for each two
    thousand premises written.
    """
    grades, rules = list(RiskGrade.objects.all()), list(RiskRule.objects.filter(active=True))
    kinds = dict(CheckedKind.objects.filter(checklist__active=True).values_list("kind", "checklist"))
    if not grades:
        return 0
    interval = {one.colour: timedelta(days=one.interval_days) for one in grades}
    listed = Premises.objects.active().filter(kind__in=kinds)
    plans, visits = InspectionPlan.objects.all(), Inspection.objects.all()
    if premises is not None:
        listed, plans, visits = (
            listed.filter(pk__in=premises),
            plans.filter(pk__in=premises),
            visits.filter(premises__in=premises),
        )
    begun = dict(plans.values_list("pk", "since"))
    last = {
        one.premises_id: one
        for one in visits.counted(at).order_by("premises_id", "-inspected_at", "-round").distinct("premises_id")
    }
    failed, still_open = _counts(premises, at)
    today = timezone.localdate(at)
    rows = []
    columns = ("pk", "kind", "kind__limit", "size", "area_code")
    for pk, kind, limit, size, area_code in listed.order_by("pk").values_list(*columns):
        found = grade(Known(kind, size, limit, failed[pk], still_open[pk]), rules, grades)
        since, latest = begun.get(pk, today), last.get(pk)
        due_on, again = _next(latest, since, interval[found.colour])
        rows.append(
            InspectionPlan(
                premises_id=pk, checklist_id=kinds[kind], area_code=area_code, since=since, score=found.score,
                colour=found.colour, reasons=found.reasons, last=latest, due_on=due_on, reinspects=again, graded_at=at,
            )
        )  # fmt: skip
    plans.exclude(pk__in=[row.pk for row in rows]).delete()
    InspectionPlan.objects.bulk_create(
        rows, batch_size=AT_ONCE, update_conflicts=True, unique_fields=["premises"], update_fields=KEPT
    )
    return len(rows)


def _next(last: Inspection | None, since: date, interval: timedelta) -> tuple[date, Inspection | None]:
    """Return the day of the next inspection and, where that is a re-inspection, of which one."""
    routine = (timezone.localdate(last.inspected_at) if last else since) + interval
    if last and last.result == Outcome.FAIL and last.reinspect_on:
        return last.reinspect_on, last
    return routine, None


def _counts(premises: Collection[int] | None, at: datetime) -> tuple[Counter[int], Counter[int]]:
    """Return, by premises, the items that failed in the last year and the hazards that are still open. Queries: 2."""
    failures = Result.objects.filter(result=Outcome.FAIL)
    if premises is not None:
        failures = failures.filter(inspection__premises__in=premises)
    by = failures.order_by().values_list("inspection__premises")
    failed = by.filter(inspection__inspected_at__gt=at - REMEMBERED).annotate(n=Count("pk"))
    still_open = by.filter(STILL_OPEN).annotate(n=Count("hazard", distinct=True))
    return Counter(dict(failed)), Counter(dict(still_open))


def follow_hazards(hazard_ids: Collection[str], *, at: datetime) -> int:
    """Let inspections follow their hazards: once the last is closed a re-inspection is due, and while one is open none is.

    Returns how many inspections were touched. Queries: 1, and 11 where an inspection found one of them.
    """
    found = Inspection.objects.waiting().filter(results__hazard__in=hazard_ids).distinct()
    waiting = list(found.select_related("version__checklist"))
    if not waiting:
        return 0
    still = Result.objects.filter(STILL_OPEN, inspection__in=waiting, result=Outcome.FAIL)
    unfinished = set(still.values_list("inspection", flat=True))
    for one in waiting:
        if one.pk in unfinished:
            one.reinspect_on = None
        elif one.reinspect_on is None:
            one.reinspect_on = timezone.localdate(at) + timedelta(days=one.version.checklist.reinspect_days)
    Inspection.objects.bulk_update(waiting, ["reinspect_on"])
    replan(at=at, premises=[one.premises_id for one in waiting])
    return len(waiting)
