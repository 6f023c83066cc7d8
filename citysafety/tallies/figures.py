"""The register of figures: what is counted, in what unit, and which list makes it.

Apps register theirs when they are ready; whoever shows figures reads them here.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import urlencode

COUNT, SUM, RATIO = "count", "sum", "ratio"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number a screen may show.

    A count names the API list that makes it, a sum the field summed, a ratio its two counts.
    A key that ends in ``_today`` belongs to the day of the position's ``as_of``.
    ``unit`` and ``definition`` are lazy translations; ``page`` is where a reader clicks through to.
    """

    key: str
    kind: str
    unit: Any = ""
    definition: Any = ""
    list_path: str = ""
    list_query: str | Mapping[str, str] = ""
    numerator: str = ""
    denominator: str = ""
    page: str = ""
    field: str = ""

    @property
    def is_daily(self) -> bool:
        return is_daily(self.key)

    def list_at(self, area: str, position: int) -> str:
        """Return the address of the list that makes the figure, pinned to a position; empty without one."""
        return address(self.list_path, self.list_query, area, at=position)

    def page_of(self, area: str) -> str:
        """Return the page that shows the figure's list to a reader, live; empty without one."""
        return address(self.page, "" if "?" in self.page else self.list_query, area)


class Recount(NamedTuple):
    """What one subject counts in, counted afresh from its own rows; ``today`` by day, amounts by figure."""

    subject_id: str
    area: str
    extra_area: str
    category: str
    state: str
    now: Iterable[str]
    today: Mapping[date, Iterable[str]]
    amounts: Mapping[str, Any]
    unit: str = ""


_figures: dict[str, Figure] = {}
_subjects: dict[str, Callable[[], Iterable[tuple]]] = {}


def is_daily(key: str) -> bool:
    """Test whether a figure starts again each day."""
    return key.endswith("_today")


def address(path: str, query: str | Mapping[str, str], area: str, **more: Any) -> str:
    """Return a path with its query, the area and more joined on."""
    if not path:
        return ""
    text = query if isinstance(query, str) else urlencode(query)
    text = "&".join(part for part in (text, urlencode({"area": area, **more})) if part)
    return f"{path}{'&' if '?' in path else '?'}{text}"


def register(figure: Figure) -> Figure:
    """Add a figure to what the city counts. :raises ValueError: for a second one of the same key."""
    if _figures.get(figure.key, figure) != figure:
        raise ValueError(f"figure {figure.key} is registered already")
    if figure.kind == RATIO and not (figure.numerator and figure.denominator):
        raise ValueError(f"ratio {figure.key} needs a numerator and a denominator")
    _figures[figure.key] = figure
    return figure


def registered() -> list[Figure]:
    """Return every figure in the order of registration."""
    return list(_figures.values())


def figure(key: str) -> Figure:
    """Return a figure by key. :raises KeyError: if nobody registered it."""
    return _figures[key]


def is_counted(key: str) -> bool:
    """Test whether a key is a count or a sum, kept in tallies."""
    return key in _figures and _figures[key].kind != RATIO


def register_subject(kind: str, recount: Callable[[], Iterable[tuple]]) -> None:
    """Say how the subjects of a kind are counted afresh, for ``reconcile``.

    ``recount()`` yields a :class:`Recount` (or a tuple in its order) for every subject, from the real rows, in the order
    of their ids as texts.
    """
    _subjects[kind] = recount


def subjects() -> dict[str, Callable[[], Iterable[tuple]]]:
    """Return the recount of every registered kind."""
    return dict(_subjects)
