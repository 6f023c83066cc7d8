"""Figures of very many periods at once, summed in columns: for a whole past, which statements would take minutes over.

The areas, classes and departments around a place are those of ``sql.SPREAD``; ``bin/manage reconcile`` holds one
against the other. Days are ordinals, values whole ten-thousandths.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy

from citysafety import bulk
from citysafety.areas import LEVELS

from .models import NO_DAY, OPEN, UNIT

Column = Any  # a numpy array
CITY, COUNTY, TOWN, VILLAGE, CELL = LEVELS
MOMENT = NO_DAY.toordinal()  # the day of a figure of the moment
EPOCH = date(1970, 1, 1).toordinal()
ONE = 10_000  # of the four places that tallies have
# A key is one number: day, area, class and department, in this order.
DAY, AREA, CLASS = 44, 28, 14
AREAS, WORDS = 1 << 16, 1 << 14
COLUMNS = ("figure", "area", "category", "day", "value", "since", "until")


class Words:
    """Texts by number, in the order in which they came."""

    def __init__(self, most: int) -> None:
        self.known: list[str] = [""]
        self._numbers, self._most = {"": 0}, most

    def number(self, word: str) -> int:
        """Return the number of a word. :raises OverflowError: for more words than a key has room for."""
        if word not in self._numbers:
            if len(self.known) == self._most:
                raise OverflowError(f"more than {self._most} different words")
            self._numbers[word] = len(self.known)
            self.known.append(word)
        return self._numbers[word]

    def numbers(self, words: Iterable[str]) -> Column:
        return numpy.array([self.number(word) for word in words], "u8")


@dataclass(frozen=True, slots=True)
class Places:
    """Where many periods count, by numbers of words."""

    area: Column
    extra: Column
    town: Column
    category: Column
    unit: Column


class Sums:
    """The figures that periods add to all areas around them. ``kept_from`` is the first day kept below townships."""

    def __init__(self, kept_from: date) -> None:
        self.kept_from = kept_from.toordinal()
        self.areas, self.words = Words(AREAS), Words(WORDS)
        self._towns: dict[str, list[tuple[Column, Column]]] = {}
        self._done: dict[str, list[tuple[Column, Column]]] = {}

    def places(self, area: Column, extra: Column, category: Column, unit: Column) -> Places:
        """Return where periods count; all four are columns of texts as bytes."""
        here, which = numpy.unique(area, return_inverse=True)
        codes = [code.decode() for code in here.tolist()]
        return Places(
            self.areas.numbers(codes)[which],
            self._each(self.areas, extra),
            self.areas.numbers(code[:TOWN] for code in codes)[which],
            self._each(self.words, category),
            self._each(self.words, unit, UNIT),
        )

    def _each(self, words: Words, texts: Column, before: str = "") -> Column:
        known, which = numpy.unique(texts, return_inverse=True)
        return words.numbers(before + word.decode() if word else "" for word in known.tolist())[which]

    def add(self, figure: str, places: Places, rows: Column, day: Column | int = MOMENT) -> None:
        """Count some periods in a figure; ``day`` is a column as long as ``rows``, or one for all of them."""
        if not len(rows):
            return
        on = numpy.broadcast_to(numpy.asarray(day, "u8"), len(rows)) << DAY
        keys = on | places.town[rows] << AREA | places.category[rows] << CLASS | places.unit[rows]
        self._towns.setdefault(figure, []).append(_counted(keys))
        near = numpy.flatnonzero((on >= self.kept_from << DAY) | (on == MOMENT << DAY))
        rows, on = rows[near], on[near]
        area, extra = places.area[rows], places.extra[rows]
        villages = self.areas.numbers(code[:VILLAGE] for code in tuple(self.areas.known))
        digits = numpy.array([len(code) for code in self.areas.known])
        for here, counts in (
            (villages[area], digits[area] >= VILLAGE),
            (area, digits[area] == CELL),
            (extra, (extra > 0) & (extra != area)),
        ):
            keys, many = _counted((on | here << AREA)[counts])
            self._done.setdefault(figure, []).append((keys, many * ONE))

    def keep(self, tallies: Iterable[tuple[str, str, str, date, int]]) -> None:
        """Add tallies that are there already: figure, area, category, day, value."""
        rows: dict[str, tuple[list[int], list[int]]] = {}
        for figure, area, category, day, value in tallies:
            keys, values = rows.setdefault(figure, ([], []))
            place = self.areas.number(area) << AREA | self.words.number(category) << CLASS
            keys.append(day.toordinal() << DAY | place)
            values.append(value)
        for figure, (keys, values) in rows.items():
            self._done.setdefault(figure, []).append((numpy.array(keys, "u8"), numpy.array(values, "i8")))

    def packed(self, position: int) -> tuple[int, bytes]:
        """Return how many tallies there are, and their rows as COPY reads them, in the order in which trends read them."""
        names = sorted({*self._towns, *self._done})
        parts = [_merged([*self._around(name), *self._done.get(name, ())]) for name in names]
        figure = numpy.repeat(numpy.arange(len(names)), [len(keys) for keys, _values in parts])
        keys = numpy.concatenate([keys for keys, _values in parts] or [numpy.zeros(0, "u8")])
        values = numpy.concatenate([values for _keys, values in parts] or [numpy.zeros(0, "i8")])
        day, area, word = keys >> DAY, keys >> AREA & AREAS - 1, keys >> CLASS & WORDS - 1
        order = numpy.lexsort((figure, _ranks(self.words.known)[word], day, _ranks(self.areas.known)[area]))
        order = order[values[order] != 0]
        figure, day, area, word = figure[order], day[order], area[order], word[order]
        columns = [
            bulk.words(figure, names or [""]),
            bulk.words(area, self.areas.known),
            bulk.words(word, self.words.known),
            bulk.days(day.astype("i8") - EPOCH),
            bulk.numerics(values[order]),
            bulk.numbers(numpy.full(len(order), position)),
            bulk.numbers(numpy.full(len(order), OPEN)),
        ]
        return len(order), bulk.packed(columns, in_order=True)

    def _around(self, figure: str) -> Iterable[tuple[Column, Column]]:
        """Yield what a figure comes to in townships, counties and cities, each level summed from the one below."""
        if figure not in self._towns:
            return
        keys, counts = _merged(self._towns[figure])
        counts = counts * ONE
        for level in (TOWN, COUNTY, CITY):
            up = self.areas.numbers(code[:level] for code in tuple(self.areas.known))
            digits = numpy.array([len(code) for code in self.areas.known])
            area = up[keys >> AREA & AREAS - 1]
            keys, counts = _merged([(keys >> DAY << DAY | area << AREA | keys & (1 << AREA) - 1, counts)])
            is_here = numpy.flatnonzero(digits[keys >> AREA & AREAS - 1] == level)
            here, many = keys[is_here], counts[is_here]
            place = here >> AREA << AREA
            of_class, of_unit = here >> CLASS & WORDS - 1, here & WORDS - 1
            yield _merged([(place, many)])
            yield _merged([((place | of_class << CLASS)[of_class > 0], many[of_class > 0])])
            if level <= COUNTY:
                yield _merged([((place | of_unit << CLASS)[of_unit > 0], many[of_unit > 0])])


def _counted(keys: Column) -> tuple[Column, Column]:
    found, many = numpy.unique(keys, return_counts=True)
    return found, many


def _merged(parts: Sequence[tuple[Column, Column]]) -> tuple[Column, Column]:
    """Return each key once, with the sum of its values."""
    keys = numpy.concatenate([keys for keys, _values in parts])
    values = numpy.concatenate([values for _keys, values in parts])
    order = numpy.argsort(keys, kind="stable")
    keys = keys[order]
    first = numpy.flatnonzero(numpy.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else numpy.zeros(0, "i8")
    return keys[first], numpy.add.reduceat(values[order], first) if len(first) else values


def _ranks(words: Sequence[str]) -> Column:
    """Return each word's place in the order of bytes."""
    ranks = numpy.zeros(len(words), "i8")
    ranks[sorted(range(len(words)), key=lambda n: words[n].encode())] = numpy.arange(len(words))
    return ranks
