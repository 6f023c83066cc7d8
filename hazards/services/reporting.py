"""File a hazard."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.gis.geos import Point
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from citysafety import changelog
from citysafety.accounts.rights import area_q
from citysafety.coordinates import metres_between
from citysafety.outbox.models import OutboxEntry
from citysafety.outbox.services import RING, entry_of
from citysafety.tallies.models import Period
from citysafety.tallies.services import period_of
from citysafety.together import Statement, in_one, run
from grid.locate import Place, in_frame, locate
from grid.models import Cell, Component
from grid.selectors import matter_with_cells

from ..facts import HazardStepped
from ..models import Clock, Hazard, Severity, Step
from ..standing import CITY_TIME, standing_of
from .clocks import first_clocks
from .criteria import NoCriterion, worded
from .places import NoSuchCell, cell_near

CLOCKS_DIFFER = timedelta(minutes=10)  # a phone's clock may run ahead by this much
OLDEST = timedelta(days=366)  # a report that waited longer on a phone is a wrong clock
# Numbers for rows that name each other, so that all of them are written at once: of the fact, of the period, of the
# hazard. Drawn with the first look at a filing; those of one that is refused or repeated are skipped.
NUMBERS = """ARRAY[nextval(pg_get_serial_sequence('outbox_outboxentry', 'id')),
  nextval(pg_get_serial_sequence('tallies_period', 'id')), nextval('hazard_number')]"""


class FilingRefused(ValueError):
    """The filing cannot be taken; ``field`` names what is wrong with it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """What a reporter says: place in WGS 84, times aware."""

    id: UUID
    matter: str
    description: str
    lon: float
    lat: float
    accuracy_m: float | None
    occurred_at: datetime
    severity: str = ""
    criterion: str = ""
    cell: str | None = None
    component: str | None = None
    claimed_on_spot: bool = False
    party: tuple[int, ...] = field(default=())


def number_of(at: datetime, running: int) -> str:
    """Return the number of a hazard: day of receipt and the running number that the database dealt."""
    return f"YH-{at.astimezone(CITY_TIME):%Y%m%d}-{running:05d}"


def _check_time(occurred_at: datetime, at: datetime) -> None:
    """Refuse a time that cannot be: a phone with a wrong clock files again by the server's."""
    seen = {"seen": f"{occurred_at.astimezone(CITY_TIME):%F %T}", "now": f"{at.astimezone(CITY_TIME):%F %T}"}
    if occurred_at > at + CLOCKS_DIFFER:
        raise FilingRefused("occurred_at", _("%(seen)s has not come yet; the server's clock says %(now)s.") % seen)
    if occurred_at < at - OLDEST:
        raise FilingRefused("occurred_at", _("%(seen)s is more than a year ago; it is %(now)s now.") % seen)


def _place(filing: Filing) -> Place:
    if not in_frame(filing.lon, filing.lat):
        raise FilingRefused(
            "location",
            _("%(lon).5f, %(lat).5f lies outside the city.") % {"lon": filing.lon, "lat": filing.lat},
        )
    return locate(filing.lon, filing.lat, filing.accuracy_m)


def _criterion(filing: Filing) -> str:
    """Return the criterion of a major hazard as it is kept: who files may not have the catalogue at hand. Queries: 1."""
    if not filing.criterion.strip():
        raise FilingRefused("criterion", _("A major hazard names the criterion that makes it one."))
    try:
        return worded(filing.criterion, is_free=True)
    except NoCriterion as refusal:
        raise FilingRefused("criterion", str(refusal)) from refusal


def _chosen_cell(filing: Filing, place: Place) -> Cell | None:
    """Return the cell that the reporter names, None where it is the one of the place."""
    if not filing.cell or filing.cell == place.cell_code:
        return None
    try:
        return cell_near(filing.cell, filing.lon, filing.lat)
    except NoSuchCell as refusal:
        raise FilingRefused("cell", str(refusal)) from refusal


def _component(filing: Filing, reporter: Any) -> Component | None:
    """Return the component that a filing names: one that the reporter may see, within reach of the place. Queries: 0, 1 with one."""
    if not filing.component:
        return None
    found = Component.objects.filter(area_q(reporter), code=filing.component).first()
    if found is None:
        words = _("There is no component %(code)s in your area.")
        raise FilingRefused("component", words % {"code": filing.component[:16]})
    metres = round(metres_between((filing.lon, filing.lat), (found.location.x, found.location.y)))
    if metres > settings.COMPONENT_REACH_M:
        words = _("Component %(code)s lies %(metres)s m from the place of the case; at most %(most)s m are expected.")
        seen = {"code": found.code, "metres": metres, "most": settings.COMPONENT_REACH_M}
        raise FilingRefused("component", words % seen)
    return found


