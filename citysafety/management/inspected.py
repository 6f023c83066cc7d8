"""Inspections of the demo's last two weeks: varied results over nine-small premises, some late; invented, and bulk-made.

What failed is bound to hazards of the history where one of the same matter lies in the cell of the premises, which its
reporter found: nothing is filed beside the history. Where there is none nothing failed.
"""

import random
import uuid
from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.gis.geos import Point
from django.db import connection
from django.utils import timezone

from citysafety.accounts.models import Role, User
from citysafety.coordinates import metres_between
from citysafety.workdays import CITY_TIME
from grid.models import Posting, Premises
from hazards.inspections.models import (
    CheckedKind,
    ChecklistVersion,
    Inspection,
    InspectionPlan,
    Item,
    Outcome,
    Result,
    RiskGrade,
)
from hazards.inspections.planning import follow_hazards, replan
from hazards.inspections.seeds import seed_inspections
from hazards.models import Hazard

DAYS, NUMBER = 14, 360  # of inspections
MOST_FAILED = 3  # items of one visit
LATE = 0.02  # of premises whose first visit is over
SPREAD = 0.97  # of an interval that has passed at most for the others
MOST_FAILING = 110  # visits
BEGIN = """UPDATE hazards_inspectionplan p SET since = b.since, due_on = b.since + (p.due_on - p.since)
FROM unnest(%s::bigint[], %s::date[]) AS b(pk, since) WHERE p.premises_id = b.pk"""
WORDS = ("现场责令立即整改。", "已告知经营者，限期整改。", "店主在场，表示当天处理。", "")


def inspect(at: datetime, *, seed: int) -> int:
    """Make checklists, plan and inspections where there are none; return how many inspections."""
    seed_inspections()
    if Inspection.objects.exists() or not CheckedKind.objects.exists():
        return 0
    rng = random.Random(seed)
    made = _visits(rng, at)
    hazards = {result.hazard_id for _row, results in made for result in results if result.hazard_id}
    Inspection.objects.bulk_create(row for row, _results in made)
    Result.objects.bulk_create(result for _row, results in made for result in results)
    ChecklistVersion.objects.filter(inspections__isnull=False, frozen_at=None).update(frozen_at=at)
    replan(at=at)
    _begin_plans(rng, at)
    follow_hazards([str(pk) for pk in hazards], at=at)
    if made:
        today = sum(timezone.localdate(row.received_at) == timezone.localdate(at) for row, _results in made)
        with connection.cursor() as cursor:
            cursor.execute("SELECT setval('inspection_number', %s, true)", [max(1, today)])
    return len(made)


def _begin_plans(rng: random.Random, at: datetime) -> None:
    """Spread the first visits over their intervals, as in a city that has planned for a while; a few are late. Queries: 3."""
    today = timezone.localdate(at)
    interval = dict(RiskGrade.objects.values_list("colour", "interval_days"))
    unseen = InspectionPlan.objects.filter(last=None).order_by("pk").values_list("pk", "colour")
    keys, begun = [], []
    for pk, colour in unseen:
        passed = 1 + 0.2 * rng.random() if rng.random() < LATE else SPREAD * rng.random()
        keys.append(pk)
        begun.append(today - timedelta(days=int(interval[colour] * passed)))
    with connection.cursor() as cursor:
        cursor.execute(BEGIN, [keys, begun])


def _visits(rng: random.Random, at: datetime) -> list[tuple[Inspection, list[Result]]]:
    """Lay out the visits, the oldest first: premises with a hazard that fits fail, and as many others pass."""
    versions = {version.checklist_id: version for version in ChecklistVersion.objects.order_by("number")}
    items: dict[int, list[Item]] = defaultdict(list)
    for item in Item.objects.filter(version__in=versions.values()).order_by("position"):
        items[item.version_id].append(item)
    first = at - timedelta(days=DAYS)
    inspectors = _inspectors()
    hazards = _hazards(first)
    places = [place for place in _places() if place.cell_id in inspectors or place.cell_id in hazards]
    rng.shuffle(places)
    kinds = dict(CheckedKind.objects.values_list("kind", "checklist"))
    failing, passing = [], []
    for place in places:
        version = versions.get(kinds.get(place.kind_id, 0))
        if version is None:
            continue
        found = _found(hazards[place.cell_id], items[version.pk]) if len(failing) < MOST_FAILING else {}
        if found:
            by = next(iter(found.values())).reporter_id
            moment = min(hazard.occurred_at for hazard in found.values())
            failing.append((moment, place, version, by, found))
        elif place.cell_id in inspectors:
            passing.append((_moment(rng, first, at), place, version, inspectors[place.cell_id], found))
    laid = [*failing, *passing[: NUMBER - len(failing)]]
    numbers: dict[date, int] = defaultdict(int)
    made = []
    for moment, place, version, by, found in sorted(laid, key=lambda row: row[0]):
        day = moment.astimezone(CITY_TIME).date()
        numbers[day] += 1
        number = f"JC-{day:%Y%m%d}-{numbers[day]:05d}"
        made.append(_visit(rng, number, moment, place, version, items[version.pk], by, found))
    return made


