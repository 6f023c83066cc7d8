"""What speaks against a re-zoning: outlines, codes, people and time. The rules of division of GB/T 30428.2."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy
import shapely
from django.utils.translation import gettext as _

from ..models import Cell, City, Division, DraftCell, Rezoning, Worker
from .change import Change, Drawn, drafted
from .shapes import TOLERANCE_M2, geos_of, m2, shapely_of


def problems(rezoning: Rezoning, at: datetime, *, on_time: bool = True) -> list[str]:
    """Return every reason why a re-zoning may not come into force, in words for people. Queries: 9.

    ``on_time``: its date lies ahead, too, which is asked of a draft and not when the date has come.
    """
    change = drafted(rezoning)
    drafts = list(DraftCell.objects.filter(rezoning=rezoning).select_related("worker", "division"))
    if not drafts:
        return [_("There are no new outlines.")]
    found = [*_of_outlines(change), *_of_codes(drafts), *_of_divisions(change, drafts), *_of_ground(change)]
    found += [*_of_ended(rezoning), *_of_people(drafts)]
    if on_time and rezoning.effective_at is not None and rezoning.effective_at < at:
        found.append(_("The time it is effective from has passed."))
    return found


def _of_outlines(change: Change) -> Iterator[str]:
    for cell in change.begun:
        if not cell.shape.is_valid:
            why = shapely.is_valid_reason(cell.shape)
            yield _("Cell %(code)s: bad geometry: %(why)s") % {"code": cell.code, "why": why}
        elif m2(cell.shape) <= TOLERANCE_M2:
            yield _("Cell %(code)s is smaller than %(m2)s m².") % {"code": cell.code, "m2": TOLERANCE_M2}


def _of_codes(drafts: list[DraftCell]) -> Iterator[str]:
    """15 digits that begin with the village's, and were never those of another cell. Queries: 2."""
    codes = [draft.code for draft in drafts]
    used = set(Cell.objects.filter(code__in=codes).values_list("code", flat=True))
    others = DraftCell.objects.filter(code__in=codes, rezoning__state__in=("checked", "approved"))
    reserved = set(others.exclude(rezoning=drafts[0].rezoning_id).values_list("code", flat=True))
    for draft in drafts:
        if not draft.code.startswith(draft.division_id):
            yield _("Code %(code)s does not begin with that of its village, %(village)s.") % {
                "code": draft.code, "village": draft.division_id
            }  # fmt: skip
        if draft.code in used:
            yield _("Code %(code)s was used for another outline; a code stands for one outline for ever.") % {
                "code": draft.code
            }
        if draft.code in reserved:
            yield _("Code %(code)s is taken by another re-zoning.") % {"code": draft.code}


def _of_divisions(change: Change, drafts: list[DraftCell]) -> Iterator[str]:
    """Inside the city's frame, and inside the nearest division around it that has an outline. Queries: 2."""
    city = City.objects.order_by("code").first()
    frame = shapely_of(city.frame) if city else None
    around = {draft.division_id[:n] for draft in drafts for n in (6, 9, 12)}
    outlines = {
        code: shapely_of(outline)
        for code, outline in Division.objects.filter(code__in=around, outline__isnull=False).values_list(
            "code", "outline"
        )
    }
    for cell in change.begun:
        if frame is not None and (out := m2(shapely.difference(cell.shape, frame))) > TOLERANCE_M2:
            yield _("Cell %(code)s lies outside the city's frame with %(m2)s m².") % {
                "code": cell.code,
                "m2": round(out),
            }
        parent = next((cell.code[:n] for n in (12, 9, 6) if cell.code[:n] in outlines), "")
        if not cell.is_ground or cell.kind == Cell.Kind.SEA or not parent:
            continue
        # What the old cells held already is no news: outlines of the demo's townships are coarser than their cells.
        held = shapely.union_all([old.shape for old in change.ended.values() if old.is_ground] or [shapely.Polygon()])
        out = m2(shapely.difference(shapely.difference(cell.shape, outlines[parent]), held))
        if out > TOLERANCE_M2:
            words = _("Cell %(code)s lies outside its division %(division)s with %(m2)s m².")
            yield words % {"code": cell.code, "division": parent, "m2": round(out)}


def _of_ground(change: Change) -> Iterator[str]:
    """Base cells are seamless and do not overlap (GB/T 30428.2). Queries: 1."""
    begun = [cell for cell in change.begun if cell.kind == Cell.Kind.BASE]
    for one, other, shared in _overlaps(begun, begun):
        if one.code < other.code:
            yield _overlap(one.code, other.code, shared)
    if begun:
        window = shapely.union_all([cell.shape for cell in begun])
        beside = _standing(window, change)
        for one, other, shared in _overlaps(begun, beside):
            yield _overlap(one.code, other.code, shared)
    taken = shapely.union_all([cell.shape for cell in begun]) if begun else shapely.Polygon()
    for old in change.ended.values():
        if old.kind == Cell.Kind.BASE and (gap := m2(shapely.difference(old.shape, taken))) > TOLERANCE_M2:
            words = _("%(m2)s m² of cell %(code)s would belong to no cell.")
            yield words % {"m2": round(gap), "code": old.code}


def _overlap(code: str, other: str, shared: float) -> str:
    words = _("Cells %(code)s and %(other)s overlap by %(m2)s m².")
    return words % {"code": code, "other": other, "m2": round(shared)}


def _standing(window: Any, change: Change) -> list[Any]:
    rows = Cell.objects.filter(active=True, kind=Cell.Kind.BASE, geometry__intersects=geos_of(window))
    rows = rows.exclude(pk__in=change.ended)
    return [Drawn(cell.code, cell.kind, shapely_of(cell.geometry), id=cell.pk) for cell in rows]


def _overlaps(cells: list[Any], others: list[Any]) -> Iterator[tuple[Any, Any, float]]:
    if not cells or not others:
        return
    mine = numpy.array([cell.shape for cell in cells], dtype=object)
    theirs = numpy.array([cell.shape for cell in others], dtype=object)
    left, right = shapely.STRtree(theirs).query(mine, predicate="intersects")
    shared = m2(shapely.intersection(mine[left], theirs[right])) if len(left) else []
    for i, j, ground in zip(left, right, shared, strict=True):
        if cells[i] is not others[j] and ground > TOLERANCE_M2:
            yield cells[i], others[j], float(ground)


def _of_ended(rezoning: Rezoning) -> Iterator[str]:
    """The cells that end stand as they were drawn over, and no other re-zoning under way ends them. Queries: 2."""
    for code in Cell.objects.filter(ended_by=rezoning, active=False).values_list("code", flat=True):
        yield _("Cell %(code)s has ended meanwhile.") % {"code": code}
    others = Rezoning.objects.filter(state__in=("checked", "approved"), ends__in=Cell.objects.filter(ended_by=rezoning))
    for number in others.exclude(pk=rezoning.pk).values_list("number", flat=True).distinct():
        yield _("Re-zoning %(number)s changes the same cells; finish or discard one of the two.") % {"number": number}


def _of_people(drafts: list[DraftCell]) -> Iterator[str]:
    for draft in drafts:
        if draft.worker is None and not draft.nobody_yet:
            yield _("Nobody is named for cell %(code)s; name a worker, or say that there is nobody yet.") % {
                "code": draft.code
            }
        if draft.worker is not None and draft.worker.state == Worker.State.LEFT:
            yield _("Worker %(number)s left the service.") % {"number": draft.worker.number}