@dataclass(slots=True)
class Draft:
    """A filing that may be taken, as it will be written: the hazard, its first clock, its news, its place in the figures."""

    hazard: Hazard
    clocks: list[Clock]
    entry: OutboxEntry
    period: Period
    candidates: list[Any]  # the cells its place may lie in
    noted: tuple[str, str]  # whose request it is


def draft_hazard(*, filing: Filing, reporter: Any, at: datetime) -> Draft:
    """Look at a filing and lay out what filing it will write; writes nothing, but draws the numbers of what will be.

    Queries: 1, 2 when the reporter names a cell, 1 more with a component, 1 more for a major one. The calendar and the grid are looked at every two seconds besides.

    :raises FilingRefused: unknown matter or component, outside the city's frame, too far from the component, a time to come, major without a criterion.
    """
    _check_time(filing.occurred_at, at)
    place = _place(filing)
    other = _chosen_cell(filing, place)
    component = _component(filing, reporter)
    dedicated = other if other and other.kind != "base" else None
    base = other if other and other.kind == "base" else None
    cell_id, dedicated_id = base.pk if base else place.cell_id, dedicated.pk if dedicated else place.dedicated_id
    matter, cells, numbers = matter_with_cells(filing.matter, cell_id, dedicated_id, besides=NUMBERS)
    if matter is None:
        raise FilingRefused("matter", _("There is no matter %(code)s in the catalogue.") % {"code": filing.matter})
    severity = filing.severity or matter.severity
    hazard = Hazard(
        id=filing.id,
        number=number_of(at, numbers[2]),
        matter=matter,
        severity=severity,
        criterion=_criterion(filing) if severity == Severity.MAJOR else filing.criterion,
        description=filing.description,
        location=Point(filing.lon, filing.lat, srid=4326),
        accuracy_m=filing.accuracy_m,
        cell=cells.get(cell_id),
        dedicated_cell=cells.get(dedicated_id),
        component=component,
        area_code=base.code if base else place.area_code,
        reporter=reporter,
        occurred_at=filing.occurred_at,
        received_at=at,
        changed_at=at,
        claimed_on_spot=filing.claimed_on_spot,
        party_users=[reporter.pk],
    )
    clocks = first_clocks(hazard, at=at)
    entry = entry_of(stepped(hazard, action="report", actor_id=reporter.pk), at=at)
    entry.pk = numbers[0]
    period = period_of(entry, **standing_of(hazard, entry, action="report"))
    period.pk = numbers[1]
    hazard.period = period
    candidates = list(place.candidates) if base is None else []
    return Draft(hazard, clocks, entry, period, candidates, changelog.present())


@transaction.atomic(savepoint=False)  # what fails ends the caller's transaction too; nothing of it is to stand
def file_drafts(drafts: Sequence[Draft]) -> None:
    """File hazards. Queries: 1 however many, a transaction's own where the caller has none."""
    run(filing_of(drafts))


def filing_of(drafts: Sequence[Draft]) -> Statement:
    """Return the statement that files hazards: each with its clock, first history row, news and place in the figures."""
    return in_one(
        *(part for draft in drafts for part in (changelog.said(draft.noted), [draft.hazard])),
        [draft.entry for draft in drafts],
        [draft.period for draft in drafts],
        [clock for draft in drafts for clock in draft.clocks],
        [_first_step(draft.hazard) for draft in drafts],
        RING,
    )


def report_hazard(*, filing: Filing, reporter: Any, at: datetime) -> tuple[Hazard, list[Any]]:
    """File one hazard, start its first clock and announce it; return it and the cells its place may lie in.

    Queries: 2 as :func:`draft_hazard` and :func:`file_drafts`, which raise what this raises.
    """
    draft = draft_hazard(filing=filing, reporter=reporter, at=at)
    file_drafts([draft])
    return draft.hazard, draft.candidates


def _first_step(hazard: Hazard) -> Step:
    return Step(
        id=hazard.pk,
        hazard=hazard,
        action="report",
        target=hazard.state,
        version=1,
        actor=hazard.reporter,
        at=hazard.received_at,
        words=hazard.description,
        location=hazard.location,
        basis=gettext_noop("GB/T 30428.8: information collection"),
    )


def stepped(hazard: Hazard, *, action: str, actor_id: int | None, step: str = "") -> HazardStepped:
    """Return the fact that a hazard took a step. What it carries for screens holds no words and no persons."""
    return HazardStepped(
        area_code=hazard.area_code,
        extra_area=hazard.dedicated_cell.code if hazard.dedicated_cell else "",
        subject_id=str(hazard.pk),
        state=hazard.state,
        level=hazard.severity,
        lon=round(hazard.location.x, 6),
        lat=round(hazard.location.y, 6),
        action=action,
        number=hazard.number,
        step=step,
        actor_id=actor_id,
        department_id=hazard.department_id,
        reporter_id=hazard.reporter_id,
        stage=hazard.due_stage,
    )
