"""Pages of supervision: what is overdue and what is done about it, the notices, one notice, the register of numbers."""

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from citysafety.accounts.doors import desk_page
from citysafety.accounts.models import Role
from citysafety.api import area_asked, number_in
from citysafety.documents import selectors as documents
from citysafety.filtering import in_words, not_understood, refusals
from citysafety.sheets import sheet
from citysafety.tallies import selectors as tallies
from hazards.desk import clock_rows, due_words
from hazards.filters import HazardFilter
from hazards.models import Hazard
from hazards.present import clock_answer

from . import desk, selectors
from .filters import NoticeFilter
from .lifecycle import LIVE, NoticeState
from .registry import FIGURES
from .services import opened
from .services.drafting import KIND

WATCHERS = frozenset({Role.SUPERVISOR, Role.LEADER, Role.AUDITOR})
MOST_NOTICES = 200
OVERDUE_BESIDE = ("area", "columns", "case")
NOTICES_BESIDE = ("area",)


@desk_page
def supervision(request: HttpRequest) -> HttpResponse:
    """GET /supervision/: overdue hazards by working time over, and what signing several would do.

    Queries: 6 with what every page asks; however many rows. A unit sees the notices that were issued to it.
    """
    if request.user.role == Role.DEPARTMENT_HANDLER:
        return notices(request)
    look = _overdue(request)
    area, board = look["area"], tallies.board(look["area"])
    context = {
        **look,
        "signs": request.user.role == Role.SUPERVISOR,
        "severities": selectors.overdue_by_severity(area),
        "columns": desk.COLUMNS,
        "figures": [
            (key, desk.FIGURE_WORDS[key], board.figures[key], query) for key, (_words, query) in FIGURES.items()
        ],
        "verdicts": {key: str(words) for key, words in desk.VERDICTS.items()},
        "query": request.GET.urlencode(),
        "asked": request.GET,
        "kept": _kept(request.GET, "search", "columns", "case"),
    }
    return render(request, "projects/supervision.html", context)


@desk_page
def overdue_sheet(request: HttpRequest, kind: str) -> HttpResponse:
    """GET /supervision/overdue.csv, .xlsx: the rows and columns of the page of the same address. Queries: 5."""
    look = _overdue(request)
    if look["refusals"]:
        return _told_on(request, "supervision")
    shown = [(key, label) for key, label in desk.COLUMNS if key in look["shown"]]
    return sheet(
        request,
        kind,
        title=_("Overdue hazards"),
        filters=in_words(request.GET, look["found"], (_("area"), look["area"])),
        header=[label for _key, label in shown],
        rows=([desk.cell(row, key) for key, _label in shown] for row, *_words in look["rows"]),
        at=look["as_of"],
        note=_only_first(len(look["rows"])) if look["more"] else "",
    )


def _only_first(rows: int) -> str:
    return _("Only the first %(n)s are in this file; area, severity or words narrow the list.") % {"n": rows}


def _overdue(request: HttpRequest) -> dict[str, Any]:
    """Return the overdue hazards that an address asks for. Queries: 3. :raises PermissionDenied: other roles."""
    if request.user.role not in WATCHERS:
        raise PermissionDenied
    now, asked, area = timezone.now(), request.GET, area_asked(request)
    found = HazardFilter(asked, selectors.overdue_hazards(area), request=request)
    refused = refusals(asked, found, OVERDUE_BESIDE)
    known = [key for key, _label in desk.COLUMNS]
    if strange := [name for name in asked.getlist("columns") if name not in known]:
        refused.append(not_understood(_("Columns"), strange, _("one of %(choices)s") % {"choices": ", ".join(known)}))
    hazards = found.qs.none() if refused else found.qs
    rows = selectors.overdue_rows(hazards, now)
    count = len(rows) if len(rows) < selectors.MOST_ROWS else hazards.order_by().count()
    return {
        "area": area,
        "as_of": now,
        "found": found,
        "refusals": refused,
        "rows": [(row, desk.over_words(row), _look(row.notice)) for row in rows],
        "count": count,
        "more": count - len(rows),
        "shown": asked.getlist("columns") or desk.SHOWN_FIRST,
    }


def _told_on(request: HttpRequest, page: str) -> HttpResponse:
    """Lead from a sheet whose filters mean nothing to the page that says so: an empty sheet would be taken for the truth."""
    return redirect(f"{reverse(page)}?{request.GET.urlencode()}")


def _look(notice: Any) -> tuple[Any, str, str] | None:
    return (notice, *desk.SIGNS[notice.state]) if notice else None


def _kept(asked: QueryDict, *own: str) -> list[tuple[str, str]]:
    """Return what a form hands on of its address: all but its own fields."""
    return [(name, value) for name in asked if name not in own for value in asked.getlist(name) if value]


