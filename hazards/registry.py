"""What hazards register with the rooms below: figures with their lists, who may see a photo, how to recount."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import date, datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Q, Subquery
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext_lazy as _

from citysafety import areas
from citysafety.accounts import lists, rights
from citysafety.calendars import handovers
from citysafety.documents import admin as document_admin
from citysafety.evidence import access, cases
from citysafety.evidence import chain as chains
from citysafety.names import chosen
from citysafety.tallies.figures import COUNT, RATIO, Figure, Recount, register_subject
from citysafety.tallies.figures import register as register_figure
from citysafety.tallies.selectors import board
from grid.components.cases import MOST_CASES, CaseOn, register_cases
from grid.models import Component
from grid.rezoning.change import Lying
from grid.rezoning.preview import LOAD_DAYS
from grid.rezoning.slots import Thing, register_load, register_preview

from . import chain, ladders, notices
from .columns import COLUMNS, LIST
from .inspections import registry as inspections
from .lifecycle import LIFECYCLE, HazardState, PhotoRole
from .listings import chain as listing_chain
from .listings import news, papers
from .models import NOT_BY_AREA, Hazard, Mark, Step
from .rechecks import registry as rechecks
from .standing import CITY_TIME, counts_now, counts_today

CASES = _("cases")
ON_HANDOVER = {
    "hazards.open": _("Open hazards"),
    "hazards.overdue": _("Overdue hazards"),
    "hazards.major_open": _("Open major hazards"),
}
A_CHUNK = 1000  # hazards recounted at once
COUNTS = {
    "hazards.found_today": (_("Hazards received by the server today."), "received=today"),
    "hazards.cleared_today": (_("Hazards written off today."), "cleared=today"),
    "hazards.open": (_("Hazards neither written off nor refused, nor merged into another."), "open=true"),
    "hazards.overdue": (_("Open hazards whose present stage was marked overdue."), "overdue=true"),
    "hazards.major_open": (_("Open hazards of major severity."), "open=true&severity=major"),
    "hazards.refused_today": (_("Reports refused today."), "refused=today"),
    "hazards.dispatched_today": (_("Hazards dispatched to a department today."), "dispatched=today"),
    "hazards.marked_today": (_("Hazards marked overdue today."), "marked=today"),
    "hazards.closed_due_today": (
        _("Hazards that were due today: written off today, or marked overdue today."),
        "settled=today",
    ),
    "hazards.closed_on_time_today": (
        _("Hazards written off today that were never marked overdue."),
        "cleared=today&late=false",
    ),
}


def register() -> None:
    """Register everything once the apps stand."""
    lists.register(LIST, path=reverse_lazy("hazards"), columns=COLUMNS)
    for key, (definition, page) in COUNTS.items():
        register_figure(
            Figure(
                key=key,
                kind=COUNT,
                unit=CASES,
                definition=definition,
                list_path="/api/v1/hazards/",
                list_query=f"figure={key}",
                page=f"/hazards/?{page}",
            )
        )
    register_figure(
        Figure(
            key="hazards.on_time_ratio",
            kind=RATIO,
            definition=_("On time, of what was due today."),
            numerator="hazards.closed_on_time_today",
            denominator="hazards.closed_due_today",
        )
    )
    register_subject("hazard", recount)
    access.register("hazard", may_see)
    cases.register(
        "hazard", find=cases_of, label=_("hazard"), roles=dict(PhotoRole.choices), work_roles=(PhotoRole.AFTER,)
    )
    chains.register("hazard", chain.look)
    chains.join("hazard", "hazard", chain.duplicates)
    chains.register("listing", listing_chain.look)
    chains.join("listing", "hazard", listing_chain.about_hazards)
    notices.register()
    ladders.register()
    news.register()
    document_admin.KNOWN_PLACES.update(papers.PLACES)
    register_preview("hazard", _("Open hazards"), open_in)
    register_load("hazards_90_days", _("Hazards in 90 days"), recent_in)
    register_cases(cases_on)
    inspections.register()
    rechecks.register()
    handovers.register_handover_line(handed_over)
    handovers.register_case_numbers(r"\bYH-\d{8}-\d{5,}\b", lambda number: f"/hazards/?search={number}")
    rights.register_visibility(
        "hazard", explain, label=_("hazard"), find=find, steps=LIFECYCLE.steps, states=dict(HazardState.choices)
    )


def handed_over(area_code: str) -> list[handovers.Line]:
    """Return the figures of an area that the next shift is told, each with its list. Queries: 1."""
    figures = board(area_code).figures
    return [
        handovers.Line(key, label, figures[key], f"/hazards/?{COUNTS[key][1]}&area={area_code}")
        for key, label in ON_HANDOVER.items()
    ]


def cases_on(component: Component, reader: Any) -> Iterator[CaseOn]:
    """Yield the hazards that name a component and that a reader may see, the newest. Queries: 1."""
    rows = Hazard.objects.visible_to(reader).filter(component=component).select_related("matter")
    for one in rows.order_by("-received_at")[:MOST_CASES]:
        href = reverse("hazard-page", args=[one.pk])
        yield CaseOn(one.number, one.matter.name, href, one.get_state_display(), one.received_at, one.is_open)


def open_in(cells: Collection[int]) -> Iterator[Thing]:
    """Yield the open hazards of some cells, for the preview of a re-zoning. Queries: 1."""
    rows = Hazard.objects.open().filter(Q(cell__in=cells) | Q(dedicated_cell__in=cells)).order_by("number")
    fields = ("pk", "number", "matter__name_zh", "matter__name_en", "location", "cell_id", "dedicated_cell_id")
    for pk, number, zh, en, place, *lying in rows.values_list(*fields).iterator(chunk_size=A_CHUNK):
        label = f"{number} {chosen(zh, en)}"
        yield Thing(label, reverse("hazard-page", args=[pk]), Lying(place.x, place.y, *lying))


def recent_in(cells: Collection[int], at: datetime) -> Iterator[Lying]:
    """Yield where the hazards of the last 90 days of some cells lie. Queries: 1."""
    rows = Hazard.objects.filter(Q(cell__in=cells) | Q(dedicated_cell__in=cells), received_at__gt=at - LOAD_DAYS)
    for place, *lying in rows.values_list("location", "cell_id", "dedicated_cell_id").iterator(chunk_size=A_CHUNK):
        yield Lying(place.x, place.y, *lying)


def may_see(user: Any, hazard_id: str) -> bool:
    """Test whether a person may see a hazard, and with it its photos and those of its duplicates. Queries: 1, or 2."""
    seen = Hazard.objects.visible_to(user)
    return seen.filter(pk=hazard_id).exists() or seen.filter(merged__pk=hazard_id).exists()


def cases_of(ids: Collection[str], reader: Any = None) -> Iterator[cases.Case]:
    """Yield hazards as their photos are measured against them; of a reader's, those the reader may see. Queries: 1."""
    rows = Hazard.objects.visible_to(reader) if reader else Hazard.objects.all()
    failed = Step.objects.filter(hazard=OuterRef("pk"), action="fail").order_by("-version").values("at")[:1]
    columns = ("number", "area_code", "occurred_at", "location", "accuracy_m", "merged_into")
    for hazard in rows.filter(pk__in=ids).only(*columns).annotate(failed_at=Subquery(failed)):
        yield cases.Case(
            id=str(hazard.pk),
            number=hazard.number,
            address=reverse("hazard-page", args=[hazard.pk]),
            area=hazard.area_code,
            found_at=hazard.occurred_at,
            lon=hazard.location.x,
            lat=hazard.location.y,
            accuracy_m=hazard.accuracy_m,
            family=str(hazard.merged_into_id or hazard.pk),
            failed_at=hazard.failed_at,
        )