def _places() -> list[Premises]:
    columns = ("pk", "kind_id", "cell_id", "area_code", "location", "code")
    return list(Premises.objects.active().filter(cell__isnull=False).order_by("code").only(*columns))


def _inspectors() -> dict[int, int]:
    """Return who answers for each cell."""
    rows = Posting.objects.filter(until=None, role="primary", worker__user__is_active=True).order_by("pk")
    return dict(rows.values_list("cell", "worker__user"))


def _hazards(since: datetime) -> dict[int, list[Hazard]]:
    """Return the hazards of the history that workers reported, by cell."""
    workers = User.objects.filter(role=Role.GRID_WORKER)
    rows = Hazard.objects.filter(occurred_at__gte=since, cell__isnull=False, reporter__in=workers, merged_into=None)
    found: dict[int, list[Hazard]] = defaultdict(list)
    for hazard in rows.order_by("occurred_at", "pk").only("pk", "cell", "matter", "reporter", "occurred_at"):
        found[hazard.cell_id].append(hazard)
    return found


def _found(hazards: list[Hazard], items: list[Item]) -> dict[int, Hazard]:
    """Take, for a visit, hazards of one reporter and one day that items ask for; what is taken serves no other visit."""
    wanted = {item.matter_id: item for item in items}
    taken: dict[int, Hazard] = {}
    first: Hazard | None = None
    for hazard in list(hazards):
        item = wanted.get(hazard.matter_id)
        if item is None or item.pk in taken or len(taken) == MOST_FAILED:
            continue
        if first and (hazard.reporter_id != first.reporter_id or hazard.occurred_at.date() != first.occurred_at.date()):
            continue
        first = first or hazard
        taken[item.pk] = hazard
        hazards.remove(hazard)
    return taken


def _moment(rng: random.Random, first: datetime, at: datetime) -> datetime:
    """Return a moment of office hours between two."""
    day = first.astimezone(CITY_TIME).replace(hour=0, minute=0, second=0, microsecond=0)
    moment = day + timedelta(days=rng.randrange(DAYS + 1), minutes=rng.randrange(8 * 60 + 30, 17 * 60))
    return min(max(moment, first), at - timedelta(minutes=rng.randrange(1, 90)))


def _visit(
    rng: random.Random, number: str, moment: datetime, place: Premises, version: ChecklistVersion, items: list[Item],
    by: int, found: dict[int, Hazard],
) -> tuple[Inspection, list[Result]]:  # fmt: skip
    pk = uuid.UUID(int=rng.getrandbits(128), version=4)
    results = [
        Result(
            inspection_id=pk, item=item, hazard=found.get(item.pk),
            result=Outcome.FAIL if item.pk in found
            else Outcome.NOT_APPLICABLE if item.may_be_na and rng.random() < 0.15 else Outcome.PASS,
            words=rng.choice(WORDS) if item.pk in found else "",
        )
        for item in items
    ]  # fmt: skip
    skipped = sum(result.result == Outcome.NOT_APPLICABLE for result in results)
    spot = Point(place.location.x + rng.uniform(-2e-4, 2e-4), place.location.y + rng.uniform(-2e-4, 2e-4), srid=4326)
    away = metres_between((spot.x, spot.y), (place.location.x, place.location.y))
    more: dict[str, Any] = {"location": spot, "accuracy_m": rng.randrange(4, 25), "distance_m": round(away, 1)}
    row = Inspection(
        id=pk, number=number, premises=place, area_code=place.area_code, version=version, inspector_id=by, first_id=pk,
        inspected_at=moment, received_at=moment + timedelta(seconds=rng.randrange(20, 400)), imported=True,
        result=Outcome.FAIL if found else Outcome.PASS, failed=len(found), not_applicable=skipped,
        passed=len(items) - len(found) - skipped, **more,
    )  # fmt: skip
    return row, results
