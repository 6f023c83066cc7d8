"""What a screen reads after years: lists, figures and the console among five million hazards, beside 50,000.

``bin/manage load_history`` brings the years; it takes minutes and some twenty gigabytes, so `bin/bench years` is asked for
by its name only. CITYSAFETY_BENCH_YEARS says how many (5).
"""

import os
import subprocess
import sys
from functools import partial
from itertools import repeat

from . import browser, city, load, servers
from .dashboard import LISTS, query_of
from .figures import Report, Turn, Verdict, at_most, in_turns

SECONDS = 1
FEW = 50_000
# The oldest that are over leave, so that both cities have the same days before today and the same open cases.
YOUNGER = """
SET session_replication_role = replica;
CREATE TEMP TABLE older AS SELECT id FROM hazards_hazard h WHERE state IN ('written_off', 'refused')
  AND NOT EXISTS (SELECT FROM projects_overduenotice n WHERE n.hazard_id = h.id)
  ORDER BY received_at LIMIT greatest((SELECT count(*) FROM hazards_hazard) - %(few)s, 0);
CREATE INDEX ON older (id);
ANALYZE older;
DELETE FROM hazards_step WHERE hazard_id IN (SELECT id FROM older);
DELETE FROM hazards_clock WHERE hazard_id IN (SELECT id FROM older);
DELETE FROM hazards_mark WHERE hazard_id IN (SELECT id FROM older);
DELETE FROM tallies_period WHERE kind = 'hazard' AND subject_id IN (SELECT id::text FROM older);
DELETE FROM hazards_hazard WHERE id IN (SELECT id FROM older)"""
YEARS = int(os.environ.get("CITYSAFETY_BENCH_YEARS", "5"))


def younger(database: str) -> None:
    """Leave a city the last 50,000 of its hazards."""
    city.ask(database, YOUNGER, few=FEW)


def grown(database: str) -> None:
    """Let a city have a past of years; the days that it has stay."""
    command = [sys.executable, "manage.py", "load_history", "--years", str(YEARS)]
    subprocess.run(command, cwd=servers.ROOT, env={**os.environ, "DATABASE_URL": city.address(database)}, check=True)


LISTED = {
    **{f"list {name}": one for name, one in LISTS.items()},
    "list open": {"open": "true"},
    "list closed": {"open": "false"},
    "list refused": {"state": "refused"},
    "list ever overdue": {"late": "true"},
    "list major": {"severity": "major"},
    "list of a unit": {"department": "UNIT"},
    "list of a cell": {"cell": "CELL"},
    "list of a day": {"cleared": "DAY"},
}
MONTH = "page of the evaluation, a month"  # the younger city has no whole one to compare
PAGES = ("page", "queue", "search", "export")  # whole screens and files: the goal is one of lists and figures
# What each is asked as, and where; pages as their readers open them, with their names, counts and chips.
ASKED = {
    "figures of the city": ("/api/v1/figures/", "operator"),
    "cells of the city": ("/api/v1/cells/state/", "operator"),
    "wall of the city, anew": ("/api/v1/wall/", "operator"),
    "queue of the console": ("/api/v1/centre/queue/", "operator"),
    "page of the console": ("/centre/", "operator"),
    "search of the console": ("/api/v1/centre/search/?q=%E6%B6%88%E9%98%B2", "operator"),
    "page of the leader": ("/leader/", "leader"),
    "page of hazards": ("/hazards/", "supervisor"),
    "page of hazards, major": ("/hazards/?severity=major", "supervisor"),
    "page of hazards, words nobody wrote": ("/hazards/?search=%E7%BB%9D%E6%97%A0%E6%AD%A4%E8%AF%8D", "supervisor"),
    "page of the evaluation, a week": ("/hazards/evaluation/?period=week", "supervisor"),
    "page of the evaluation, a week by workers": ("/hazards/evaluation/?by=worker&period=week", "supervisor"),
    MONTH: ("/hazards/evaluation/?period=month", "supervisor"),
    "page of what gives reason to ask": ("/hazards/evaluation/doubts/", "supervisor"),
    "page of re-checks": ("/hazards/rechecks/", "supervisor"),
    "page of write-off lists": ("/hazards/writeoffs/", "supervisor"),
    "export of 50,000 rows, CSV": ("/hazards/export.csv", "supervisor"),
    "export of 50,000 rows, Excel": ("/hazards/export.xlsx", "supervisor"),
}


def signed_in(database: str, role: str) -> str:
    """Return the header by which a browser of a role is known in a city."""
    city.use(database)
    made = browser.cookie(role)
    city.use(city.PREPARED)
    return f"Cookie: {made['name']}={made['value']}"


def run() -> Report:
    """Ask both cities in turns, each by a web process of its own over one connection."""
    city.start_django()
    with city.copy_of("bench_young") as young, city.copy_of("bench_old") as old:
        younger(young)
        grown(old)
        rows, headers = {}, {}
        for database in (young, old):
            city.ask(database, "VACUUM FULL ANALYZE" if database == young else "VACUUM ANALYZE")
            rows[database] = city.ask(database, "SELECT count(*) FROM hazards_hazard")[0][0]
            headers[database] = {role: signed_in(database, role) for role in {role for _path, role in ASKED.values()}}
        with (
            servers.web(1, name="young", env={"DATABASE_URL": city.address(young)}) as young_ports,
            servers.web(1, name="old", env={"DATABASE_URL": city.address(old)}) as old_ports,
        ):

            def turn(path: str, ports: list[int], header: str) -> Turn:
                asked = load.request("GET", path, headers=[header])
                return load.delay(load.run(repeat(asked), ports, connections=1, seconds=SECONDS))

            listed = {name: (f"/api/v1/hazards/?{query_of(one, young)}", "dispatcher") for name, one in LISTED.items()}
            measures = {}
            for name, (path, role) in {**listed, **ASKED}.items():
                for age, ports in ((young, young_ports), (old, old_ports)):
                    header = city.token(role) if path.startswith("/api/") else headers[age][role]
                    called = f"{name}, {rows[age]:,} hazards"
                    measures[called] = ("ms", partial(turn, path, ports, header))
            for _unit, measure in measures.values():
                measure()
            sides = in_turns(measures)
    report = Report(
        f"Median time of an answer among {rows[old]:,} hazards of {YEARS} years and among {rows[young]:,}, one web process and"
        f" connection each; 3 turns of {SECONDS} s",
        list(sides.values()),
    )
    for name in (*LISTED, *ASKED):
        few, many = sides[f"{name}, {rows[young]:,} hazards"], sides[f"{name}, {rows[old]:,} hazards"]
        report.verdicts.append(Verdict(many) if name == MONTH else Verdict(many, few, at_most(1.5)))
        if not name.startswith(PAGES):
            report.verdicts.append(Verdict(many, None, None, at_most(15, "ms")))
    return report
