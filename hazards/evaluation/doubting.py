"""Doubts as a reader sees them: those of the own area, with the subject by name and the cases that the reader may open."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from citysafety.accounts.models import Department, User
from citysafety.accounts.rights import area_q
from grid.models import Cell

from ..models import Hazard
from .access import may_set_aside, sees_workers
from .detectors import sentence
from .models import Finding


@dataclass(frozen=True, slots=True)
class Shown:
    """A doubt in words."""

    finding: Finding
    subject: str
    words: str
    cases: list[tuple[Any, str]]  # id and number
    may_set_aside: bool


def seen_by(user: Any, area: str = "") -> QuerySet[Finding]:
    """Return the doubts of an area that a person may see; nobody but those who see workers by name."""
    if not sees_workers(user):
        return Finding.objects.none()
    rows = Finding.objects.filter(area_q(user), area_code__startswith=area)
    return rows.select_related("detector", "set_aside__by")


def shown(findings: Iterable[Finding], user: Any) -> list[Shown]:
    """Return doubts with their subjects and cases. Queries: at most 4, however many."""
    findings = list(findings)
    names: dict[tuple[str, int], str] = {}
    for kind, model in (
        (Finding.Subject.WORKER, User),
        (Finding.Subject.CELL, Cell),
        (Finding.Subject.DEPARTMENT, Department),
    ):
        if keys := {one.subject for one in findings if one.kind == kind}:
            columns = ("name_zh", "name_en", *(("username",) if model is User else ()))
            names |= {(str(kind), row.pk): row.name for row in model.objects.filter(pk__in=keys).only(*columns)}
    ids = {pk for one in findings for pk in one.cases}
    numbers = {}
    if ids:
        numbers = dict(Hazard.objects.visible_to(user).filter(pk__in=ids).values_list("pk", "number"))
    return [
        Shown(
            one,
            names.get((one.kind, one.subject), ""),
            sentence(one.detector.code, one.figures, one.detector.thresholds),
            [(pk, numbers[pk]) for pk in one.cases if pk in numbers],
            may_set_aside(user, one),
        )
        for one in findings
    ]
