"""Pages of the grid for the office: cells, workers, the register of premises, and where a place is."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.templatetags.static import static
from django.utils import timezone

from citysafety import areas
from citysafety.accounts.doors import asks_for, desk_page
from citysafety.accounts.rights import area_q
from citysafety.api import area_asked
from citysafety.filtering import refusals

from . import selectors
from .filters import CellFilter, PremisesFilter, WorkerFilter
from .models import Cell, Division, Premises, PremisesKind, Worker

ROWS = 50


def _listed(request: HttpRequest, tab: str, rows: QuerySet, filters: type) -> dict[str, Any]:
    """Cut rows to the area asked, filter, and take the page asked."""
    area = area_asked(request)
    found = filters(request.GET, rows.filter(area_code__startswith=area), request=request)
    refused = refusals(request.GET, found, ("area", "page"))
    kept = rows.none() if refused else found.qs
    division = Division.objects.defer("outline").filter(code=area[:12]).first()
    return {
        "tab": tab,
        "area": area,
        "area_name": division.name if division else area,
        "above": areas.lineage(area)[:-1],
        "parts": Division.objects.defer("outline").filter(parent=area).order_by("code") if len(area) <= 6 else [],
        "form": found.form,
        "refusals": refused,
        "page": Paginator(kept, ROWS).get_page(request.GET.get("page")),
        "is_filtered": any(value for key, value in request.GET.items() if key not in ("page", "area")),
    }


def _shown(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    """Answer with the page, or with its list alone when htmx asks for that."""
    part = asks_for(request, "list")
    return render(request, f"grid/_{name}_list.html" if part else f"grid/{name}.html", context)


@desk_page
def cells(request: HttpRequest) -> HttpResponse:
    """GET /grid/: the cells of an area, who answers for them, and what stands in it. Queries: 8."""
    today = timezone.localdate()
    rows = selectors.cells_listed(today).order_by("code")
    context = _listed(request, "cells", rows, CellFilter)
    page = context["page"].object_list = list(context["page"].object_list)
    people = selectors.responsible_for(page, today) if page else {}
    context["rows"] = [(cell, people[cell.pk]) for cell in page]
    context["kinds"] = Cell.Kind.choices
    if not request.htmx:
        mine = Cell.objects.active().within(context["area"])
        context["sums"] = dict(mine.values_list("kind").annotate(n=Count("pk")).order_by())
        context["unstaffed"] = rows.filter(active=True, staffed=False, area_code__startswith=context["area"]).count()
        context["workers"] = selectors.workers_of_area(context["area"]).count()
        context["serving"] = [state for state in Worker.State.values if state != Worker.State.LEFT]
    return _shown(request, "cells", context)


@desk_page
def workers(request: HttpRequest) -> HttpResponse:
    """GET /grid/workers/: the workers of an area. Queries: 6."""
    today = timezone.localdate()
    context = _listed(request, "workers", selectors.workers_listed(today).order_by("number"), WorkerFilter)
    context |= {"states": Worker.State.choices, "today": today}
    return _shown(request, "workers", context)


@desk_page
def premises(request: HttpRequest) -> HttpResponse:
    """GET /grid/premises/: the register, a list with filters and a map of what it holds. Queries: 6."""
    context = _listed(request, "premises", selectors.premises_listed().order_by("code"), PremisesFilter)
    kinds = PremisesKind.objects.all()
    here = Premises.objects.active().within(context["area"])
    counts = dict(here.values_list("kind").annotate(n=Count("pk")).order_by())
    context["kinds"] = [(kind, counts.get(kind.pk, 0)) for kind in kinds]
    context["nine_small"] = sum(n for kind, n in context["kinds"] if kind.nine_small)
    context["total"] = sum(counts.values())
    context["map"] = map_assets()
    return _shown(request, "premises", context)


@desk_page
def cell(request: HttpRequest, code: str) -> HttpResponse:
    """GET /grid/cells/<code>/: one cell, who answers for it and its premises; foreign ones answer 404. Queries: 7,
    8 of one that has ended."""
    today = timezone.localdate()
    found = get_object_or_404(selectors.cells_listed(today).filter(area_q(request.user)), code=code)
    places = selectors.premises_listed().filter(cell=found) | selectors.premises_listed().filter(dedicated_cell=found)
    return render(
        request,
        "grid/cell.html",
        {
            "cell": found,
            "responsible": selectors.responsible(found, today),
            "successors": selectors.successors(found),
            "may_rezone": found.active and request.user.role in ("dispatcher", "supervisor"),
            "postings": found.postings.on(today).select_related("worker__user").order_by("-role", "since"),
            "premises": places.order_by("code")[:ROWS],
            "map": map_assets(found.centre, found.code),
        },
    )


@desk_page
def place(request: HttpRequest, code: str) -> HttpResponse:
    """GET /grid/premises/<code>/: one entry of the register; foreign ones answer 404. Queries: 2."""
    found = get_object_or_404(selectors.premises_listed().filter(area_q(request.user)), code=code)
    return render(request, "grid/place.html", {"place": found, "map": map_assets(found.location)})


def map_assets(focus: Any = None, cell: str = "") -> dict[str, Any]:
    """Return what the map's script needs: hashed addresses of its libraries, tiles, credits, and where to look."""
    return {
        "maplibre": static("maplibre-gl/dist/maplibre-gl.mjs"),
        "worker": static("maplibre-gl/dist/maplibre-gl-worker.mjs"),
        "sources": selectors.map_sources(),
        "focus": [focus.x, focus.y] if focus else None,
        "cell": cell,
    }
