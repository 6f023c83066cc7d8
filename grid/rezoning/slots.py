"""Slots of the preview that rooms above fill: what lies in some cells, and how much work they had."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .change import Lying


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that may move to another cell: what it is called, where its page is, and how it lies now."""

    label: str
    href: str
    lying: Lying


@dataclass(frozen=True, slots=True)
class Slot:
    """A kind of things. ``things(cell ids)`` returns those that lie in some cells, in a fixed number of queries."""

    kind: str
    label: Any
    things: Callable[[Collection[int]], Iterable[Thing]]


@dataclass(frozen=True, slots=True)
class Load:
    """A measure of work. ``lying(cell ids, at)`` returns the points of what is counted."""

    kind: str
    label: Any
    lying: Callable[[Collection[int], datetime], Iterable[Lying]]


PREVIEWS: dict[str, Slot] = {}
LOADS: dict[str, Load] = {}


def register_preview(kind: str, label: Any, things: Callable[[Collection[int]], Iterable[Thing]]) -> None:
    """Let a kind of things be shown in every preview."""
    PREVIEWS[kind] = Slot(kind, label, things)


def register_load(kind: str, label: Any, lying: Callable[[Collection[int], datetime], Iterable[Lying]]) -> None:
    """Let a measure of work be compared before and after."""
    LOADS[kind] = Load(kind, label, lying)
