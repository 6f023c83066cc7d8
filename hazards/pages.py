"""Pages of hazards for the desk: the list with its queues, the same list as a file, and one case with what can be done now.

Steps are taken through ``/api/v1/`` by the page's module; these doors only show.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

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
from citysafety.evidence import telling
from citysafety.filtering import in_words, not_understood, refusals
from citysafety.sheets import sheet
from citysafety.tallies.selectors import PositionAhead, PositionGone
from grid.finding import PLACES
from grid.models import Division, MatterClass

from . import columns, desk, ladders, selectors
from .around import cases_around
from .bulk.judging import MOST as MOST_IN_BULK
from .bulk.judging import choices as bulk_choices
from .drawing import draw
from .evaluation.access import may_read
from .filters import HazardFilter, midnight, within
from .inspections.selectors import finders_of
from .lifecycle import OPEN, HazardState, PhotoRole
from .listings import desk as listings
from .models import Hazard, Severity
from .present import clock_answer
from .public import desk as public_side
from .services.criteria import criterion_of
from .standard import reached

ROWS = 50
# A longer list says "more than", so that its page costs the same after years. What is open, and what happened on days that
# were chosen, does not grow with the years: its list says what the figure says that led to it.
MOST_COUNTED, MOST_COUNTED_NOW = 1000, 50_000
OF_DAYS = ("received", "received_after", "cleared", "refused", "dispatched", "marked", "settled", "counted", "figure")
WORDS_DAYS = 42  # words are compared with every row: without other bounds, with those of six weeks
OFFERED = ("area", "state", "severity", "category", "open", "overdue", "asked", "paused", "pinned", "stopped", "mine", "search", "received_after",
           "received_before", "reworked")  # fmt: skip
COUNTED_BY = ("figure", "at")
NO_FILTERS = ("before", "columns", "view")
BESIDE_FILTERS = ("area", *NO_FILTERS, *COUNTED_BY)
NEWEST = ("-received_at", "id")
NOT_SAID = ("location", "cell__centre", "dedicated_cell__centre", "party_users", "party_departments")  # by any column
MOST_EXPORTED, READ_AT_ONCE = 50_000, 500  # rows of a file; of them held at once


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks of the list, for the page and for a file alike."""

    found: HazardFilter
    area: str
    rows: QuerySet[Hazard]
    columns: list[columns.Column]
    refused: list[str]
    is_bound: bool  # the list does not grow with the years
    words_since: datetime | None  # words are looked for from then on

    def in_words(self, asked: QueryDict) -> str:
        """Say the filters in words."""
        figure = [asked["figure"], *([asked["at"]] if asked.get("at") else [])] if asked.get("figure") else []
        since = f"{self.words_since:%Y-%m-%d}" if self.words_since else ""
        return in_words(
            asked,
            self.found,
            (_("area"), self.area),
            (_("counted as"), " @ ".join(figure)),
            (_("searched since"), since),
        )


