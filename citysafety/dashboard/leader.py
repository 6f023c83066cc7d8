"""What a leader sees of an area on one screen: figures, days, where it is worst, what is late. No person is in it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.db import connection

from grid.models import Centre
from grid.selectors import active_version
from hazards.desk import due_words
from hazards.models import Hazard
from projects.models import OverdueNotice

from . import selectors

WORST, LATE, SILENT = 5, 3, 3  # rows: one screen of a phone
DAYS = 14
TREND = (326, 44, 4)  # width, height and margin of the drawing
BELOW = {4: ("county", 600), 6: ("township", 150)}  # the level drawn, and metres that do not matter in it
OUTLINES_KEPT_S = 3600
STEPS = 5

OUTLINES = """
SELECT code, ST_AsSVG(shape, 0, 0), ST_XMin(shape), -ST_YMax(shape), ST_XMax(shape), -ST_YMin(shape)
FROM (SELECT code, ST_SimplifyPreserveTopology(ST_Transform(outline, 3857), %s) AS shape
      FROM grid_division WHERE level = %s AND code LIKE %s AND outline IS NOT NULL) parts ORDER BY code"""


@dataclass(frozen=True, slots=True)
class Sketch:
    """Outlines of the parts of an area as paths, in a box."""

    box: str
    paths: dict[str, str]
    line: float  # width of the lines, in units of the box


def leader(area: str, at: datetime) -> dict[str, Any]:
    """Return the screen of an area. Queries: 11, however many hazards or parts; 1 more where outlines are drawn anew."""
    with selectors.one_look():
        look = selectors.wall(area)
        overdue = Hazard.objects.within(area).overdue().select_related("matter", "cell", "dedicated_cell", "department")
        late = list(overdue.shapeless().order_by("-severity", "due_at", "id")[:LATE])
        silent = OverdueNotice.objects.filter(unanswered=True, area_code__startswith=area)
        silent_rows = list(
            silent.select_related("hazard__matter", "department", "document__kind").order_by("reply_due_at")[:SILENT]
        )
        centre = Centre.objects.filter(division=area).exclude(phone="").first()
        sketch = outlines(area)
    parts = sorted(look["parts"], key=lambda part: (-part["overdue"], -part["open"], part["code"]))
    return {
        **look,
        "worst": [part for part in parts if part["overdue"] or part["open"]][:WORST],
        "late": [(hazard, due_words(hazard, at)) for hazard in late],
        "silent": silent_rows,
        "centre": centre,
        "trend": trend(look["days"][-DAYS:]),
        "sketch": _shaded(sketch, look["parts"]) if sketch else None,
    }


def trend(days: list[dict[str, Any]]) -> dict[str, Any]:
    """Draw found and cleared a day as lines from zero; today, which is not over, is left to the figures above."""
    days = days[:-1]
    top = max((max(day["found"], day["cleared"]) for day in days), default=0) or 1
    width, height, margin = TREND
    step = (width - 2 * margin) / max(len(days) - 1, 1)

    def line(key: str) -> str:
        points = (
            f"{margin + n * step:.1f} {height - margin - (height - 2 * margin) * day[key] / top:.1f}"
            for n, day in enumerate(days)
        )
        return "M" + "L".join(points) if days else ""

    return {
        "found": line("found"),
        "cleared": line("cleared"),
        "top": top,
        "first": days[0]["day"] if days else "",
        "last": days[-1]["day"] if days else "",
        "days": days,
        "width": width,
        "height": height,
    }


def outlines(area: str) -> Sketch | None:
    """Return the parts of a city or county as paths in metres of the web map. Queries: 2, or 1 within the hour."""
    if len(area) not in BELOW:
        return None
    key = f"leader-outlines:{active_version()}:{area}"
    found: Sketch | None = cache.get(key)
    if found is None:
        level, tolerance = BELOW[len(area)]
        with connection.cursor() as cursor:
            cursor.execute(OUTLINES, [tolerance, level, f"{area}%"])
            rows = cursor.fetchall()
        if not rows:
            return None
        west, top = min(row[2] for row in rows), min(row[3] for row in rows)
        wide, high = max(row[4] for row in rows) - west, max(row[5] for row in rows) - top
        box = f"{west:.0f} {top:.0f} {wide:.0f} {high:.0f}"
        found = Sketch(box, {row[0]: row[1] for row in rows}, round(max(wide, high) / 90))
        cache.set(key, found, OUTLINES_KEPT_S)
    return found


def _shaded(sketch: Sketch, parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Shade each part by its overdue hazards, in steps of the most."""
    most = max((part["overdue"] for part in parts), default=0)
    rows = [
        {**part, "path": sketch.paths[part["code"]], "step": part["overdue"] * (STEPS - 1) // most if most else 0}
        for part in parts
        if part["code"] in sketch.paths
    ]
    return {"box": sketch.box, "line": sketch.line, "parts": rows}
