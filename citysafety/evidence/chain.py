"""The evidence chain: what happened to a record and to those it is bound to, whatever app keeps them.

Each app registers how its kind of record is looked at, and joins it to records of apps below it. Whoever shows a
chain asks here and knows no app; a kind that is registered later appears by itself.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

MOST_RECORDS = 50  # bound to one another; more is no chain that anybody reads


@dataclass(frozen=True, slots=True)
class Picture:
    """A sealed photo: its hash, what it shows, where its derivatives are."""

    sha256: str
    label: str
    thumb: str
    view: str
    at: datetime
    judged: Any = None  # what is made of it (telling.Judged)


@dataclass(frozen=True, slots=True)
class Paper:
    """An issued document: number, hash of the signed bytes, where they are, where they can be verified."""

    number: str
    sha256: str
    address: str
    verified_at: str  # address


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened. ``basis`` is its legal source; ``late`` a clock that ran out."""

    at: datetime
    label: str
    who: str = ""
    role: str = ""
    to: str = ""  # the unit it went to
    source: str = ""  # state before
    target: str = ""  # state after
    words: str = ""
    basis: str = ""
    late: bool = False
    pictures: list[Picture] = field(default_factory=list)
    papers: list[Paper] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record with all that happened to it. ``bound`` names records below that it is about: (kind, id)."""

    kind: str
    id: str
    label: Any  # what such a record is called
    number: str
    title: str
    state: str
    address: str
    area: str
    imported: bool = False
    events: list[Event]
    bound: list[tuple[str, str]] = field(default_factory=list)


Look = Callable[[Any, list[str]], list[Record]]  # (user, ids): those the user may see
Join = Callable[[Any, list[str]], list[str]]  # (user, ids of another kind): ids of this kind about them

_LOOKS: dict[str, Look] = {}
_JOINS: dict[str, list[tuple[str, Join]]] = {}


def register(kind: str, look: Look) -> None:
    """Register how records of a kind are looked at; those the user may not see are left out."""
    _LOOKS[kind] = look


def join(kind: str, to: str, find: Join) -> None:
    """Register which records of a kind are about records of another, lower kind."""
    _JOINS.setdefault(to, []).append((kind, find))


def kinds() -> list[str]:
    return sorted(_LOOKS)


def chain(user: Any, kind: str, subject_id: str) -> list[Record]:
    """Return a record and all it is bound to, as far as the user may see them: the one asked for first, else nothing.

    Queries: those of each kind's look and join, once a distance, however many records.
    """
    if kind not in _LOOKS:
        return []
    found: dict[tuple[str, str], Record] = {}
    wanted = {kind: [subject_id]}
    seen = {(kind, subject_id)}
    while wanted and len(found) < MOST_RECORDS:
        fresh = [record for one, ids in wanted.items() for record in _LOOKS[one](user, ids)]
        found |= {(record.kind, record.id): record for record in fresh}
        neighbours = [key for record in fresh for key in record.bound] + list(_above(user, fresh))
        wanted = {}
        for key in neighbours:
            if key not in seen and key[0] in _LOOKS:
                seen.add(key)
                wanted.setdefault(key[0], []).append(key[1])
    return list(found.values())


def _above(user: Any, records: Iterable[Record]) -> Iterable[tuple[str, str]]:
    by_kind: dict[str, list[str]] = {}
    for record in records:
        by_kind.setdefault(record.kind, []).append(record.id)
    for lower, ids in by_kind.items():
        for upper, find in _JOINS.get(lower, []):
            yield from ((upper, one) for one in find(user, ids))


def timeline(records: Iterable[Record]) -> list[tuple[Record, Event]]:
    """Return everything that happened to some records, in the order of time."""
    rows = [(record, event) for record in records for event in record.events]
    return sorted(rows, key=lambda row: row[1].at)
