"""Listings, plans and stop-work orders as the API shows them; what everybody may read of a listing."""

from datetime import date, datetime
from typing import Any

from django.urls import reverse
from django.utils.timezone import localtime

from ..models import Criterion, Listing, ListingClock, ListingStep, Plan, StopWork
from .lifecycle import ListingState
from .selectors import PublicRow
from .services import paper_of


def listing_answer(listing: Listing) -> dict[str, Any]:
    """Return a listing with its clocks and papers. Queries: 0 with its relations."""
    paper = paper_of(listing)
    return {
        "id": str(listing.pk),
        "number": listing.document.full_number or None,
        "clearing_number": (listing.clearing.full_number or None) if listing.clearing else None,
        "state": listing.state,
        "version": listing.version,
        "level": listing.level,
        "hazard": {
            "id": str(listing.hazard_id),
            "number": listing.hazard.number,
            "matter": listing.hazard.matter.name,
            "state": listing.hazard.state,
        },
        "department": {"code": listing.department.code, "name": listing.department.name},
        "area": listing.area_code,
        "leader": listing.leader,
        "requirement_zh": listing.requirement_zh,
        "requirement_en": listing.requirement_en,
        "finish_by": listing.finish_by.isoformat(),
        "extension_until": _day(listing.extension_until),
        "missed": listing.missed,
        "proposed_at": _iso(listing.proposed_at),
        "changed_at": _iso(listing.changed_at),
        "listed_at": _iso(listing.listed_at),
        "published_at": _iso(listing.published_at),
        "cleared_at": _iso(listing.cleared_at),
        "clearing_published_at": _iso(listing.clearing_published_at),
        "clocks": [clock_answer(clock) for clock in listing.clocks.all()],
        "document": {
            "state": paper.state,
            "title": paper.title,
            "sha256": paper.sealed_id,
            "pdf": reverse("listing-pdf", args=[listing.pk]),
        },
    }


def clock_answer(clock: ListingClock) -> dict[str, Any]:
    """Return one limit: its days are working days, the whole limit has none."""
    return {
        "kind": clock.kind,
        "days": clock.days,
        "started_at": _iso(clock.started_at),
        "due": {"at": _iso(clock.due_at), "reason": clock.due_reason},
        "done_at": _iso(clock.done_at),
        "missed_at": _iso(clock.missed_at),
    }


def step_answer(step: ListingStep) -> dict[str, Any]:
    """Return one row of the history."""
    return {
        "id": str(step.pk),
        "action": step.action,
        "from": step.source or None,
        "to": step.target,
        "version": step.version,
        "at": _iso(step.at),
        "actor": step.actor.name if step.actor else None,
        "words": step.words,
        "basis": step.basis,
    }


def criterion_answer(criterion: Criterion) -> dict[str, Any]:
    """Return a criterion of the catalogue."""
    return {
        "code": criterion.code,
        "name": criterion.name,
        "sector": criterion.sector,
        "basis": criterion.basis,
        "classes": criterion.classes,
        "version": criterion.version,
        "illustrative": criterion.illustrative,
    }


def plan_answer(plan: Plan) -> dict[str, Any]:
    """Return one version of a plan with its five items."""
    return {
        "version": plan.version,
        "unit": plan.unit,
        "person": plan.person,
        "measures": plan.measures,
        "funds_yuan": str(plan.funds_yuan) if plan.funds_yuan is not None else None,
        "finish_on": plan.finish_on.isoformat(),
        "contingency": plan.contingency,
        "by": plan.by.name,
        "at": _iso(plan.at),
        "is_approved": plan.is_approved,
        "decided_by": plan.decided_by.name if plan.decided_by else None,
        "decided_at": _iso(plan.decided_at),
        "decision": plan.decision,
    }


def stop_answer(stop: StopWork) -> dict[str, Any]:
    """Return an order to stop work."""
    return {
        "since": _iso(stop.since),
        "scope": stop.scope,
        "basis": stop.basis,
        "by": stop.by.name,
        "at": _iso(stop.at),
        "ended_at": _iso(stop.ended_at),
        "ended_by": stop.ended_by.name if stop.ended_by else None,
        "ended_why": stop.ended_why,
    }


def public_answer(row: PublicRow) -> dict[str, Any]:
    """Return what everybody may read of a listing."""
    listing = row.listing
    return {
        "number": listing.document.full_number,
        "matter": listing.hazard.matter.name,
        "unit": listing.department.name,
        "place": row.place,
        "level": listing.level,
        "requirement_zh": listing.requirement_zh,
        "requirement_en": listing.requirement_en,
        "finish_by": listing.finish_by.isoformat(),
        "state": public_state(listing),
        "listed_on": _on(listing.listed_at),
        "cleared_on": _on(listing.cleared_at) if listing.state == ListingState.CLOSED else None,
    }


def public_state(listing: Listing) -> str:
    """Return how a listing stands in public: it is off the list once that was published."""
    return "cleared" if listing.state == ListingState.CLOSED else "listed"


def _on(moment: datetime | None) -> str | None:
    return localtime(moment).date().isoformat() if moment else None


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _iso(moment: datetime | None) -> str | None:
    return localtime(moment).isoformat() if moment else None
