"""Pages of listings for the desk: the list with its clocks, one listing with its paper, the form of a proposal."""

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from citysafety.accounts.doors import desk_page, people_only
from citysafety.accounts.models import Role
from citysafety.api import area_asked
from citysafety.filtering import refusals

from ..models import Hazard, Level
from ..selectors import hazards_seen_by
from ..services.given import FieldsMissing, NotAllowed
from . import desk, selectors, services
from .filters import ListingFilter
from .lifecycle import ListingState

MOST_LISTINGS = 200
BESIDE = ("area",)


class ProposalForm(forms.Form):
    """What a supervisor says of a listing; what it must be is the service's to judge."""

    level = forms.ChoiceField(label=_("Level"), choices=Level.choices)
    leader = forms.CharField(
        label=_("Responsible leader"), max_length=80, help_text=_("Name and office; on the paper, never in public.")
    )
    finish_by = forms.DateField(
        label=_("To be rectified by"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    requirement_zh = forms.CharField(
        label=_("Requirement, public"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 4, "lang": "zh-Hans"}),
        help_text=_("Everybody may read this: no names and no numbers of persons."),
    )
    requirement_en = forms.CharField(
        label=_("Requirement, public, in English"), max_length=800, required=False,
        widget=forms.Textarea(attrs={"rows": 4, "lang": "en"}),
    )  # fmt: skip


@desk_page
def listings(request: HttpRequest) -> HttpResponse:
    """GET /hazards/listed/: the listings a person may see, the newest first. Queries: 3 with what every page asks besides."""
    asked, now = request.GET, timezone.now()
    found = ListingFilter(asked, selectors.listings_seen_by(request.user), request=request)
    refused = refusals(asked, found, BESIDE)
    rows = found.qs.none() if refused else found.qs.order_by("-proposed_at", "id")
    if asked.get("area"):
        rows = rows.filter(area_code__startswith=area_asked(request))
    page = list(rows[:MOST_LISTINGS])
    context = {
        "as_of": now,
        "refusals": refused,
        "rows": [(one, desk.LOOKS[one.state], desk.next_clock(one, now)) for one in page],
        "count": len(page) if len(page) < MOST_LISTINGS else rows.order_by().count(),
        "most": MOST_LISTINGS,
        "states": ListingState.choices,
        "levels": Level.choices,
        "asked": asked,
        "chosen": asked.getlist("state"),
        "is_filtered": any(asked.values()),
    }
    return render(request, "hazards/listings.html", context)


@desk_page
def listing(request: HttpRequest, listing_id: UUID) -> HttpResponse:
    """GET /hazards/listed/<id>/: one listing, its paper, its clocks and steps; 404 for who may not see it. Queries: 3."""
    now = timezone.now()
    found = get_object_or_404(selectors.listings_seen_by(request.user), pk=listing_id)
    context = {
        "listing": found,
        "paper": services.paper_of(found),
        "look": desk.LOOKS[found.state],
        "clocks": desk.clock_rows(found, now),
        "forms": desk.step_forms(request.user, found),
        "may_prepare": desk.may_prepare(request.user, found),
        "is_own": desk.barred(request.user, found),
        "happened": desk.happened(found),
        "states": {value: str(label) for value, label in ListingState.choices},
        "api": f"/api/v1/listings/{found.pk}/",
        "as_of": now,
    }
    return render(request, "hazards/listing.html", context)


@people_only
@require_http_methods(["GET", "HEAD", "POST"])
def propose(request: HttpRequest, hazard_id: UUID) -> HttpResponse:
    """GET and POST /hazards/<id>/list/: propose that a major hazard is put on the list. Queries: 1, and those of the proposal."""
    if request.user.role != Role.SUPERVISOR:
        raise PermissionDenied
    hazard = get_object_or_404(hazards_seen_by(request.user).shapeless(), pk=hazard_id)
    form = ProposalForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        made = _proposed(form, hazard, request.user)
        if made is not None:
            return redirect("listing-page", made.pk)
        status = 409 if form.non_field_errors() else 400
    elif request.method == "POST":
        status = 400
    context = {"form": form, "hazard": hazard, "why_not": services.unlistable(hazard), "as_of": timezone.now()}
    return render(request, "hazards/propose.html", context, status=status)


def _proposed(form: ProposalForm, hazard: Hazard, by: Any) -> Any:
    """Return the new listing, None where the form says why there is none."""
    try:
        proposal = services.Proposal(**form.cleaned_data)
        return services.propose(hazard_id=hazard.pk, proposal=proposal, by=by, at=timezone.now())
    except NotAllowed as refusal:
        raise PermissionDenied from refusal
    except services.NotListable as refusal:
        form.add_error(None, str(refusal))
    except FieldsMissing as refusal:
        for name, words in refusal.errors.items():
            form.add_error(name, words)
    return None
