"""Pages of components: the list and its file, one component with its cases, and imports with their dry run."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from citysafety.accounts.doors import asks_for, desk_page
from citysafety.accounts.models import Department
from citysafety.accounts.rights import area_q
from citysafety.accounts.roles import Role
from citysafety.api import area_asked
from citysafety.filtering import in_words, refusals
from citysafety.sheets import sheet

from .. import selectors
from ..filters import ComponentFilter
from ..models import Component, ComponentClass, ComponentImport, Division, ImportedRow
from ..pages import ROWS, map_assets
from ..services import NotImported, apply_import, may_import, try_import
from .cases import cases_on
from .forms import ConfirmForm, FileForm
from .reading import NotRead
from .words import COLUMNS, LABELS, REQUIRED, expected, title_of

BESIDE_FILTERS = ("area", "after")
MOST_COUNTED = 100_000
MOST_EXPORTED = 100_000
SHOWN_ROWS = 50  # of each outcome of a dry run
IMPORT_READERS = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})
Outcome = ImportedRow.Outcome


@desk_page
def components(request: HttpRequest) -> HttpResponse:
    """GET /grid/components/: the components of an area by code, filtered, with a map. Queries: 11 with what every page asks, the list alone 4."""
    area, found, rows, refused = _asked(request)
    count = rows.order_by()[: MOST_COUNTED + 1].count()
    page = list(rows.filter(code__gt=request.GET.get("after", ""))[: ROWS + 1])
    context = {
        "tab": "components", "area": area, "form": found.form, "refusals": refused, "page": page[:ROWS],
        "count": min(count, MOST_COUNTED), "is_more": count > MOST_COUNTED,
        "next": page[ROWS - 1].code if len(page) > ROWS else "", "is_later": bool(request.GET.get("after")),
        "is_filtered": any(value for key, value in request.GET.items() if key not in BESIDE_FILTERS),
        "query": request.GET.urlencode(),
    }  # fmt: skip
    if asks_for(request, "list"):
        return render(request, "grid/_components_list.html", context)
    division = Division.objects.defer("outline").filter(code=area[:12]).first()
    here = Component.objects.within(area)
    context |= {
        "area_name": division.name if division else area,
        "states": dict(here.values_list("state").annotate(n=Count("pk")).order_by()),
        "state_choices": Component.State.choices,
        "chosen_states": request.GET.getlist("state"),
        "classes": ComponentClass.objects.filter(active=True),
        "departments": Department.objects.filter(pk__in=here.order_by().values("department").distinct()),
        "map": map_assets(),
        "reads_imports": request.user.role in IMPORT_READERS,
    }
    return render(request, "grid/components.html", context)


def _asked(request: HttpRequest) -> tuple[str, ComponentFilter, Any, list[str]]:
    """Return the area, the filters, the rows by code, and what was not understood."""
    area = area_asked(request)
    rows = selectors.components_listed().filter(area_code__startswith=area).order_by("code")
    found = ComponentFilter(request.GET, rows, request=request)
    refused = refusals(request.GET, found, BESIDE_FILTERS)
    return area, found, rows.none() if refused else found.qs, refused


@desk_page
def components_sheet(request: HttpRequest, kind: str) -> HttpResponse:
    """GET /grid/components/export.csv, .xlsx: the rows of the list of the same address; titles as an import reads them.

    Queries: 3, however many rows.
    """
    area, found, rows, refused = _asked(request)
    if refused:
        return redirect(f"{reverse('grid-components')}?{request.GET.urlencode()}")
    is_more = rows.order_by()[: MOST_EXPORTED + 1].count() > MOST_EXPORTED
    note = _("Only the first %(n)s components of this list are in this file; narrower filters show the others.")
    return sheet(
        request, kind, title=_("Components"), filters=in_words(request.GET, found, (_("area"), area)),
        header=[title_of(column) for column in SHEET], rows=_lines(rows[:MOST_EXPORTED]), at=timezone.now(),
        note=note % {"n": MOST_EXPORTED} if is_more else "",
    )  # fmt: skip


SHEET = (
    "code", "kind", "name_zh", "name_en", "department", "owner", "maintainer", "state", "lon", "lat", "surveyed_on", "note",
)  # fmt: skip


def _lines(rows: Any) -> Iterator[tuple[Any, ...]]:
    for one in rows.iterator(chunk_size=1000):
        yield (
            one.code, one.kind_id, one.name_zh, one.name_en, one.department.code, one.owner, one.maintainer,
            one.get_state_display(), f"{one.location.x:.7f}", f"{one.location.y:.7f}",
            one.surveyed_on.isoformat() if one.surveyed_on else "", one.note,
        )  # fmt: skip


@desk_page
def component(request: HttpRequest, code: str) -> HttpResponse:
    """GET /grid/components/<code>/: one component and the cases that name it; foreign ones answer 404. Queries: 5."""
    found = get_object_or_404(selectors.components_listed().filter(area_q(request.user)), code=code)
    context = {"tab": "components", "component": found, "cases": cases_on(found, request.user)}
    return render(request, "grid/component.html", context | {"map": map_assets(found.location)})


# -- imports ---------------------------------------------------------------------------------------


def import_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Open a page to those who import components and those who audit it."""

    @wraps(view)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.role not in IMPORT_READERS:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return never_cache(login_required(door))


