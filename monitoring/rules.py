"""What a rule may ask for: its kinds and their settings, read from data and refused in words. Pure.

Thresholds are data with their source, never constants: a rule's settings are a JSON object, which this module reads
into one of the classes below.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from types import NoneType
from typing import Any, ClassVar, get_args

LEVELS = (1, 2, 3, 4)  # I is the gravest (《国家突发公共事件总体应急预案》 3.1)


class WrongSettings(ValueError):
    """Settings that no rule of the kind can have; says what was seen and what was expected."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A value beyond a limit. Each limit has its level; what is absent is not watched."""

    kind: ClassVar[str] = "limit"
    low_low: float | None = None
    low: float | None = None
    high: float | None = None
    high_high: float | None = None
    level: int = 3  # of low and high
    far_level: int = 2  # of low_low and high_high
    dead_band: float = 0.0  # a value must come back by so much before it counts as inside

    def check(self) -> None:
        given = [one for one in (self.low_low, self.low, self.high, self.high_high) if one is not None]
        if not given:
            raise WrongSettings("no limit is given: one of low_low, low, high, high_high is expected")
        if given != sorted(given) or len(set(given)) != len(given):
            raise WrongSettings(f"limits {given} do not rise from low_low to high_high")
        if self.dead_band < 0:
            raise WrongSettings(f"dead_band {self.dead_band} is below 0")
        if self.far_level > self.level:
            raise WrongSettings(f"far_level {self.far_level} is less grave than level {self.level}")


@dataclass(frozen=True, slots=True)
class Bits:
    """A bit of a state word that is set: fire, fault, emergency button."""

    kind: ClassVar[str] = "bits"
    mask: int
    level: int = 2
    when_clear: bool = False  # the bit means health, its absence is the alarm

    def check(self) -> None:
        if not 0 < self.mask < 2**53:  # readings are doubles, exact so far
            raise WrongSettings(f"mask {self.mask} is not within 1 and 2^53 - 1")


@dataclass(frozen=True, slots=True)
class Rate:
    """A value that rises or falls faster than so much a minute."""

    kind: ClassVar[str] = "rate"
    rise_per_min: float | None = None
    fall_per_min: float | None = None
    level: int = 3

    def check(self) -> None:
        if self.rise_per_min is None and self.fall_per_min is None:
            raise WrongSettings("neither rise_per_min nor fall_per_min is given")
        for name, value in (("rise_per_min", self.rise_per_min), ("fall_per_min", self.fall_per_min)):
            if value is not None and value <= 0:
                raise WrongSettings(f"{name} {value} is not above 0")


@dataclass(frozen=True, slots=True)
class Silence:
    """No data for so long."""

    kind: ClassVar[str] = "silence"
    after_s: float
    level: int = 4

    def check(self) -> None:
        if self.after_s < 1:
            raise WrongSettings(f"after_s {self.after_s} is below 1 second")


FENCE_EVENTS = ("enter", "exit", "crossed", "inside", "outside", "speed", "gathering")
WITHIN = ("inside", "outside")


@dataclass(frozen=True, slots=True)
class FenceRule:
    """Where a device is, or moves, in regard to fences.

    ``enter``, ``exit`` and ``crossed`` (in and out between two fixes) happen at a moment; ``inside`` (a forbidden zone;
    with an on-delay: a dwell) and ``outside`` (it should be inside; of a line with its width: it left the corridor)
    last; ``speed`` is above ``kmh`` inside; ``gathering`` is ``most`` devices or more inside at once.
    """

    kind: ClassVar[str] = "fence"
    event: str
    kmh: float | None = None
    most: int | None = None
    level: int = 3
    silent_counts: bool = False  # of ``outside``: who does not report at all counts as outside

    def check(self) -> None:
        if self.event not in FENCE_EVENTS:
            raise WrongSettings(f"event {self.event!r} is none of {', '.join(FENCE_EVENTS)}")
        if (self.event == "speed") != (self.kmh is not None):
            raise WrongSettings("kmh belongs to the event speed, and must be there")
        if (self.event == "gathering") != (self.most is not None):
            raise WrongSettings("most belongs to the event gathering, and must be there")
        if self.silent_counts and self.event != "outside":
            raise WrongSettings("silent_counts belongs to the event outside")


KINDS = {one.kind: one for one in (Limit, Bits, Rate, Silence, FenceRule)}
Settings = Limit | Bits | Rate | Silence | FenceRule


def read(kind: str, given: Mapping[str, Any]) -> Settings:
    """Return the settings of a rule. :raises WrongSettings: what was seen and what was expected."""
    if kind not in KINDS:
        raise WrongSettings(f"kind {kind!r} is none of {', '.join(KINDS)}")
    made = KINDS[kind]
    known = {one.name: one for one in fields(made)}
    if strange := sorted(set(given) - set(known)):
        raise WrongSettings(f"{', '.join(strange)}: not known; a rule of kind {kind} has {', '.join(known)}")
    if missing := [name for name, one in known.items() if one.default is MISSING and name not in given]:
        raise WrongSettings(f"{', '.join(missing)}: missing")
    for name, value in given.items():
        _check_value(name, value, known[name].type)
    settings = made(**given)
    for name in ("level", "far_level"):
        if hasattr(settings, name) and getattr(settings, name) not in LEVELS:
            raise WrongSettings(f"{name} {getattr(settings, name)!r} is none of 1, 2, 3, 4")
    settings.check()
    return settings


def _check_value(name: str, value: Any, expected: Any) -> None:
    """Refuse a value of another type; whole numbers may stand for others. :raises WrongSettings:"""
    wanted = get_args(expected) or (expected,)
    if isinstance(value, bool):
        fits = bool in wanted
    else:
        fits = isinstance(value, wanted) or (float in wanted and isinstance(value, int))
    if not fits or value != value:
        names = " or ".join("nothing" if one is NoneType else one.__name__ for one in wanted)
        raise WrongSettings(f"{name} {value!r}: expected {names}")
