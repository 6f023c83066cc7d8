"""The console's page, and the case that stands at its right."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import ensure_csrf_cookie

from citysafety import areas
from citysafety.accounts.doors import desk_page
from citysafety.accounts.marks import mark_of
from citysafety.evidence import chain as chains
from citysafety.names import chosen
from citysafety.version import version
from grid import finding
from grid.models import City, Division
from grid.selectors import map_frame, map_sources
from hazards import desk
from hazards import selectors as hazards
from hazards.lifecycle import HazardState
from hazards.models import Hazard
from hazards.present import clock_answer
from projects import desk as supervision_desk
from projects import selectors as notices
from projects.lifecycle import NoticeState

from . import selectors, services
from .api import asked
from .rights import may_operate

# One letter each, shown beside the button; steps without one are reached by Tab.
KEYS = {
    "accept": "A", "dispatch": "D", "verify": "V", "fail": "F", "refuse": "R", "write_off": "W", "reopen": "O",
    "accept_answer": "A", "reject_answer": "R", "withdraw": "W", "send_back": "B", "submit": "S",
}  # fmt: skip


def console(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Open a page to those who sit at the command centre."""

    @wraps(view)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may_operate(request.user):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return desk_page(door)


@console
@ensure_csrf_cookie
def centre(request: HttpRequest) -> HttpResponse:
    """GET /centre/: the queue of an area, the map, a case. Its first state is in the page; news comes live.

    The address holds filter, area, matter and case. Queries: 13 with what every page asks, however many rows.
    """
    given = {name: value for name, value in request.GET.items() if name in ("filter", "area", "matter")}
    if given.get("filter") not in selectors.BY_KEY:
        given.pop("filter", None)  # an old link: the whole queue is better than none
    wanted = asked(request, given)
    finding.PLACES.warm()
    look = selectors.queue(request.user, wanted, at=timezone.now())
    city = City.objects.first()
    context = {
        "theme_default": "dark",
        "city_name": chosen(city.name_zh, city.name_en) if city else "",
        "filters": [(one, look["counts"][one.key], one is wanted.filter) for one in selectors.FILTERS],
        "trail": _trail(request.user, wanted.area),
        "matter": wanted.matter,
        "config": _config(request, wanted),
        "first": {**look, "at": timezone.now().isoformat()},
    }
    return render(request, "centre/centre.html", context)


def _trail(user: Any, area: str) -> list[dict[str, str]]:
    """Return the areas from the reader's own down to the one shown. Queries: 1."""
    codes = [code for code in areas.lineage(area) if areas.covers(user.area_code, code)]
    names = {one.code: one.name for one in Division.objects.filter(Q(code__in=codes))}
    return [{"code": code, "name": names.get(code, code)} for code in codes]


def _config(request: HttpRequest, wanted: selectors.Asked) -> dict[str, Any]:
    sources = map_sources()
    return {
        "area": wanted.area,
        "home": request.user.area_code,
        "matter": wanted.matter,
        "case": request.GET.get("case", "")[:60],
        "reader": request.user.pk,
        "version": version(),
        "me": mark_of(request.user.pk),
        "hold_s": int(services.HOLD.total_seconds()),
        "queue": reverse("centre-queue"),
        "search": reverse("centre-search"),
        "dispatches": reverse("centre-dispatches"),
        "trial": reverse("centre-trial"),
        "undo": reverse("centre-undo"),
        "presence": reverse("presence"),
        "page": reverse("centre"),
        "filters": [one.key for one in selectors.FILTERS],
        "states": {value: str(label) for value, label in (*HazardState.choices, *NoticeState.choices)},
        "city": settings.CITY_CODE,
        "map": {
            "version": sources["version"], "credits": sources["credits"], "note": sources["note"],
            "bounds": map_frame(wanted.area, sources["version"]),
        },
    }  # fmt: skip


@console
def hazard(request: HttpRequest, subject_id: UUID) -> HttpResponse:
    """GET /centre/hazard/<id>/: one hazard with its clock, what can be done now, and its evidence chain; a part of the
    console. 404 for who may not see it. Queries: 9 beside the reader's, 3 more with notices about it, one more for dispatch and for who may merge it, photos
    one a role.
    """
    now, user = timezone.now(), request.user
    found: Hazard = get_object_or_404(hazards.hazards_seen_by(user).select_related("reporter"), pk=subject_id)
    forms = desk.step_forms(user, found, now)
    beside = [form for form in forms if form["is_beside"]]
    clocks = clock_answer(found, now)
    records = chains.chain(user, "hazard", str(found.pk))
    context = {
        "hazard": found,
        "look": desk.SIGNS[found.state],
        "clocks": desk.clock_rows(clocks, now),
        "changes": desk.change_words(clocks["changes"]),
        "forms": [{**form, "key": KEYS.get(form["action"], "")} for form in forms],
        "beside": beside,
        **desk.bound(user, found, now),
        "barred": desk.barred(user, found),
        "ahead": desk.who_is_next(found, now) if len(beside) == len(forms) else [],
        "ahead_states": desk.states_ahead(found),
        "rows": chains.timeline(records),
        "several": len(records) > 1,
        "others": records[1:],
        "api": f"/api/v1/hazards/{found.pk}/",
        "as_of": now,
    }
    return render(request, "centre/_hazard.html", context)


@console
def supervision(request: HttpRequest, subject_id: UUID) -> HttpResponse:
    """GET /centre/supervision/<id>/: one overdue notice with its hazard; a part of the console. 404 for who may not see
    it. Queries: 9 beside the reader's.
    """
    now, user = timezone.now(), request.user
    found = get_object_or_404(notices.notices_seen_by(user), pk=subject_id)
    records = chains.chain(user, "supervision", str(found.pk))
    forms = supervision_desk.step_forms(user, found)
    context = {
        "notice": found,
        "look": supervision_desk.SIGNS[found.state],
        "due": desk.due_words(found.hazard, now),
        "forms": [{**form, "key": KEYS.get(form["action"], "")} for form in forms],
        "rows": chains.timeline(records),
        "several": len(records) > 1,
        "api": f"/api/v1/supervision/{found.pk}/",
        "as_of": now,
    }
    return render(request, "centre/_notice.html", context)
