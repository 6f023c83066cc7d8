"""Open cases follow their ground when cells are drawn anew; closed ones keep the cell they were closed in."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime
from uuid import uuid4

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_noop

from citysafety.outbox.services import announce_all
from citysafety.tallies.models import Period
from citysafety.tallies.services import period_of
from grid.models import Cell
from grid.rezoning.change import Change, Lying, between
from grid.selectors import heirs

from ..models import FormerPlace, Hazard, Step
from ..standing import standing_of
from .reporting import stepped

BASIS = gettext_noop("the grid was drawn anew: the cell that the place lies in")
BATCH = 500


def move_open_cases(*, ended: Collection[int], begun: Collection[int], at: datetime) -> Counter[int]:
    """Let open cases of cells that ended lie in those that took their place; return how many came into each, by cell id.

    Each gets a history row that names both cells, its news, and its place in the figures; the figures of past days stay
    where they were earned. Run again it finds nothing. Queries: 1 or 2, and 9 for each 500 cases.
    """
    change = between(ended, begun)
    came: Counter[int] = Counter()
    last = None
    while batch := _moved_batch(change, last, at, came):
        last = batch
    return came


def leave_ended_cells(*, at: datetime) -> int:
    """Move what lies open in a cell that ended: filed by a process that had not heard of it yet, or reopened since.

    Run by beat each minute. Queries: 1, and where it finds any those of ``grid.selectors.heirs`` and of the moving.
    """
    pairs = Hazard.objects.open().filter(Q(cell__ended_at__isnull=False) | Q(dedicated_cell__ended_at__isnull=False))
    lying = {pk for pair in pairs.values_list("cell_id", "dedicated_cell_id").distinct() for pk in pair if pk}
    if not lying:
        return 0
    ended = set(Cell.objects.filter(pk__in=lying, ended_at__isnull=False).values_list("pk", flat=True))
    return move_open_cases(ended=ended, begun=heirs(ended), at=at).total()


@transaction.atomic
def _moved_batch(change: Change, after: object, at: datetime, came: Counter[int]) -> object:
    """Move the cases of one batch; return the id of the last one looked at, None at the end."""
    rows = Hazard.objects.open().filter(Q(cell__in=change.looked_in) | Q(dedicated_cell__in=list(change.ended)))
    rows = rows.filter(pk__gt=after) if after else rows
    related = ("matter__matter_class", "cell", "dedicated_cell", "department")
    held = rows.order_by("pk").select_related(*related).shapeless().select_for_update(of=("self",))[:BATCH]
    hazards = list(held)
    lying = [Lying(one.location.x, one.location.y, one.cell_id, one.dedicated_cell_id) for one in hazards]
    moves = zip(hazards, change.moves(lying), strict=True)
    moved = [(hazard, move, _names(hazard)) for hazard, move in moves if move.is_moved]
    FormerPlace.objects.bulk_create(
        FormerPlace(hazard=hazard, area_code=hazard.area_code, dedicated_cell=hazard.dedicated_cell, until=at)
        for hazard, _move, _before in moved
    )
    cells = Cell.objects.shapeless().in_bulk([cell.id for cell in change.begun]) if moved else {}
    for hazard, move, _before in moved:
        if hazard.cell_id in change.ended and move.cell:
            hazard.cell, hazard.area_code = cells[move.cell.id], move.cell.code
        if hazard.dedicated_cell_id in change.ended or move.dedicated:
            hazard.dedicated_cell = cells[move.dedicated.id] if move.dedicated else None
        hazard.version += 1
        hazard.changed_at = at
        came.update({pk for pk in (hazard.cell_id, hazard.dedicated_cell_id) if pk in cells})
    _write([(hazard, f"{before} → {_names(hazard)}") for hazard, _move, before in moved], at)
    return hazards[-1].pk if hazards else None


def _names(hazard: Hazard) -> str:
    """Name the cells of a case as its history keeps them: codes and names, in no language but the city's."""
    cells = [cell for cell in (hazard.cell, hazard.dedicated_cell) if cell]
    return " + ".join(f"{cell.code} {cell.name_zh}" for cell in cells) or hazard.area_code


def _write(moved: list[tuple[Hazard, str]], at: datetime) -> None:
    if not moved:
        return
    steps = [
        Step(
            id=uuid4(), hazard=hazard, action="rezone", source=hazard.state, target=hazard.state, version=hazard.version,
            department=hazard.department, at=at, words=words, basis=BASIS,
        )
        for hazard, words in moved
    ]  # fmt: skip
    facts = [stepped(step.hazard, action="rezone", actor_id=None, step=str(step.pk)) for step in steps]
    entries = announce_all(facts, at=at)
    periods = [
        period_of(entry, **standing_of(step.hazard, entry, action="rezone"))
        for step, entry in zip(steps, entries, strict=True)
    ]
    Period.objects.bulk_create(periods)
    Step.objects.bulk_create(steps)
    for (hazard, _words), period in zip(moved, periods, strict=True):
        hazard.period = period
    fields = ["cell", "dedicated_cell", "area_code", "version", "changed_at", "period"]
    Hazard.objects.bulk_update([hazard for hazard, _words in moved], fields, batch_size=BATCH)