@desk_page
def hazards(request: HttpRequest) -> HttpResponse:
    """GET /hazards/: the hazards a person may see, the newest first; the address holds every filter.

    Queries: 8 with what every page asks, 3 for the list alone; however many rows. One more with the column of areas.
    """
    now, asked, is_part = timezone.now(), request.GET, asks_for(request, "list")
    views = [] if is_part else lists.views_of(request.user, columns.LIST)
    begun = next((view for view in views if view.is_default and view.owner_id == request.user.pk), None)
    if begun and not asked:
        return redirect(lists.address_of(begun))
    PLACES.warm()  # a search by pinyin may follow
    look = asked_for(request)
    most = MOST_COUNTED_NOW if look.is_bound else MOST_COUNTED
    count = look.rows.order_by()[: most + 1].count()
    page, older = _page(look.rows if count else look.rows.none(), asked.get("before", ""))
    is_beneath = _is_beneath(look.columns)
    shown = [column for column in look.columns if not (is_beneath and column.key == "description")]
    return render(
        request,
        "hazards/_list.html" if is_part else "hazards/list.html",
        {
            "columns": shown,
            "is_beneath": is_beneath,
            "rows": [
                (line.hazard, line.due, *desk.SIGNS[line.hazard.state], [(one, one.says(line)) for one in shown])
                for line in _lines(page, look.columns, now)
            ],
            "count": min(count, most),
            "is_more": count > most,
            "words_since": look.words_since,
            "all_years": f"{_without(asked)}&received_after={_first_day()}" if look.words_since else "",
            "older": older,
            "is_older": bool(asked.get("before")),
            "refusals": look.refused,
            "is_filtered": any(value for name, value in asked.items() if name not in NO_FILTERS),
            "others": _others(asked),
            "as_of": now,
            "said": look.in_words(asked),
            "query": lists.without(asked.urlencode()).urlencode(),
            "query_to_keep": _with_columns(asked, look.columns),
            "choices": [*look.columns, *(one for one in columns.COLUMNS.values() if one not in look.columns)],
            "chosen_columns": look.columns,
            "most_exported": MOST_EXPORTED,
            "bulk_choices": bulk_choices(request.user),
            "most_in_bulk": MOST_IN_BULK,
            "reads_evaluations": may_read(request.user),
            **({} if is_part else _around(request, look.found, look.area)),
            **({} if is_part else _saved(request, views)),
        },
    )


@desk_page
def hazards_sheet(request: HttpRequest, kind: str) -> HttpResponse:
    """GET /hazards/export.csv, .xlsx: the rows and columns of the list of the same address, of all its pages.

    Queries: 4 with who asks and the record of it, however many rows. One more with the column of areas.
    """
    look, now = asked_for(request), timezone.now()
    if look.refused:  # an empty file would be taken for the truth; the page says what was not understood
        return redirect(f"{reverse('hazards')}?{request.GET.urlencode()}")
    is_more = look.rows.order_by()[: MOST_EXPORTED + 1].count() > MOST_EXPORTED
    note = _("Only the newest %(n)s hazards of this list are in this file; narrower filters show the others.")
    lines = _lines(_read(look.rows), look.columns, now)
    return sheet(
        request,
        kind,
        title=_("Hazards"),
        filters=look.in_words(request.GET),
        header=[column.label for column in look.columns],
        rows=([column.says(line) for column in look.columns] for line in lines),
        at=now,
        note=note % {"n": MOST_EXPORTED} if is_more else "",
    )


def asked_for(request: HttpRequest) -> Asked:
    """Return what an address asks of the list. Queries: those of its filters; 1 for an area that is not the own."""
    asked = request.GET
    area = area_asked(request) if asked.get("area") else ""
    found = HazardFilter(asked, Hazard.objects.visible_to(request.user), request=request)
    rows, refused = _kept(request, asked, found, area)
    shown, strange = columns.chosen(asked, request.user)
    if strange:
        rows, refused = rows.none(), [*refused, *strange]
    is_bound = _is_bound(asked, found)
    since = None if is_bound or refused else _words_since(asked)
    if since:
        rows = rows.filter(received_at__gte=since)
    return Asked(found, area, rows, shown, refused, is_bound, since)


def _lines(
    hazards: Iterator[Hazard] | list[Hazard], shown: list[columns.Column], at: datetime
) -> Iterator[columns.Line]:
    """Yield hazards as lines. Queries: 1 for the names of areas where they are shown."""
    names: dict[str, str] = {}
    if any(column.key == "area" for column in shown):
        levels = (Division.Level.COUNTY, Division.Level.TOWNSHIP)
        parts = Division.objects.filter(level__in=levels).only("code", "name_zh", "name_en")
        names = {part.code: part.name for part in parts}
    for hazard in hazards:
        yield columns.line_of(hazard, at, names)


def _is_beneath(shown: list[columns.Column]) -> bool:
    """Test whether the description stands right after the matter: then the page writes it beneath."""
    keys = [column.key for column in shown]
    return ("matter", "description") in pairwise(keys)


