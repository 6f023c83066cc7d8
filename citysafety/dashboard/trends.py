"""What the trend page shows of an area: sums of kept figures over 30 or 365 days, and the days themselves.

Nothing is counted from rows: departments are kept down to counties, classes down to townships, and below townships
the last thirty-one days.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, Sum
from django.urls import reverse

from citysafety.accounts.models import Department
from citysafety.tallies import selectors as tallies
from citysafety.tallies.models import OPEN, UNIT, Tally
from grid.models import MatterClass

from .selectors import TOWNSHIP, area_of, cell_names, divisions_of, one_look, parts_of

SPANS = (30, 365)
COUNTY = 6
FOUND, CLEARED, MARKED = "hazards.found_today", "hazards.cleared_today", "hazards.marked_today"
ON_TIME, DISPATCHED = "hazards.closed_on_time_today", "hazards.dispatched_today"
SHORT = {FOUND: "found", CLEARED: "cleared", MARKED: "marked", ON_TIME: "on_time", DISPATCHED: "dispatched"}
LEAST_CASES = 20  # below, a share says more about chance than about work


@dataclass(slots=True)
class Row:
    """One line of a table: an area, a class or a department, with its sums and where they lead."""

    key: str
    name: str
    sums: dict[str, Any] = field(default_factory=dict)
    href: str = ""  # the same page, one level down
    list_href: str = ""  # the list of what was found

    @property
    def share(self) -> float | None:
        """On time, of what was closed, in per cent; None where too little was closed to say."""
        closed = self.sums.get("cleared", 0)
        return 100 * self.sums.get("on_time", 0) / closed if closed >= LEAST_CASES else None

    @property
    def is_small(self) -> bool:
        """Whether something was closed, but too little for a share."""
        return 0 < self.sums.get("cleared", 0) < LEAST_CASES

    def __getattr__(self, name: str) -> Any:
        if name in SHORT.values():
            return self.sums.get(name, 0)
        raise AttributeError(name)


def spans_of(area: str) -> tuple[int, ...]:
    """Return the spans whose days are kept in an area."""
    return SPANS if len(area) <= TOWNSHIP else SPANS[:1]


def trends(area: str, span: int, *, category: str = "", unit: str = "") -> dict[str, Any]:
    """Return what the page shows of an area, or of one class or department in it.

    Queries: 7 for a city or county, 6 below or for one class, 5 for one department, whatever the number of hazards,
    days or parts.
    """
    with one_look():
        divisions = divisions_of(area)
        cells = cell_names(area) if len(area) > TOWNSHIP else {}
        last = tallies.standing().day
        days = [last - timedelta(days=n) for n in reversed(range(span))]
        chosen = category or (UNIT + unit if unit else "")
        names = {row.code: row.name for row in MatterClass.objects.all()}
        units = _units(area) if len(area) <= COUNTY else {}
        series = _days(area, chosen, days, unit)
        asked = {"days": span} | ({"category": category} if category else {})
        parts, kinds, offices = [], [], []
        if not unit and (not category or len(area) < TOWNSHIP):
            below = parts_of(area, divisions, cells) if span in spans_of(area + "000" * (len(area) == TOWNSHIP)) else {}
            sums = _sums(Q(area__in=list(below), category=category), "area", days) if below else {}
            parts = [
                _row(code, name, sums, days, {"area": code, **asked}, {"area": code} | _of_class(category))
                for code, name in below.items()
            ]
        if not chosen and len(area) <= TOWNSHIP:
            sums = _sums(Q(area=area) & ~Q(category=""), "category", days)
            kinds = [
                _row(
                    code,
                    name,
                    sums,
                    days,
                    {"area": area, "days": span, "category": code},
                    {"area": area, "category": code},
                )
                for code, name in names.items()
            ]
            offices = [
                _row(UNIT + code, name, sums, days, {"area": area, "days": span, "unit": code}, {})
                for code, name in units.items()
                if UNIT + code in sums
            ]
        total = Row(area, "", {key: sum(day[key] for day in series) for key in SHORT.values()})
        total.list_href = "" if unit else _list(days, {"area": area} | _of_class(category))
        return {
            "area": area_of(area, divisions, cells),
            "span": span,
            "spans": spans_of(area),
            "category": category,
            "category_name": names.get(category, ""),
            "unit": unit,
            "unit_name": units.get(unit, ""),
            "first": days[0],
            "last": last,
            "total": total,
            "days": series,
            "parts": sorted(parts, key=lambda row: row.key),
            "kinds": sorted(kinds, key=lambda row: -row.found),
            "offices": sorted(offices, key=lambda row: (row.share is None, row.share or 0, row.name)),
        }


def known(area: str, *, category: str, unit: str) -> bool:
    """Test whether a class or department is one whose figures are kept in an area. Queries: 1, none without either."""
    if category:
        return not unit and len(area) <= TOWNSHIP and MatterClass.objects.filter(code=category).exists()
    return not unit or (len(area) <= COUNTY and Department.objects.filter(code=unit).exists())


def _units(area: str) -> dict[str, str]:
    """Return the names of the departments that may be dispatched to in an area: its own and the wider ones."""
    rows = Department.objects.filter(Q(area_code__startswith=area) | Q(area_code=area[:4]))
    return {row.code: row.name for row in rows}


def _days(area: str, chosen: str, days: list[date], unit: str) -> list[dict[str, Any]]:
    """Return each day with its figures and the lists that make them. Queries: 1."""
    rows = Tally.objects.filter(until=OPEN, figure__in=list(SHORT), category=chosen, day__range=_span(days), area=area)
    kept = {(figure, day): tallies.number(value) for figure, day, value in rows.values_list("figure", "day", "value")}
    beside = {"unit": unit} if unit else _of_class(chosen)
    told = []
    for day in days:
        sums = {short: kept.get((figure, day), 0) for figure, short in SHORT.items()}
        lists = {
            name: f"{reverse('hazards')}?{urlencode({asked: day.isoformat(), 'area': area, **beside})}"
            for name, asked in (
                ("received", "received"),
                ("settled", "cleared"),
                ("late", "marked"),
                ("sent", "dispatched"),
            )
        }
        told.append({"day": day, **sums, "lists": lists})
    return told


def _sums(where: Q, by: str, days: list[date]) -> dict[str, dict[str, Any]]:
    """Return the sums of the figures over days, by area or by category. Queries: 1."""
    rows = Tally.objects.filter(where, until=OPEN, figure__in=list(SHORT), day__range=_span(days))
    found: dict[str, dict[str, Any]] = {}
    for key, figure, value in rows.values_list(by, "figure").annotate(sum=Sum("value")).order_by():
        found.setdefault(key, {})[SHORT[figure]] = tallies.number(value)
    return found


def _span(days: list[date]) -> tuple[date, date]:
    return days[0], days[-1]


def _row(
    key: str,
    name: str,
    sums: dict[str, dict[str, Any]],
    days: list[date],
    down: dict[str, Any],
    narrowed: dict[str, str],
) -> Row:
    return Row(
        key,
        name,
        sums.get(key, {}),
        f"{reverse('trends')}?{urlencode(down)}",
        _list(days, narrowed) if narrowed else "",
    )


def _list(days: list[date], narrowed: dict[str, str]) -> str:
    """Return the list of what was found in some days."""
    span = {"received_after": days[0].isoformat(), "received_before": days[-1].isoformat()}
    return f"{reverse('hazards')}?{urlencode(span | narrowed)}"


def _of_class(category: str) -> dict[str, str]:
    return {"category": category} if category else {}


def chart(days: Iterable[dict[str, Any]], unit: str) -> list[dict[str, Any]]:
    """Return the days as the page's module draws them: what came in, what was closed, what ran out."""
    came, where = ("dispatched", "sent") if unit else ("found", "received")
    return [
        {
            "day": day["day"].isoformat(), "found": day[came], "cleared": day["cleared"], "late": day["marked"],
            "page": day["lists"][where],
        }
        for day in days
    ]  # fmt: skip
