"""The page of promises: runs change their own cells and nothing else; every promise that is tested stands in it."""

import re
from pathlib import Path

from tests import trust

PAGE = """# Head

| id | promise | what is done to it | short form, last run | full form, last run | where |
|---|---|---|---|---|---|
| R1 | stored once | resent | old | old full | `x` |
| R2 | refused | changed | kept | kept \\| full | `x` |
"""


def test_a_run_changes_its_own_cells_only():
    row = {"words": "10 rows | 0 lost", "passed": False, "on": "2026-11-26"}
    page = trust.written(PAGE, {"R1": {trust.SHORT: trust.cell(row, "abc1234")}, "R9": {trust.LONG: "no row"}})
    assert (
        "| R1 | stored once | resent | **failed**: 10 rows \\| 0 lost (2026-11-26, abc1234) | old full | `x` |" in page
    )
    assert [line for line in page.splitlines() if "R1" not in line] == [
        line for line in PAGE.splitlines() if "R1" not in line
    ]


def test_every_promise_that_is_tested_stands_on_the_page():
    tests = Path(__file__).parent.rglob("test_*.py")
    tested = {name.upper() for path in tests for name in re.findall(r"^def test_([drsw]\d+)_", path.read_text(), re.M)}
    assert len(tested) > 14
    assert tested <= {found[1] for line in trust.PAGE.read_text().splitlines() if (found := trust.ROW.match(line))}