def _with_columns(asked: QueryDict, shown: list[columns.Column]) -> str:
    """Return the question of an address with the columns that it shows, as a view keeps it."""
    kept = lists.without(asked.urlencode())
    kept.setlist("columns", [column.key for column in shown])
    return kept.urlencode()


def _kept(request: HttpRequest, asked: QueryDict, found: HazardFilter, area: str) -> tuple[QuerySet[Hazard], list[str]]:
    """Return the rows that the filters leave, and in words what could not be understood of them."""
    none = Hazard.objects.none()
    refused = refusals(asked, found, BESIDE_FILTERS)
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
            rows = within(rows, area, asked)
    except ValidationError as error:
        return none, [str(words) for words in error.detail.values()]
    except PositionGone:
        return none, [_("This position is no longer readable; ask for the figures again.")]
    except KeyError:
        return none, [_("There is no such figure.")]
    except PositionAhead as error:
        return none, [str(error)]
    return rows, []


def _is_bound(asked: QueryDict, found: HazardFilter) -> bool:
    """Test whether a list holds only what is open or what happened on chosen days: it does not grow with the years."""
    understood = found.form.cleaned_data if found.form.is_valid() else {}
    states = understood.get("state")
    is_open = any(understood.get(name) for name in ("open", "overdue")) or (states and OPEN.issuperset(states))
    return bool(is_open) or any(asked.get(name) for name in OF_DAYS)


def _words_since(asked: QueryDict) -> datetime | None:
    """Return from when on words are looked for in a list without bounds; None where a last day was chosen, and for numbers."""
    words = asked.get("search", "").strip()
    if not words or words.upper().startswith("YH-") or asked.get("received_before"):
        return None
    return midnight(timezone.localdate() - timedelta(days=WORDS_DAYS))


def _first_day() -> date:
    """Return the day of the oldest hazard. Queries: 1."""
    oldest = Hazard.objects.order_by("received_at").values_list("received_at", flat=True).first()
    return timezone.localdate(oldest)


def _page(rows: QuerySet[Hazard], before: str) -> tuple[list[Hazard], str]:
    """Return the rows after a mark, and the mark of the next page; no offset, so far pages cost what the first does."""
    rows = paging.after(rows, "received_at", before)
    page = list(_named(rows, ROWS + 1))
    if len(page) <= ROWS:
        return page, ""
    return page[:ROWS], paging.mark_of(page[ROWS - 1], "received_at")


def _named(rows: QuerySet[Hazard], most: int) -> QuerySet[Hazard]:
    """Return the newest rows with what they name. They are chosen first and joined with their names after, not all joined
    and then cut.
    """
    chosen = rows.order_by(*NEWEST).values("pk")[:most]
    named = Hazard.objects.filter(pk__in=chosen).select_related(*selectors.RELATED).shapeless().defer(*NOT_SAID)
    return named.order_by(*NEWEST)


def _read(rows: QuerySet[Hazard]) -> Iterator[Hazard]:
    """Yield the rows of a file, all of one moment, some held at once. Queries: 1, by a cursor of the server."""
    return _named(rows, MOST_EXPORTED).iterator(chunk_size=READ_AT_ONCE)


def _without(asked: QueryDict, *names: str) -> str:
    rest = asked.copy()
    for name in (*names, "before"):
        rest.pop(name, None)
    return f"?{rest.urlencode()}"


def _others(asked: QueryDict) -> list[dict[str, str]]:
    """Return the filters that came with a link and have no field of their own, each with the address without it."""
    known = {**HazardFilter.base_filters}
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


