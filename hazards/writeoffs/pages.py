"""Pages of write-off lists: all of them, a draft from a filter, one list, the same as a file and on paper."""

import uuid
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from citysafety.accounts.doors import desk_page, people_only
from citysafety.accounts.models import Department
from citysafety.accounts.rights import sentence
from citysafety.accounts.roles import Role
from citysafety.api import area_asked, number_in
from citysafety.filtering import refusals
from citysafety.lifecycle import StepNotAllowed
from citysafety.sheets import sheet
from grid.models import Division, MatterClass

from ..models import Severity
from ..services.given import FieldsMissing, NotAllowed
from . import selectors, services
from .canonical import still_matches
from .filters import STATES, WriteOffFilter
from .models import VIEWERS, WriteOffItem, WriteOffList

ROWS = 50
LOOKS = {"draft": ("open", ""), "frozen": ("clock", ""), "in_force": ("tick", "restored")}
VERBS = ("take-out", "put-back", "freeze", "sign", "discard")
COLUMNS = (
    (gettext_lazy("No."), lambda item: item.position),
    (gettext_lazy("Number"), lambda item: item.number),
    (gettext_lazy("Severity"), lambda item: str(dict(Severity.choices)[item.severity])),
    (gettext_lazy("Matter"), lambda item: item.matter),
    (gettext_lazy("Area"), lambda item: item.area_code),
    (gettext_lazy("Place"), lambda item: item.place),
    (gettext_lazy("Found"), lambda item: item.found_at),
    (gettext_lazy("Closed"), lambda item: item.closed_at),
    (gettext_lazy("Rectified by"), lambda item: item.department),
    (gettext_lazy("Verified by"), lambda item: item.verifier_name or _left(item)),
    (gettext_lazy("Verified at"), lambda item: item.verified_at),
    (gettext_lazy("Evidence (SHA-256)"), lambda item: " ".join(item.evidence)),
)


def _left(item: WriteOffItem) -> str:
    return _("left to sampling") if item.verified_by == "pass_by_sample" else ""


