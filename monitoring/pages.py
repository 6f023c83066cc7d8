"""Pages of alarms: the list with its tabs, the same list as a file, one alarm with what can be done now, their quality.

Steps are taken through ``/api/v1/`` by the page's module; these doors only show.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from citysafety import areas, paging
from citysafety.accounts import lists
from citysafety.accounts.doors import asks_for, desk_page
from citysafety.api import area_asked, number_in
from citysafety.filtering import in_words, not_understood, refusals
from citysafety.sheets import sheet
from citysafety.tallies.selectors import PositionAhead, PositionGone
from grid.models import Division

from . import columns, desk, selectors
from . import quality as measures
from .filters import AlarmFilter
from .models import READERS, Alarm, AlarmPolicy, Level, Maintenance, System
from .present import rule_advice

ROWS, MOST_COUNTED, MOST_EXPORTED, READ_AT_ONCE = 50, 10_000, 50_000, 500
NEWEST = ("-raised_at", "id")
HEARD = "open=true&quiet=false"  # where the list begins
COUNTED_BY = ("figure", "at")
NO_FILTERS = ("before", "columns", "view")
BESIDE = ("area", *NO_FILTERS, *COUNTED_BY)
OFFERED = ("area", "level", "state", "system", "open", "quiet", "flapping", "search", "raised")


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks of the list, for the page and for a file alike."""

    found: AlarmFilter
    area: str
    rows: QuerySet[Alarm]
    columns: list[columns.Column]
    refused: list[str]

    def in_words(self, asked: QueryDict) -> str:
        """Say the filters in words."""
        figure = [asked["figure"], *([asked["at"]] if asked.get("at") else [])] if asked.get("figure") else []
        return in_words(asked, self.found, (_("area"), self.area), (_("counted as"), " @ ".join(figure)))


def _readers_only(request: HttpRequest) -> None:
    if request.user.role not in READERS:
        raise PermissionDenied


@desk_page
def alarms(request: HttpRequest) -> HttpResponse:
    """GET /monitoring/alarms/: the alarms a person may see, the newest first; without a question what is open and heard.

    Queries: 8 with what every page asks, 3 for the list alone; however many rows.
    """
    _readers_only(request)
    now, asked, is_part = timezone.now(), request.GET, asks_for(request, "list")
    views = [] if is_part else lists.views_of(request.user, columns.LIST)
    if not asked:
        begun = next((view for view in views if view.is_default and view.owner_id == request.user.pk), None)
        return redirect(lists.address_of(begun) if begun else f"{reverse('alarms')}?{HEARD}")
    look = asked_for(request)
    count = look.rows.order_by()[: MOST_COUNTED + 1].count()
    page, older = _page(look.rows if count else look.rows.none(), asked.get("before", ""))
    lines = [columns.Line(alarm, now) for alarm in page]
    kept = lists.without(asked.urlencode())
    kept.setlist("columns", [column.key for column in look.columns])
    return render(
        request,
        "monitoring/_alarms.html" if is_part else "monitoring/alarms.html",
        {
            "columns": look.columns,
            "rows": [
                (line.alarm, *desk.SIGNS[line.alarm.state], desk.mark_of(line.alarm), [(one, one.says(line)) for one in look.columns])
                for line in lines
            ],
            "count": min(count, MOST_COUNTED),
            "is_more": count > MOST_COUNTED,
            "older": older,
            "is_older": bool(asked.get("before")),
            "refusals": look.refused,
            "is_filtered": any(value for name, value in asked.items() if name not in NO_FILTERS),
            "others": _others(asked),
            "as_of": now,
            "said": look.in_words(asked),
            "query": lists.without(asked.urlencode()).urlencode(),
            "query_to_keep": kept.urlencode(),
            "choices": [*look.columns, *(one for one in columns.COLUMNS.values() if one not in look.columns)],
            "chosen_columns": look.columns,
            "most_exported": MOST_EXPORTED,
            **({} if is_part else _around(request, look)),
            **({} if is_part else _saved(request, views)),
        },
    )  # fmt: skip


