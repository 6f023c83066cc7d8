"""What a re-zoning would move, found out without changing anything: a few queries, then arithmetic over all points at once."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from citysafety.accounts.models import User

from ..models import Cell, Posting, Premises, Rezoning
from .change import Change, Drawn, Lying, by_pair, drafted
from .shapes import m2
from .slots import LOADS, PREVIEWS, Slot, Thing

MOST_ROWS = 200  # of one kind; the counts are of all
LOAD_DAYS = timedelta(days=90)
OUTSIDE = "–"
PREMISES = "premises"


@dataclass(frozen=True, slots=True)
class Row:
    """A thing that moves."""

    label: str
    href: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of things: how many were looked at, which move from where to where."""

    kind: str
    label: Any
    rows: list[Row]
    pairs: list[tuple[str, str, int]]
    moved: int
    stays: int

    @property
    def more(self) -> int:
        return self.moved - len(self.rows)


@dataclass(frozen=True, slots=True)
class Burden:
    """How much a cell has to bear, before or after: ground and the counts of each measure."""

    code: str
    name_zh: str
    name_en: str
    km2: float
    counts: list[int]


@dataclass(frozen=True, slots=True)
class Preview:
    """All of it, at a moment."""

    kinds: list[Kind]
    ending: list[Posting]
    accounts: list[tuple[User, str]]  # people whose area of duty is a cell that ends, and the code it becomes
    measures: list[Any]
    before: list[Burden]
    after: list[Burden]


def preview(rezoning: Rezoning, at: datetime) -> Preview:
    """Return what a re-zoning would move. Queries: 7, 8 with a new dedicated cell, and those of the slots."""
    change = drafted(rezoning)
    kinds = kinds_of(change)
    day = max(timezone.localdate(rezoning.effective_at or at), timezone.localdate(at))
    postings = Posting.objects.filter(Q(until=None) | Q(until__gt=day), cell__in=change.ended)
    postings = postings.select_related("worker__user", "cell").defer("cell__geometry", "cell__mercator")
    people = [(user, heir_code(change, user.area_code)) for user in accounts_of(change)]
    measures = [(_("Premises"), _premises_lying)] + [(load.label, load.lying) for load in LOADS.values()]
    counted = [_counted(change, lying, at) for _label, lying in measures]
    return Preview(
        kinds, list(postings.order_by("cell__code", "-role", "since")), people, [label for label, _lying in measures],
        *(_burdens(change, counted, after) for after in (False, True)),
    )  # fmt: skip


def kinds_of(change: Change, *, most: int = MOST_ROWS) -> list[Kind]:
    """Return, by kind, what a change moves, with so many rows at most. Queries: those of the slots, and 1 a kind."""
    slots = [Slot(PREMISES, _("Premises"), premises_in), *PREVIEWS.values()]
    return [_kind(slot, change, most) for slot in slots] if change.begun else []


def _kind(slot: Slot, change: Change, most: int) -> Kind:
    things = list(slot.things(change.looked_in))
    moves = change.moves([thing.lying for thing in things])
    codes = _codes(things)
    rows = [
        Row(thing.label, thing.href, *_from_to(thing, move, change, codes))
        for thing, move in zip(things, moves, strict=True)
        if move.is_moved
    ]
    pairs = by_pair((row.old, row.new) for row in rows)
    return Kind(slot.kind, slot.label, rows[:most], pairs, len(rows), len(things) - len(rows))


def _codes(things: Iterable[Thing]) -> dict[int, str]:
    ids = {pk for thing in things for pk in thing.lying[2:] if pk}
    return dict(Cell.objects.filter(pk__in=ids).values_list("pk", "code"))


def _from_to(thing: Thing, move: Any, change: Change, codes: dict[int, str]) -> tuple[str, str]:
    """Return the codes a thing moves between: of the ground, or of dedicated cells where only these change."""
    if thing.lying.cell_id in change.ended and move.cell is not None:
        return codes[thing.lying.cell_id], move.cell.code
    old = codes.get(thing.lying.dedicated_id, OUTSIDE) if thing.lying.dedicated_id else OUTSIDE
    return old, move.dedicated.code if move.dedicated else OUTSIDE


def codes_of(lying: Lying, move: Any, change: Change) -> tuple[str, str]:
    """Return the codes that a thing has moved between, as the preview tells them."""
    if lying.cell_id in change.ended and move.cell is not None:
        return change.ended[lying.cell_id].code, move.cell.code
    old = change.ended.get(lying.dedicated_id)
    return old.code if old else OUTSIDE, move.dedicated.code if move.dedicated else OUTSIDE


def premises_in(cells: Collection[int]) -> Iterable[Thing]:
    """Yield the active premises of some cells. Queries: 1."""
    here = Premises.objects.active().filter(Q(cell__in=cells) | Q(dedicated_cell__in=cells)).order_by("code")
    fields = ("code", "name_zh", "name_en", "location", "cell_id", "dedicated_cell_id")
    for place in here.only(*fields):
        lying = Lying(place.location.x, place.location.y, place.cell_id, place.dedicated_cell_id)
        yield Thing(f"{place.code} {place.name}", f"/grid/premises/{place.code}/", lying)


def _premises_lying(cells: Collection[int], at: datetime) -> Iterable[Lying]:
    return (thing.lying for thing in premises_in(cells))


def _counted(change: Change, lying: Any, at: datetime) -> tuple[dict[int, int], dict[str, int]]:
    """Return how much of a measure each ending cell has, by id, and each beginning one would have, by code."""
    things = list(lying(change.looked_in, at)) if change.begun else []
    before: dict[int, int] = dict.fromkeys(change.ended, 0)
    after: dict[str, int] = {cell.code: 0 for cell in change.begun}
    for thing, move in zip(things, change.moves(things), strict=True):
        for pk in {thing.cell_id, thing.dedicated_id} & before.keys():
            before[pk] += 1
        for cell in (move.cell, move.dedicated):
            if cell is not None and cell.code in after:
                after[cell.code] += 1
    return before, after


def _burdens(change: Change, counted: list[tuple[dict, dict]], after: bool) -> list[Burden]:
    cells: list[Drawn] = change.begun if after else list(change.ended.values())
    return [
        Burden(
            cell.code, cell.name_zh, cell.name_en, float(m2(cell.shape)) / 1e6,
            [pair[after][cell.code if after else cell.id] for pair in counted],
        )
        for cell in sorted(cells, key=lambda cell: cell.code)
    ]  # fmt: skip


def accounts_of(change: Change) -> list[User]:
    """Return the people whose area of duty is a cell that ends. Queries: 1."""
    codes = [cell.code for cell in change.ended.values()]
    return list(User.objects.filter(area_code__in=codes, is_active=True).order_by("username"))


def heir_code(change: Change, code: str) -> str:
    """Return the code of the cell that takes most of a cell that ends."""
    rows = [(share, new.code) for old, new, share in change.shares() if old.code == code]
    return max(rows, default=(0.0, code))[1]
