"""`python -m bench`: run benches by name, keep what they found, write docs/benchmarks.md from it."""

import argparse
import importlib
import sys
import time

from . import keeping

BENCHES = {
    "filing": "POST one hazard, beside a lean DRF endpoint and SQL",
    "dashboard": "the wall's look and lists of 50 among 100,000 hazards, beside a lean DRF list",
    "years": "the same questions among 5,000,000 hazards, beside 100,000",
    "live": "a 300-byte message to 1,000 signed-in sockets, beside socket.io, ws and a loop in C",
    "screen": "from the commit of a change to the last of 1,000 screens, and to pixels in Chromium",
    "wall": "the wall's first picture and first news, beside a bare MapLibre page",
    "locate": "point to cell among 10,000, beside Shapely's STRtree and PostGIS",
    "tiles": "vector tiles of 10,000 cells, beside ST_AsMVT and tipg",
    "sweep": "the overdue sweep over 1,000,000 open clocks, beside 10,000",
    "decode": "JT/T 808 positions, one by one and in batches, beside the least decoder in plain Python",
    "intake": "readings stored through Store.take, rules evaluated, beside COPY of the same rows",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bin/bench", description="Measure us beside peers and limits, in turns.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to run, one after the other")
    parser.add_argument("--list", action="store_true", help="name the benches")
    parser.add_argument("--prepare", action="store_true", help="set up the servers and the city, run nothing")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md from what was run last")
    asked = parser.parse_args()
    if asked.list:
        for name, what in BENCHES.items():
            print(f"{name:10} {what}")
        return 0
    if unknown := [name for name in asked.names if name not in BENCHES]:
        parser.error(f"no such bench: {', '.join(unknown)}; --list names them")
    held = True
    for name in asked.names:
        began = time.monotonic()
        report = importlib.import_module(f"bench.{name}").run()
        print(f"\n{name}: " + "\n".join(report.lines()), flush=True)
        keeping.keep(name, report, seconds=time.monotonic() - began)
        held = held and not any(verdict.floor_held() is False for verdict in report.verdicts)
    if asked.names or asked.write:
        keeping.write(BENCHES)
    return 0 if held else 1


sys.exit(main())