@desk_page
def alarms_sheet(request: HttpRequest, kind: str) -> HttpResponse:
    """GET /monitoring/alarms/export.csv, .xlsx: the rows and columns of the list of the same address. Queries: 4."""
    _readers_only(request)
    look, now = asked_for(request), timezone.now()
    if look.refused:  # an empty file would be taken for the truth; the page says what was not understood
        return redirect(f"{reverse('alarms')}?{request.GET.urlencode()}")
    is_more = look.rows.order_by()[: MOST_EXPORTED + 1].count() > MOST_EXPORTED
    note = _("Only the newest %(n)s alarms of this list are in this file; narrower filters show the others.")
    return sheet(
        request,
        kind,
        title=_("Alarms"),
        filters=look.in_words(request.GET),
        header=[column.label for column in look.columns],
        rows=([column.says(line) for column in look.columns] for line in _lines(look.rows, now)),
        at=now,
        note=note % {"n": MOST_EXPORTED} if is_more else "",
    )


def _lines(rows: QuerySet[Alarm], at: datetime) -> Iterator[columns.Line]:
    for alarm in selectors.named(rows).order_by(*NEWEST)[:MOST_EXPORTED].iterator(chunk_size=READ_AT_ONCE):
        yield columns.Line(alarm, at)


def asked_for(request: HttpRequest) -> Asked:
    """Return what an address asks of the list. Queries: those of its filters; 1 for an area that is not the own."""
    asked = request.GET
    area = area_asked(request) if asked.get("area") else ""
    found = AlarmFilter(asked, Alarm.objects.visible_to(request.user), request=request)
    rows, refused = _kept(request, found, area)
    shown, strange = columns.chosen(asked, request.user)
    return Asked(found, area, rows.none() if strange else rows, shown, [*refused, *strange])


def _kept(request: HttpRequest, found: AlarmFilter, area: str) -> tuple[QuerySet[Alarm], list[str]]:
    """Return the rows that the filters leave, and in words what could not be understood of them."""
    asked, none = request.GET, Alarm.objects.none()
    refused = refusals(asked, found, BESIDE)
    if number_in(at := asked.get("at") or "0") is None:
        refused.append(not_understood(_("position"), [at], _("a whole number")))
    if refused:
        return none, refused
    try:
        rows = found.qs
        if figure := asked.get("figure"):
            at = int(asked["at"]) if asked.get("at") else None  # digits, as was seen above
            rows = selectors.pinned(rows, figure=figure, area=area or area_asked(request), at=at)
        elif area:
            rows = rows.filter(area_code__startswith=area)
    except ValidationError as error:
        return none, [str(words) for words in error.detail.values()]
    except PositionGone:
        return none, [_("This position is no longer readable; ask for the figures again.")]
    except KeyError:
        return none, [_("There is no such figure.")]
    except PositionAhead as error:
        return none, [str(error)]
    return rows, []


def _page(rows: QuerySet[Alarm], before: str) -> tuple[list[Alarm], str]:
    """Return the rows after a mark, and the mark of the next page; no offset, so far pages cost what the first does."""
    rows = paging.after(rows, "raised_at", before)
    page = list(selectors.named(rows).order_by(*NEWEST)[: ROWS + 1])
    if len(page) <= ROWS:
        return page, ""
    return page[:ROWS], paging.mark_of(page[ROWS - 1], "raised_at")


def _without(asked: QueryDict, *names: str) -> str:
    rest = asked.copy()
    for name in (*names, "before"):
        rest.pop(name, None)
    return f"?{rest.urlencode() or lists.ALL}"


def _others(asked: QueryDict) -> list[dict[str, str]]:
    """Return the filters that came with a link and have no field of their own, each with the address without it."""
    known = AlarmFilter.base_filters
    rows = [
        {"name": name, "value": asked[name], "label": str(known[name].label), "without": _without(asked, name)}
        for name in asked
        if name in known and name not in OFFERED and asked[name]
    ]
    if asked.get("figure"):
        away = _without(asked, *COUNTED_BY)
        rows.append({"name": "figure", "value": asked["figure"], "label": _("counted as"), "without": away})
        if asked.get("at"):
            rows.append({"name": "at", "value": asked["at"], "label": _("at position"), "without": away})
    return rows


