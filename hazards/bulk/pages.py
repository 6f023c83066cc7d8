"""Pages of a step with many cases: from the list to the trial, from there to what became of each. They need no JavaScript."""

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from citysafety.accounts.doors import asks_for, people_only
from citysafety.accounts.selectors import offices_around

from ..lifecycle import LABELS, LIFECYCLE
from ..models import BulkRun, Hazard, PauseCause
from ..pages import NEWEST, asked_for
from ..services.given import FieldsMissing
from . import judging, services
from .judging import Fields

SHOWN = 500  # rows of each result on the page; a form carries no more than 1,000 fields


@people_only
@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    """POST /hazards/bulk/?<filters of the list>: try a step with the ticked cases, or with all that fit the filters.

    Queries: those of the filters, of ``services.try_run`` and of the session.
    """
    if not judging.choices(request.user):
        raise PermissionDenied
    back, is_more = f"?{request.GET.urlencode()}", False
    if request.POST.get("all"):
        look = asked_for(request)
        if look.refused:
            return redirect(reverse("hazards") + back)
        ids = list(look.rows.order_by(*NEWEST).values_list("pk", flat=True)[: services.MOST + 1])
        ids, is_more = ids[: services.MOST], len(ids) > services.MOST
    else:
        try:
            ids = [UUID(text) for text in request.POST.getlist("hazard")]
        except ValueError:
            messages.error(request, _("What was ticked was not understood; tick the rows again."))
            return redirect(reverse("hazards") + back)
    if not ids:
        messages.error(request, _("Nothing is ticked: tick the cases first."))
        return redirect(reverse("hazards") + back)
    try:
        run = services.try_run(
            run_id=uuid4(), action=request.POST.get("action", ""), seen=dict.fromkeys(ids), given=Fields(), back=back,
            actor=request.user, at=timezone.now(), is_more=is_more,
        )  # fmt: skip
    except (services.NotForMany, services.TooMany) as refusal:
        messages.error(request, str(refusal))
        return redirect(reverse("hazards") + back)
    return redirect("bulk-run", run.pk)


@people_only
@require_http_methods(["GET", "HEAD", "POST"])
def bulk_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """GET /hazards/bulk/<id>/: what was tried, how far it is, or what became of it; POST does it. Somebody else's: 404.

    Queries: 1, at most 3 more for the fields of the step; however many cases.
    """
    run = get_object_or_404(BulkRun, pk=run_id, actor=request.user)
    errors: dict[str, str] = {}
    is_anew = False
    given = Fields(words=run.words, department=run.department, cause=run.cause)
    if request.method == "POST":
        given = Fields(
            words=request.POST.get("words", "")[:2000],
            department=request.POST.get("department", "")[:32],
            cause=request.POST.get("cause", "")[:16],
        )
        try:
            run, is_anew = services.confirm(run_id=run.pk, given=given, actor=request.user, at=timezone.now())
        except FieldsMissing as refusal:
            errors = refusal.errors
        else:
            if not is_anew:
                return redirect("bulk-run", run.pk)
    context = {
        "run": run,
        "label": LABELS[run.action],
        "basis": _(LIFECYCLE.steps_named(run.action)[0].basis),
        "possible": run.possible,
        "refused": run.refused,
        "done": run.done,
        "n_ended": len(run.rows) - len(run.waiting),
        "given": given,
        "errors": errors,
        "is_anew": is_anew,
        "most": services.MOST,
        "shown": f":{SHOWN}",
        "n_shown": SHOWN,
        "choices": judging.choices(request.user) if run.state == BulkRun.State.DONE else [],
        **(_fields(request.user, run) if run.state == BulkRun.State.TRIED else {}),
        "as_of": timezone.now(),
    }
    part = asks_for(request, "run")
    return render(
        request, "hazards/_bulk_run.html" if part else "hazards/bulk.html", context, status=400 if errors else 200
    )


def _fields(user: Any, run: BulkRun) -> dict[str, Any]:
    """Return what the form of a step asks, with its choices. Queries: 2 for an office, 1 for a cause, else none."""
    wanted = judging.asks(run.action)
    fields: dict[str, Any] = {"asks_reason": "reason" in wanted}
    if "department" in wanted:
        places = Hazard.objects.filter(pk__in=[row["hazard"] for row in run.waiting])
        codes = set(places.values_list("area_code", flat=True).order_by().distinct())
        fields["offices"] = offices_around(user, codes)
    if "cause" in wanted:
        fields["causes"] = PauseCause.objects.filter(active=True)
        fields["cause_is_optional"] = run.action == "pause"
    return fields
