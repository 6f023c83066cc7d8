"""The wall of the command centre, the trends of an area, and the leader's screen."""

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from citysafety.accounts.doors import desk_page
from citysafety.accounts.models import Role
from citysafety.accounts.rights import opens_lists
from citysafety.api import area_asked
from citysafety.names import chosen
from citysafety.version import version
from grid.models import City
from hazards.lifecycle import STAGE_OF, HazardState
from hazards.models import Severity

from . import leader as leaders
from . import mutes, rights, selectors
from . import trends as figures


@never_cache
@require_safe
@login_required
def wall(request: HttpRequest) -> HttpResponse:
    """Show the wall of an area, the reader's own without one. Its first state is in the page; news comes live."""
    if not rights.may_watch(request.user):
        raise PermissionDenied
    area = area_asked(request)
    look = selectors.wall(area)
    figures = {row["key"]: row for row in look["figures"]}
    city = City.objects.first()
    context = {
        "theme_default": "dark",
        "look": look,
        "own": request.user.area_code,
        "figures": figures,
        "opens_lists": opens_lists(request.user),
        "kiosk": request.user.role == Role.KIOSK,
        "must_hear": rights.must_hear(request.user),
        "mutes": mutes.LENGTHS,
        "city_name": chosen(city.name_zh, city.name_en) if city else "",
        "config": _config(request, area),
        "first": {**look, "at": timezone.now().isoformat()},
    }
    return render(request, "wall/wall.html", context)


@desk_page
def trends(request: HttpRequest) -> HttpResponse:
    """GET /trends/: what was found, closed and ran out in 30 or 365 days, by area, class and department."""
    if not rights.may_weigh(request.user):
        raise PermissionDenied
    area = area_asked(request)
    category, unit = request.GET.get("category", ""), request.GET.get("unit", "")
    span = request.GET.get("days") or str(figures.SPANS[0])
    if span not in map(str, figures.spans_of(area)) or not figures.known(area, category=category, unit=unit):
        raise Http404
    look = figures.trends(area, int(span), category=category, unit=unit)
    own = len(request.user.area_code)
    trail = [step for step in look["area"]["trail"] if len(step["code"]) >= own]
    context = {**look, "trail": trail, "chart": figures.chart(look["days"], unit), "newest": look["days"][::-1]}
    return render(request, "trends/trends.html", {**context, "least": figures.LEAST_CASES})


def _config(request: HttpRequest, area: str) -> dict[str, Any]:
    """Return what the page's modules need to know besides the look itself."""
    return {
        "area": area,
        "home": request.user.area_code,
        "city": settings.CITY_CODE,
        "opens_lists": opens_lists(request.user),
        "kiosk": request.user.role == Role.KIOSK,
        "version": version(),
        "states": {value: str(label) for value, label in HazardState.choices},
        "severities": {value: str(label) for value, label in Severity.choices},
        "snapshot": reverse("wall-snapshot"),
        "items": reverse("wall-items"),
        "points": reverse("wall-points"),
        "mutes": reverse("wall-mutes"),
        "stages": STAGE_OF,
        "must_hear": rights.must_hear(request.user),
        "hazards": "/hazards/",
        "notices": reverse("api-notice-list"),
        "map": selectors.map_of(area),
    }


@never_cache
@require_safe
@login_required
def leader(request: HttpRequest) -> HttpResponse:
    """Show the state of an area on one screen, the reader's own area without one; figures follow the news."""
    if not rights.may_lead(request.user):
        raise PermissionDenied
    area = area_asked(request)
    now = timezone.now()
    look = leaders.leader(area, now)
    city = City.objects.first()
    trail = [step for step in look["area"]["trail"] if step["code"].startswith(request.user.area_code)]
    context = {
        "look": look,
        "figures": {row["key"]: row for row in look["figures"]},
        "opens_lists": True,
        "is_home": area == request.user.area_code,
        "trail": trail,
        "city_name": chosen(city.name_zh, city.name_en) if city else "",
        "config": {"area": area, "opens_lists": True, "figures": look["figures"], "position": look["position"],
                   "as_of": look["as_of"], "at": now.isoformat()},
    }  # fmt: skip
    return render(request, "leader/leader.html", context)