def _around(request: HttpRequest, found: HazardFilter, area: str) -> dict[str, Any]:
    """Return what stands around the list: queues, choices. Queries: 3, the department of a handler besides."""
    asked, here = request.GET, area or request.user.area_code
    tabs = desk.queues(request.user)
    plain = {name: asked.getlist(name) for name in asked if any(asked.getlist(name)) and name not in NO_FILTERS}
    for tab in tabs:
        tab.chosen = plain == {name: [value] for name, value in tab.query.items()}
    lineage = [code for code in areas.lineage(here) if areas.covers(request.user.area_code, code)] if here else []
    divisions = Division.objects.filter(Q(code__in=lineage) | Q(parent=here[:12])).order_by("code")
    return {
        "asked": asked,
        "kept_columns": asked.getlist("columns"),
        "chosen_states": asked.getlist("state"),
        "area": area,
        "areas": [
            (d.code, "\u2003" * max(0, areas.LEVELS.index(len(d.code)) - 1) + d.name)
            for d in divisions.only("code", "name_zh", "name_en")
        ]
        if here
        else [],
        "queues": tabs,
        "none_chosen": not plain,
        "states": HazardState.choices,
        "severities": Severity.choices,
        "categories": MatterClass.objects.order_by("code"),
        "switches": [
            (name, label, found.form.cleaned_data.get(name))
            for name, label in (
                ("open", _("Open")),
                ("overdue", _("Overdue")),
                ("asked", _("To decide")),
                ("paused", _("Paused")),
                ("pinned", _("Set by a leader")),
                ("stopped", _("Work stopped")),
                ("mine", _("Reported by me")),
            )
        ],
    }


def _saved(request: HttpRequest, views: list[Any]) -> dict[str, Any]:
    """Return the views that a reader may open, with which of them is looked at, and what the reader may change."""
    here = lists.without(request.GET.urlencode())
    own = [view for view in views if view.owner_id == request.user.pk]
    return {
        "views": [(view, f"?{view.query or lists.ALL}", QueryDict(view.query) == here) for view in views],
        "own_views": own,
        "all": f"?{lists.ALL}" if any(view.is_default for view in own) else reverse("hazards"),
    }


@desk_page
def hazard(request: HttpRequest, hazard_id: UUID) -> HttpResponse:
    """GET /hazards/<id>/: one hazard; 404 for who may not see it.

    Queries: 14 with what every page asks; dispatch one more, a hazard that is bound to others one or two, photos one a role and one where other
    cases have the same ones, steps beside the way those of ``asked.fields``, a major hazard its criterion and those of its panel.
    """
    now = timezone.now()
    seen = selectors.hazards_seen_by(request.user).select_related("reporter")
    found = get_object_or_404(seen, pk=hazard_id)
    photos = list(selectors.photos(found))
    judged = telling.judged(photos, request.user)
    forms = desk.step_forms(request.user, found, now)
    beside = [form for form in forms if form["is_beside"]]
    found_by = finders_of(found, request.user)
    clocks = clock_answer(found, now)
    history = list(selectors.history(found))
    is_of_standard = found.component_id or found.matter.standard_code
    return render(
        request,
        "hazards/hazard.html",
        {
            "criterion": criterion_of(found.criterion),
            "hazard": found,
            "due": desk.due_words(found, now),
            "look": desk.SIGNS[found.state],
            "clocks": desk.clock_rows(clocks, now),
            "changes": desk.change_words(clocks["changes"]),
            "next_rung": ladders.next_words(found),
            "forms": forms,
            "beside": beside,
            **desk.bound(request.user, found, now),
            "found_by": found_by,
            "around": [(one, *desk.SIGNS[one.hazard.state]) for one in cases_around(found, request.user, found_by)],
            "barred": desk.barred(request.user, found),
            "ahead": desk.who_is_next(found, now) if len(beside) == len(forms) else [],
            "ahead_states": desk.states_ahead(found),
            "happened": desk.happened(history, found.marks.all(), photos, found.climbed.all()),
            "photos": [(photo, PhotoRole(photo.role).label, judged[photo.pk]) for photo in photos],
            "seven": reached((step.target, step.at) for step in history) if is_of_standard else [],
            "major": listings.panel(request.user, found, now),
            **public_side.beside(request.user, found),
            "drawing": draw(found),
            "states": {value: str(label) for value, label in HazardState.choices},
            "api": f"/api/v1/hazards/{found.pk}/",
            "as_of": now,
        },
    )
