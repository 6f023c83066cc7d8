"""Pages of hazards for the desk: the list with its queues, and one case with what can be done now.

Steps are taken through ``/api/v1/`` by the page's module; these doors only show.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from citysafety import areas
from citysafety.accounts.doors import asks_for, desk_page
from citysafety.api import area_asked, number_in
from citysafety.evidence import telling
from citysafety.filtering import not_understood, refusals
from citysafety.tallies.selectors import PositionAhead, PositionGone
from grid.models import Division, MatterClass

from . import desk, selectors
from .drawing import draw
from .filters import HazardFilter, midnight
from .lifecycle import OPEN, HazardState, PhotoRole
from .models import Hazard, Severity
from .present import clock_answer

ROWS = 50
# A longer list says "more than", so that its page costs the same after years. What is open, and what happened on days that
# were chosen, does not grow with the years: its list says what the figure says that led to it.
MOST_COUNTED, MOST_COUNTED_NOW = 1000, 50_000
OF_DAYS = ("received", "received_after", "cleared", "refused", "dispatched", "marked", "settled", "figure")
WORDS_DAYS = 42  # words are compared with every row: without other bounds, with those of six weeks
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OFFERED = ("area", "state", "severity", "category", "open", "overdue", "mine", "search", "received_after",
           "received_before")  # fmt: skip
COUNTED_BY = ("figure", "at")
BESIDE_FILTERS = ("area", "before", *COUNTED_BY)


@desk_page
def hazards(request: HttpRequest) -> HttpResponse:
    """GET /hazards/: the hazards a person may see, the newest first; the address holds every filter.

    Queries: 7 with what every page asks, 3 for the list alone; however many rows.
    """
    now = timezone.now()
    asked = request.GET
    area = area_asked(request) if asked.get("area") else ""
    found = HazardFilter(asked, Hazard.objects.visible_to(request.user), request=request)
    rows, refused = _kept(request, asked, found, area)
    is_bound = _is_bound(asked, found)
    most = MOST_COUNTED_NOW if is_bound else MOST_COUNTED
    since = None if is_bound or refused else _words_since(asked)
    if since:
        rows = rows.filter(received_at__gte=since)
    count = rows.order_by()[: most + 1].count()
    page, older = _page(rows if count else rows.none(), asked.get("before", ""))
    return render(
        request,
        "hazards/_list.html" if asks_for(request, "list") else "hazards/list.html",
        {
            "rows": [(row, desk.due_words(row, now), *desk.SIGNS[row.state]) for row in page],
            "count": min(count, most),
            "is_more": count > most,
            "words_since": since,
            "all_years": f"{_without(asked)}&received_after={_first_day()}" if since else "",
            "older": older,
            "is_older": bool(asked.get("before")),
            "refusals": refused,
            "is_filtered": any(value for name, value in asked.items() if name != "before"),
            "others": _others(asked),
            "as_of": now,
            **({} if asks_for(request, "list") else _around(request, found, area)),
        },
    )


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
            rows = rows.within(area)
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
    if before:
        received_at, last = _mark(before)
        same = Q(received_at=received_at, id__gt=last)
        rows = rows.filter(received_at__lte=received_at).filter(Q(received_at__lt=received_at) | same)
    newest = ("-received_at", "id")
    # The rows are chosen first and joined with their names after, not all joined and then cut.
    chosen = rows.order_by(*newest).values("pk")[: ROWS + 1]
    named = Hazard.objects.filter(pk__in=chosen).select_related(*selectors.RELATED).shapeless()
    page = list(named.order_by(*newest))
    if len(page) <= ROWS:
        return page, ""
    last_row = page[ROWS - 1]
    micros = (last_row.received_at - EPOCH) // timedelta(microseconds=1)
    return page[:ROWS], f"{micros}.{last_row.pk}"


def _mark(text: str) -> tuple[datetime, UUID]:
    micros, _dot, last = text.partition(".")
    try:
        return EPOCH + timedelta(microseconds=int(micros)), UUID(last)
    except (ValueError, OverflowError) as error:
        raise Http404 from error


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
    plain = {name: asked.getlist(name) for name in asked if any(asked.getlist(name)) and name != "before"}
    for tab in tabs:
        tab.chosen = plain == {name: [value] for name, value in tab.query.items()}
    lineage = [code for code in areas.lineage(here) if areas.covers(request.user.area_code, code)] if here else []
    divisions = Division.objects.filter(Q(code__in=lineage) | Q(parent=here[:12])).order_by("code")
    return {
        "asked": asked,
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
            for name, label in (("open", _("Open")), ("overdue", _("Overdue")), ("mine", _("Reported by me")))
        ],
    }


@desk_page
def hazard(request: HttpRequest, hazard_id: UUID) -> HttpResponse:
    """GET /hazards/<id>/: one hazard; 404 for who may not see it. Queries: 8 with what every page asks; dispatch, a hazard merged into another and photos that other cases have one more each, photos to send one a role."""
    now = timezone.now()
    seen = selectors.hazards_seen_by(request.user).select_related("reporter")
    found = get_object_or_404(seen, pk=hazard_id)
    photos = list(selectors.photos(found))
    judged = telling.judged(photos, request.user)
    forms = desk.step_forms(request.user, found, now)
    return render(
        request,
        "hazards/hazard.html",
        {
            "hazard": found,
            "due": desk.due_words(found, now),
            "look": desk.SIGNS[found.state],
            "clocks": desk.clock_rows(clock_answer(found, now), now),
            "forms": forms,
            "barred": desk.barred(request.user, found),
            "ahead": [] if forms else desk.who_is_next(found),
            "ahead_states": desk.states_ahead(found),
            "happened": desk.happened(selectors.history(found), found.marks.all(), photos),
            "photos": [(photo, PhotoRole(photo.role).label, judged[photo.pk]) for photo in photos],
            "drawing": draw(found),
            "states": {value: str(label) for value, label in HazardState.choices},
            "api": f"/api/v1/hazards/{found.pk}/",
            "as_of": now,
        },
    )
