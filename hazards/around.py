"""Other cases that have to do with one: made one with it, found at the same premises or component, near by, the same again."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from citysafety.coordinates import metres_between

from .inspections.models import Inspection, Result
from .models import Hazard, HazardQuerySet
from .selectors import hazards_seen_by

NEAR_M = 150
MOST_COMPARED, MOST_SHOWN = 200, 12  # of the newest of a cell; on the page


@dataclass(frozen=True, slots=True)
class Around:
    """A case with what it has to do with another: the first reason is the strongest."""

    hazard: Hazard
    metres: int
    reasons: tuple[str, ...]
    rank: int

    @property
    def words(self) -> str:
        return " · ".join(self.reasons)


def cases_around(hazard: Hazard, user: Any, found_by: Iterable[Inspection] = ()) -> list[Around]:
    """Return the cases a reader may see that have to do with one, the strongest first, then the nearest.

    ``found_by``: the inspections that found it. Queries: 1; one more where it is merged, has duplicates, was inspected or names a component.
    """
    seen = hazards_seen_by(user).shapeless().exclude(pk=hazard.pk)
    premises = {inspection.premises_id for inspection in found_by}
    bound = _bound(hazard, seen, premises)
    here = {} if hazard.cell_id is None else {one.pk: one for one in _in_cell(hazard, seen)}
    found = [_around(hazard, one, is_bound=one.pk in bound) for one in {**here, **bound}.values()]
    kept = sorted((one for one in found if one.reasons), key=lambda one: (one.rank, one.metres, -_age(one)))
    return kept[:MOST_SHOWN]


def _age(one: Around) -> float:
    return one.hazard.received_at.timestamp()


def _in_cell(hazard: Hazard, seen: HazardQuerySet) -> HazardQuerySet:
    own = {"dedicated_cell": hazard.dedicated_cell_id} if hazard.dedicated_cell_id else {"cell": hazard.cell_id}
    return seen.filter(**own).order_by("-received_at")[:MOST_COMPARED]


def _bound(hazard: Hazard, seen: HazardQuerySet, premises: set[int]) -> dict[Any, Hazard]:
    """Return the cases that are bound to one by more than their place."""
    which = Q(pk=hazard.merged_into_id) if hazard.merged_into_id else Q()
    if hazard.component_id:
        which |= Q(component=hazard.component_id)
    if hazard.absorbs:
        which |= Q(merged_into=hazard.pk)
    if premises:
        which |= Q(
            pk__in=Result.objects.filter(inspection__premises__in=premises, hazard__isnull=False).values("hazard")
        )
    return {one.pk: one for one in seen.filter(which).order_by("-received_at")[:MOST_COMPARED]} if which else {}


def _around(hazard: Hazard, other: Hazard, *, is_bound: bool) -> Around:
    metres = round(metres_between((hazard.location.x, hazard.location.y), (other.location.x, other.location.y)))
    is_same_matter, is_near = other.matter_id == hazard.matter_id, metres <= NEAR_M
    is_one = hazard.pk == other.merged_into_id or other.pk == hazard.merged_into_id
    is_same_thing = hazard.component_id is not None and other.component_id == hazard.component_id
    reasons = [
        (0, is_one, _("the same hazard: merged")),
        (1, is_same_thing, _("the same component")),
        (1, is_bound and not (is_one or is_same_thing), _("found at the same premises")),
        (2, is_same_matter and is_near, _("the same matter, here")),
        (3, is_near and not is_same_matter and other.is_open, _("near by")),
        (4, is_same_matter and not is_near, _("the same matter, in this cell")),
        (5, is_near and not is_same_matter and not other.is_open, _("earlier here")),
    ]
    holding = [(rank, words) for rank, holds, words in reasons if holds]
    return Around(other, metres, tuple(words for _rank, words in holding), holding[0][0] if holding else 9)
