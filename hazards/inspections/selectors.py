"""Reads of inspections that span tables or feed a screen."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Prefetch, QuerySet

from citysafety.accounts.models import Department
from citysafety.evidence.models import Attachment
from grid.models import Premises, shapes_of

from ..models import Hazard
from .models import Checklist, ChecklistVersion, Inspection, InspectionPlan, Item, Result, RiskRule

RELATED = ("premises__kind", "version__checklist", "inspector")


def premises_open_to(user: Any) -> QuerySet[Premises]:
    """Return the premises of a reader's area, with kind and cell. Queries: 1."""
    rows = Premises.objects.select_related("kind", "cell").defer(*shapes_of("cell"))
    return rows.filter(area_code__startswith=user.area_code) if user.area_code else rows.none()


def inspections_seen_by(user: Any) -> QuerySet[Inspection]:
    """Return the inspections a person may see, with what a row shows. Queries: 1."""
    return Inspection.objects.visible_to(user).select_related(*RELATED)


def plans_seen_by(user: Any) -> QuerySet[InspectionPlan]:
    """Return the plans a person may see, with premises and last inspection. Queries: 1."""
    return InspectionPlan.objects.visible_to(user).select_related("premises__kind", "checklist", "last")


def version_in_force(checklist: Checklist | int, on: date) -> ChecklistVersion | None:
    """Return what a checklist asks on a day, with its items and their matters. Queries: 2."""
    rows = ChecklistVersion.objects.filter(checklist=checklist, in_force_from__lte=on).select_related("checklist")
    return rows.prefetch_related(_items()).order_by("-in_force_from", "-number").first()


def version_with_items(pk: int, checklist: Checklist | int) -> ChecklistVersion | None:
    """Return one version of a checklist with its items and their matters. Queries: 2."""
    rows = ChecklistVersion.objects.filter(pk=pk, checklist=checklist).select_related("checklist__closing_department")
    return rows.prefetch_related(_items()).first()


def _items() -> Prefetch:
    return Prefetch("items", Item.objects.select_related("matter").order_by("position"))


@dataclass(frozen=True, slots=True)
class Found:
    """A result as a page shows it: the hazard only to who may see it."""

    result: Result
    item: Item
    hazard: Hazard | None
    photos: list[Attachment]


def results_of(inspection: Inspection, user: Any) -> list[Found]:
    """Return what each item came to, with hazards and photos. Queries: 3."""
    rows = Result.objects.filter(inspection=inspection).select_related("item__matter", "hazard__department")
    results = list(rows.order_by("item__position"))
    hazards = [row.hazard_id for row in results if row.hazard_id]
    seen = set(Hazard.objects.visible_to(user).filter(pk__in=hazards).values_list("pk", flat=True)) if hazards else ()
    shots: dict[str, list[Attachment]] = {}
    for photo in photos(inspection):
        shots.setdefault(photo.role, []).append(photo)
    return [
        Found(row, row.item, row.hazard if row.hazard_id in seen else None, shots.get(row.item.code, []))
        for row in results
    ]


def photos(inspection: Inspection) -> QuerySet[Attachment]:
    """Return the photos of an inspection in the order they came. Queries: 1."""
    rows = Attachment.objects.filter(kind="inspection", subject_id=str(inspection.pk))
    return rows.select_related("photo", "by", "trust").order_by("at", "pk")


def failed_items(inspection: Inspection) -> set[str]:
    """Return the codes of the items that failed. Queries: 1."""
    return set(Result.objects.filter(inspection=inspection, result="fail").values_list("item__code", flat=True))


def rounds_of(inspection: Inspection) -> QuerySet[Inspection]:
    """Return an inspection's first visit and every re-inspection after it. Queries: 1."""
    return Inspection.objects.filter(first=inspection.first_id).select_related(*RELATED).order_by("round")


def finders_of(hazard: Hazard, user: Any) -> list[Inspection]:
    """Return the inspections that found a hazard, or one that was merged into it, the first one first. Queries: 1, or 2."""
    ids = [hazard.pk]
    if hazard.absorbs:
        ids += Hazard.objects.filter(merged_into=hazard.pk).values_list("pk", flat=True)
    found = Result.objects.filter(hazard__in=ids).values("inspection")
    return list(
        Inspection.objects.visible_to(user).filter(pk__in=found).select_related("premises").order_by("received_at")
    )


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that gave a premises points, with what was measured."""

    rule: RiskRule
    value: int
    points: int

    @property
    def is_measured(self) -> bool:
        return self.rule.factor != RiskRule.Factor.KIND


def reasons_of(plan: InspectionPlan) -> list[Reason]:
    """Return why a premises has its grade, the heaviest reason first. Queries: 1."""
    rules = RiskRule.objects.in_bulk([row["rule"] for row in plan.reasons])
    rows = [Reason(rules[row["rule"]], row["value"], row["points"]) for row in plan.reasons if row["rule"] in rules]
    return sorted(rows, key=lambda row: -row.points)


def office_of(department: Department, area_code: str) -> Department:
    """Return the office of a department that answers for a place: its branch there, else itself. Queries: 1."""
    branches = Department.objects.filter(parent=department.pk).order_by("-area_code", "code")
    return next((one for one in branches if one.area_code and area_code.startswith(one.area_code)), department)


def still_open(premises_id: int, checklist_id: int, codes: Collection[str], condition: Any) -> dict[str, Hazard]:
    """Return, by code of the item, the hazard that an earlier inspection of the premises found and that is open. Queries: 1."""
    rows = Result.objects.filter(
        condition,
        inspection__premises=premises_id,
        item__version__checklist=checklist_id,
        item__code__in=codes,
        result="fail",
    )
    found = {}
    for row in rows.select_related("item", "hazard__merged_into").order_by("pk"):
        found[row.item.code] = row.hazard.merged_into or row.hazard
    return found
