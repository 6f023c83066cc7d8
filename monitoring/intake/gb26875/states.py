"""Which conditions a state names, and which of them began or ended between two (GB/T 26875.3-2011, figures 6, 7, 13)."""

from typing import NamedTuple

from monitoring.intake.gb26875.tables import OPERATION_BITS, STATE_BITS, TEST, Bit


class Edges(NamedTuple):
    """What began and what ended; alarms are raised by the one and closed by the other, never by a state that lasts."""

    rising: frozenset[str]
    falling: frozenset[str]


def conditions(type_flag: int, state: int) -> list[Bit]:
    """Return what a state of type 1, 2 or 21 names, by its bits; reserved bits name nothing.

    Bit 0 is 1 in normal running, so ``test`` is named where it is *missing*. Many devices never set it: whether a
    test mutes an alarm is for who knows the device to decide.
    """
    named = [bit for number, bit in STATE_BITS[type_flag].items() if state >> number & 1]
    return named if state & 1 else [TEST, *named]


def keys(type_flag: int, state: int) -> frozenset[str]:
    """Return the keys of `conditions`, such as ``fire`` and ``main_power_fault``."""
    return frozenset(bit.key for bit in conditions(type_flag, state))


def edges(type_flag: int, before: int | None, now: int) -> Edges:
    """Return what began and ended from one state to the next; before the first nothing was the case."""
    was = keys(type_flag, before) if before is not None else frozenset[str]()
    is_now = keys(type_flag, now)
    return Edges(rising=is_now - was, falling=was - is_now)


def operations(type_flag: int, operation: int) -> list[Bit]:
    """Return what an operator did, by the bits of type 4 or 24: events, each an edge in itself."""
    return [bit for number, bit in OPERATION_BITS[type_flag].items() if operation >> number & 1]
