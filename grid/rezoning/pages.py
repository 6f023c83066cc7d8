"""Pages of re-zonings: the list, one with its drawing and preview, and the forms by which it is drawn and stepped."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from citysafety.accounts.rights import sentence
from citysafety.api import area_asked
from citysafety.filtering import refusals
from citysafety.lifecycle import StepNotAllowed
from citysafety.outbox import receipts

from .. import selectors
from ..lifecycle import LABELS, PENDING, VERBS, RezoningState
from ..models import Cell, DraftCell, Rezoning
from ..models.rezoning import VIEWERS
from ..pages import ROWS, map_assets
from ..services import draft_rezoning, take_rezoning_step
from ..services.rezoning import NotAllowed, Refused, StaleVersion, StepInput, may_draft, permitted, steps_open_to
from .api import RezoningFilter
from .change import drafted
from .checks import problems
from .drawing import draw
from .forms import DrawForm, NewForm, SettleForm, VersionedForm
from .preview import preview
from .records import records_of

WITH_FORMS = ("draw", "settle")  # steps that have more to say than a reason


def rezoning_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Open a page to the roles that have a part in re-zonings; others are refused alike, whatever they ask for."""

    @wraps(view)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.role not in VIEWERS:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return never_cache(login_required(door))


@rezoning_page
def rezonings(request: HttpRequest) -> HttpResponse:
    """GET /grid/rezoning/: the re-zonings of an area, the newest first. Queries: 5 with what every page asks."""
    area = area_asked(request)
    rows = selectors.rezonings_seen_by(request.user).filter(area_code__startswith=area)
    found = RezoningFilter(request.GET, rows, request=request)
    refused = refusals(request.GET, found, ("area", "page"))
    context = {
        "tab": "rezoning", "area": area, "refusals": refused, "states": RezoningState.choices, "form": found.form,
        "page": Paginator(rows.none() if refused else found.qs, ROWS).get_page(request.GET.get("page")),
        "may_draft": may_draft(request.user), "is_filtered": bool(request.GET.get("state") or request.GET.get("cell")),
    }  # fmt: skip
    return render(request, "grid/rezonings.html", context)


def _found(request: HttpRequest, pk: UUID) -> Rezoning:
    return get_object_or_404(selectors.rezonings_seen_by(request.user), pk=pk)


@rezoning_page
def rezoning(request: HttpRequest, pk: UUID) -> HttpResponse:
    """GET /grid/rezoning/<id>/: one re-zoning: the drawing, what it moves, what speaks against it, its history.

    Queries: 30 at most for a draft, however many cells and cases; 10 for one that is in force.
    """
    return _shown(request, _found(request, pk), None)


def _shown(request: HttpRequest, found: Rezoning, settle: SettleForm | None, status: int = 200) -> HttpResponse:
    at, is_pending = timezone.now(), found.state in PENDING
    open_steps = steps_open_to(request.user, found)
    drafts = list(
        DraftCell.objects.filter(rezoning=found).select_related("worker__user").defer("geometry").order_by("code")
    )
    actions = [step.action for step in open_steps]
    if settle is None and "settle" in actions:
        initial = {name: getattr(found, name) for name in ("version", "reason", "basis", "effective_at")}
        settle = SettleForm(drafts, initial=initial)
    context = {
        "tab": "rezoning", "rezoning": found, "drafts": drafts, "is_pending": is_pending, "may_draw": "draw" in actions,
        "drawing": draw(drafted(found), (get_language() or "")[:2]),
        "preview": preview(found, at) if is_pending else None,
        "records": [] if is_pending else records_of(found),
        "problems": problems(found, at) if found.state in (RezoningState.DRAFT, RezoningState.CHECKED) else [],
        "history": [(row, LABELS[row.action]) for row in found.steps.select_related("actor")],
        "settle": settle,
        "workers": selectors.workers_of_area(found.area_code[:9])[:ROWS] if settle else [],
        "steps": [
            (step, VersionedForm(initial={"version": found.version}, auto_id=f"{step.action}-%s"))
            for step in open_steps
            if step.action not in WITH_FORMS
        ],
    }  # fmt: skip
    return render(request, "grid/rezoning.html", context, status=status)


@rezoning_page
def new(request: HttpRequest) -> HttpResponse:
    """GET, POST /grid/rezoning/new/: draft a re-zoning."""
    if not may_draft(request.user):
        raise PermissionDenied
    form = NewForm(request.POST or None, request.FILES or None, initial={"cell": request.GET.get("cell", "")[:15]})

    def draft(data: dict[str, Any]) -> Any:
        draft_rezoning(
            id=data["id"], drawing=form.drawing(), reason=data["reason"], basis=data["basis"],
            effective_at=data["effective_at"], actor=request.user, at=timezone.now(),
        )  # fmt: skip

    if request.method == "POST" and acted(request, form, draft):
        messages.success(request, _("The draft is kept. Nothing has changed in the grid."))
        return redirect("grid-rezoning", form.cleaned_data["id"])
    return _draw_page(request, form, _("New re-zoning"), None)


