"""Patterns of shifts: teams that take turns through the slots of a day (四班两倒 and its kin). No database, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from .presence import hours_of

Slot = tuple[time, time]


@dataclass(frozen=True, slots=True)
class Draft:
    """A shift that is not written yet."""

    person: Any
    begins: datetime
    ends: datetime
    deputy: Any = None
    kind: str = "primary"


@dataclass(frozen=True, slots=True)
class Pattern:
    """Slots of a day and the teams that take turns in them, from a day to another, both included.

    A team moves on by one slot a day and then rests: with two slots and four teams day, night, off, off. As many teams as
    slots stay each in its own, since nobody goes from a night into a day. ``start`` is the place in the turn of day one.

    :raises ValueError: no slots, fewer teams than slots, a team without people, or days in the wrong order.
    """

    slots: tuple[Slot, ...]
    teams: tuple[tuple[Any, ...], ...]
    first: date
    last: date
    start: int = 0

    def __post_init__(self) -> None:
        if not self.slots:
            raise ValueError("expected at least one slot")
        if len(self.teams) < len(self.slots):
            raise ValueError(f"{len(self.teams)} teams for {len(self.slots)} slots a day; expected at least as many")
        if not all(self.teams):
            raise ValueError("a team has nobody; expected people in each")
        if self.last < self.first:
            raise ValueError(f"until {self.last} lies before {self.first}")

    def team_of(self, day: int, slot: int) -> int:
        """Return which team has a slot on a day of the pattern, the first being 0."""
        if len(self.teams) == len(self.slots) > 1:
            return slot
        return (self.start + day - slot) % len(self.teams)

    def drafts(self, zone: tzinfo) -> list[Draft]:
        """Return the shifts, in the order of their begins."""
        days = (self.last - self.first).days + 1
        return [
            Draft(person, *hours_of(self.first + timedelta(days=n), *slot, zone))
            for n in range(days)
            for s, slot in enumerate(self.slots)
            for person in self.teams[self.team_of(n, s)]
        ]


def slots_in(text: str) -> tuple[Slot, ...]:
    """Return the slots that a text such as ``08:00-20:00 20:00-08:00`` names.

    :raises ValueError: naming the part that is none.
    """
    found = []
    for part in text.replace(",", " ").replace("，", " ").replace("–", "-").split():
        try:
            begins, ends = (time.fromisoformat(end.strip()) for end in part.split("-"))
        except ValueError as error:
            raise ValueError(part) from error
        found.append((begins, ends))
    return tuple(found)


def slots_text(slots: Sequence[Slot]) -> str:
    """Return slots as people write them."""
    return " ".join(f"{begins:%H:%M}-{ends:%H:%M}" for begins, ends in slots)
