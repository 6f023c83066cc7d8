"""Point to cell, beside a plain STRtree of Shapely's over the same cells and beside PostGIS."""

import random
import time
from collections.abc import Callable

from . import city
from .figures import Report, Turn, Verdict, at_least, in_turns
from .filing import PLACES

POINTS, BEFORE, TIMES, CONNECTIONS = 10_000, 40_000, 5, 2
POSTGIS = f"""\\set i random(1, {POINTS})
SELECT c.id FROM bench_point p JOIN grid_cell c ON ST_Contains(c.geometry, p.at) WHERE p.id = :i AND c.active;
"""
IN_SETS = "SELECT count(c.id) FROM bench_point p LEFT JOIN grid_cell c ON ST_Contains(c.geometry, p.at) AND c.active"


def a_second(work: Callable[[], object], *, clock: Callable[[], float] = time.process_time, times: int = TIMES) -> Turn:
    """Return how many points a second are answered by ``work``, which takes all of them.

    In this process by its own CPU time, which others on the machine cannot lengthen much; else by the clock.
    """
    began = clock()
    for _ in range(times):
        work()
    return Turn(times * POINTS / (clock() - began))


def run() -> Report:
    """Ask as filing does, one point after the other in one process; points lie where hazards were found."""
    city.start_django()
    import numpy  # noqa: PLC0415  with Django: other benches need neither
    import shapely  # noqa: PLC0415  with Django: other benches need neither

    from grid import locate  # noqa: PLC0415  models are ready now

    with city.copy_of("bench_locate") as database:
        cells = city.ten_thousand_cells(database)
        city.ask(database, PLACES, POINTS + BEFORE)
        places = city.ask(database, "SELECT lon, lat FROM bench_point ORDER BY id")
        city.ask(database, "DELETE FROM bench_point WHERE id > %s", POINTS)
        points, earlier = places[:POINTS], places[POINTS:]
        outlines = city.ask(database, "SELECT ST_AsBinary(geometry) FROM grid_cell WHERE active")
        city.use(database)
        locate.forget()
        locate.current()
        frame = locate.current().frame.bounds
        anywhere = [(random.uniform(frame[0], frame[2]), random.uniform(frame[1], frame[3])) for _ in range(POINTS)]
        tree = shapely.STRtree(shapely.from_wkb([bytes(row[0]) for row in outlines]))
        together, columns = shapely.points(points), numpy.array(points).T

        def ours(asked: list[tuple[float, float]], accuracy_m: float | None = None) -> None:
            for lon, lat in asked:
                locate.locate(lon, lat, accuracy_m)

        def plain() -> None:
            for lon, lat in points:
                tree.query(shapely.Point(lon, lat), predicate="within")

        def cold() -> Turn:
            locate.forget()
            locate.current()
            found = a_second(lambda: ours(anywhere), times=1)
            ours(earlier)  # a process that has taken reports for a while, but none of those that are measured
            return found

        def in_sets() -> None:
            city.ask(database, IN_SETS)

        # Both answer alike before either is measured: a point that the tree finds in a base cell lies in ours too.
        held = tree.query(together, predicate="within")[0]
        found = {
            n for n, (lon, lat) in enumerate(points) if locate.locate(lon, lat).area_code != locate.current().city_code
        }
        differ = len(set(held.tolist()) - found)
        cold()
        sides = in_turns(
            {
                "ours, one by one": ("/s", lambda: a_second(lambda: ours(points))),
                "STRtree, one by one": ("/s", lambda: a_second(plain)),
                "ours, with a circle of 12 m": ("/s", lambda: a_second(lambda: ours(points, 12.0))),
                "ours, anywhere in the frame, nothing remembered": ("/s", cold),
                "ours, all at once": ("/s", lambda: a_second(lambda: locate.current().places(*columns))),
                "STRtree, all at once": (
                    "/s",
                    lambda: a_second(lambda: tree.query(together, predicate="within")),
                ),
                "PostGIS, one by one": (
                    "/s",
                    lambda: city.pgbench(database, POSTGIS, connections=CONNECTIONS, seconds=2),
                ),
                "PostGIS, in sets": ("/s", lambda: a_second(in_sets, clock=time.perf_counter, times=1)),
            }
        )
        city.use(city.PREPARED)
    mine = sides["ours, one by one"]
    return Report(
        f"{POINTS:,} points where hazards were found, among {cells:,} cells, in one process that has taken {BEFORE:,} others",
        list(sides.values()),
        [
            Verdict(mine, sides["STRtree, one by one"], at_least(0.8), at_least(0.96)),
            Verdict(mine, sides["PostGIS, one by one"]),
            Verdict(sides["ours, all at once"], sides["STRtree, all at once"], None, at_least(3)),
        ],
        [
            f"{differ} of {len(set(held.tolist()))} points that the tree finds in a cell have none with us",
            "ours and the tree by the CPU time of the process, PostGIS by the clock",
            "ours names base, dedicated and sea cell of a point, the tree whatever holds it",
        ],
    )
