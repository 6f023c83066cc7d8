"""File a hazard."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.gis.geos import Point
from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from citysafety.outbox.services import announce
from grid.locate import Place, in_frame, locate
from grid.models import Cell, Matter

from ..facts import HazardStepped
from ..models import Hazard, Severity, Step
from ..standing import CITY_TIME, record_standing
from .clocks import run_clock

NEAR_DEGREES = 0.02  # about two kilometres: what a poor position or a place across the road may be off
CLOCKS_DIFFER = timedelta(minutes=10)  # a phone's clock may run ahead by this much
OLDEST = timedelta(days=366)  # a report that waited longer on a phone is a wrong clock


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
    claimed_on_spot: bool = False
    party: tuple[int, ...] = field(default=())


def next_number(at: datetime) -> str:
    """Return a number that no other hazard has: day of receipt and a running number."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('hazard_number')")
        return f"YH-{at.astimezone(CITY_TIME):%Y%m%d}-{cursor.fetchone()[0]:05d}"


def _check_time(occurred_at: datetime, at: datetime) -> None:
    """Refuse a time that cannot be: a phone with a wrong clock files again by the server's."""
    seen = {"seen": f"{occurred_at.astimezone(CITY_TIME):%F %T}", "now": f"{at.astimezone(CITY_TIME):%F %T}"}
    if occurred_at > at + CLOCKS_DIFFER:
        raise FilingRefused("occurred_at", _("%(seen)s has not come yet; the server's clock says %(now)s.") % seen)
    if occurred_at < at - OLDEST:
        raise FilingRefused("occurred_at", _("%(seen)s is more than a year ago; it is %(now)s now.") % seen)


def _matter(filing: Filing) -> Matter:
    matter = Matter.objects.select_related("matter_class").filter(code=filing.matter, active=True).first()
    if matter is None:
        raise FilingRefused("matter", _("There is no matter %(code)s in the catalogue.") % {"code": filing.matter})
    return matter


def _place(filing: Filing) -> Place:
    if not in_frame(filing.lon, filing.lat):
        raise FilingRefused(
            "location",
            _("%(lon).5f, %(lat).5f lies outside the city.") % {"lon": filing.lon, "lat": filing.lat},
        )
    return locate(filing.lon, filing.lat, filing.accuracy_m)


def _chosen_cell(filing: Filing, place: Place) -> Cell | None:
    """Return the cell that the reporter names; nobody is sent across the city by a slip of the finger."""
    if not filing.cell or filing.cell == place.cell_code:
        return None
    cell = Cell.objects.filter(code=filing.cell, active=True).first()
    if cell is None:
        raise FilingRefused("cell", _("There is no cell %(code)s.") % {"code": filing.cell})
    if cell.geometry.distance(Point(filing.lon, filing.lat, srid=4326)) > NEAR_DEGREES:
        raise FilingRefused("cell", _("Cell %(code)s does not lie near the place.") % {"code": filing.cell})
    return cell


@transaction.atomic(savepoint=False)  # a refusal ends the request's transaction too; nothing of it is to stand
def report_hazard(*, filing: Filing, reporter: Any, at: datetime) -> tuple[Hazard, list[Any]]:
    """File a hazard, start its first clock and announce it; return it and the cells its place may lie in.

    Queries: 9: matter, number, cells, clock, fact and its bell, period, hazard, step; a transaction's own where the
    caller has none. The calendar and the grid are looked at every two seconds besides.

    :raises FilingRefused: unknown matter, outside the city's frame, a time to come, major without a criterion.
    """
    _check_time(filing.occurred_at, at)
    matter = _matter(filing)
    severity = filing.severity or matter.severity
    if severity == Severity.MAJOR and not filing.criterion:
        raise FilingRefused("criterion", _("A major hazard names the criterion that makes it one."))
    place = _place(filing)
    other = _chosen_cell(filing, place)
    dedicated = other if other and other.kind != "base" else None
    base = other if other and other.kind == "base" else None
    hazard = Hazard(
        id=filing.id,
        number=next_number(at),
        matter=matter,
        severity=severity,
        criterion=filing.criterion,
        description=filing.description,
        location=Point(filing.lon, filing.lat, srid=4326),
        accuracy_m=filing.accuracy_m,
        cell_id=base.pk if base else place.cell_id,
        dedicated_cell_id=dedicated.pk if dedicated else place.dedicated_id,
        area_code=base.code if base else place.area_code,
        reporter=reporter,
        occurred_at=filing.occurred_at,
        received_at=at,
        changed_at=at,
        claimed_on_spot=filing.claimed_on_spot,
        party_users=[reporter.pk],
    )
    _bring_cells(hazard)
    file_away(hazard, at=at)
    return hazard, list(place.candidates) if base is None else []


def _bring_cells(hazard: Hazard) -> None:
    """Read both cells of a hazard, without their outlines. Queries: 1."""
    cells = Cell.objects.shapeless().in_bulk([pk for pk in (hazard.cell_id, hazard.dedicated_cell_id) if pk])
    hazard.cell, hazard.dedicated_cell = cells.get(hazard.cell_id), cells.get(hazard.dedicated_cell_id)


def file_away(hazard: Hazard, *, at: datetime) -> None:
    """Write a new hazard with its clock, its first history row, its news and its place in the figures.

    The hazard's row comes last but one, whole: foreign keys are checked at commit.
    """
    run_clock(hazard, at=at)
    entry = announce(stepped(hazard, action="report", actor_id=hazard.reporter_id), at=at)
    hazard.period = record_standing(hazard, entry, action="report")
    hazard.save(force_insert=True)
    Step.objects.create(
        id=hazard.pk,
        hazard=hazard,
        action="report",
        target=hazard.state,
        version=1,
        actor=hazard.reporter,
        at=at,
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
