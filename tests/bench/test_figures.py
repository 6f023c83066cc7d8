"""How benches count: medians and spreads of turns, ratios turn by turn, none for a run with errors."""

import pytest

from bench.figures import Report, Side, Turn, Verdict, at_least, at_most, in_turns, percentile, shown


def side(*values, name="ours", unit="/s", errors=0):
    return Side(name, unit, tuple(Turn(value, errors if n == 0 else 0) for n, value in enumerate(values)))


@pytest.mark.parametrize(
    ("values", "share", "found"),
    [([], 0.5, 0), ([3.0], 0.99, 3), ([4.0, 1.0, 3.0, 2.0], 0.5, 3), ([float(n) for n in range(100)], 0.99, 99)],
)
def test_a_percentile_is_one_of_the_values(values, share, found):
    assert percentile(values, share) == found


@pytest.mark.parametrize(("number", "text"), [(0.4567, "0.46"), (12.34, "12.3"), (98765.4, "98,765")])
def test_a_figure_shows_digits_that_mean_something(number, text):
    assert shown(number) == text


def test_sides_are_measured_in_turns_and_tell_median_and_spread():
    order = []

    def measure(name, values):
        return lambda: (order.append(name), Turn(next(values), beside={"p99 ms": 2.0}))[1]

    found = in_turns({"a": ("/s", measure("a", iter([100, 300, 200]))), "b": ("ms", measure("b", iter([1, 2, 3])))})

    assert order == ["a", "b"] * 3
    assert found["a"].line() == "200 /s (100–300) · p99 ms 2.00"
    assert found["b"].values == [1, 2, 3]


def test_a_ratio_is_the_median_of_the_turns_ratios_not_of_the_figures():
    verdict = Verdict(side(10, 30, 20), side(10, 10, 40, name="peer"), at_least(0.9), at_least(2))

    assert verdict.figure() == "1.00 × (0.50–3.00)"
    assert (verdict.floor_held(), verdict.goal_reached()) == (True, False)
    assert verdict.line() == "1.00 × (0.50–3.00) · floor ≥ 0.9 ×: held · goal ≥ 2 ×: not reached"


@pytest.mark.parametrize(("ours", "theirs"), [(1, 0), (0, 1)])
def test_a_run_with_errors_gives_no_ratio_and_holds_no_floor(ours, theirs):
    verdict = Verdict(side(2, 2, 2, errors=ours), side(1, 1, 1, name="peer", errors=theirs), at_least(0.5))
    report = Report("nothing", [verdict.of, verdict.to], [verdict])

    assert (verdict.value, verdict.floor_held()) == (None, False)
    assert "×" not in verdict.figure()
    assert "no ratio" in report.lines()[-1]
    assert "1 ERRORS" in "\n".join(report.lines())
    assert report.kept()["verdicts"][0]["value"] is None


def test_a_figure_of_ours_alone_may_have_bounds_in_its_own_unit():
    verdict = Verdict(side(28, 31, 29, unit="ms"), None, at_most(30, "ms"), at_most(10, "ms"))
    assert verdict.line() == "29.0 ms (28.0–31.0) · floor ≤ 30 ms: held · goal ≤ 10 ms: not reached"
