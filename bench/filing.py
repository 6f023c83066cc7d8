"""POST one hazard through the API, beside a lean endpoint and the least that the database can do."""

import json
import random
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

from . import city, load, servers
from .figures import Report, Turn, Verdict, at_least, in_turns

PROCESSES, CONNECTIONS, SECONDS = 2, 8, 8
POINTS = 10_000
# Where hazards are found: at the places of past ones, some hundred metres off.
PLACES = """
CREATE TABLE bench_point AS
SELECT row_number() OVER () AS id, ST_X(at) AS lon, ST_Y(at) AS lat, at FROM (
  SELECT ST_Translate(location, (random() - 0.5) * 0.002, (random() - 0.5) * 0.002) AS at
  FROM hazards_hazard h WHERE EXISTS (SELECT FROM grid_cell c WHERE c.id = h.cell_id AND c.kind = 'base')
  ORDER BY random() LIMIT %s) drawn;
ALTER TABLE bench_point ADD PRIMARY KEY (id);
ANALYZE bench_point"""
# Look-up and three inserts in one statement and one round trip.
LIMIT = f"""\\set i random(1, {POINTS})
WITH place AS (
  SELECT p.at, (SELECT c.id FROM grid_cell c WHERE c.kind = 'base' AND ST_Contains(c.geometry, p.at) ORDER BY c.id LIMIT 1) AS cell
  FROM bench_point p WHERE p.id = :i
), report AS (
  INSERT INTO lean_report (id, category, text, occurred_at, received_at)
  SELECT gen_random_uuid(), '201', 'loose cover', now(), now() RETURNING id
), placed AS (
  INSERT INTO lean_place (report_id, point, cell_id) SELECT report.id, place.at, place.cell FROM report, place
)
INSERT INTO lean_status (report_id, state, at) SELECT id, 'reported', now() FROM report;
"""


def lean_tables(database: str) -> dict[str, str]:
    """Make the tables of the lean service in a database; return the environment of its processes."""
    env = {"DATABASE_URL": city.address(database), "DJANGO_SETTINGS_MODULE": "bench.lean.settings"}
    command = [sys.executable, "-m", "django", "migrate", "--run-syncdb", "-v0"]
    subprocess.run(command, cwd=servers.ROOT, env={**servers.os.environ, **env}, check=True)
    return env


def places(database: str) -> list[tuple[float, float]]:
    city.ask(database, PLACES, POINTS)
    return city.ask(database, "SELECT lon, lat FROM bench_point")


def ours(points: list[tuple[float, float]], matters: list[str]) -> Iterator[bytes]:
    """Yield filings, each with an id of its own."""
    headers, now = [city.token("grid_worker")], datetime.now(UTC).isoformat()
    while True:
        lon, lat = random.choice(points)
        body = {
            "id": str(uuid.uuid4()),
            "matter": random.choice(matters),
            "description": "井盖松动，行人经过时有响声",
            "location": {"lon": lon, "lat": lat, "accuracy_m": 12.0},
            "occurred_at": now,
        }
        yield load.request("POST", "/api/v1/hazards/", body=json.dumps(body).encode(), headers=headers)


def leans(points: list[tuple[float, float]], matters: list[str]) -> Iterator[bytes]:
    now = datetime.now(UTC).isoformat()
    while True:
        lon, lat = random.choice(points)
        body = {
            "id": str(uuid.uuid4()),
            "category": random.choice(matters),
            "text": "井盖松动，行人经过时有响声",
            "lon": lon,
            "lat": lat,
            "occurred_at": now,
        }
        yield load.request("POST", "/reports/", body=json.dumps(body).encode())


def run() -> Report:
    """Run ours with its relay; the lean service has rows of its own in the same database, and stands still meanwhile."""
    with city.copy_of("bench_filing") as database:
        env = {"DATABASE_URL": city.address(database)}
        points = places(database)
        matters = city.values(
            city.ask(database, "SELECT code FROM grid_matter WHERE active AND severity = 'general' LIMIT 20")
        )
        lean_env = lean_tables(database)
        with (
            servers.web(PROCESSES, env=env) as ports,
            servers.web(PROCESSES, name="lean", application="bench.lean.asgi:application", env=lean_env) as leans_ports,
            servers.relay(env),
        ):

            def turn(asked: Iterator[bytes], at: list[int], seconds: float = SECONDS) -> Turn:
                return load.rate(load.run(asked, at, connections=CONNECTIONS, seconds=seconds))

            turn(ours(points, matters), ports, 10)  # whatever is built at the first request is built before
            turn(leans(points, matters), leans_ports, 2)
            sides = in_turns(
                {
                    "ours": ("/s", lambda: turn(ours(points, matters), ports)),
                    "lean endpoint": ("/s", lambda: turn(leans(points, matters), leans_ports)),
                    "SQL, one statement": (
                        "/s",
                        lambda: city.pgbench(database, LIMIT, connections=CONNECTIONS, seconds=4),
                    ),
                }
            )
        filed, told = city.ask(
            database,
            "SELECT (SELECT count(*) FROM hazards_hazard WHERE NOT imported),"
            " (SELECT count(*) FROM outbox_outboxentry WHERE topic LIKE 'hazard.%%' OR kind = 'hazard')",
        )[0]
    report = Report(
        f"POST one hazard with {CONNECTIONS} connections to {PROCESSES} web processes, the relay at work;"
        f" 3 turns of {SECONDS} s",
        list(sides.values()),
    )
    mine = sides["ours"]
    report.verdicts = [
        Verdict(mine, sides["lean endpoint"], at_least(0.6), at_least(2.6)),
        Verdict(mine, sides["SQL, one statement"]),
    ]
    report.notes = [
        f"{filed} hazards filed in all, {told} facts of them in the outbox",
        "lean endpoint: DRF and GeoDjango without accounts, one polygon look-up and three inserts (bench/lean)",
    ]
    return report
