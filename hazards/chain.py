"""What the evidence chain says of hazards: the filing, each step, clocks that ran out, photos by hash."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from citysafety.evidence import telling
from citysafety.evidence.chain import Event, Picture, Record
from citysafety.evidence.models import Attachment

from .ladders import rung_words
from .lifecycle import LABELS, HazardState, PhotoRole
from .models import Climbed, Hazard, Mark, Step


def look(user: Any, ids: list[str]) -> list[Record]:
    """Return hazards with all that happened, those the user may not see left out. Queries: 5, however many."""
    wanted = [one for one in map(_uuid, ids) if one]
    rows = Hazard.objects.visible_to(user).filter(pk__in=wanted).select_related("matter")
    hazards = list(rows.order_by("pk"))
    keys = [hazard.pk for hazard in hazards]
    pictures = pictures_of("hazard", keys, dict(PhotoRole.choices), user)
    events: dict[Any, list[Event]] = defaultdict(list)
    states = dict(HazardState.choices)
    steps = Step.objects.filter(hazard__in=keys).select_related("actor", "department").order_by("hazard", "version")
    used = set()
    for step in steps:
        served = pictures.get((str(step.hazard_id), step.pk), [])
        used.add(step.pk)
        events[step.hazard_id].append(
            Event(
                at=step.at,
                label=str(LABELS[step.action]),
                who=step.actor.name if step.actor else "",
                role=step.actor.get_role_display() if step.actor else "",
                to=step.department.name if step.action == "dispatch" and step.department else "",
                source=str(states.get(step.source, "")),
                target=str(states[step.target]),
                words=step.words,
                basis=_(step.basis) if step.basis else "",
                pictures=served,
            )
        )
    for mark in Mark.objects.filter(hazard__in=keys):
        events[mark.hazard_id].append(Event(at=mark.at, label=_("Overdue"), target=mark.get_stage_display(), late=True))
    for row in Climbed.objects.filter(hazard__in=keys):
        events[row.hazard_id].append(
            Event(
                at=row.at,
                label=_("Escalated"),
                target=row.get_stage_display(),
                words=rung_words(row),
                late=row.percent >= 100,
            )
        )
    for (subject, step_id), loose in pictures.items():
        if step_id not in used:  # sent, and not yet needed by a step
            for picture in loose:
                events[UUID(subject)].append(Event(at=picture.at, label=_("Photo"), pictures=[picture]))
    return [
        Record(
            kind="hazard",
            id=str(hazard.pk),
            label=_("hazard"),
            number=hazard.number,
            title=hazard.matter.name,
            state=hazard.get_state_display(),
            address=reverse("hazard-page", args=[hazard.pk]),
            area=hazard.area_code,
            imported=hazard.imported,
            events=events[hazard.pk],
            bound=[("hazard", str(hazard.merged_into_id))] if hazard.merged_into_id else [],
        )
        for hazard in hazards
    ]


def duplicates(user: Any, ids: list[str]) -> list[str]:
    """Return the cases that were merged into some, as far as the user may see them. Queries: 1."""
    wanted = [one for one in map(_uuid, ids) if one]
    rows = Hazard.objects.visible_to(user).filter(merged_into__in=wanted).order_by("pk")
    return [str(pk) for pk in rows.values_list("pk", flat=True)]


def pictures_of(kind: str, ids: list[Any], roles: dict[str, Any], user: Any) -> dict[tuple[str, Any], list[Picture]]:
    """Return the photos of some subjects by subject and the step they served (None: none yet).

    Queries: 1, and 1 a kind of case that has the same pictures.
    """
    served: dict[tuple[str, Any], list[Picture]] = defaultdict(list)
    rows = Attachment.objects.filter(kind=kind, subject_id__in=[str(one) for one in ids]).select_related("trust")
    rows = list(rows.order_by("at", "pk"))
    judged = telling.judged(rows, user)
    for row in rows:
        thumb, view = (reverse("evidence", args=[row.pk, size]) for size in ("thumb", "view"))
        label = str(roles.get(row.role, row.role))
        served[row.subject_id, row.used_by].append(Picture(row.photo_id, label, thumb, view, row.at, judged[row.pk]))
    return served


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
