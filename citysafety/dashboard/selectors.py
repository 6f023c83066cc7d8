"""What the wall shows of an area, in one look.

Wall-safe throughout: no person, no telephone number, no words of a report.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import Count, F, FloatField, Func, Q, QuerySet
from django.utils.timezone import localtime
from django.utils.translation import get_language

from citysafety import areas
from citysafety.names import in_english
from citysafety.outbox.selectors import head
from citysafety.tallies import selectors as tallies
from citysafety.tallies.api import shown
from citysafety.tallies.figures import registered
from citysafety.tallies.models import NO_DAY, OPEN, Tally
from grid.models import Cell, Division, MatterClass
from grid.selectors import map_frame, map_sources
from hazards.lifecycle import STAGE_OF, HazardState
from hazards.models import Hazard, Severity
from hazards.selectors import labelled, lines

OPEN_STATES = tuple(state.value for state in STAGE_OF)
NEWEST, LONGEST_OVER = 40, 24  # more than the largest wall has room for
DAYS = 30
TOWNSHIP, VILLAGE = 9, 12  # digits of an area code
KEPT_S = 60
WALL_SAFE = (
    "id", "number", "severity", "state", "area_code", "changed_at", "overdue", "due_at", "matter_id", "cell_id",
    "dedicated_cell_id",
)  # fmt: skip
STOCK = ("hazards.open", "hazards.overdue")
FLOW = ("hazards.found_today", "hazards.cleared_today")
SHORT = {
    "hazards.open": "open",
    "hazards.overdue": "overdue",
    "hazards.found_today": "found",
    "hazards.cleared_today": "cleared",
}


@contextmanager
def one_look() -> Iterator[None]:
    """Read everything inside at one instant, so that lists and figures of a screen belong together."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def wall(area: str) -> dict[str, Any]:
    """Return everything the wall shows of an area, at the head of the news.

    Queries: 7 for a city or county, 8 for a township, 14 for a village and 16 for a cell (where categories are counted,
    not kept), whatever the number of hazards, cells or parts.
    """
    with one_look():
        divisions = divisions_of(area)
        cells = cell_names(area) if len(area) >= TOWNSHIP else {}
        parts = parts_of(area, divisions, cells)
        boards = tallies.boards([area, *parts])
        board = boards[area]
        day = localtime(board.as_of).date()
        categories, days = _series(area, day)
        towns = {code: name for code, name in divisions.items() if len(code) == TOWNSHIP}
        newest = _lines(Hazard.objects.within(area).order_by("-changed_at", "id"), NEWEST)
        overdue = _lines(Hazard.objects.within(area).overdue().order_by("due_at", "id"), LONGEST_OVER)
        shown_cases = [item(line, towns) for line in labelled([*newest, *overdue])]
        return {
            "position": board.position,
            "as_of": board.as_of.isoformat(),
            "day": day.isoformat(),
            "area": area_of(area, divisions, cells),
            "figures": [shown(figure, board.figures[figure.key], area, board.position) for figure in registered()],
            "days": days,
            "categories": categories,
            "parts": [{"code": code, "name": name, **_brief(boards[code])} for code, name in parts.items()],
            "towns": towns,
            "cells": cells,
            "newest": shown_cases[: len(newest)],
            "overdue": shown_cases[len(newest) :],
        }


def recent_wall(area: str, at_least: int | None = None) -> dict[str, Any]:
    """Return a look at an area that is no older than a position: a kept one if there is, so that a thousand
    screens that ask after the same change cost one look.
    """
    return _recent(f"wall:{get_language()}:{area}", at_least, lambda: wall(area))


