"""What a screen reads after years: the questions of ``dashboard`` among five million hazards, beside 100,000.

``bin/manage load_history`` brings the years; it takes minutes and some twenty gigabytes, so `bin/bench years` is asked for
by its name only. CITYSAFETY_BENCH_YEARS says how many (5).
"""

import os
import subprocess
import sys
from itertools import repeat

from . import city, load, servers
from .dashboard import LISTS, query_of
from .figures import Report, Turn, Verdict, at_most, in_turns

SECONDS = 3
YEARS = int(os.environ.get("CITYSAFETY_BENCH_YEARS", "5"))


def grown(database: str) -> None:
    """Let a city have a past of years; the days that it has stay."""
    command = [sys.executable, "manage.py", "load_history", "--years", str(YEARS)]
    subprocess.run(command, cwd=servers.ROOT, env={**os.environ, "DATABASE_URL": city.address(database)}, check=True)


def run() -> Report:
    """Ask both cities in turns, each by a web process of its own over one connection."""
    with city.copy_of("bench_young") as young, city.copy_of("bench_old") as old:
        grown(old)
        rows = {}
        for database in (young, old):
            city.ask(database, "VACUUM ANALYZE")
            rows[database] = city.ask(database, "SELECT count(*) FROM hazards_hazard")[0][0]
        with (
            servers.web(1, name="young", env={"DATABASE_URL": city.address(young)}) as young_ports,
            servers.web(1, name="old", env={"DATABASE_URL": city.address(old)}) as old_ports,
        ):

            def turn(path: str, ports: list[int], role: str) -> Turn:
                asked = load.request("GET", path, headers=[city.token(role)])
                return load.delay(load.run(repeat(asked), ports, connections=1, seconds=SECONDS))

            asked = {
                f"list {name}": (f"/api/v1/hazards/?{query_of(one, young)}", "dispatcher")
                for name, one in LISTS.items()
            }
            asked["figures of the city"] = ("/api/v1/figures/", "operator")
            asked["cells of the city"] = ("/api/v1/cells/state/", "operator")
            asked["wall of the city, anew"] = ("/api/v1/wall/", "operator")
            measures = {}
            for name, (path, role) in asked.items():
                for age, ports in ((young, young_ports), (old, old_ports)):
                    called = f"{name}, {rows[age]:,} hazards"
                    measures[called] = ("ms", lambda path=path, ports=ports, role=role: turn(path, ports, role))
            for _unit, measure in measures.values():
                measure()
            sides = in_turns(measures)
    report = Report(
        f"Median time of an answer among {rows[old]:,} hazards of {YEARS} years and among {rows[young]:,}, one web process and"
        f" connection each; 3 turns of {SECONDS} s",
        list(sides.values()),
    )
    for name in asked:
        few, many = sides[f"{name}, {rows[young]:,} hazards"], sides[f"{name}, {rows[old]:,} hazards"]
        report.verdicts += [Verdict(many, few, at_most(1.5)), Verdict(many, None, None, at_most(15, "ms"))]
    return report
