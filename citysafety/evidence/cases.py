"""What evidence must know of the cases that photos are of, whatever app keeps them: each kind registers how it tells."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Key = tuple[str, str]  # kind, id


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case as its photos are measured against it; times aware, the place in WGS 84."""

    id: str
    number: str
    address: str
    area: str
    found_at: datetime
    lon: float
    lat: float
    accuracy_m: float | None = None
    family: str = ""  # the case it is one with: merged into it, or a notice about it; its own id otherwise
    failed_at: datetime | None = None  # when work on it was last found wanting


Find = Callable[[Collection[str], Any], Iterable[Case]]  # (ids, reader): those the reader may see; None: all


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of case: how it is found, what it is called, and which of its photos show that work was done."""

    find: Find
    label: Any
    roles: dict[str, Any]
    work_roles: frozenset[str]


_KINDS: dict[str, Kind] = {}
UNKNOWN = Kind(lambda ids, reader: (), "", {}, frozenset())


def register(kind: str, *, find: Find, label: Any, roles: dict[str, Any], work_roles: Collection[str]) -> None:
    """Register a kind of case; a photo of a kind that nobody registers is measured against nothing."""
    _KINDS[kind] = Kind(find, label, roles, frozenset(work_roles))


def kind_of(name: str) -> Kind:
    return _KINDS.get(name, UNKNOWN)


def find(keys: Iterable[Key], reader: Any = None) -> dict[Key, Case]:
    """Return cases by kind and id; of a reader's, only those the reader may see. Queries: 1 a kind, 0 for no keys."""
    wanted: dict[str, set[str]] = {}
    for kind, one in keys:
        wanted.setdefault(kind, set()).add(one)
    return {(kind, case.id): case for kind, ids in wanted.items() for case in kind_of(kind).find(ids, reader)}
