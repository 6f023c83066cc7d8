"""What grade of risk a premises gets, and why: rows of rules in, points and reasons out."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a premises that rules look at."""

    kind: str
    size: int
    limit: int | None
    failed: int  # items in the last year
    open: int  # hazards found by inspection that are not closed

    def value(self, factor: str) -> int | None:
        """Return what a factor measures, None where it measures nothing here."""
        match factor:
            case "kind":
                return 0
            case "size":
                return self.size
            case "percent":
                return self.size * 100 // self.limit if self.limit else None
            case "failed":
                return self.failed
            case "open":
                return self.open
        raise ValueError(f"there is no factor {factor!r}")


@dataclass(frozen=True, slots=True)
class Grade:
    """Points, the colour they mean, and which rules gave them: rows ``{"rule", "value", "points"}``."""

    score: int
    colour: int
    reasons: list[dict[str, int]]


def grade(known: Known, rules: Iterable[Any], grades: Iterable[Any]) -> Grade:
    """Add up, for each factor, the points of the fitting rule with the highest bound; the points name the colour.

    :raises ValueError: there are no grades.
    """
    best: dict[str, tuple[Any, int]] = {}
    for rule in rules:
        value = known.value(rule.factor)
        if rule.kind_id not in (None, known.kind) or value is None or value < rule.at_least:
            continue
        # Of two rules with the same bound the one for this kind alone counts.
        if rule.factor not in best or _rank(rule) > _rank(best[rule.factor][0]):
            best[rule.factor] = rule, value
    score = sum(rule.points for rule, _value in best.values())
    reasons = [{"rule": rule.pk, "value": value, "points": rule.points} for rule, value in best.values() if rule.points]
    reached = [one for one in grades if one.at_least <= score]
    lowest = sorted(grades, key=lambda one: one.at_least)[:1]
    if not lowest:
        raise ValueError("there are no grades of risk")
    return Grade(score, max(reached or lowest, key=lambda one: one.at_least).colour, reasons)


def _rank(rule: Any) -> tuple[int, bool]:
    return rule.at_least, rule.kind_id is not None
