"""Find places by what is typed: name in either language, code, pinyin whole or by its initials. Kept in the process.

The city's 14,000 names fit into memory; their pinyin is made once an instance (about two seconds) and kept in the
cache. What was renamed or added is found within :data:`FRESH_S`.
"""

import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from django.core.cache import cache
from django.db import connection
from pypinyin import lazy_pinyin

from citysafety.names import chosen

from .models import Cell, Division, Matter, Premises
from .rules import initials
from .selectors import active_version

FRESH_S = 600
KEPT_S = 7 * 24 * 3600
NUMBERED = re.compile(r"^(.*?)(第?\d+.*)$")


@dataclass(frozen=True, slots=True)
class Found:
    """A place or a matter that fits. ``area`` is its code, empty for a matter; the point is WGS 84."""

    kind: str  # county, township, village, cell, premises, matter
    code: str
    name_zh: str
    name_en: str
    area: str
    letters: str
    spelled: str
    lon: float | None = None
    lat: float | None = None

    @property
    def name(self) -> str:
        return chosen(self.name_zh, self.name_en)


@lru_cache(maxsize=20_000)
def _letters(text: str) -> tuple[str, str]:
    """Return initials and whole pinyin of a text."""
    return initials(text), "".join(lazy_pinyin(text, errors=lambda rest: rest.lower())).replace(" ", "")


def letters(name: str) -> tuple[str, str]:
    """Return initials and whole pinyin of a name; the numbers of cells share the work of their village."""
    if parts := NUMBERED.match(name):
        heads, tails = _letters(parts[1]), _letters(parts[2])
        return heads[0] + tails[0], heads[1] + tails[1]
    return _letters(name)


class Places:
    """The index: made when it is first asked, made anew when the grid changes or time has passed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: list[Found] = []
        self._version, self._until = -1, 0.0

    def rows(self) -> list[Found]:
        """Return everything that can be found. Queries: 1, and 4 when it is made."""
        version = active_version()
        if version == self._version and time.monotonic() < self._until:
            return self._rows
        with self._lock:
            if version != self._version or time.monotonic() >= self._until:
                self._rows, self._version = list(_read()), version
                self._until = time.monotonic() + FRESH_S
        return self._rows

    def warm(self) -> None:
        """Make the index beside the request that will soon need it; not inside a transaction, which a thread cannot see."""
        if self._version == -1 and not connection.in_atomic_block and not self._lock.locked():
            threading.Thread(target=self._make, name="places", daemon=True).start()

    def _make(self) -> None:
        try:
            self.rows()
        finally:
            connection.close()

    def forget(self) -> None:
        self._version = -1


PLACES = Places()


def _read() -> Iterator[Found]:
    spoken: dict[str, tuple[str, str]] = cache.get("grid-pinyin") or {}
    before = len(spoken)

    def made(kind: str, code: str, zh: str, en: str, area: str, lon: float | None, lat: float | None) -> Found:
        heard = spoken.get(zh)
        if heard is None:
            heard = spoken[zh] = letters(zh)
        return Found(kind, code, zh, en, area, *heard, lon, lat)

    for code, zh, en in Matter.objects.active().order_by("code").values_list("code", "name_zh", "name_en"):
        yield made("matter", code, zh, en, "", None, None)
    for code, level, zh, en in Division.objects.order_by("code").values_list("code", "level", "name_zh", "name_en"):
        yield made(level, code, zh, en, code, None, None)
    cells = Cell.objects.active().order_by("code").values_list("code", "name_zh", "name_en", "centre")
    for code, zh, en, centre in cells:
        yield made("cell", code, zh, en, code, centre.x, centre.y)
    premises = Premises.objects.filter(active=True).order_by("code")
    for code, zh, en, area, place in premises.values_list("code", "name_zh", "name_en", "area_code", "location"):
        yield made("premises", code, zh, en, area, place.x, place.y)
    if len(spoken) != before:
        cache.set("grid-pinyin", spoken, KEPT_S)


def find(text: str, area: str, most: int = 8) -> list[Found]:
    """Return what fits every word of a text, inside an area; matters lie in none. The best fit first.

    Better: a beginning before a middle, a shorter name before a longer one. Queries: as :meth:`Places.rows`.
    """
    words = text.lower().split()
    if not words:
        return []
    ranked = []
    for row in PLACES.rows():
        if row.area and not row.area.startswith(area):
            continue
        rank = _rank(row, words)
        if rank is not None:
            ranked.append((rank, ORDER[row.kind], len(row.name_zh), row.code, row))
    return [row for *_key, row in sorted(ranked, key=lambda one: one[:4])[:most]]


ORDER = {"city": 0, "county": 0, "township": 1, "matter": 2, "village": 3, "cell": 4, "premises": 5}


def _rank(row: Found, words: list[str]) -> int | None:
    """Return how well a row fits all words: 0 where each begins one of its forms; None where one is nowhere."""
    worst = 0
    for word in words:
        begins = (
            row.name_zh.startswith(word), row.letters.startswith(word), row.spelled.startswith(word), row.code.lower().startswith(word)
        )  # fmt: skip
        english = row.name_en.lower()
        if any(begins) or english.startswith(word):
            continue
        if (
            word in row.name_zh
            or f" {word}" in english
            or (len(word) > 1 and (word in row.letters or word in row.spelled))
        ):
            worst = 1
            continue
        return None
    return worst
