"""What the evidence chain says of listings: proposed, signed with number and paper, published, extended, taken off the list."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from citysafety.documents.models import Document
from citysafety.evidence.chain import Event, Paper, Record

from ..models import Listing, ListingClock, ListingStep
from .lifecycle import LABELS, ListingState


def look(user: Any, ids: list[str]) -> list[Record]:
    """Return listings with all that happened, those the user may not see left out. Queries: 3, however many."""
    wanted = [one for one in map(_uuid, ids) if one]
    rows = Listing.objects.visible_to(user).filter(pk__in=wanted)
    listings = list(
        rows.select_related("document__kind", "clearing__kind", "department", "hazard__matter").order_by("pk")
    )
    keys = {listing.pk: listing for listing in listings}
    states = dict(ListingState.choices)
    events: dict[Any, list[Event]] = defaultdict(list)
    for step in ListingStep.objects.filter(listing__in=keys).select_related("actor").order_by("listing", "version"):
        listing = keys[step.listing_id]
        events[listing.pk].append(
            Event(
                at=step.at,
                label=str(LABELS[step.action]),
                who=step.actor.name if step.actor else "",
                role=step.actor.get_role_display() if step.actor else "",
                to=listing.department.name if step.action == "list_it" else "",
                source=str(states.get(step.source, "")),
                target=str(states[step.target]),
                words=step.words,
                basis=_(step.basis) if step.basis else "",
                papers=_papers(listing, step.action),
            )
        )
    for clock in ListingClock.objects.filter(listing__in=keys, missed_at__isnull=False):
        event = Event(at=clock.missed_at, label=str(LABELS["miss"]), target=clock.get_kind_display(), late=True)
        events[clock.listing_id].append(event)
    return [
        Record(
            kind="listing",
            id=str(listing.pk),
            label=_("listing"),
            number=listing.document.full_number,
            title=listing.hazard.matter.name,
            state=listing.get_state_display(),
            address=reverse("listing-page", args=[listing.pk]),
            area=listing.area_code,
            events=events[listing.pk],
            bound=[("hazard", str(listing.hazard_id))],
        )
        for listing in listings
    ]


def about_hazards(user: Any, hazard_ids: list[str]) -> list[str]:
    """Return the listings of some hazards, those the user may not see left out. Queries: 1."""
    rows = Listing.objects.visible_to(user).filter(hazard__in=hazard_ids).order_by("proposed_at", "pk")
    return [str(pk) for pk in rows.values_list("pk", flat=True)]


def _papers(listing: Listing, action: str) -> list[Paper]:
    """Return the paper that a step signed."""
    pdf = reverse("listing-pdf", args=[listing.pk])
    if action == "list_it":
        return [_paper(listing.document, f"{pdf}?paper=notice")]
    return [_paper(listing.clearing, pdf)] if action == "clear" and listing.clearing else []


def _paper(document: Document, address: str) -> Paper:
    return Paper(document.full_number, document.sealed_id or "", address, reverse("verify-code", args=[document.code]))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
