"""Vector tiles of 10,000 cells, made and kept, beside ST_AsMVT on the pre-projected table and beside tipg."""

import contextlib
import json
import math
import random
from collections.abc import Iterator
from functools import partial
from typing import Any

from . import city, load, peers, servers
from .figures import Report, Turn, Verdict, at_least, in_turns

PROCESSES, CONNECTIONS, SECONDS = 2, 8, 4
ZOOMS = (10, 12, 14)
MOST_TILES = 1000  # of a zoom
LIMIT = """\\set i random(1, {count})
WITH box AS (SELECT ST_TileEnvelope(z, x, y) AS tile FROM bench_tile WHERE id = :i AND z = {z}),
shapes AS (
  SELECT c.id, c.code, c.kind, ST_AsMVTGeom(c.mercator, box.tile, 4096, 32, true) AS geom
  FROM grid_cell c, box WHERE c.active AND c.mercator && box.tile)
SELECT ST_AsMVT(shapes, 'cells', 4096, 'geom', 'id') FROM shapes;
"""


def tiles_of(bounds: tuple[float, ...], z: int) -> list[tuple[int, int]]:
    """Return the tiles of a zoom that lie over a frame in degrees."""

    def tile(lon: float, lat: float) -> tuple[int, int]:
        turned = math.log(math.tan(math.radians(lat)) + 1 / math.cos(math.radians(lat)))
        return int((lon + 180) / 360 * 2**z), int((1 - turned / math.pi) / 2 * 2**z)

    (west, north), (east, south) = tile(bounds[0], bounds[3]), tile(bounds[2], bounds[1])
    return [(x, y) for x in range(west, east + 1) for y in range(north, south + 1)]


def filled(database: str, z: int) -> list[tuple[int, int]]:
    """Return tiles of a zoom that hold cells, and note them for the limit's script."""
    bounds = city.ask(
        database,
        "SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e) FROM (SELECT ST_Extent(geometry) AS e FROM grid_cell"
        " WHERE kind = 'base') of_cells",
    )[0]
    city.ask(database, "CREATE TABLE IF NOT EXISTS bench_tile (z int, id int, x int, y int, PRIMARY KEY (z, id))")
    tiles = tiles_of(bounds, z)
    held = city.ask(
        database,
        "SELECT x, y FROM jsonb_to_recordset(%s) AS t(x int, y int) WHERE EXISTS (SELECT FROM grid_cell c"
        " WHERE c.mercator && ST_TileEnvelope(%s, x, y))",
        json.dumps([{"x": x, "y": y} for x, y in tiles]),
        z,
    )
    chosen = random.sample(held, min(len(held), MOST_TILES))
    city.ask(
        database,
        "INSERT INTO bench_tile SELECT %s, row_number() OVER (), x, y FROM jsonb_to_recordset(%s) AS t(x int, y int)",
        z,
        json.dumps([{"x": x, "y": y} for x, y in chosen]),
    )
    return chosen


def cold(database: str, places: list[tuple[int, int, int]], ports: list[int], headers: list[str]) -> Turn:
    """Ask for every tile once of a grid version that was never asked for, again and again until the time is over; to
    activate the next version is not counted.
    """
    took: list[float] = []
    wrong, lasted = 0, 0.0
    while lasted < SECONDS:
        version = city.ask(
            database,
            "UPDATE grid_gridversion SET number = number + 1 WHERE id = (SELECT id FROM grid_gridversion"
            " WHERE activated_at IS NOT NULL ORDER BY number DESC LIMIT 1) RETURNING number",
        )[0][0]
        asked = [request(version, *place, headers) for place in random.sample(places, len(places))]
        crowd = load.run(asked, ports, connections=CONNECTIONS)
        took, wrong, lasted = took + crowd.took, wrong + crowd.wrong, lasted + crowd.lasted
    return Turn(len(took) / lasted, wrong)


def request(version: int, z: int, x: int, y: int, headers: list[str]) -> bytes:
    return load.request("GET", f"/tiles/{version}/cells/{z}/{x}/{y}.mvt", headers=headers)


