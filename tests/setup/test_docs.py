"""What the documents say of the code is so."""

import ast
import re
from pathlib import Path

import pytest

from citysafety.accounts.menu import HOME
from grid.loading.catalogue import STAGES

ROOT = Path(__file__).resolve().parents[2]
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
NAMED = re.compile(r"\]\((\.\./[^)]+\.(?:py|js))\),?\s+\(?((?:`[A-Za-z_.]+`(?:, )?)+)")  # those right after a link


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page):
    wanted = [target for target in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in target]
    assert [target for target in wanted if not (page.parent / target).exists()] == []


def test_the_names_that_the_flow_gives_after_a_file_are_defined_in_it():
    page = ROOT / "docs" / "flow.md"
    named = []
    for target, names in NAMED.findall(page.read_text(encoding="utf-8")):
        source = (page.parent / target).read_text(encoding="utf-8")
        for name in re.findall(r"`([^`]+)`", names):
            named.append(name)
            for part in name.split("."):
                assert re.search(rf"\b(def|class|function|const) {part}\b", source), f"{name} is not in {target}"
    assert {"report_hazard", "relay_waiting", "Hub", "connect", "take_step"} <= set(named)


def test_operations_lists_the_variables_that_the_settings_read_and_no_other():
    settings = (ROOT / "citysafety" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r"env\.\w+\(\s*\"([A-Z_0-9]+)\"", settings))
    others = "".join(
        (ROOT / name).read_text(encoding="utf-8")
        for name in ("bin/run", "bin/_supervise.py", "citysafety/asgi.py", "docker-compose.yml")
    )
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([A-Z_0-9]+)` \|", page, re.M))
    assert read - listed == set()
    assert [name for name in listed - read if name not in others] == []


def test_the_readme_sends_each_role_to_where_it_begins():
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    begins = {
        name: address
        for names, address in re.findall(r"^\| (`\w+`.*?) \| .*? \| `(/\w+/)` \|$", page, re.M)
        for name in re.findall(r"`([a-z]+)\d?`", names)
    }
    of_roles = {
        "worker": "grid_worker",
        "handler": "department_handler",
        "admin": "administrator",
        "security": "security_officer",
    }
    assert len(begins) == len(HOME) - 1  # the kiosk's address is printed
    for name, address in begins.items():
        assert HOME[of_roles.get(name, name)].partition("?")[0] == address


# -- docs/load-city.md ----------------------------------------------------------------------------

READERS = {  # the functions that read each file
    "city.csv": ("places", ["read_city"]),
    "divisions.csv": ("places", ["read_divisions"]),
    "outlines.*": ("places", ["read_outlines"]),
    "cells.*": ("places", ["_cell"]),
    "departments.csv": ("people", ["read_departments"]),
    "centres.csv": ("people", ["read_centres", "point"]),
    "workers.csv": ("people", ["read_workers", "_postings"]),
    "matters.csv": ("catalogue", ["read_matters", "_clocks"]),
    "premises_kinds.csv": ("catalogue", ["read_premises"]),
    "premises.csv": ("catalogue", ["_premises"]),
}
KINDS_OF_VALUE = {"text", "number", "day", "choice", "flag", "list"}


def calls(tree: ast.AST) -> set[str]:
    """Return the columns that code asks a row or a feature for by name."""
    found = set()
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
            continue
        if isinstance(node.func, ast.Attribute) and node.func.attr in KINDS_OF_VALUE:
            found.add(node.args[0].value)
    return found


def functions(module: str) -> dict[str, ast.FunctionDef]:
    tree = ast.parse((ROOT / "grid" / "loading" / f"{module}.py").read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def documented() -> dict[str, tuple[set[str], set[str]]]:
    """Return the columns of each file in the page, and which of them are bold."""
    page = (ROOT / "docs" / "load-city.md").read_text(encoding="utf-8")
    found = {}
    for file, columns in re.findall(r"^\| `([a-z_]+\.(?:csv|\*))` \| (.*) \|$", page, re.M):
        columns = re.sub(r"\([^)]*\)", "", columns)
        words = re.findall(r"(?:^|, )(\*?\*?[a-z_0-9]+\*?\*?)(?=[ ,;]|$)", columns)
        found[file] = ({w.strip("*") for w in words}, {w.strip("*") for w in words if w.startswith("*")})
    return found


@pytest.mark.parametrize("file", READERS)
def test_the_documented_columns_are_those_that_loading_reads(file):
    module, names = READERS[file]
    body = functions(module)
    read = set().union(*(calls(body[name]) for name in names))
    if file in ("city.csv", "divisions.csv"):
        read |= {"code"}  # through _code
    elif file == "premises.csv":
        read |= calls(functions("people")["point"]) | {"lon", "lat"}
    elif file == "centres.csv":
        read |= {"lon", "lat"}
    elif file == "workers.csv":
        read |= {"primary", "backup"}  # in a loop over both
    elif file == "matters.csv":
        read |= set(STAGES) | {"verify_within_m"}  # the limits, in a loop; the distance, through _within
    assert documented()[file][0] == read


def test_the_columns_that_must_be_there_are_bold():
    required = {}
    for module in ("places", "people", "catalogue"):
        for node in ast.walk(ast.parse((ROOT / "grid" / "loading" / f"{module}.py").read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Table":
                file = node.args[1].value
                required[file] = set(next(k.value.value for k in node.keywords if k.arg == "columns").split())
    pages = documented()
    assert {file: pages[file][1] for file in required} == required
