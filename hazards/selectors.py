"""Reads of hazards that span tables or feed a screen."""

from typing import Any

from django.db.models import QuerySet, UUIDField
from django.db.models.functions import Cast

from citysafety.evidence.models import Attachment
from citysafety.tallies import selectors as tallies

from .models import Hazard, Step

# Not the hazard that one was merged into: with its own table twice PostgreSQL plans a list for longer than it reads it.
RELATED = ("matter__matter_class", "cell", "dedicated_cell", "department")
NAMES = ("code", "name_zh", "name_en")
# What a row of a list shows; the other columns of its five tables would take longer than the query itself.
SHOWN = (
    *(
        field.name
        for field in Hazard._meta.concrete_fields
        if field.name not in ("reporter", "rectified_by", "period", "party_users", "party_departments")
    ),
    *(f"{beside}__{name}" for beside in ("matter", "cell", "dedicated_cell", "department") for name in NAMES),
    "matter__matter_class__code",
)


def hazards_seen_by(user: Any) -> QuerySet[Hazard]:
    """Return the hazards a person may see, with what a list row shows. Queries: 1, however many rows."""
    return Hazard.objects.visible_to(user).select_related(*RELATED)


def brief(rows: QuerySet[Hazard]) -> QuerySet[Hazard]:
    """Leave in the database what ``hazard_answer`` does not show. For looking only: another column costs a query a row."""
    return rows.only(*SHOWN)


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