def find(given: str) -> Hazard | None:
    """Return the hazard of a number or id, None without one. Queries: 1."""
    try:
        return Hazard.objects.filter(pk=UUID(given)).first()
    except ValueError:
        return Hazard.objects.filter(number__iexact=given).first()


def explain(user: Any, hazard_id: str) -> list[tuple[str, bool, str]]:
    """Return every rule by which a person may see a hazard: the parts of ``HazardQuerySet.visible_to``. Queries: 1."""
    hazard = Hazard.objects.get(pk=hazard_id)
    is_reporter = hazard.reporter_id == user.pk
    acted = user.pk in hazard.party_users and not is_reporter
    by_area = user.role not in NOT_BY_AREA and areas.covers(user.area_code, hazard.area_code)
    by_department = user.department_id in hazard.party_departments
    return [
        ("reporter", is_reporter, _say(is_reporter, _("Reported by this person."), _("Reported by another."))),
        ("acted", acted, _say(acted, _("This person took a step of it."), _("This person took no step of it."))),
        (
            "area",
            by_area,
            _say(
                by_area,
                _("The area of duty covers its place."),
                _("Its place lies outside the area of duty, or a handler asks: handlers see cases by department."),
            ),
        ),
        (
            "department",
            by_department,
            _say(
                by_department, _("It was dispatched to the own department."), _("It never was with the own department.")
            ),
        ),
    ]


def _say(holds: bool, yes: Any, no: Any) -> str:
    return str(yes if holds else no)


def recount() -> Iterator[Recount]:
    """Count every hazard afresh from its row, its steps and its marks; never from what is kept.

    Queries: 1, and 2 for each thousand hazards.
    """
    beside = ("dedicated_cell__code", "matter__matter_class__code", "department__code")
    rows = Hazard.objects.order_by("pk").values_list("pk", "area_code", "state", "severity", "overdue", *beside)
    told = rows.iterator(chunk_size=A_CHUNK)
    while some := list(islice(told, A_CHUNK)):
        earned = _earned(some[0][0], some[-1][0])
        for pk, area, state, severity, overdue, dedicated, category, department in some:
            yield Recount(
                subject_id=str(pk),
                area=area,
                extra_area=dedicated or "",
                category=category,
                state=state,
                now=counts_now(state=state, severity=severity, overdue=overdue),
                today=earned.get(pk, {}),
                amounts={},
                unit=department or "",
            )


def _earned(first: UUID, last: UUID) -> dict[UUID, dict[date, set[str]]]:
    """Return, by hazard and day, the figures that changes earned, in the order they happened. Queries: 2."""
    changes: dict[UUID, list[tuple[datetime, str]]] = defaultdict(list)
    between = {"hazard_id__gte": first, "hazard_id__lte": last}
    steps = Step.objects.filter(action__in=("report", "dispatch", "refuse", "write_off"), **between)
    for hazard_id, action, at in steps.values_list("hazard_id", "action", "at").iterator():
        changes[hazard_id].append((at, action))
    for hazard_id, at in Mark.objects.filter(**between).values_list("hazard_id", "at").iterator():
        changes[hazard_id].append((at, "mark_overdue"))
    earned: dict[UUID, dict[date, set[str]]] = {}
    for hazard_id, rows in changes.items():
        late, days = False, defaultdict(set)
        for at, action in sorted(rows):
            late = late or action == "mark_overdue"
            days[at.astimezone(CITY_TIME).date()].update(counts_today(action=action, late=late))
        earned[hazard_id] = dict(days)
    return earned
