"""Reads of write-off lists that feed a screen, a file or a program."""

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from ..lifecycle import REOPENINGS
from ..models import Hazard, Step
from .models import WriteOffItem, WriteOffList
from .services import cases_of

NAMED = ("matter", "cell", "dedicated_cell", "department")


def lists_seen_by(user: Any) -> QuerySet[WriteOffList]:
    """Return the lists a person may see, with their makers and how many have signed. Queries: 1, however many rows."""
    return WriteOffList.objects.visible_to(user).with_signatures().select_related("maker")


def items(row: WriteOffList) -> QuerySet[WriteOffItem]:
    """Return the rows of a frozen list in its order, each with whether its case was reopened since. Queries: 1."""
    later = Step.objects.filter(hazard=OuterRef("hazard"), action__in=REOPENINGS, at__gt=OuterRef("closed_at"))
    return WriteOffItem.objects.filter(list=row).annotate(is_reopened=Exists(later)).order_by("position")


def reopened(row: WriteOffList) -> int:
    """Return how many cases of a frozen list were reopened since. Queries: 1."""
    return items(row).filter(is_reopened=True).count()


def preview(row: WriteOffList) -> QuerySet[Hazard]:
    """Return the cases that a draft holds now, in the order they were closed, with what a row shows. Queries: 1."""
    rows = cases_of(row).select_related(*NAMED).shapeless().defer("location", "description")
    return rows.order_by("written_off_at", "number")


def state_of(row: WriteOffList) -> str:
    """Return where a list stands; ``row`` has its signatures counted."""
    if not row.is_frozen:
        return "draft"
    return "in_force" if row.signed == row.asked else "frozen"  # type: ignore[attr-defined]  # annotated
