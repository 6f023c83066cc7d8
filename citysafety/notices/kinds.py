"""Which cases may have escalation ladders: apps above register them with the words for what a ladder names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Kind:
    """What an app registers of its cases: the severities, clocks and targets that a ladder may name, each with its label."""

    key: str
    label: Any
    severities: Mapping[str, Any]
    stages: Mapping[str, Any]
    targets: Mapping[str, Any]


KINDS: dict[str, Kind] = {}


def register_kind(kind: Kind) -> None:
    """Make a kind of case known to the ladders."""
    KINDS[kind.key] = kind


def labels(key: str, severity: str, stage: str) -> tuple[str, str, str]:
    """Return what a kind, a severity and a clock are called; a key stays a key where nobody registered it."""
    kind = KINDS.get(key)
    if kind is None:
        return key, severity, stage
    return str(kind.label), str(kind.severities.get(severity, severity)), str(kind.stages.get(stage, stage))