def _around(request: HttpRequest, look: Asked) -> dict[str, Any]:
    """Return what stands around the list: tabs, choices. Queries: 3."""
    asked, here = request.GET, look.area or request.user.area_code
    plain = {name: asked.getlist(name) for name in asked if any(asked.getlist(name)) and name not in NO_FILTERS}
    switches = (("open", _("Open")), ("quiet", _("Kept quiet")), ("flapping", _("Flapping")))
    return {
        "asked": asked,
        "area": look.area,
        "areas": _areas(request.user, here),
        "tabs": desk.tabs(request.user, plain),
        "levels": Level.choices,
        "chosen_levels": asked.getlist("level"),
        "states": desk.S.choices,
        "chosen_states": asked.getlist("state"),
        "systems": System.objects.filter(kinds__devices__isnull=False).distinct(),
        "switches": [(name, label, asked.get(name, "")) for name, label in switches],
        "kept_columns": asked.getlist("columns"),
    }


def _areas(user: Any, here: str) -> list[tuple[str, str]]:
    """Return the areas around and within one, named and drawn in. Queries: 1."""
    lineage = [code for code in areas.lineage(here) if areas.covers(user.area_code, code)] if here else []
    divisions = Division.objects.filter(Q(code__in=lineage) | Q(parent=here[:12])).order_by("code")
    return [
        (one.code, "\u2003" * max(0, areas.LEVELS.index(len(one.code)) - 1) + one.name)
        for one in divisions.only("code", "name_zh", "name_en")
    ]


def _saved(request: HttpRequest, views: list[Any]) -> dict[str, Any]:
    """Return the views that a reader may open, with which of them is looked at, and what the reader may change."""
    here = lists.without(request.GET.urlencode())
    return {
        "views": [(view, f"?{view.query or lists.ALL}", QueryDict(view.query) == here) for view in views],
        "own_views": [view for view in views if view.owner_id == request.user.pk],
        "all": f"?{lists.ALL}",
    }


@desk_page
def alarm(request: HttpRequest, alarm_id: UUID) -> HttpResponse:
    """GET /monitoring/alarms/<id>/: one alarm; 404 for who may not see it.

    Queries: 5 with what every page asks; 1 more for the longest shelving, 1 for departments, 1 for what keeps it quiet.
    """
    _readers_only(request)
    now = timezone.now()
    found = get_object_or_404(selectors.alarms_seen_by(request.user), pk=alarm_id)
    forms = desk.step_forms(request.user, found, now)
    history = list(selectors.history(found))
    return render(
        request,
        "monitoring/alarm.html",
        {
            "alarm": found,
            "look": desk.SIGNS[found.state],
            "mark": desk.mark_of(found),
            "value": desk.value_words(found),
            "age": desk.age_words(found, now),
            "advice": rule_advice(found),
            "quiet_by": _quiet_by(found, now),
            "forms": forms,
            "beside": [form for form in forms if form["is_beside"]],
            "happened": desk.happened(history, desk.climbed_of(found)),
            "states": {value: str(label) for value, label in desk.S.choices},
            "api": f"/api/v1/alarms/{found.pk}/",
            "as_of": now,
        },
    )


def _quiet_by(found: Alarm, at: datetime) -> dict[str, Any] | None:
    """Return who keeps it quiet until when and why. Queries: 1 for what is kept quiet."""
    row: Any = None
    if found.quiet == Alarm.Quiet.SHELVED:
        row = selectors.shelving_of(found)
    elif found.quiet == Alarm.Quiet.MAINTENANCE:
        row = selectors.maintenance_of(found, at)
    if row is None:
        return None
    until = row.ends_at if isinstance(row, Maintenance) else row.until
    return {"who": row.by.name, "until": until, "reason": row.reason}


@desk_page
def quality(request: HttpRequest) -> HttpResponse:
    """GET /monitoring/alarms/quality/: how good the alarms are, by rule and by desk; each number leads to its list. Queries: 7."""
    _readers_only(request)
    asked, now = request.GET, timezone.now()
    known = [str(days) for days in measures.DAYS]
    days = asked.get("days") or known[0]
    refused = [_("There is no filter “%(name)s”.") % {"name": name} for name in asked if name not in ("days", "area")]
    if days not in known:
        refused.append(not_understood(_("Days"), [days], _("one of %(choices)s") % {"choices": ", ".join(known)}))
        days = known[0]
    area = area_asked(request) if request.user.area_code else ""
    policy = AlarmPolicy.present()
    context = {
        "refusals": refused,
        "as_of": now,
        "area": area,
        "areas": _areas(request.user, area),
        "days": measures.DAYS,
        "chosen": int(days),
        "policy": policy,
        **measures.measured(request.user, area, int(days), policy.most_per_10_min, at=now),
    }
    return render(request, "monitoring/quality.html", context)
