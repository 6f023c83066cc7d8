"""Reads of re-checks that feed a screen or a program."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Q, QuerySet

from citysafety.evidence.models import Attachment
from grid.models import shapes_of

from .lifecycle import RecheckState
from .models import Recheck, RecheckDraw, RecheckStep

RELATED = (
    "hazard__matter",
    "hazard__cell",
    "hazard__dedicated_cell",
    "hazard__department",
    "checker",
    "closing__actor",
)
SHAPES = shapes_of("hazard__cell", "hazard__dedicated_cell")
DRAWS_SHOWN = 10


def rechecks_seen_by(user: Any) -> QuerySet[Recheck]:
    """Return the re-checks a person may see, with what a row shows. Queries: 1, however many rows."""
    return Recheck.objects.visible_to(user).select_related(*RELATED).defer(*SHAPES, "hazard__description")


def history(recheck: Recheck) -> QuerySet[RecheckStep]:
    """Return the rows of a re-check's history, oldest first. Queries: 1."""
    return RecheckStep.objects.filter(recheck=recheck).select_related("actor", "checker").order_by("version")


def photos(recheck: Recheck) -> QuerySet[Attachment]:
    """Return the photos of a re-check in the order they came. Queries: 1."""
    rows = Attachment.objects.filter(kind="recheck", subject_id=str(recheck.pk))
    return rows.select_related("photo", "by", "trust").order_by("at", "pk")


@dataclass(frozen=True, slots=True)
class Counts:
    """How many re-checks a reader has in front of them."""

    mine: int
    due: int
    overdue: int
    nobody: int
    holds: int
    fails: int


def counts(rows: QuerySet[Recheck], user: Any, on: date) -> Counts:
    """Count what a reader sees of an area. Queries: 1."""
    due = Q(state=RecheckState.DUE)
    return Counts(
        **rows.order_by().aggregate(
            mine=Count("pk", filter=due & Q(checker=user)),
            due=Count("pk", filter=due),
            overdue=Count("pk", filter=due & Q(due_on__lt=on)),
            nobody=Count("pk", filter=due & Q(checker__isnull=True)),
            holds=Count("pk", filter=Q(state=RecheckState.HOLDS)),
            fails=Count("pk", filter=Q(state=RecheckState.FAILS)),
        )
    )


def draws() -> QuerySet[RecheckDraw]:
    """Return the newest draws with their rules. Queries: 1."""
    rows = RecheckDraw.objects.select_related("rule__matter", "rule__matter_class").defer("population")
    return rows.order_by("-last", "-pk")[:DRAWS_SHOWN]