def _recent(key: str, at_least: int | None, read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    if at_least is not None:
        kept = cache.get(key)
        if kept is not None and kept["position"] >= at_least:
            return kept
    fresh = read()
    cache.set(key, fresh, KEPT_S)
    return fresh


def points(area: str) -> dict[str, Any]:
    """Return every open hazard of an area as a point, in columns, at the head of the news. Queries: 2; 3 for a cell.

    ``state`` counts in ``states``; ``major`` and ``overdue`` name rows; ``unanswered`` are the major ones that nobody
    has accepted or refused yet, with when they were received. The news after ``position`` keeps it true.
    """
    with one_look():
        position = head().position
        rows = list(
            Hazard.objects.within(area)
            .open()
            .values_list("id", _degrees("ST_X"), _degrees("ST_Y"), "state", "severity", "overdue", "received_at")
        )
    number = {state: n for n, state in enumerate(OPEN_STATES)}
    return {
        "area": area,
        "position": position,
        "states": OPEN_STATES,
        "ids": [str(row[0]) for row in rows],
        "lon": [round(row[1], 6) for row in rows],
        "lat": [round(row[2], 6) for row in rows],
        "state": [number[row[3]] for row in rows],
        "major": [n for n, row in enumerate(rows) if row[4] == Severity.MAJOR],
        "overdue": [n for n, row in enumerate(rows) if row[5]],
        "unanswered": [
            {"id": str(row[0]), "since": row[6].isoformat()}
            for row in rows
            if row[4] == Severity.MAJOR and row[3] == HazardState.REPORTED
        ],
    }


def recent_points(area: str, at_least: int | None = None) -> dict[str, Any]:
    """Return the points of an area no older than a position, kept ones if there are."""
    return _recent(f"wall-points:{area}", at_least, lambda: points(area))


def items(ids: Iterable[Any], area: str) -> list[dict[str, Any]]:
    """Return the wall-safe rows of some hazards, those outside the area left out. Queries: 3; 4 for a cell."""
    hazards = labelled(_lines(Hazard.objects.within(area).filter(pk__in=list(ids))))
    codes = {hazard.area_code[:TOWNSHIP] for hazard in hazards}
    towns = {division.code: division.name for division in Division.objects.filter(code__in=codes)}
    return [item(hazard, towns) for hazard in hazards]


def item(hazard: SimpleNamespace, towns: dict[str, str]) -> dict[str, Any]:
    """Return what a wall may say of a hazard."""
    cell = hazard.dedicated_cell or hazard.cell
    town = towns.get(hazard.area_code[:TOWNSHIP], "")
    return {
        "id": str(hazard.pk),
        "number": hazard.number,
        "matter": hazard.matter.name,
        "severity": hazard.severity,
        "state": hazard.state,
        "area": hazard.area_code,
        "place": " ".join(part for part in (town, cell.name if cell else "") if part),
        "lon": round(hazard.location.x, 6),
        "lat": round(hazard.location.y, 6),
        "at": hazard.changed_at.isoformat(),
        "overdue": hazard.overdue,
        "due_at": hazard.due_at.isoformat() if hazard.due_at else None,
    }


def map_of(area: str) -> dict[str, Any]:
    """Return the grid version that the tiles show, what the map must say, and the frame of an area,
    [[west, south], [east, north]] in degrees; no frame where there are no cells. Queries: 4, or 3 within the hour.
    """
    sources = map_sources()
    frame = map_frame(area, sources["version"])
    return {"version": sources["version"], "bounds": frame, "credits": sources["credits"], "note": sources["note"]}


def _degrees(function: str) -> Func:
    """A coordinate as a number: the geometry itself stays in the database."""
    return Func(F("location"), function=function, output_field=FloatField())


def _lines(rows: QuerySet[Hazard], most: int | None = None) -> list[dict[str, Any]]:
    """Return rows with what a wall may say of them, and nothing more. Queries: 1."""
    return list(lines(rows, WALL_SAFE)[:most])


def divisions_of(area: str) -> dict[str, str]:
    """Return the names of the divisions around an area, of its parts, and of the counties and townships in it."""
    inside = Q(code__startswith=area, level__in=[Division.Level.COUNTY, Division.Level.TOWNSHIP])
    rows = Division.objects.filter(Q(code__in=areas.lineage(area)) | inside | Q(parent=area[:VILLAGE]))
    return _names(rows)


def _names(rows: QuerySet) -> dict[str, str]:
    """Return the names of rows by their codes, in the active language. Queries: 1."""
    english = in_english()
    named = rows.values_list("code", "name_zh", "name_en")
    return {code: name_en if english and name_en else name_zh for code, name_zh, name_en in named}


def cell_names(area: str) -> dict[str, str]:
    return _names(Cell.objects.active().within(area))


def parts_of(area: str, divisions: dict[str, str], cells: dict[str, str]) -> dict[str, str]:
    """Return the names of the areas one level below."""
    if len(area) == VILLAGE:
        return cells
    below = {4: 6, 6: 9, 9: 12}.get(len(area), 0)
    return {code: name for code, name in divisions.items() if len(code) == below}


def area_of(area: str, divisions: dict[str, str], cells: dict[str, str]) -> dict[str, Any]:
    names = divisions | cells
    trail = [{"code": code, "name": names.get(code, code)} for code in areas.lineage(area)]
    return {"code": area, "name": trail[-1]["name"], "level": areas.level(area), "trail": trail}


def _brief(board: tallies.Board) -> dict[str, Any]:
    return {SHORT[key]: board.figures.get(key, 0) for key in (*STOCK, *FLOW)}


def _series(area: str, today: date) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the classes of matters with their counts and days, and the days of the area as a whole. Queries: 2,
    and 6 more below townships.
    """
    classes = list(MatterClass.objects.all())
    week = [today - timedelta(days=n) for n in reversed(range(DAYS))]
    kept = _kept(area, [row.code for row in classes], week)
    days = [
        {"day": day.isoformat(), "found": kept.get((FLOW[0], "", day), 0), "cleared": kept.get((FLOW[1], "", day), 0)}
        for day in week
    ]
    counted = {}
    if len(area) > tallies.CATEGORY_DIGITS:
        counted = {key: _counted(key, area) for key in (*STOCK, FLOW[0])}

    def count(key: str, code: str, day: date) -> Any:
        return counted[key].get(code, 0) if counted else kept.get((key, code, day), 0)

    categories = [
        {
            "code": row.code,
            "name": row.name,
            "found": count(FLOW[0], row.code, today),
            "open": count(STOCK[0], row.code, NO_DAY),
            "overdue": count(STOCK[1], row.code, NO_DAY),
            "days": [] if counted else [kept.get((FLOW[0], row.code, day), 0) for day in week],
        }
        for row in classes
    ]
    return categories, days


def _counted(figure: str, area: str) -> dict[str, int]:
    """Return a figure of hazards by category, counted from its rows. Queries: 2."""
    members = tallies.members("hazard", figure, area).exclude(category="").order_by()
    return dict(members.values_list("category").annotate(count=Count("pk")))


def _kept(area: str, categories: list[str], days: list[date]) -> dict[tuple[str, str, date], Any]:
    """Return kept values of an area by figure, category and day. The lists follow the index column by column."""
    rows = Tally.objects.filter(
        until=OPEN, area=area, figure__in=[*STOCK, *FLOW], category__in=["", *categories], day__in=[NO_DAY, *days]
    )
    values = rows.values_list("figure", "category", "day", "value")
    return {(figure, category, day): tallies.number(value) for figure, category, day, value in values}