@desk_page
def overdue_case(request: HttpRequest, hazard_id: UUID) -> HttpResponse:
    """GET /supervision/cases/<id>/: how its time was counted, and its notice: the two parts of an open row. Queries: 7."""
    if request.user.role not in WATCHERS:
        raise PermissionDenied
    seen = Hazard.objects.visible_to(request.user).select_related("matter__matter_class", "department", "cell")
    hazard, now = get_object_or_404(seen, pk=hazard_id), timezone.now()
    rows = selectors.notices_seen_by(request.user).filter(hazard=hazard).order_by("drafted_at")
    earlier = list(rows)
    live = next((one for one in earlier if one.state in LIVE), None)
    context = {
        "hazard": hazard,
        "clock": next(iter(clock_rows(clock_answer(hazard, now), now)), None),
        "notice": live,
        "look": _look(live),
        "earlier": [one for one in earlier if one != live and one.issued_at],
        "signs": request.user.role == Role.SUPERVISOR,
        "may_edit": bool(live) and live.state == NoticeState.DRAFT and live.document.state == "draft",
    }
    return render(request, "projects/_case.html", context)


@desk_page
def notices(request: HttpRequest) -> HttpResponse:
    """GET /supervision/notices/: the notices that a person may see, the newest first. Queries: 3."""
    rows, refused, _found = _notices(request)
    context = {
        "as_of": timezone.now(),
        "unit": request.user.role == Role.DEPARTMENT_HANDLER,
        "watches": request.user.role in WATCHERS,
        "refusals": refused,
        "rows": [(one, *desk.SIGNS[one.state]) for one in rows[:MOST_NOTICES]],
        "count": rows.order_by().count(),
        "most": MOST_NOTICES,
        "states": NoticeState.choices,
        "chosen": request.GET.getlist("state"),
        "query": request.GET.urlencode(),
        "kept": _kept(request.GET, "state"),
        "is_filtered": any(request.GET.values()),
    }
    return render(request, "projects/notices.html", context)


@desk_page
def notices_sheet(request: HttpRequest, kind: str) -> HttpResponse:
    """GET /supervision/notices.csv, .xlsx: the rows of the page of the same address. Queries: 3."""
    rows, refused, found = _notices(request)
    if refused:
        return _told_on(request, "supervision-notices")
    is_more = rows.order_by()[: MOST_NOTICES + 1].count() > MOST_NOTICES
    return sheet(
        request,
        kind,
        title=_("Overdue notices"),
        filters=in_words(request.GET, found, (_("area"), request.GET.get("area") or request.user.area_code)),
        header=[label for label, _read in desk.NOTICE_COLUMNS],
        rows=([read(one) for _label, read in desk.NOTICE_COLUMNS] for one in rows[:MOST_NOTICES]),
        at=timezone.now(),
        note=_only_first(MOST_NOTICES) if is_more else "",
    )


def _notices(request: HttpRequest) -> tuple[Any, list[str], NoticeFilter]:
    asked = request.GET
    found = NoticeFilter(asked, selectors.notices_seen_by(request.user), request=request)
    refused = refusals(asked, found, NOTICES_BESIDE)
    rows = found.qs.none() if refused else found.qs.order_by("-drafted_at", "id")
    if asked.get("area"):
        rows = rows.filter(area_code__startswith=area_asked(request))
    return rows, refused, found


@desk_page
def notice(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """GET /supervision/notices/<id>/: one notice, its paper, its steps; 404 for who may not see it. Queries: 8."""
    seen = selectors.notices_seen_by(request.user).select_related("opened_by")
    found = opened(get_object_or_404(seen, pk=notice_id), by=request.user, at=timezone.now())
    now = timezone.now()
    photos = list(selectors.photos(found))
    history = list(selectors.history(found))
    context = {
        "notice": found,
        "look": desk.SIGNS[found.state],
        "due": due_words(found.hazard, now),
        "road": desk.road(found, selectors.delivery(found), history) if found.issued_at else [],
        "forms": desk.step_forms(request.user, found),
        "may_prepare": desk.may_prepare(request.user, found),
        "may_write": request.user.role == Role.SUPERVISOR
        and found.state == NoticeState.DRAFT
        and found.document.state == "draft",
        "happened": desk.happened(history, photos),
        "states": {value: str(label) for value, label in NoticeState.choices},
        "api": f"/api/v1/supervision/{found.pk}/",
        "as_of": now,
    }
    return render(request, "projects/notice.html", context)


@desk_page
def register(request: HttpRequest) -> HttpResponse:
    """GET /supervision/register/: every number of a year and what became of it; a gap would be told. Queries: 4."""
    if request.user.role not in WATCHERS:
        raise PermissionDenied
    year = number_in(request.GET.get("year", "")) or localtime().year
    rows = documents.register(KIND, min(year, 9999))[:1000]
    context = {"rows": rows, "year": year, "gaps": documents.gaps(KIND, min(year, 9999)), "as_of": timezone.now()}
    return render(request, "projects/register.html", context)
