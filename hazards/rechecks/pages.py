"""Pages of re-checks: what is to be checked again, and one re-check, on the desk and on the phone.

A result is sent through ``/api/v1/`` by the page's module; these doors only show.
"""

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _

from citysafety.accounts.doors import desk_page
from citysafety.accounts.rights import may
from citysafety.api import area_asked
from citysafety.evidence import telling
from citysafety.filtering import refusals
from citysafety.lifecycle import Step

from ..asked import Field
from ..desk import SIGNS
from . import selectors, services
from .choosing import fit_for
from .filters import RecheckFilter
from .lifecycle import LABELS, LIFECYCLE, RecheckState
from .models import READERS, VIEWERS, Recheck

ROWS = 50
WATCHERS = READERS - {"dispatcher"}  # who is shown how was drawn
LOOKS = {
    RecheckState.DUE: ("clock", ""),
    RecheckState.HOLDS: ("tick", "restored"),
    RecheckState.FAILS: ("no", "strong"),
    RecheckState.LAPSED: ("half", "ended"),
}


@desk_page
def rechecks(request: HttpRequest) -> HttpResponse:
    """GET /hazards/rechecks/: what is to be checked again in one's area or by oneself, the first due first. Queries: 3, 1 more for who watches."""
    if request.user.role not in VIEWERS:
        raise PermissionDenied
    asked, today = request.GET, timezone.localdate()
    area = area_asked(request)
    seen = selectors.rechecks_seen_by(request.user)
    if asked.get("area"):  # without one also the own ones that lie elsewhere
        seen = seen.filter(area_code__startswith=area)
    found = RecheckFilter(asked, seen, request=request)
    refused = refusals(asked, found, ("area", "page"))
    rows = seen.none() if refused else found.qs.order_by("due_on", "pk")
    page = Paginator(rows, ROWS).get_page(asked.get("page"))
    return render(
        request,
        "hazards/rechecks/list.html",
        {
            "asked": asked,
            "area": asked.get("area", ""),
            "refusals": refused,
            "page": page,
            "rows": [(one, LOOKS[one.state], one.is_overdue(today)) for one in page.object_list],
            "counts": selectors.counts(seen, request.user, today),
            "chips": _chips(asked),
            "is_filtered": any(value for name, value in asked.items() if name not in ("page", "area")),
            "reads_area": request.user.role in READERS,
            "draws": selectors.draws() if request.user.role in WATCHERS else [],
            "as_of": timezone.now(),
        },
    )


def _chips(asked: Any) -> str:
    """Return which of the lists is shown."""
    plain = {name: value for name, value in asked.items() if value and name not in ("page", "area")}
    known = {
        "mine": {"mine": "true", "state": "due"}, "due": {"state": "due"}, "overdue": {"overdue": "true"},
        "nobody": {"nobody": "true"}, "holds": {"state": "holds"}, "fails": {"state": "fails"},
    }  # fmt: skip
    return next((name for name, query in known.items() if query == plain), "" if plain else "all")


@desk_page
def recheck(request: HttpRequest, recheck_id: UUID) -> HttpResponse:
    """GET /hazards/rechecks/<id>/: one re-check with what the reader can do now; 404 for who may not see it.

    Queries: 4 to 6 with what every page asks besides, however many photos.
    """
    found = get_object_or_404(selectors.rechecks_seen_by(request.user), pk=recheck_id)
    photos = list(selectors.photos(found))
    judged = telling.judged(photos, request.user)
    return render(
        request,
        "hazards/rechecks/recheck.html",
        {
            "recheck": found,
            "hazard": found.hazard,
            "sees_case": request.user.covers(found.area_code),
            "look": LOOKS[found.state],
            "hazard_look": SIGNS[found.hazard.state],
            "is_overdue": found.is_overdue(),
            "forms": [_form(step, found) for step in services.steps_open_to(request.user, found)],
            "is_party": any(
                may(request.user, step, found).rule == "denied.party" for step in LIFECYCLE.steps_from(found.state)
            ),
            "photos": [(photo, judged[photo.pk]) for photo in photos],
            "happened": [
                (step, LABELS[step.action], _(step.basis) if step.basis else "") for step in selectors.history(found)
            ],
            "states": {value: str(label) for value, label in RecheckState.choices},
            "api": f"/api/v1/rechecks/{found.pk}/",
            "as_of": timezone.now(),
        },
    )


def _form(step: Step, found: Recheck) -> dict[str, Any]:
    """Return the form of a step. Queries: 1 where somebody is chosen."""
    asks_reason, place = "reason" in step.requires, found.hazard.location
    photo = {"role": "after", "label": _("What is there now"), "need": 1, "there": 0}
    return {
        "action": step.action,
        "label": step.label,
        "basis": _(step.basis),
        "asks": "",
        "fields": [_people(found)] if "checker" in step.requires else [],
        "words_name": "reason" if asks_reason else "words",
        "words_label": _("What does not hold") if asks_reason else _("Words (if useful)"),
        "asks_words": asks_reason,
        "asks_location": "location" in step.requires,
        "within_m": found.hazard.matter.verify_within_m,
        "lon": f"{place.x:.6f}",
        "lat": f"{place.y:.6f}",
        "photos": [photo] if "photo:after" in step.requires else [],
    }


def _people(found: Recheck) -> Field:
    """Return whom it may be given to."""
    choices = [(user.username, f"{user.name} · {user.get_role_display()}") for user in fit_for(found)]
    hint = "" if choices else _("Nobody of the area who verifies has kept out of the case.")
    return Field(name="checker", label=_("Checker"), kind="select", choices=choices, hint=hint)
