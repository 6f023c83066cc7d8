"""What is done about a component: cases of rooms above, which register here how to find them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..models import Component

MOST_CASES = 50


@dataclass(frozen=True, slots=True)
class CaseOn:
    """A case that names a component: its number, what it is about, how it stands, and where its page is."""

    number: str
    label: str
    href: str
    state: str
    received_at: datetime
    is_open: bool


Source = Callable[[Component, Any], Iterable[CaseOn]]  # a component and a reader: the cases that the reader may see
SOURCES: list[Source] = []


def register_cases(source: Source) -> None:
    """Let cases of a kind be shown with the component that they name."""
    SOURCES.append(source)


def cases_on(component: Component, reader: Any) -> list[CaseOn]:
    """Return the cases that name a component, open ones first, the newest of each first. Queries: 1 a source."""
    found = [case for source in SOURCES for case in source(component, reader)]
    return sorted(found, key=lambda case: (not case.is_open, -case.received_at.timestamp()))