def ours_kept(database: str, places: list[tuple[int, int, int]], ports: list[int], headers: list[str]) -> Turn:
    """Ask for tiles of the active version, packed as browsers take them."""
    version = city.ask(database, "SELECT max(number) FROM grid_gridversion WHERE activated_at IS NOT NULL")[0][0]
    return kept([request(version, *place, [*headers, "Accept-Encoding: br"]) for place in places], ports)


def kept(asked: list[bytes], ports: list[int]) -> Turn:
    """Ask again for tiles that every process has made before."""
    for port in ports:
        load.run(asked, [port], connections=CONNECTIONS)
    return load.rate(load.run(endless(asked), ports, connections=CONNECTIONS, seconds=SECONDS))


def endless(asked: list[bytes]) -> Iterator[bytes]:
    while True:
        yield random.choice(asked)


@contextlib.contextmanager
def tipg(database: str) -> Iterator[list[int]]:
    """Run tipg with as many processes as ours; yield no port where it cannot be had."""
    python = peers.python("tipg", "tipg==1.6.0", "uvicorn[standard]")
    if python is None:
        yield []
        return
    env = {
        "DATABASE_URL": city.address(database).replace("postgis:", "postgresql:"),
        "TIPG_DB_SCHEMAS": '["public"]',
        "TIPG_DB_TABLES": '["public.bench_cell"]',
    }
    with contextlib.ExitStack() as stack:
        ports = [servers.free_port() for _ in range(PROCESSES)]
        for port in ports:
            command = [python, "-m", "uvicorn", "tipg.main:app", "--host", "127.0.0.1", "--port", str(port)]
            child = stack.enter_context(servers.process([*command, "--no-access-log"], name=f"tipg{port}", env=env))
            servers.await_port(child, port, f"tipg{port}")
        yield ports


def run() -> Report:
    """Measure each zoom: ours made anew, ours kept, the limit of SQL, and tipg, which keeps nothing."""
    with city.copy_of("bench_tiles") as database:
        cells = city.ten_thousand_cells(database)
        tiles = {z: filled(database, z) for z in ZOOMS}
        city.ask(
            database,
            "CREATE TABLE bench_cell AS SELECT id::int, code, kind, mercator AS geom FROM grid_cell WHERE active;"
            "ALTER TABLE bench_cell ADD PRIMARY KEY (id); CREATE INDEX ON bench_cell USING gist (geom)",
        )
        city.ask(database, "VACUUM ANALYZE")
        env = {"DATABASE_URL": city.address(database)}
        with servers.web(PROCESSES, env=env) as ports, tipg(database) as theirs:
            measures: dict[str, Any] = {}
            headers = [city.token("operator")]
            for z, of_zoom in tiles.items():
                places = [(z, x, y) for x, y in of_zoom]
                script = LIMIT.format(count=len(of_zoom), z=z)
                measures[f"ours z{z}, made"] = ("/s", partial(cold, database, places, ports, headers))
                measures[f"SQL z{z}"] = (
                    "/s",
                    partial(city.pgbench, database, script, connections=CONNECTIONS, seconds=SECONDS),
                )
                measures[f"ours z{z}, kept"] = ("/s", partial(ours_kept, database, places, ports, headers))
                if theirs:
                    address = "/collections/public.bench_cell/tiles/WebMercatorQuad"
                    wanted = [load.request("GET", f"{address}/{z}/{x}/{y}") for x, y in of_zoom]
                    measures[f"tipg z{z}"] = ("/s", partial(kept, wanted, theirs))
            sides = in_turns(measures)
    report = Report(
        f"Tiles of {cells:,} cells, {CONNECTIONS} connections to {PROCESSES} web processes; 3 turns of {SECONDS} s",
        list(sides.values()),
    )
    for z in ZOOMS:
        floor, goal = (at_least(0.6), at_least(0.8)) if z <= 12 else (None, None)
        report.verdicts.append(Verdict(sides[f"ours z{z}, made"], sides[f"SQL z{z}"], floor, goal))
        if f"tipg z{z}" in sides:
            report.verdicts.append(Verdict(sides[f"ours z{z}, kept"], sides[f"tipg z{z}"], at_least(5)))
        report.verdicts.append(Verdict(sides[f"ours z{z}, kept"], None, None, at_least(20_000, "/s")))
    if not theirs:
        report.notes.append("tipg could not be had or started here: no ratio to it")
    return report
