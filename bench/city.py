"""Databases of benches, copied from the prepared demo city, and what is asked of them."""

import contextlib
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg2
import redis

from .figures import Turn
from .servers import VAR

PREPARED = "citysafety"
WEST_HALVES = """
CREATE TEMP TABLE halves AS
SELECT code, geometry, (ST_XMin(geometry) + ST_XMax(geometry)) / 2 AS middle FROM grid_cell WHERE kind = 'base';
UPDATE grid_cell c SET geometry = ST_Multi(ST_CollectionExtract(ST_Intersection(h.geometry,
    ST_MakeEnvelope(ST_XMin(h.geometry), ST_YMin(h.geometry), h.middle, ST_YMax(h.geometry), 4326)), 3))
FROM halves h WHERE h.code = c.code;
INSERT INTO grid_cell (code, name_zh, name_en, kind, division_id, geometry, focus, active, synthetic, version_id)
SELECT substr(c.code, 1, 12) || (substr(c.code, 13)::int + 200), c.name_zh, c.name_en, c.kind, c.division_id,
    ST_Multi(ST_CollectionExtract(ST_Intersection(h.geometry,
        ST_MakeEnvelope(h.middle, ST_YMin(h.geometry), ST_XMax(h.geometry), ST_YMax(h.geometry), 4326)), 3)),
    c.focus, true, true, c.version_id
FROM halves h JOIN grid_cell c USING (code);
DROP TABLE halves;
ANALYZE grid_cell"""


def address(database: str) -> str:
    """Return the DATABASE_URL of one of our databases."""
    return f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{database}"


def server() -> str:
    """Return the folder of our PostgreSQL's socket."""
    return unquote(re.search(r"@(.*)/", os.environ["DATABASE_URL"]).group(1))


def connect(database: str) -> Any:
    """Return a connection of psycopg2's that commits each statement."""
    user = urlsplit(os.environ["DATABASE_URL"]).username
    line = psycopg2.connect(host=server(), user=user, dbname=database)
    line.autocommit = True
    return line


def ask(database: str, statement: str, *values: Any, **named: Any) -> list[tuple]:
    """Run statements and return the rows of the last one, if it has any."""
    with contextlib.closing(connect(database)) as line, line.cursor() as cursor:
        cursor.execute(statement, named or values or None)
        return cursor.fetchall() if cursor.description else []


@contextlib.contextmanager
def copy_of(name: str, *, of: str = PREPARED) -> Iterator[str]:
    """Yield the name of a database with what another one holds, for this block only; the caches are empty."""
    ask("postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    ask("postgres", f"CREATE DATABASE {name} TEMPLATE {of} STRATEGY FILE_COPY")
    empty_caches()
    try:
        yield name
    finally:
        ask("postgres", f"DROP DATABASE {name} WITH (FORCE)")


def empty_caches() -> None:
    redis.Redis.from_url(os.environ["REDIS_URL"]).flushall()


def ten_thousand_cells(database: str) -> int:
    """Cut each base cell in two, so that the city has some 10,000; return how many it has."""
    ask(database, WEST_HALVES)
    return ask(database, "SELECT count(*) FROM grid_cell WHERE active")[0][0]


def accounts(role: str) -> list[dict[str, Any]]:
    """Return the demo accounts of a role, with their tokens."""
    rows = json.loads((VAR / "demo-accounts.json").read_text(encoding="utf-8"))[role]
    return rows if isinstance(rows, list) else [rows]


def token(role: str) -> str:
    """Return the header that signs in the first account of a role, whose area is the city where there is one."""
    rows = sorted(accounts(role), key=lambda row: len(row["area"] or ""))
    return f"Authorization: Token {rows[0]['token']}"


def pgbench(database: str, script: str, *, connections: int, seconds: int, prepared: bool = True) -> Turn:
    """Run an SQL script over and over; return the transactions a second."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        said = subprocess.run(
            [
                *(f"{os.environ['PG_BIN']}/pgbench", "-n", "-h", server(), "-U", "citysafety", "-f", file.name),
                *("-c", str(connections), "-j", str(min(connections, 2)), "-T", str(seconds)),
                *("-M", "prepared" if prepared else "simple", database),
            ],
            capture_output=True,
            text=True,
            cwd=Path("/"),
        )
    found = re.search(r"tps = ([\d.]+)", said.stdout)
    failed = re.search(r"number of failed transactions: (\d+)", said.stdout)
    if said.returncode or not found:
        raise RuntimeError(f"pgbench: {said.stderr[-1000:]}")
    middle = re.search(r"latency average = ([\d.]+)", said.stdout)
    return Turn(float(found[1]), int(failed[1]) if failed else 0, {"mean ms": float(middle[1])})


def use(database: str) -> None:
    """Let Django in this process work with a database from now on."""
    from django.db import connection  # noqa: PLC0415  settings are ready once a bench asks

    connection.close()
    connection.settings_dict["NAME"] = database


def start_django() -> None:
    """Read the settings and load the apps in this process; once."""
    import django  # noqa: PLC0415  most benches need none of it

    django.setup()


def values(rows: Sequence[tuple]) -> list[Any]:
    """Return the only column of rows."""
    return [row[0] for row in rows]