@rezoning_page
def redraw(request: HttpRequest, pk: UUID) -> HttpResponse:
    """GET, POST /grid/rezoning/<id>/draw/: other outlines for a draft."""
    found = _found(request, pk)
    try:
        permitted(request.user, "draw", found)
    except NotAllowed as refusal:
        raise PermissionDenied from refusal
    first = Cell.objects.filter(ended_by=found).only("code").order_by("code").first()
    form = DrawForm(request.POST or None, request.FILES or None, initial={"cell": first.code if first else ""})

    def draw_anew(data: dict[str, Any]) -> Any:
        _take(request, found, "draw", StepInput(id=data["id"], version=found.version, drawing=form.drawing()))

    if request.method == "POST" and acted(request, form, draw_anew):
        messages.success(request, _("The draft is drawn anew."))
        return redirect("grid-rezoning", found.pk)
    return _draw_page(request, form, _("Draw %(number)s anew") % {"number": found.number}, found)


def _draw_page(request: HttpRequest, form: DrawForm, title: str, found: Rezoning | None) -> HttpResponse:
    code = form["cell"].value() or ""
    cell = Cell.objects.filter(code=code, area_code__startswith=request.user.area_code).only("centre", "code").first()
    focus = cell.centre if cell else None
    context = {
        "tab": "rezoning",
        "form": form,
        "title": title,
        "rezoning": found,
        "map": map_assets(focus, code if cell else ""),
    }
    return render(request, "grid/rezoning_draw.html", context, status=400 if form.errors else 200)


@require_POST
@rezoning_page
def take(request: HttpRequest, pk: UUID, verb: str) -> HttpResponse:
    """POST /grid/rezoning/<id>/<verb>/: take a step; what is refused stands on the page again."""
    found = _found(request, pk)
    if verb not in VERBS or verb == "draw":
        return redirect("grid-rezoning", found.pk)
    drafts = DraftCell.objects.filter(rezoning=found).select_related("worker__user").order_by("code")
    form = SettleForm(drafts, request.POST) if verb == "settle" else VersionedForm(request.POST)

    def step(data: dict[str, Any]) -> Any:
        given: dict[str, Any] = {"id": data["id"], "version": data["version"], "words": data.get("words", "")}
        if verb == "settle":
            given |= {name: data[name] for name in ("reason", "basis", "effective_at")}
            given |= {"is_dated": True, "cells": form.cells()}
        _take(request, found, verb, StepInput(**given))

    if acted(request, form, step):
        messages.success(request, f"{found.number}: {LABELS[verb]}")
        return redirect("grid-rezoning", found.pk)
    if verb == "settle":
        return _shown(request, _found(request, pk), form, status=400)
    for texts in form.errors.values():
        for text in texts:
            messages.error(request, text)
    return redirect("grid-rezoning", found.pk)


def _take(request: HttpRequest, found: Rezoning, verb: str, given: StepInput) -> None:
    take_rezoning_step(rezoning_id=found.pk, action=verb, given=given, actor=request.user, at=timezone.now())


def acted(request: HttpRequest, form: forms.Form, act: Callable[[dict[str, Any]], Any]) -> bool:
    """Act on a valid form once; tell whether it is done. What is refused stands at its field, and the words stay."""
    if not form.is_valid():
        return False
    data = dict(form.cleaned_data)
    sent = {name: request.POST.getlist(name) for name in form.fields if name not in request.FILES}
    files = {name: [file.name, file.size] for name, file in request.FILES.items()}
    body = {"to": request.path, "body": sent, "files": files}
    try:
        receipts.answer_once(id=data["id"], account_id=request.user.pk, body=body, act=lambda: (200, act(data) or {}))
    except receipts.RepeatDiffers:
        form.add_error(None, _("This form was sent before with other words; open the page anew."))
    except NotAllowed as refusal:
        form.add_error(None, sentence(refusal.rule))
    except (StepNotAllowed, StaleVersion):
        form.add_error(None, _("It changed in the meantime."))
    except Refused as refusal:
        places = getattr(form, "FIELDS", {})
        for name, texts in refusal.errors.items():
            place = places.get(name, name)
            for text in texts:
                form.add_error(place if place in form.fields else None, text)
    return not form.errors
