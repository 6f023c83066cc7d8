"""The pages of the phone. What is sent goes through ``/api/v1/``; these doors only show."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.templatetags.static import static
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from citysafety.api import number_in
from grid.models import Matter
from grid.present import matter_answer
from grid.selectors import active_version
from hazards.lifecycle import LIFECYCLE
from hazards.models import Hazard

from . import selectors

THEMES = ("light", "dark")


def phone(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let in those who work with cases; look only."""

    @wraps(view)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.role not in selectors.ROLES:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return login_required(require_safe(door))


def _page(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    """Render a page with what its modules need: the addresses of packages, and the reader's theme."""
    theme = request.COOKIES.get("theme") or request.user.theme
    assets = {
        "dexie": static("dexie/dist/modern/dexie.min.mjs"),
        "maplibreCss": static("maplibre-gl/dist/maplibre-gl.css"),
        **context.pop("more_assets", {}),
    }
    context |= {"theme": theme if theme in THEMES else "light", "assets": assets}
    return render(request, f"field/{template}.html", context)


def _map(request: HttpRequest) -> dict[str, Any]:
    """Return where the map begins and which drawing of the cells it shows. Queries: 2 for a worker, else 1."""
    cells = selectors.own_cells(request.user, timezone.now())
    start = {"lon": cells[0].centre.x, "lat": cells[0].centre.y} if cells else None
    own = [cell.code for cell in cells]
    return {"map_version": active_version(), "more_assets": {"mapStart": start, "ownCells": own}}


@phone
def home(request: HttpRequest) -> HttpResponse:
    """Today: what waits for me, what is due first."""
    return _page(request, "home", home=selectors.home(request.user, timezone.now()))


@phone
def report(request: HttpRequest) -> HttpResponse:
    """Report a hazard."""
    recent = selectors.recent_matters(request.user, timezone.now())
    return _page(
        request,
        "report",
        recent_matters=recent,
        recent=[matter_answer(matter) for matter in recent],
        matter_count=Matter.objects.active().count(),
        **_map(request),
    )


@phone
def queue(request: HttpRequest) -> HttpResponse:
    """What this phone keeps; the list itself is in the browser."""
    return _page(request, "queue")


@phone
def cases(request: HttpRequest) -> HttpResponse:
    """One list of my cases."""
    asked = request.GET
    number = number_in(asked.get("n", "")) or selectors.PAGE
    rows = selectors.cases(
        request.user,
        timezone.now(),
        key=asked.get("list", "mine"),
        where=asked.get("where", ""),
        state=asked.get("state", ""),
        number=number,
    )
    return _page(request, "cases", cases=rows)


def _hazard(request: HttpRequest, hazard_id: Any) -> Hazard:
    try:
        return selectors.hazard_of(request.user, hazard_id)
    except Hazard.DoesNotExist as error:
        raise Http404 from error


@phone
def case(request: HttpRequest, hazard_id: Any) -> HttpResponse:
    """One case: its clock, its photos, what happened, what I can do."""
    hazard = _hazard(request, hazard_id)
    return _page(request, "case", hazard=hazard, case=selectors.case(request.user, hazard, timezone.now()))


@phone
def step(request: HttpRequest, hazard_id: Any, action: str) -> HttpResponse:
    """The form of one step of a case."""
    if action not in LIFECYCLE.actions:
        raise Http404
    hazard = _hazard(request, hazard_id)
    form = selectors.step_form(request.user, hazard, action, timezone.now())
    return _page(request, "step", hazard=hazard, step=form, **_map(request))


@never_cache
@require_safe
def ping(request: HttpRequest) -> HttpResponse:
    """Say that the server is here, who is signed in, what time it is, and the token this session sends with.

    The phone asks before it sends: what one person wrote is never sent under another's name.
    """
    if not request.user.is_authenticated:
        return JsonResponse({"user": None}, status=401)
    return JsonResponse({"user": str(request.user.pk), "csrf": get_token(request), "at": timezone.now().isoformat()})
