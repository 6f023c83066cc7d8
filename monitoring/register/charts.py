"""The chart of a datastream: mean, least and most of each stretch of a day, a week or a month, as SVG paths."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor, log10

from ..models import Datastream, Reading, Rollup
from ..models.readings import Quality

WIDTH, HEIGHT = 1000, 260
SPANS = {  # what is asked → how long, of which sums, and from how far apart on the line is broken
    "day": (timedelta(days=1), Rollup.Span.MINUTE, timedelta(minutes=30)),
    "week": (timedelta(days=7), Rollup.Span.HOUR, timedelta(hours=3)),
    "month": (timedelta(days=30), Rollup.Span.HOUR, timedelta(hours=12)),
}
MOST_READ = 3_000  # values of a day without sums


@dataclass(frozen=True, slots=True)
class Point:
    at: datetime
    least: float
    mean: float
    most: float
    count: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Paths in a frame of 1000 by 260, and what stands on its axes."""

    line: str
    band: str
    marks: Sequence[tuple[float, float]]  # value, percent from the top
    moments: Sequence[tuple[datetime, float]]  # moment, percent from the left
    points: Sequence[Point]


def points_of(stream: Datastream, *, span: str, at: datetime) -> list[Point]:
    """Return what a datastream came to; of a day that is not summed up yet, the readings themselves. Queries: 1 or 2."""
    length, of, _gap = SPANS[span]
    rows = Rollup.objects.filter(datastream=stream, span=of, begins_at__gte=at - length, begins_at__lte=at)
    found = [
        Point(begins, least, total / count, most, count)
        for begins, count, least, most, total in rows.order_by("begins_at").values_list(
            "begins_at", "count", "least", "most", "total"
        )
    ]
    if found or span != "day":
        return found
    readings = Reading.objects.filter(datastream=stream, measured_at__gte=at - length, measured_at__lte=at)
    taken = readings.exclude(quality=Quality.BAD).order_by("-measured_at").values_list("measured_at", "value")
    return [Point(moment, value, value, value, 1) for moment, value in reversed(taken[:MOST_READ])]


def drawn(points: Sequence[Point], *, span: str, at: datetime) -> Chart | None:
    """Return the chart of points, none of none. Where nothing was measured the line is broken."""
    if not points:
        return None
    length, _of, gap = SPANS[span]
    begins = at - length
    low, high = min(point.least for point in points), max(point.most for point in points)
    marks = ticks(low, high)
    low, high = marks[0], marks[-1]

    def x(moment: datetime) -> float:
        return WIDTH * ((moment - begins) / length)

    def y(value: float) -> float:
        return HEIGHT * (high - value) / (high - low)

    line, band = [], []
    for stretch in stretches(points, gap):
        line.append("M" + "L".join(f"{x(one.at):.1f} {y(one.mean):.1f}" for one in stretch) + "h0.1")
        above = [f"{x(one.at):.1f} {y(one.most):.1f}" for one in stretch]
        below = [f"{x(one.at):.1f} {y(one.least):.1f}" for one in reversed(stretch)]
        band.append("M" + "L".join([*above, *below]) + "Z")
    return Chart(
        "".join(line), "".join(band), [(mark, 100 * (high - mark) / (high - low)) for mark in reversed(marks)],
        [(begins + length * part / 4, 25.0 * part) for part in range(5)], points,
    )  # fmt: skip


def stretches(points: Sequence[Point], gap: timedelta) -> list[list[Point]]:
    """Part points where nothing was measured for longer than a gap."""
    found: list[list[Point]] = []
    for point in points:
        if found and point.at - found[-1][-1].at <= gap:
            found[-1].append(point)
        else:
            found.append([point])
    return found


def ticks(low: float, high: float) -> list[float]:
    """Return round numbers that enclose two: 3 to 6 of them."""
    if high <= low:
        high, low = high + (abs(high) * 0.1 or 1), low - (abs(low) * 0.1 if low else 0)
    step = 10 ** floor(log10((high - low) / 3))
    for factor in (1, 2, 5, 10):
        first, last = floor(low / (step * factor)), -floor(-high / (step * factor))
        if last - first <= 5:
            return [round(n * step * factor, 9) for n in range(first, last + 1)]
    raise AssertionError("ten times a step is a step of the next decade")