class DraftForm(forms.Form):
    """What a list is made of, in fields; whoever wants more of the filters writes them as an address has them."""

    title = forms.CharField(label=gettext_lazy("Title"), max_length=120)
    area = forms.ChoiceField(label=gettext_lazy("Area"))
    first = forms.DateField(
        label=gettext_lazy("Closed from"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    last = forms.DateField(
        label=gettext_lazy("Closed until"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    category = forms.ChoiceField(label=gettext_lazy("Class of matters"), required=False)
    department = forms.ChoiceField(label=gettext_lazy("Department"), required=False)
    severity = forms.ChoiceField(
        label=gettext_lazy("Severity"), required=False, choices=[("", gettext_lazy("All")), *Severity.choices]
    )
    more = forms.CharField(
        label=gettext_lazy("More filters"),
        required=False,
        max_length=1000,
        help_text=gettext_lazy("As in the address of the list of hazards, such as late=true&matter=XF-001."),
    )

    def __init__(self, user: Any, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        everything = ("", _("All"))
        here = Division.objects.filter(code__startswith=user.area_code, level__in=("city", "county", "township"))
        known = [
            (one.code, f"{one.name} {one.code}") for one in here.only("code", "name_zh", "name_en").order_by("code")
        ]
        self.fields["area"].choices = known or [(user.area_code, user.area_code)]
        classes = MatterClass.objects.order_by("code")
        self.fields["category"].choices = [everything, *((one.code, one.name) for one in classes)]
        offices = Department.objects.order_by("code")
        self.fields["department"].choices = [everything, *((one.code, one.name) for one in offices)]

    def query(self) -> str:
        """Return the filter in the language of the list of hazards."""
        data = self.cleaned_data
        asked = {name: data[name] for name in ("category", "department", "severity") if data[name]}
        asked = {"counted": f"closed:{data['first']}..{data['last']}", **asked}
        return "&".join(part for part in (urlencode(asked), data["more"].strip().lstrip("?&")) if part)


def viewers_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Open a page to roles that have a part in write-off lists."""

    @wraps(view)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.role not in VIEWERS:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return desk_page(door)


@viewers_page
def lists(request: HttpRequest) -> HttpResponse:
    """GET /hazards/writeoffs/: the write-off lists a person may see, the newest first. Queries: 2 with what every page asks besides."""
    asked = request.GET
    found = WriteOffFilter(asked, selectors.lists_seen_by(request.user), request=request)
    refused = refusals(asked, found, ("area", "page"))
    rows = found.qs.none() if refused else found.qs.order_by("-made_at", "id")
    if asked.get("area"):
        rows = rows.filter(area_code__startswith=area_asked(request))
    page = Paginator(rows, ROWS).get_page(asked.get("page"))
    names = dict(STATES)
    states = [selectors.state_of(row) for row in page.object_list]
    context = {
        "asked": asked,
        "refusals": refused,
        "page": page,
        "rows": [(row, names[state], *LOOKS[state]) for row, state in zip(page.object_list, states, strict=True)],
        "states": STATES,
        "is_filtered": any(value for name, value in asked.items() if name != "page"),
        "makes": services.makes(request.user),
        "as_of": timezone.now(),
    }
    return render(request, "hazards/writeoffs/list.html", context)


@people_only
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """GET and POST /hazards/writeoffs/new/: make a draft from a filter. Queries: 3, and those of the draft."""
    if not services.makes(request.user):
        raise PermissionDenied
    today = timezone.localdate()
    begin = {"first": today.replace(day=1), "last": today, "area": request.user.area_code}
    form = DraftForm(request.user, request.POST or None, initial=begin)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        wish = services.Wish(id=uuid.uuid4(), title=data["title"], area=data["area"], query=form.query())
        try:
            row = services.make_list(wish=wish, by=request.user, at=timezone.now())
            return redirect("writeoff-page", row.pk)
        except FieldsMissing as refusal:
            for name, words in refusal.errors.items():
                form.add_error("more" if name == "query" else name, words)
    status = 400 if form.is_bound else 200
    return render(request, "hazards/writeoffs/new.html", {"form": form}, status=status)


@viewers_page
def one_list(request: HttpRequest, list_id: UUID) -> HttpResponse:
    """GET /hazards/writeoffs/<id>/: one list, its rows page by page, its signatures; 404 for who may not see it.

    Queries: 5, with the hash computed anew (``?check=true``) 3 more; however many rows.
    """
    row = get_object_or_404(selectors.lists_seen_by(request.user), pk=list_id)
    state = selectors.state_of(row)
    context = {
        "row": row,
        "state": dict(STATES)[state],
        "look": LOOKS[state],
        "is_maker": row.maker_id == request.user.pk,
        "as_of": timezone.now(),
        **(_frozen(request, row) if row.is_frozen else _drafted(request, row)),
    }
    return render(request, "hazards/writeoffs/one.html", context)


def _frozen(request: HttpRequest, row: WriteOffList) -> dict[str, Any]:
    """Return what the page of a frozen list shows. Queries: 4, 3 more with the hash computed anew."""
    after = number_in(request.GET.get("after", "")) or 0
    page = list(selectors.items(row).filter(position__gt=after)[: ROWS + 1])
    return {
        "items": page[:ROWS],
        "last_shown": page[:ROWS][-1].position if page else 0,
        "after": page[ROWS - 1].position if len(page) > ROWS else None,
        "is_later": after > 0,
        "count": row.size,
        "places": _places(row),
        "may_sign": services.place_for(request.user, row) is not None,
        "reopened": selectors.reopened(row),
        "matches": still_matches(row) if request.GET.get("check") == "true" else None,
        "is_checked": request.GET.get("check") == "true",
    }


def _drafted(request: HttpRequest, row: WriteOffList) -> dict[str, Any]:
    """Return what the page of a draft shows. Queries: 3, and those of its filters twice."""
    rows = selectors.preview(row)
    page = Paginator(rows, ROWS).get_page(request.GET.get("page"))
    out = row.exclusions.select_related("hazard", "by").order_by("at")
    return {"page": page, "hazards": page.object_list, "count": page.paginator.count, "left_out": out}


def _places(row: WriteOffList) -> list[dict[str, Any]]:
    """Return the signatures that are asked for, each with the one that was given. Queries: 1."""
    given = {one.place: one for one in row.signatures.all()}
    return [
        {"role": Role(one["role"]).label, "must_be_head": one["must_be_head"], "signature": given.get(n)}
        for n, one in enumerate(row.demanded)
    ]


@viewers_page
def printed(request: HttpRequest, list_id: UUID) -> HttpResponse:
    """GET /hazards/writeoffs/<id>/print/: a frozen list on paper, with lines to sign on. Queries: 3, however many rows."""
    row = _frozen_list(request, list_id)
    items = WriteOffItem.objects.filter(list=row).order_by("position")
    context = {"row": row, "items": items.iterator(chunk_size=ROWS * 10), "places": _places(row)}
    return render(request, "hazards/writeoffs/print.html", context)


@viewers_page
def list_sheet(request: HttpRequest, list_id: UUID, kind: str) -> HttpResponse:
    """GET /hazards/writeoffs/<id>/export.csv, .xlsx: exactly what is frozen, with filter, time and hash. Queries: 4, however many rows."""
    row = _frozen_list(request, list_id)
    items = WriteOffItem.objects.filter(list=row).order_by("position")
    return sheet(
        request,
        kind,
        title=f"{row.number} {row.title}",
        filters=row.said,
        header=[str(label) for label, _says in COLUMNS],
        rows=_cells(items.iterator(chunk_size=ROWS * 10)),
        at=row.frozen_at,
        note=" ".join([f"SHA-256 {row.sha256}", *_signed(row)]),
    )


def _cells(items: Iterator[WriteOffItem]) -> Iterator[list[Any]]:
    for item in items:
        yield [says(item) for _label, says in COLUMNS]


def _signed(row: WriteOffList) -> list[str]:
    """Say who signed. Queries: 1."""
    words = _("signed by %(who)s (%(role)s) at %(at)s")
    return [
        words % {"who": one.name, "role": Role(one.role).label, "at": f"{localtime(one.at):%Y-%m-%d %H:%M}"}
        for one in row.signatures.all()
    ]


def _frozen_list(request: HttpRequest, list_id: UUID) -> WriteOffList:
    row = get_object_or_404(selectors.lists_seen_by(request.user), pk=list_id)
    if not row.is_frozen:
        raise Http404
    return row


@people_only
@require_POST
def act(request: HttpRequest, list_id: UUID, verb: str) -> HttpResponse:
    """POST /hazards/writeoffs/<id>/<verb>/: take a case out or put it back, freeze, sign, discard."""
    if request.user.role not in VIEWERS:
        raise PermissionDenied
    if verb not in VERBS:
        raise Http404
    row = get_object_or_404(selectors.lists_seen_by(request.user), pk=list_id)
    try:
        done = _act(request, row, verb)
    except NotAllowed as refusal:
        raise PermissionDenied(sentence(refusal.rule)) from refusal
    except StepNotAllowed as refusal:
        messages.error(request, str(refusal))
    except FieldsMissing as refusal:
        messages.error(request, " ".join(refusal.errors.values()))
    else:
        messages.success(request, done)
        if verb == "discard":
            return redirect("writeoffs")
    return redirect(reverse("writeoff-page", args=[row.pk]))


def _act(request: HttpRequest, row: WriteOffList, verb: str) -> str:
    """Do it; return what was done in words."""
    given, by, at = request.POST, request.user, timezone.now()
    match verb:
        case "take-out":
            services.take_out(
                list_id=row.pk, hazard_id=_case(given), reason=given.get("reason", ""), by=by, at=at
            )  # fmt: skip
            return _("Taken out; the reason is kept with the list.")
        case "put-back":
            services.put_back(list_id=row.pk, hazard_id=_case(given), by=by)
            return _("Put back into the draft.")
        case "freeze":
            services.freeze(list_id=row.pk, by=by, at=at)
            return _("Frozen. Nothing of it changes from now on.")
        case "sign":
            services.sign(list_id=row.pk, sha256=given.get("sha256", ""), by=by, at=at)
            return _("Signed.")
        case _:
            services.discard(list_id=row.pk, by=by)
            return _("The draft was thrown away.")


def _case(given: Any) -> UUID:
    try:
        return UUID(given.get("hazard", ""))
    except ValueError as error:
        raise FieldsMissing({"hazard": _("This case is not in the draft.")}) from error
