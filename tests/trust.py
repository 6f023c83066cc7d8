"""docs/trust.md: what is promised and what the last runs of its tests printed. The runs write it themselves.

A test says its figures in a line that begins with the name of its promise (``R4: 2,001 facts …``). What it said is kept
in the instance's folder when it has ended; ``python -m tests.trust`` puts it into the table: the promise and the fault are
words of people and stay, the figures are the runs'.
"""

import json
import os
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "trust.md"
NAMED = re.compile(r"^(\w[\w ]{0,24}): (.+)$", re.DOTALL)
ROW = re.compile(r"^\| ([DLRSW]\d+) \|")
SHORT, LONG = 3, 4  # columns of the table: id, promise, fault, short form, full form, where


def folder() -> Path:
    """Return where what the tests said is kept."""
    return Path(os.environ.get("CITYSAFETY_VAR", ROOT / "var" / "test")) / "trust"


def keep(lines: list[str], *, passed: bool, full: bool, test: str) -> None:
    """Keep what a test said of its promise; lines without a name of one are for the eye only."""
    for line in lines:
        if found := NAMED.match(line.strip()):
            row = {
                "words": " ".join(found[2].split()),
                "passed": passed,
                "on": f"{datetime.now(UTC):%Y-%m-%d}",
                "test": test,
            }
            path = folder() / f"{found[1]}.{'full' if full else 'short'}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(row, ensure_ascii=False))


def cell(row: dict[str, str], commit: str) -> str:
    """Return what the table says of a run."""
    failed = "" if row["passed"] else "**failed**: "
    return f"{failed}{row['words']} ({row['on']}, {commit})".replace("|", "\\|")


def written(page: str, said: dict[str, dict[int, str]]) -> str:
    """Return the page with the cells of the promises that were run anew; every other word stays."""
    lines = []
    for line in page.splitlines():
        if found := ROW.match(line):
            cells = [part.strip() for part in re.split(r"(?<!\\)\|", line)[1:-1]]
            for column, words in said.get(found[1], {}).items():
                cells[column] = words
            line = "| " + " | ".join(cells) + " |"
        lines.append(line)
    return "\n".join(lines) + "\n"


def main() -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    said: dict[str, dict[int, str]] = {}
    for path in sorted(folder().glob("*.json")):
        name, form = path.stem.rsplit(".", 1)
        words = cell(json.loads(path.read_text()), commit.stdout.strip() or "no commit")
        said.setdefault(name, {})[LONG if form == "full" else SHORT] = words
    PAGE.write_text(written(PAGE.read_text(), said))


if __name__ == "__main__":
    main()
