"""How a sample is drawn: by arithmetic that anybody can redo from the stored number, and nobody can foresee before."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import date, timedelta
from math import ceil
from uuid import UUID

METHOD = 1
SEED_BYTES = 32
LOOKED_BACK = {"week": 4, "month": 2}  # periods: what was missed while nothing ran is drawn later


def fresh_seed() -> str:
    """Return 256 bits of the system's random numbers, drawn now."""
    return secrets.token_hex(SEED_BYTES)


def lot(seed: str, one: UUID | int) -> bytes:
    """Return the lot of a closing under a seed: SHA-256 of ``<seed>:<id>``."""
    return hashlib.sha256(f"{seed}:{one}".encode()).digest()


def wanted(size: int, percent: int, at_least: int) -> int:
    """Return how many of a population are drawn: the share rounded up, no fewer than the least, no more than there are."""
    return min(size, max(ceil(size * percent / 100), at_least))


def chosen(population: Sequence[UUID], seed: str, number: int) -> list[UUID]:
    """Return the closings with the smallest lots."""
    return sorted(population, key=lambda one: lot(seed, one))[:number]


def ended(every: str, on: date) -> list[tuple[date, date]]:
    """Return the first and last day of the weeks or months that ended before a day, the oldest first."""
    found: list[tuple[date, date]] = []
    first = on - timedelta(days=on.weekday()) if every == "week" else on.replace(day=1)
    for _n in range(LOOKED_BACK[every]):
        last = first - timedelta(days=1)
        first = last - timedelta(days=6) if every == "week" else last.replace(day=1)
        found.append((first, last))
    return found[::-1]
