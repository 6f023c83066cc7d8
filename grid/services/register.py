"""Change single cells and premises from the office, with their news and figures."""

from datetime import datetime

from django.db import transaction
from django.db.models import Max

from citysafety.outbox.models import OutboxEntry
from citysafety.outbox.services import announce

from .. import locate
from ..facts import GridVersionActivated, PremisesChanged
from ..models import Cell, GridVersion, Premises
from .counting import count_changed


def new_version(*, at: datetime, note: str) -> GridVersion:
    """Number a new drawing of the cells and make it the active one; the caller announces it."""
    number = (GridVersion.objects.aggregate(last=Max("number"))["last"] or 0) + 1
    return GridVersion.objects.create(number=number, activated_at=at, note=note)


def activate_version(
    *, at: datetime, city_code: str, note: str, added: int = 0, changed: int = 0, withdrawn: int = 0
) -> tuple[GridVersion, OutboxEntry]:
    """Number a new drawing of the cells, make it the active one and announce it. Call it in the change's transaction."""
    version = new_version(at=at, note=note)
    entry = announce(
        GridVersionActivated(
            area_code=city_code, subject_id=str(version.number), added=added, changed=changed, withdrawn=withdrawn
        ),
        at=at,
    )
    return version, entry


@transaction.atomic
def save_cell(cell: Cell, *, at: datetime) -> Cell:
    """Write one cell that an administrator changed, as a grid version of its own."""
    is_new = cell.pk is None
    version, entry = activate_version(
        at=at, city_code=cell.code[:4], note=cell.code, added=int(is_new), changed=int(not is_new)
    )
    cell.version = version
    cell.save()
    count_changed(entry, kind="cell", at=at, ids=[cell.pk])
    return cell


@transaction.atomic
def save_premises(premises: Premises, *, at: datetime) -> Premises:
    """Write one entry of the register, resolved to the cells that hold it, and announce it."""
    place = locate.locate(premises.location.x, premises.location.y)
    premises.cell_id = place.cell_id
    premises.dedicated_cell_id = place.dedicated_id
    premises.area_code = place.area_code
    premises.save()
    entry = announce(
        PremisesChanged(
            area_code=premises.area_code, subject_id=str(premises.pk), state="active" if premises.active else "closed"
        ),
        at=at,
    )
    count_changed(entry, kind="premises", at=at, ids=[premises.pk])
    return premises
