"""State machines written as tables: one row per lawful step."""

from dataclasses import dataclass, field
from typing import Any


class StepNotAllowed(Exception):
    """The lifecycle has no such step from the present state."""


@dataclass(frozen=True, slots=True)
class Step:
    """One row: from where, by what action, to where, by which rule, by whom, on what evidence.

    ``roles`` holds alternatives such as ``"dispatcher:area"`` (role, then the rules of
    :mod:`citysafety.accounts.rights` it must meet, parted by commas); ``requires`` names
    what the step asks for: ``reason``, ``words``, ``department``, ``location``, ``photo:after``.
    """

    source: str
    action: str
    target: str
    basis: str
    roles: tuple[str, ...]
    requires: tuple[str, ...] = ()
    label: Any = field(default="", compare=False)


class Lifecycle:
    """A fixed set of steps, looked up by present state and action."""

    def __init__(self, *steps: Step) -> None:
        self.steps = steps
        self._lookup = {(step.source, step.action): step for step in steps}
        if len(self._lookup) != len(steps):
            raise ValueError("two steps share a source and an action")

    @property
    def actions(self) -> list[str]:
        """Return every action once, in the order of the table."""
        return list(dict.fromkeys(step.action for step in self.steps))

    def step(self, source: str, action: str) -> Step:
        """Return the step for an action. :raises StepNotAllowed: if there is none."""
        try:
            return self._lookup[source, action]
        except KeyError:
            raise StepNotAllowed(f"{action!r} is not possible from {source!r}") from None

    def steps_from(self, source: str) -> list[Step]:
        """Return the steps open from a state: the buttons a page may show."""
        return [step for step in self.steps if step.source == source]

    def steps_named(self, action: str) -> list[Step]:
        """Return every row of an action, whatever its source."""
        return [step for step in self.steps if step.action == action]
