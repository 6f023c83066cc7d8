"""Reads of listings that feed a screen or a program."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from citysafety import areas
from grid.models import Division

from ..models import Hazard, Listing, ListingStep, Plan, StopWork

RELATED = ("document__kind", "clearing__kind", "department", "rule", "hazard__matter")


def listings_seen_by(user: Any) -> QuerySet[Listing]:
    """Return the listings a person may see, with what a row shows. Queries: 2, however many rows."""
    rows = Listing.objects.visible_to(user).select_related(*RELATED)
    return rows.defer("hazard__location", "hazard__description").prefetch_related("clocks")


def history(listing: Listing) -> QuerySet[ListingStep]:
    """Return the rows of a listing's history, oldest first. Queries: 1."""
    return ListingStep.objects.filter(listing=listing).select_related("actor").order_by("version")


def plans(hazard: Hazard) -> QuerySet[Plan]:
    """Return the plans of a case, the newest first. Queries: 1."""
    return hazard.plans.select_related("by", "decided_by").order_by("-version")


def stops(hazard: Hazard) -> QuerySet[StopWork]:
    """Return the orders to stop work on a case, the newest first. Queries: 1."""
    return hazard.stops.select_related("by", "ended_by").order_by("-pk")


@dataclass(frozen=True, slots=True)
class PublicRow:
    """What everybody may read of a listing: nothing that names a person or leads to one."""

    listing: Listing
    place: str


def public_rows(rows: Iterable[Listing]) -> list[PublicRow]:
    """Return published listings with the township each lies in. Queries: 1, and those of the rows."""
    page = list(rows)
    codes = {listing.area_code[:digits] for listing in page for digits in areas.LEVELS[:3]}
    names = {one.code: one.name for one in Division.objects.filter(code__in=codes).only("code", "name_zh", "name_en")}
    return [PublicRow(listing, _place(listing.area_code, names)) for listing in page]


def _place(code: str, names: dict[str, str]) -> str:
    parts = [code[:digits] for digits in areas.LEVELS[1:3] if len(code) >= digits]
    return " ".join(names[part] for part in parts if part in names) or names.get(code[:4], "")


def published() -> QuerySet[Listing]:
    """Return what was published, the newest first. Queries: 1."""
    rows = Listing.objects.public().select_related("document__kind", "department", "hazard__matter")
    return rows.defer("hazard__location", "hazard__description").order_by("-published_at", "id")
