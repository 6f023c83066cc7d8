"""Reads for the doors of GeoReport. What only some may see is fetched only for them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.db.models import Max, Q, QuerySet

from citysafety import areas
from citysafety.evidence.models import Attachment
from grid.models import Cell, Division, Matter
from grid.selectors import matters_offered

from ..lifecycle import ENDED, PhotoRole
from ..models import Clock, Hazard, Step
from ..selectors import labelled, lines
from .asking import Asked

PUBLIC = (  # no words of anybody, no person
    "id", "number", "matter_id", "state", "severity", "area_code", "cell_id", "dedicated_cell_id", "department_id",
    "received_at", "changed_at", "due_stage", "due_at", "due_reason", "overdue", "merged_into_id",
)  # fmt: skip
LIMITS = ("accept_amount", "accept_unit", "rectify_amount", "rectify_unit", "verify_amount", "verify_unit")


class UnknownService(LookupError):
    """There is no such service; the message is its code."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What those see of a case who may see it."""

    description: str
    photo: int | None  # the attachment: of the scene, else the first


@dataclass(slots=True)
class Told:
    """A page of requests with all that is said of them."""

    lines: list[SimpleNamespace]
    limits: dict[int, Matter]
    divisions: dict[str, str]
    merged: dict[UUID, str]
    running: dict[UUID, list[Clock]] = field(default_factory=dict)
    seen: dict[UUID, Seen] = field(default_factory=dict)
    notes: dict[UUID, list[Step]] = field(default_factory=dict)


def services() -> QuerySet[Matter]:
    """Return the matters that may be reported. Queries: 1."""
    return matters_offered()


def services_changed() -> datetime | None:
    """Return when the catalogue was changed last. Queries: 1."""
    return Matter.objects.aggregate(at=Max("updated_at"))["at"]


def service(code: str) -> Matter:
    """Return an active matter. Queries: 1. :raises UnknownService: there is none of that code."""
    if (found := services().filter(code=code).first()) is None:
        raise UnknownService(code)
    return found


def place_of(code: str) -> tuple[float, float] | None:
    """Return a point inside the active cell of a code, longitude first; None without one. Queries: 1."""
    centre = Cell.objects.active().filter(code=code).values_list("centre", flat=True).first()
    return (centre.x, centre.y) if centre else None


def number_of_filing(token: str) -> str | None:
    """Return the number of what was filed under an id that its client made; None without one. Queries: at most 1."""
    try:
        return Hazard.objects.filter(pk=UUID(token)).values_list("number", flat=True).first()
    except ValueError:
        return None


def _of_ids(ids: Iterable[str]) -> Q:
    """Return the condition for numbers and ids, mixed as they may be."""
    numbers, keys = [], []
    for text in ids:
        try:
            keys.append(UUID(text))
        except ValueError:
            numbers.append(text.upper())
    return Q(number__in=numbers) | Q(pk__in=keys)


def _keys(codes: Sequence[str]) -> list[int]:
    """Return the keys of matters, those no longer offered too: their cases stay. Queries: 1."""
    found = dict(Matter.objects.filter(code__in=codes).values_list("code", "pk"))
    if unknown := [code for code in codes if code not in found]:
        raise UnknownService(unknown[0])
    return list(found.values())


def page_of(asked: Asked) -> QuerySet[Hazard]:
    """Return the rows of a page in the order of an index: the newest first, or what changed last.

    Queries: 1 for service codes, else none until the rows are read.

    :raises UnknownService: a service code that never was.
    """
    rows = Hazard.objects.all()
    if asked.ids:  # the standard: "This overrides all other arguments"
        return rows.filter(_of_ids(asked.ids)).order_by("-received_at", "id")
    if asked.codes:
        rows = rows.filter(matter__in=_keys(asked.codes))
    if asked.is_open:
        rows = rows.open().filter(merged_into=None)
    elif asked.is_open is False:
        rows = rows.filter(Q(state__in=sorted(ENDED)) | Q(merged_into__isnull=False))
    if asked.received:
        rows = rows.filter(received_at__range=asked.received)
    if asked.changed:
        rows = rows.filter(changed_at__range=asked.changed)
    first = (asked.page - 1) * asked.size
    order = "-changed_at" if asked.changed else "-received_at"
    return rows.order_by(order, "id")[first : first + asked.size]


def told(rows: QuerySet[Hazard], user: Any, *, notes: bool = False) -> Told:
    """Return rows with all that is said of them.

    Queries, however many rows: 5 (the rows, what they name, limits, places, clocks); 1 where some are merged, 2 for somebody
    with a key (what they may see, its photos), 1 with notes. Without rows: 1.
    """
    page = labelled(lines(rows, PUBLIC))
    if not page:
        return Told([], {}, {}, {})
    keys = [line.pk for line in page]
    merged = {line.merged_into_id for line in page} - {None}
    return Told(
        lines=page,
        limits=Matter.objects.only("pk", *LIMITS).in_bulk({line.matter_id for line in page}),
        divisions=_divisions(line.area_code for line in page),
        merged=dict(Hazard.objects.filter(pk__in=merged).values_list("pk", "number")) if merged else {},
        running=_running(keys),
        seen=_seen_by(user, keys) if user.is_authenticated else {},
        notes=_notes(keys) if notes else {},
    )


def _divisions(codes: Iterable[str]) -> dict[str, str]:
    """Return the names of divisions around places by their codes. Queries: 1."""
    around = {outer for code in codes for outer in areas.lineage(code) if len(outer) < areas.LEVELS[-1]}
    found = Division.objects.filter(code__in=around).only("code", "name_zh", "name_en")
    return {division.code: division.name for division in found}


def _running(keys: list[UUID]) -> dict[UUID, list[Clock]]:
    """Return the running clocks of cases with when they are due. Queries: 1."""
    found: dict[UUID, list[Clock]] = {}
    for clock in Clock.objects.filter(hazard__in=keys, stopped_at=None).only("hazard_id", "stage", "due_at"):
        found.setdefault(clock.hazard_id, []).append(clock)
    return found


def _seen_by(user: Any, keys: list[UUID]) -> dict[UUID, Seen]:
    """Return what a person may see of cases, by the rule of every other door. Queries: 2, 1 where it is none of them."""
    words = dict(Hazard.objects.visible_to(user).filter(pk__in=keys).values_list("pk", "description"))
    if not words:
        return {}
    photos: dict[str, tuple[bool, int]] = {}
    rows = Attachment.objects.filter(kind="hazard", subject_id__in=[str(key) for key in words])
    for pk, subject, role in rows.order_by("at", "pk").values_list("pk", "subject_id", "role"):
        of_scene = role == PhotoRole.SCENE
        if subject not in photos or (of_scene and not photos[subject][0]):
            photos[subject] = of_scene, pk
    return {key: Seen(said, photos.get(str(key), (False, None))[1]) for key, said in words.items()}


def _notes(keys: list[UUID]) -> dict[UUID, list[Step]]:
    """Return the steps of cases, the oldest first. Queries: 1."""
    found: dict[UUID, list[Step]] = {}
    rows = Step.objects.filter(hazard__in=keys).only("hazard_id", "action", "target", "at", "words")
    for step in rows.order_by("hazard", "version"):
        found.setdefault(step.hazard_id, []).append(step)
    return found
