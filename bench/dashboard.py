"""What a screen reads among 100,000 hazards: the wall's look, the figures, lists of 50; beside a lean DRF list."""

from datetime import date, timedelta
from itertools import repeat
from urllib.parse import urlencode

from . import city, load, servers
from .figures import Report, Turn, Verdict, at_most, in_turns
from .filing import lean_tables

SECONDS = 3
LISTS = {  # the same question to both
    "newest": {},
    "by state": {"state": "taken"},
    "category and days": {"category": "CATEGORY", "received_after": "SINCE"},
    "county": {"area": "370503"},
}

BUSIEST = {
    "cell": "SELECT c.code FROM hazards_hazard h JOIN grid_cell c ON c.id = h.cell_id GROUP BY 1 ORDER BY count(*) DESC LIMIT 1",
    "unit": "SELECT d.code FROM hazards_hazard h JOIN accounts_department d ON d.id = h.department_id GROUP BY 1"
    " ORDER BY count(*) DESC LIMIT 1",
}


def query_of(asked: dict[str, str], database: str) -> str:
    """Return the query of a list, with the category that has the second most hazards, the busiest cell and unit, and days."""
    category = city.ask(
        database,
        "SELECT k.code FROM hazards_hazard h JOIN grid_matter m ON m.id = h.matter_id"
        " JOIN grid_matterclass k ON k.id = m.matter_class_id GROUP BY 1 ORDER BY count(*) DESC OFFSET 1 LIMIT 1",
    )[0][0]
    since, day = (str(date.today() - timedelta(days=days)) for days in (30, 5))  # noqa: DTZ011  any day of the last month does
    cell, unit = (city.ask(database, BUSIEST[name])[0][0] for name in ("cell", "unit"))
    known = {"CATEGORY": category, "SINCE": since, "DAY": day, "CELL": cell, "UNIT": unit}
    return urlencode({key: known.get(value, value) for key, value in asked.items()})


def run() -> Report:
    """Ask one after the other over one connection: what a person waits for, not what a crowd gets."""
    with city.copy_of("bench_dashboard") as database:
        env = {"DATABASE_URL": city.address(database)}
        city.ask(database, "VACUUM ANALYZE")
        count = city.ask(database, "SELECT count(*) FROM hazards_hazard")[0][0]
        lean_env = lean_tables(database)
        with (
            servers.web(1, env=env) as ports,
            servers.web(1, name="lean", application="bench.lean.asgi:application", env=lean_env) as lean_ports,
            servers.relay(env),
        ):

            def turn(path: str, at: list[int], headers: list[str]) -> Turn:
                asked = load.request("GET", path, headers=headers)
                return load.delay(load.run(repeat(asked), at, connections=1, seconds=SECONDS))

            def mine(path: str, role: str = "dispatcher") -> tuple[str, object]:
                return "ms", lambda: turn(path, ports, [city.token(role)])

            def lean(path: str) -> tuple[str, object]:
                return "ms", lambda: turn(path, lean_ports, [])

            measures, pairs = {}, []
            for name, asked in LISTS.items():
                query = query_of(asked, database)
                measures[f"list {name}"] = mine(f"/api/v1/hazards/?{query}")
                measures[f"lean list {name}"] = lean(f"/hazards/?{query}")
                pairs.append((f"list {name}", f"lean list {name}"))
            measures["figures of the city"] = mine("/api/v1/figures/", "operator")
            measures["cells of the city"] = mine("/api/v1/cells/state/", "operator")
            measures["wall of the city, anew"] = mine("/api/v1/wall/", "operator")
            measures["wall of the city, kept"] = mine("/api/v1/wall/?at_least=1", "operator")
            pairs += [(name, "lean list newest") for name in list(measures)[-4:]]
            for _unit, measure in measures.values():
                measure()
            sides = in_turns(measures)
    report = Report(
        f"Median time of an answer among {count:,} hazards, one web process, one connection; 3 turns of {SECONDS} s",
        list(sides.values()),
    )
    for ours, theirs in pairs:
        # The whole look is made once a change for all screens, which get the kept one: told, without a floor.
        floors = (None, None) if ours == "wall of the city, anew" else (at_most(0.7), at_most(30, "ms"))
        report.verdicts.append(Verdict(sides[ours], sides[theirs], floors[0]))
        report.verdicts.append(Verdict(sides[ours], None, floors[1], at_most(10, "ms")))
    report.notes = [
        "ours are signed in by token and see what their rights allow; the lean list asks nobody and counts nothing",
    ]
    return report
