"""bin/bench names its benches, and docs/benchmarks.md is written from what they keep."""

import importlib.util
import subprocess

import pytest

from bench import keeping
from bench.figures import Report, Side, Turn, Verdict, at_least
from tests.running import ROOT

NAMES = ["filing", "dashboard", "years", "live", "screen", "wall", "locate", "tiles", "sweep", "decode", "intake"]


def bench(*words, tmp_path):
    command = [str(ROOT / "bin" / "bench"), *words]
    env = {"PATH": "/usr/bin:/bin", "CITYSAFETY_VAR": str(tmp_path / "var")}
    return subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True)


def test_list_names_every_bench_and_starts_nothing(tmp_path):
    said = bench("--list", tmp_path=tmp_path)

    assert [line.split()[0] for line in said.stdout.splitlines()] == NAMES
    assert said.returncode == 0
    assert not (tmp_path / "var" / "bench" / "services").exists()


@pytest.mark.parametrize("name", NAMES)
def test_every_bench_is_a_module(name):
    assert importlib.util.find_spec(f"bench.{name}") is not None


def test_the_page_tells_figures_bounds_and_the_command_of_each(tmp_path, monkeypatch):
    monkeypatch.setattr(keeping, "RESULTS", tmp_path)
    monkeypatch.setattr(keeping, "PAGE", tmp_path / "benchmarks.md")
    turns = (Turn(30.0), Turn(31.0), Turn(32.0))
    ours, peer = Side("ours", "/s", turns), Side("lean", "/s", (Turn(60.0),) * 3)
    keeping.keep("filing", Report("POST", [ours, peer], [Verdict(ours, peer, at_least(0.6))], ["a note"]), seconds=2)
    keeping.write(NAMES)

    page = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert "| `bin/bench filing` | ours ÷ lean | 0.52 × (0.50–0.53) | ≥ 0.6 ×: **not held** |  |" in page
    assert "| ours | 31.0 /s (30.0–32.0) |" in page
    assert "- a note" in page
    assert "Python 3" in page
    assert "dashboard" not in page
