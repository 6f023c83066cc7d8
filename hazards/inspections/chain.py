"""What the evidence chain says of inspections: the visit, what failed, photos by hash, and the hazards it is bound to."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from citysafety.evidence.chain import Event, Record

from ..chain import pictures_of
from .models import Inspection, Result


def look(user: Any, ids: list[str]) -> list[Record]:
    """Return inspections with what they found, those the user may not see left out. Queries: 3, however many."""
    wanted = [one for one in map(_uuid, ids) if one]
    rows = Inspection.objects.visible_to(user).filter(pk__in=wanted)
    inspections = list(rows.select_related("premises", "inspector", "version__checklist").order_by("pk"))
    keys = [row.pk for row in inspections]
    failed: dict[UUID, list[Result]] = defaultdict(list)
    for result in Result.objects.filter(inspection__in=keys, result="fail").select_related("item").order_by("pk"):
        failed[result.inspection_id].append(result)
    names = {result.item.code: result.item.name for results in failed.values() for result in results}
    pictures = pictures_of("inspection", keys, names, user)
    return [_record(row, failed[row.pk], pictures.get((str(row.pk), None), [])) for row in inspections]


def _record(row: Inspection, failed: list[Result], pictures: list[Any]) -> Record:
    found = "\n".join(f"{result.item.name}：{result.words}".strip("：") for result in failed)
    label = _("Inspected again") if row.is_reinspection else _("Inspected")
    event = Event(
        at=row.received_at,
        label=label,
        who=row.inspector.name,
        role=row.inspector.get_role_display(),
        target=row.get_result_display(),
        words="\n".join(part for part in (row.words, found) if part),
        basis=f"{row.version.checklist.name} v{row.version.number}",
        pictures=pictures,
    )
    before = [("inspection", str(row.of_id))] if row.of_id else []
    return Record(
        kind="inspection",
        id=str(row.pk),
        label=_("inspection"),
        number=row.number,
        title=row.premises.name,
        state=row.get_result_display(),
        address=reverse("inspection-page", args=[row.pk]),
        area=row.area_code,
        imported=row.imported,
        events=[event],
        bound=[*before, *(("hazard", str(result.hazard_id)) for result in failed)],
    )


def finders(user: Any, ids: list[str]) -> list[str]:
    """Return the inspections that found some hazards, as far as the user may see them. Queries: 1."""
    wanted = [one for one in map(_uuid, ids) if one]
    found = Result.objects.filter(hazard__in=wanted).values("inspection")
    rows = Inspection.objects.visible_to(user).filter(pk__in=found).order_by("received_at")
    return [str(pk) for pk in rows.values_list("pk", flat=True)]


def again(user: Any, ids: list[str]) -> list[str]:
    """Return the re-inspections of some inspections. Queries: 1."""
    wanted = [one for one in map(_uuid, ids) if one]
    rows = Inspection.objects.visible_to(user).filter(of__in=wanted).order_by("received_at")
    return [str(pk) for pk in rows.values_list("pk", flat=True)]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
