"""Search of the console: open cases by number, place, words or matter; places, premises and matters by any spelling."""

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from grid import finding
from hazards.models import Hazard

from .selectors import present

LEAST, MOST_CASES, MOST_PLACES = 2, 8, 8
MOST_MATTERS, MOST_CELLS = 20, 200  # whose cases are looked for


def search(user: Any, text: str, area: str, at: datetime) -> dict[str, list[dict[str, Any]]]:
    """Return the open cases that fit a text (any case by its number), and the places and matters. Queries: at most 4.

    Words are looked for in open cases only, of which there are thousands; closed ones are found by their number.
    """
    text = text.strip()
    if len(text) < (1 if not text.isascii() else LEAST):
        return {"cases": [], "places": []}
    if text.upper().startswith("YH-"):
        return {"cases": _numbered(user, text, area, at), "places": []}
    places = finding.find(text, area, MOST_PLACES)
    return {"cases": _cases(user, text, area, at), "places": [_place(one) for one in places]}


def _numbered(user: Any, text: str, area: str, at: datetime) -> list[dict[str, Any]]:
    return _shown(Hazard.objects.visible_to(user).within(area).filter(number__startswith=text.upper()), at)


def _cases(user: Any, text: str, area: str, at: datetime) -> list[dict[str, Any]]:
    fitting = finding.find(text, area, MOST_CELLS)
    matters = [one.code for one in fitting if one.kind == "matter"][:MOST_MATTERS]
    cells = [one.code for one in fitting if one.kind == "cell"]
    fits = Q(number__contains=text) | Q(description__icontains=text)
    fits |= Q(matter__code__in=matters) | Q(cell__code__in=cells) | Q(dedicated_cell__code__in=cells)
    for one in fitting:
        if one.kind in ("county", "township", "village"):
            fits |= Q(area_code__startswith=one.code)
    return _shown(Hazard.objects.visible_to(user).within(area).open().filter(fits), at)


def _shown(rows: QuerySet[Hazard], at: datetime) -> list[dict[str, Any]]:
    rows = rows.select_related("matter", "cell", "dedicated_cell", "department").shapeless()
    return present(rows.order_by("-received_at", "id")[:MOST_CASES], at)


def _place(one: finding.Found) -> dict[str, Any]:
    return {"kind": one.kind, "code": one.code, "name": one.name, "area": one.area, "lon": one.lon, "lat": one.lat}
