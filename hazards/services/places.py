"""The cell that a case lies in, where somebody knows better than its position."""

from datetime import datetime
from typing import Any

from django.contrib.gis.geos import Point
from django.utils.translation import gettext as _

from grid.models import Cell

from ..models import Hazard
from .given import FieldsMissing, StepInput

NEAR_DEGREES = 0.02  # about two kilometres: what a poor position or a place across the road may be off


class NoSuchCell(ValueError):
    """There is no such cell near the place; the message says so to people."""


def cell_near(code: str, lon: float, lat: float) -> Cell:
    """Return an active cell that somebody names; nobody is sent across the city by a slip of the finger. Queries: 1.

    :raises NoSuchCell: there is none of this code, or it lies elsewhere.
    """
    cell = Cell.objects.filter(code=code, active=True).first()
    if cell is None:
        raise NoSuchCell(_("There is no cell %(code)s.") % {"code": code})
    if cell.geometry.distance(Point(lon, lat, srid=4326)) > NEAR_DEGREES:
        raise NoSuchCell(_("Cell %(code)s does not lie near the place.") % {"code": code})
    return cell


def correct_cell(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Let a case lie in the cell that is named: a base cell in place of its base cell, a dedicated one in place of that.

    :raises FieldsMissing: no such cell near the place, or it lies there already.
    """
    try:
        cell = cell_near(given.cell.strip(), hazard.location.x, hazard.location.y)
    except NoSuchCell as refusal:
        raise FieldsMissing({"cell": str(refusal)}) from refusal
    if cell.pk in (hazard.cell_id, hazard.dedicated_cell_id):
        raise FieldsMissing({"cell": _("It lies in %(code)s already.") % {"code": cell.code}})
    if cell.kind == Cell.Kind.DEDICATED:
        hazard.dedicated_cell = cell
    else:
        hazard.cell, hazard.area_code = cell, cell.code
