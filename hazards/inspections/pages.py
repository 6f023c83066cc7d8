"""Pages of inspections: what is due, what was done, one inspection, one premises, and the form to inspect by.

An inspection is sent through ``/api/v1/`` by the page's module; these doors only show.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from citysafety import areas
from citysafety.accounts.doors import asks_for, desk_page
from citysafety.api import area_asked
from citysafety.evidence import telling
from citysafety.filtering import refusals
from grid.models import Division, PremisesKind

from ..desk import SIGNS
from . import selectors
from .filters import SOON, InspectionFilter, PlanFilter
from .models import INSPECTORS, VIEWERS, Colour, Inspection, InspectionPlan, Outcome, RiskGrade
from .services import may_inspect

ROWS = 50
VISITS = 20  # of one premises, on its page


def viewers_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Open a page to roles that have a part in inspections."""

    @wraps(view)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.role not in VIEWERS:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return desk_page(door)


def _listed(request: HttpRequest, rows: QuerySet, filters: type) -> dict[str, Any]:
    """Cut rows to the area asked, filter, and take the page asked."""
    area, asked = area_asked(request), request.GET
    found = filters(asked, rows.filter(area_code__startswith=area), request=request)
    refused = refusals(asked, found, ("area", "page"))
    kept = rows.none() if refused else found.qs
    return {
        "area": area,
        "asked": asked,
        "refusals": refused,
        "page": Paginator(kept, ROWS).get_page(asked.get("page")),
        "is_filtered": any(value for name, value in asked.items() if name not in ("page", "area")),
        "as_of": timezone.now(),
        "today": timezone.localdate(),
        "may_inspect": request.user.role in INSPECTORS,
    }


def _around(request: HttpRequest, area: str) -> dict[str, Any]:
    """Return the choices around a list. Queries: 2."""
    own = request.user.area_code
    lineage = [code for code in areas.lineage(area) if areas.covers(own, code)]
    divisions = Division.objects.filter(Q(code__in=lineage) | Q(parent=area[:12])).order_by("code")
    return {
        "areas": [
            (one.code, "\u2003" * max(0, areas.LEVELS.index(len(one.code)) - 1) + one.name)
            for one in divisions.only("code", "name_zh", "name_en")
        ],
        "kinds": PremisesKind.objects.filter(pk__in=_inspected_kinds()),
        "colours": Colour.choices,
    }


def _inspected_kinds() -> QuerySet:
    return InspectionPlan.objects.order_by().values("premises__kind").distinct()


@viewers_page
def due(request: HttpRequest) -> HttpResponse:
    """GET /inspections/: what is due in one's area, the latest first. Queries: 6 with what every page asks, 3 for the list alone."""
    is_part = asks_for(request, "list")
    context = _listed(request, selectors.plans_seen_by(request.user).order_by("due_on", "pk"), PlanFilter)
    context["tab"] = "due"
    if not is_part:
        here = InspectionPlan.objects.visible_to(request.user).filter(area_code__startswith=context["area"])
        today = context["today"]
        context |= _around(request, context["area"])
        context["counts"] = here.aggregate(
            all=Count("pk"),
            overdue=Count("pk", filter=Q(due_on__lt=today)),
            soon=Count("pk", filter=Q(due_on__lte=today + SOON)),
            again=Count("pk", filter=Q(reinspects__isnull=False)),
        )
    return render(request, "hazards/inspections/_due_list.html" if is_part else "hazards/inspections/due.html", context)


@viewers_page
def done(request: HttpRequest) -> HttpResponse:
    """GET /inspections/done/: inspections of one's area, the newest first. Queries: 5, 3 for the list alone."""
    is_part = asks_for(request, "list")
    rows = selectors.inspections_seen_by(request.user).order_by("-received_at", "id")
    context = _listed(request, rows, InspectionFilter) | {"tab": "done", "results": Outcome.choices[:2]}
    if not is_part:
        context |= _around(request, context["area"])
    return render(
        request, "hazards/inspections/_done_list.html" if is_part else "hazards/inspections/done.html", context
    )


@viewers_page
def place(request: HttpRequest, code: str) -> HttpResponse:
    """GET /inspections/premises/<code>/: a premises' grade with its reasons, and its inspections; foreign ones 404. Queries: 6."""
    plan = get_object_or_404(selectors.plans_seen_by(request.user), premises__code=code)
    visits = selectors.inspections_seen_by(request.user).filter(premises=plan.premises_id)
    return render(
        request,
        "hazards/inspections/place.html",
        {
            "plan": plan,
            "place": plan.premises,
            "reasons": selectors.reasons_of(plan),
            "grades": RiskGrade.objects.order_by("colour"),
            "visits": visits.order_by("-received_at", "id")[:VISITS],
            "may_inspect": may_inspect(request.user, plan.premises),
            "today": timezone.localdate(),
        },
    )


@viewers_page
def inspection(request: HttpRequest, inspection_id: UUID) -> HttpResponse:
    """GET /inspections/<id>/: one inspection with what each item came to; foreign ones 404. Queries: 8."""
    found = get_object_or_404(selectors.inspections_seen_by(request.user), pk=inspection_id)
    results = selectors.results_of(found, request.user)
    judged = telling.judged([photo for row in results for photo in row.photos], request.user)
    return render(
        request,
        "hazards/inspections/inspection.html",
        {
            "inspection": found,
            "rows": [
                (row, SIGNS[row.hazard.state] if row.hazard else None, [(one, judged[one.pk]) for one in row.photos])
                for row in results
            ],
            "rounds": selectors.rounds_of(found),
            "may_reinspect": found.reinspect_on is not None
            and found.settled_by_id is None
            and may_inspect(request.user, found.premises),
            "today": timezone.localdate(),
        },
    )


@viewers_page
def new(request: HttpRequest) -> HttpResponse:
    """GET /inspections/new/?premises=CODE[&of=ID]: the form, for the desk and the phone. Queries: 6."""
    if request.user.role not in INSPECTORS:
        raise PermissionDenied
    code = request.GET.get("premises", "")
    plan = get_object_or_404(selectors.plans_seen_by(request.user), premises__code=code)
    if not may_inspect(request.user, plan.premises):
        raise Http404
    before = _before(request, plan)
    if before:
        version = selectors.version_with_items(before.version_id, plan.checklist_id)
        failed = selectors.failed_items(before)
        items = [item for item in version.items.all() if item.code in failed]
    else:
        version = selectors.version_in_force(plan.checklist_id, timezone.localdate())
        items = list(version.items.all()) if version else []
    return render(
        request,
        "hazards/inspections/new.html",
        {
            "plan": plan,
            "place": plan.premises,
            "version": version,
            "items": items,
            "before": before,
            "results": Outcome.choices,
        },
    )


def _before(request: HttpRequest, plan: InspectionPlan) -> Inspection | None:
    """Return the inspection that is to be made again. Unknown, or no UUID: 404."""
    asked = request.GET.get("of", "")
    if not asked:
        return None
    try:
        return get_object_or_404(Inspection.objects.filter(premises=plan.premises_id), pk=UUID(asked))
    except ValueError as error:
        raise Http404 from error
