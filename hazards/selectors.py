"""Reads of hazards that span tables or feed a screen."""

from typing import Any

from django.db.models import QuerySet, UUIDField
from django.db.models.functions import Cast

from citysafety.evidence.models import Attachment
from citysafety.tallies import selectors as tallies

from .models import Hazard, Step

# Not the hazard that one was merged into: with its own table twice PostgreSQL plans a list for longer than it reads it.
RELATED = ("matter__matter_class", "cell", "dedicated_cell", "department")


def hazards_seen_by(user: Any) -> QuerySet[Hazard]:
    """Return the hazards a person may see, with what a list row shows. Queries: 1, however many rows."""
    return Hazard.objects.visible_to(user).select_related(*RELATED)


def history(hazard: Hazard) -> QuerySet[Step]:
    """Return the rows of a hazard's history, oldest first. Queries: 1."""
    return Step.objects.filter(hazard=hazard).select_related("actor", "department").order_by("version")


def photos(hazard: Hazard) -> QuerySet[Attachment]:
    """Return the photos of a hazard in the order they came. Queries: 1."""
    return (
        Attachment.objects.filter(kind="hazard", subject_id=str(hazard.pk))
        .select_related("photo", "by")
        .order_by("at", "pk")
    )


def pinned(rows: QuerySet[Hazard], *, figure: str, area: str, at: int | None) -> QuerySet[Hazard]:
    """Keep the hazards that a figure counted at a position: its list.

    :raises citysafety.tallies.selectors.PositionGone: the position is no longer readable.
    """
    members = tallies.members("hazard", figure, area, at)
    ids = members.annotate(hazard_id=Cast("subject_id", UUIDField())).values("hazard_id")
    return rows.filter(pk__in=ids)
