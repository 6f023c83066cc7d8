"""Pages of supervision: what is overdue and what is done about it, one notice, the register of numbers."""

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from citysafety.accounts.doors import desk_page
from citysafety.accounts.models import Role
from citysafety.api import area_asked, number_in
from citysafety.documents import selectors as documents
from citysafety.filtering import refusals
from hazards.desk import due_words

from . import desk, selectors
from .filters import NoticeFilter
from .lifecycle import NoticeState
from .services.drafting import KIND

READERS = frozenset({Role.SUPERVISOR, Role.LEADER, Role.AUDITOR, Role.DEPARTMENT_HANDLER})
MOST_ROWS = 200
TABS = ("overdue", "notices")


@desk_page
def supervision(request: HttpRequest) -> HttpResponse:
    """GET /supervision/: overdue hazards by working time over, or the notices; a unit sees those issued to it. Queries: 6."""
    if request.user.role not in READERS:
        raise PermissionDenied
    now = timezone.now()
    asked = request.GET
    unit = request.user.role == Role.DEPARTMENT_HANDLER
    filtered = any(name in asked for name in (*NoticeFilter.base_filters, "list"))
    shows_notices = unit or filtered
    found = NoticeFilter(asked, selectors.notices_seen_by(request.user), request=request)
    refused = refusals(asked, found, ("area", "list"))
    notices = found.qs.none() if refused else found.qs.order_by("-drafted_at", "id")
    area = area_asked(request) if not unit else ""
    if asked.get("area"):
        notices = notices.filter(area_code__startswith=area)
    rows = [] if shows_notices else selectors.overdue_rows(area, now)
    context = {
        "as_of": now,
        "signs": request.user.role == Role.SUPERVISOR,
        "unit": unit,
        "shows_notices": shows_notices,
        "refusals": refused,
        "rows": [(row, desk.over_words(row), _state(row.notice)) for row in rows[:MOST_ROWS]],
        "more": max(0, len(rows) - MOST_ROWS),
        "notices": [(one, *desk.SIGNS[one.state]) for one in notices[:MOST_ROWS]] if shows_notices else [],
        "count": notices.count() if shows_notices else len(rows),
        "states": NoticeState.choices,
        "chosen": asked.getlist("state"),
        "verdicts": {key: str(words) for key, words in desk.VERDICTS.items()},
    }
    return render(request, "projects/supervision.html", context)


def _state(notice: Any) -> tuple[Any, str, str] | None:
    return (notice, *desk.SIGNS[notice.state]) if notice else None


@desk_page
def notice(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """GET /supervision/notices/<id>/: one notice, its paper, its steps; 404 for who may not see it. Queries: 7."""
    found = get_object_or_404(selectors.notices_seen_by(request.user), pk=notice_id)
    now = timezone.now()
    photos = list(selectors.photos(found))
    context = {
        "notice": found,
        "look": desk.SIGNS[found.state],
        "due": due_words(found.hazard, now),
        "forms": desk.step_forms(request.user, found),
        "may_prepare": desk.may_prepare(request.user, found),
        "may_write": request.user.role == Role.SUPERVISOR
        and found.state == NoticeState.DRAFT
        and found.document.state == "draft",
        "happened": desk.happened(selectors.history(found), photos),
        "states": {value: str(label) for value, label in NoticeState.choices},
        "api": f"/api/v1/supervision/{found.pk}/",
        "as_of": now,
    }
    return render(request, "projects/notice.html", context)


@desk_page
def register(request: HttpRequest) -> HttpResponse:
    """GET /supervision/register/: every number of a year and what became of it; a gap would be told. Queries: 4."""
    if request.user.role not in READERS - {Role.DEPARTMENT_HANDLER}:
        raise PermissionDenied
    year = number_in(request.GET.get("year", "")) or timezone.localdate().year
    rows = documents.register(KIND, min(year, 9999))[:1000]
    context = {"rows": rows, "year": year, "gaps": documents.gaps(KIND, min(year, 9999)), "as_of": timezone.now()}
    return render(request, "projects/register.html", context)