@import_page
def imports(request: HttpRequest) -> HttpResponse:
    """GET, POST /grid/components/import/: the imports of the area; a file that is sent is read, nothing is changed."""
    may = may_import(request.user)
    if request.method == "POST" and not may:
        raise PermissionDenied
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            load = try_import(
                id=given["id"], name=given["file"].name, data=given["file"].read(), datum=given["datum"], by=request.user,
                at=timezone.now(),
            )  # fmt: skip
            return redirect("grid-component-import", load.pk)
        except NotRead as refusal:
            form.add_error("file", str(refusal))
    if form.errors:  # the file is to be chosen again: a new id, so that it is read
        form.data = {"datum": form.data.get("datum", "wgs84"), "id": FileForm.base_fields["id"].initial()}
    context = {
        "tab": "components", "form": form, "may_import": may, "columns": _titles(),
        "imports": selectors.imports_seen_by(request.user)[:ROWS],
    }  # fmt: skip
    return render(request, "grid/component_imports.html", context, status=400 if form.errors else 200)


def _titles() -> list[tuple[Any, str, bool]]:
    return [(label, " / ".join(titles), column in REQUIRED) for column, (label, titles) in COLUMNS.items()]


@import_page
def component_import(request: HttpRequest, pk: UUID) -> HttpResponse:
    """GET /grid/components/import/<id>/: what a file does, or did. Queries: 6."""
    load = get_object_or_404(selectors.imports_seen_by(request.user), pk=pk)
    rows = {outcome: load.rows.filter(outcome=outcome).order_by("line")[:SHOWN_ROWS] for outcome in Outcome.values}
    changed = list(rows[Outcome.CHANGED])
    before = {one.code: one for one in selectors.components_listed().filter(code__in=[row.code for row in changed])}
    offices = dict(Department.objects.filter(pk__in=[row.department_id for row in changed]).values_list("pk", "code"))
    context = {
        "tab": "components", "load": load, "counts": [(label, load.counts[key]) for key, label in Outcome.choices],
        "wrong": [(row, told(row)) for row in rows[Outcome.WRONG]],
        "changed": [(row, _differences(row, before[row.code], offices)) for row in changed if row.code in before],
        "fresh": rows[Outcome.NEW], "shown": SHOWN_ROWS, "is_applied": load.state == ComponentImport.State.APPLIED,
        "may_apply": may_import(request.user, load.area_code), "writes": load.new + load.changed,
    }  # fmt: skip
    return render(request, "grid/component_import.html", context)


def told(row: ImportedRow) -> list[tuple[str, str, str]]:
    """Return what is wrong with a line: the column, what was seen, what was expected."""
    return [(str(LABELS[column]), seen, expected(key, more)) for column, seen, key, more in row.errors]


def _differences(row: ImportedRow, was: Component, offices: dict[int, str]) -> list[tuple[str, str, str]]:
    """Return the fields of a line that differ: label, as it is, as it will be."""
    return [(str(LABELS[name]), _said(was, name, offices), _said(row, name, offices)) for name in row.fields or []]


def _said(one: Any, name: str, offices: dict[int, str]) -> str:
    """Say a value of a component or of a line of an import alike."""
    match name:
        case "department":
            return one.department.code if isinstance(one, Component) else offices.get(one.department_id, "–")
        case "location":
            return f"{one.location.x:.6f}, {one.location.y:.6f}"
        case "cell":
            return one.area_code
        case "state":
            return str(Component.State(one.state).label)
    value = getattr(one, name)
    return str(value) if value not in (None, "") else "–"


@require_POST
@import_page
def apply(request: HttpRequest, pk: UUID) -> HttpResponse:
    """POST /grid/components/import/<id>/apply/: do what the dry run showed."""
    load = get_object_or_404(selectors.imports_seen_by(request.user), pk=pk)
    form = ConfirmForm(request.POST)
    if not may_import(request.user, load.area_code):
        raise PermissionDenied
    try:
        hash_seen = form.cleaned_data["table_hash"] if form.is_valid() else ""
        apply_import(load_id=load.pk, table_hash=hash_seen, by=request.user, at=timezone.now())
    except NotImported:
        messages.warning(
            request, _("The register changed since this dry run. It was made anew: read it once more, then confirm.")
        )
    else:
        messages.success(request, _("The register now says what this file says."))
    return redirect("grid-component-import", load.pk)


@import_page
def wrong_rows(request: HttpRequest, pk: UUID) -> HttpResponse:
    """GET /grid/components/import/<id>/wrong.csv: every wrong row with its line, what was seen and what was expected."""
    load = get_object_or_404(selectors.imports_seen_by(request.user), pk=pk)
    rows = load.rows.filter(outcome=Outcome.WRONG).order_by("line").iterator(chunk_size=1000)
    lines = ((row.line, row.code, *one) for row in rows for one in told(row))
    return sheet(
        request, "csv", title=_("Wrong rows of an import"), filters=load.file_name, at=load.at,
        header=[pgettext("of a file", "Line"), _("Code"), _("Column"), _("Seen"), _("Expected")], rows=lines,
    )  # fmt: skip
