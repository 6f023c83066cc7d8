"""What a bench found: figures of several turns, ratios between them, and the bounds they are held against. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

LITTLE = 100  # from here on a figure is shown without decimals


def percentile(values: list[float], share: float) -> float:
    """Return the value that this share of the values does not exceed; 0 without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn of one side gave; with errors its value says nothing."""

    value: float
    errors: int = 0
    beside: Mapping[str, float] = field(default_factory=dict)  # more figures of the same turn, such as p99


@dataclass(frozen=True, slots=True)
class Side:
    """All turns of ours, of a peer or of a limit."""

    name: str
    unit: str
    turns: tuple[Turn, ...]

    @property
    def errors(self) -> int:
        return sum(turn.errors for turn in self.turns)

    @property
    def values(self) -> list[float]:
        return [turn.value for turn in self.turns]

    def beside(self) -> dict[str, float]:
        """Return the medians of what was measured beside the value."""
        return {name: median(turn.beside[name] for turn in self.turns) for name in self.turns[0].beside}

    def line(self) -> str:
        """Return it as text: median, spread, what was measured beside it."""
        more = "".join(f" · {name} {shown(value)}" for name, value in self.beside().items())
        wrong = f" · {self.errors} ERRORS" if self.errors else ""
        spread = f"({shown(min(self.values))}–{shown(max(self.values))})"
        return f"{shown(median(self.values))} {self.unit} {spread}{more}{wrong}"


@dataclass(frozen=True, slots=True)
class Bound:
    """A floor or a goal: at least, or at most, so much."""

    sign: str  # ≥ or ≤
    number: float
    unit: str = "×"

    def __str__(self) -> str:
        return f"{self.sign} {self.number:g} {self.unit}"

    def holds(self, value: float) -> bool:
        return value >= self.number if self.sign == "≥" else value <= self.number


def at_least(number: float, unit: str = "×") -> Bound:
    return Bound("≥", number, unit)


def at_most(number: float, unit: str = "×") -> Bound:
    return Bound("≤", number, unit)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A figure against its floor and its goal: a ratio of two sides turn by turn, or without ``to`` one side's own."""

    of: Side
    to: Side | None = None
    floor: Bound | None = None
    goal: Bound | None = None

    @property
    def values(self) -> list[float]:
        """Return a value for each turn; none for a run with errors, which is no run to compare."""
        if self.of.errors or (self.to is not None and self.to.errors):
            return []
        if self.to is None:
            return self.of.values
        if not all(self.to.values):
            return []
        return [ours / theirs for ours, theirs in zip(self.of.values, self.to.values, strict=True)]

    @property
    def value(self) -> float | None:
        return median(self.values) if self.values else None

    @property
    def name(self) -> str:
        return f"{self.of.name} ÷ {self.to.name}" if self.to else self.of.name

    def figure(self) -> str:
        """Return the value with its spread, ``1.23 × (1.20–1.31)``."""
        if self.value is None:
            return "no ratio: the run had errors"
        unit = "×" if self.to else self.of.unit
        show = "{:.2f}".format if self.to else shown
        return f"{show(self.value)} {unit} ({show(min(self.values))}–{show(max(self.values))})"

    def floor_held(self) -> bool | None:
        """Test the floor; None where there is none to hold."""
        if self.floor is None:
            return None
        return self.value is not None and self.floor.holds(self.value)

    def goal_reached(self) -> bool | None:
        if self.goal is None:
            return None
        return self.value is not None and self.goal.holds(self.value)

    def line(self) -> str:
        floor = {None: "", True: f" · floor {self.floor}: held", False: f" · floor {self.floor}: NOT HELD"}
        goal = {None: "", True: f" · goal {self.goal}: reached", False: f" · goal {self.goal}: not reached"}
        return f"{self.figure()}{floor[self.floor_held()]}{goal[self.goal_reached()]}"


@dataclass(slots=True)
class Report:
    """One bench: what was run, its sides and what they come to."""

    what: str
    sides: list[Side] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return it as text for a terminal."""
        width = max(len(name) for name in (*(s.name for s in self.sides), *(v.name for v in self.verdicts)))
        return [
            self.what,
            *(f"  {side.name:{width}}  {side.line()}" for side in self.sides),
            *(f"  {verdict.name:{width}}  {verdict.line()}" for verdict in self.verdicts),
            *(f"  note: {note}" for note in self.notes),
        ]

    def kept(self) -> dict[str, Any]:
        """Return it as JSON can hold it: what docs/benchmarks.md is written from."""
        return {
            "what": self.what,
            "sides": [{"name": side.name, "line": side.line(), **asdict(side)} for side in self.sides],
            "verdicts": [
                {
                    "name": verdict.name,
                    "figure": verdict.figure(),
                    "value": verdict.value,
                    "floor": str(verdict.floor or ""),
                    "held": verdict.floor_held(),
                    "goal": str(verdict.goal or ""),
                    "reached": verdict.goal_reached(),
                }
                for verdict in self.verdicts
            ],
            "notes": self.notes,
        }


def shown(number: float) -> str:
    """Return a figure with as many digits as mean something."""
    if number >= LITTLE:
        return f"{number:,.0f}"
    return f"{number:.1f}" if number >= 10 else f"{number:.2f}"


def in_turns(measures: Mapping[str, tuple[str, Callable[[], Turn]]], *, rounds: int = 3) -> dict[str, Side]:
    """Measure every side once a round, A B A B, so that all of them see the same hours of the machine.

    ``measures`` gives each name its unit and what measures one turn.
    """
    turns: dict[str, list[Turn]] = {name: [] for name in measures}
    for _round in range(rounds):
        for name, (_unit, measure) in measures.items():
            turns[name].append(measure())
    return {name: Side(name, measures[name][0], tuple(found)) for name, found in turns.items()}
