"""Keep what benches found, and write docs/benchmarks.md from it: no figure there was typed by hand."""

import json
import os
import platform
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .figures import Report
from .servers import ROOT, VAR

PAGE = ROOT / "docs" / "benchmarks.md"
RESULTS = VAR / "results"
PACKAGES = ("django", "djangorestframework", "uvicorn", "uvloop", "shapely", "psycopg2-binary")
HEAD = """# Benchmarks

Written by `bin/bench`, from the last run of each bench; never by hand. Every figure is the median of several turns with its
spread, ours and the others in turns on the same machine: ratios hold, absolute figures move with the machine. A *floor* is what
must hold, a *goal* where we go. `bin/bench --list` names the benches; what a peer needs is put under `var/bench/`.
"""


def _said(*command: str) -> str:
    """Return the first line that a command prints; nothing where there is no such command."""
    try:
        spoken = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    except OSError:
        return ""
    return (spoken.stdout.splitlines() or [""])[0].strip()


def machine() -> str:
    """Return what we ran on."""
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = next((line.partition(": ")[2] for line in cpu.splitlines() if line.startswith("model name")), "")
    memory = Path("/proc/meminfo").read_text(encoding="utf-8").split()[1]
    return f"{cpu.count('processor	:')} × {model or platform.machine()}, {int(memory) / 1024**2:.0f} GB of memory"


def versions() -> dict[str, str]:
    """Return the versions of what was measured."""
    found = {"Python": platform.python_version()} | {name: version(name) for name in PACKAGES}
    found["PostgreSQL"] = _said("psql", "--version").removeprefix("psql (PostgreSQL) ").partition(" ")[0]
    found["Redis"] = _said("redis-server", "--version").partition("v=")[2].partition(" ")[0]
    return found


def keep(name: str, report: Report, *, seconds: float) -> None:
    """Keep a report until the bench runs again."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    kept = report.kept() | {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds),
        "load": round(os.getloadavg()[1], 1),
        "commit": _said("git", "describe", "--always", "--dirty"),
        "machine": machine(),
        "versions": versions(),
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(kept, ensure_ascii=False, indent=1), encoding="utf-8")


def write(names: Iterable[str]) -> None:
    """Write the page from what is kept; a bench that never ran here is not on it."""
    kept = {name: RESULTS / f"{name}.json" for name in names}
    found = {name: json.loads(path.read_text(encoding="utf-8")) for name, path in kept.items() if path.exists()}
    if found:
        PAGE.write_text(page(found), encoding="utf-8")


def page(found: dict[str, dict[str, Any]]) -> str:
    """Return the page: where it ran, the verdicts of all benches, then each bench with its sides."""
    newest = max(found.values(), key=lambda kept: kept["at"])
    lines = [
        HEAD,
        f"Machine: {newest['machine']}; client, servers and databases together, over loopback.",
        "Versions: " + ", ".join(f"{name} {number}" for name, number in newest["versions"].items()) + ".",
        "",
        "| command | compared | figure | floor | goal |",
        "|---|---|---|---|---|",
    ]
    for name, kept in found.items():
        for verdict in kept["verdicts"]:
            floor = _bound(verdict["floor"], verdict["held"], "held", "**not held**")
            goal = _bound(verdict["goal"], verdict["reached"], "reached", "not reached")
            lines.append(f"| `bin/bench {name}` | {verdict['name']} | {verdict['figure']} | {floor} | {goal} |")
    for name, kept in found.items():
        lines += ["", f"## {name}", "", f"{kept['what']}.", ""]
        lines += ["| side | median (least–most) |", "|---|---|"]
        lines += [f"| {side['name']} | {side['line']} |" for side in kept["sides"]]
        lines += [""] + [f"- {note}" for note in kept["notes"]]
        when = kept["at"].replace("T", " ").removesuffix("+00:00")
        load = f", load of the machine {kept['load']} over the last five minutes" if "load" in kept else ""
        lines.append(f"- run {when} UTC at commit {kept['commit']}, {kept['seconds']} s{load}")
    return "\n".join(lines) + "\n"


def _bound(bound: str, met: bool | None, yes: str, no: str) -> str:
    return f"{bound}: {yes if met else no}" if bound else ""
