"""The frames of the socket, as text; see docs/adr/0005. Pure."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .wire import Frame

# Position, area (and extra area), the item as JSON: encoded once, by the relay or on reading.
Row = tuple[int, list[str], str]
CHUNK = 200  # items of one backfill frame


@dataclass(frozen=True, slots=True)
class Batch:
    """Facts of consecutive positions: all of the city's from ``first`` to ``last``."""

    first: int
    last: int
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Presence:
    """Somebody came to a case of an area, or left it."""

    area: str
    item: dict[str, Any]


def text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _frame(value: Any) -> Frame:
    return Frame(text(value))


def rows_of(entries: Iterable[Any]) -> list[Row]:
    """Encode entries of the outbox."""
    return [(e.position, [e.area_code, *filter(None, [e.extra_area])], text(e.item())) for e in entries]


def facts(position: int, rows: Iterable[Row], *, of: int | None = None) -> Frame:
    """Frame of facts; all of the area's facts up to ``position`` have been sent with it.

    ``of``, in a backfill only, is the position it leads to.
    """
    items = ",".join(item for _, _, item in rows)
    leads_to = "" if of is None else f'"of":{of},'
    return Frame(f'{{"type":"facts","position":{position},{leads_to}"items":[{items}]}}')


def backfill(rows: Sequence[Row], *, to: int) -> list[Frame]:
    """Frames of what a screen missed, in chunks."""
    chunks = [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]
    ends = [chunk[-1][0] for chunk in chunks[:-1]] + [to]
    return [facts(end, chunk, of=to) for end, chunk in zip(ends, chunks, strict=False)]


def tally(position: int, area: str, as_of: str, figures: dict[str, Any]) -> Frame:
    return _frame({"type": "tally", "position": position, "area": area, "as_of": as_of, "figures": figures})


def heartbeat(position: int, at: str, relay: str, version: str, idle_since: str | None = None) -> Frame:
    """``relay`` is "ok", "slow" while news is read from the database since the bus brings none, or "silent" when no
    news can be had: the screen then marks its data as old. ``version`` is the server's own: a page that came from
    another one is old. ``idle_since`` says since when beat and workers are silent, where they are.
    """
    said = {"position": position, "at": at, "relay": relay, "version": version, "idle_since": idle_since}
    return _frame({"type": "heartbeat", **said})


def presence(items: list[dict[str, Any]]) -> Frame:
    """Who is at which case: for consoles alone, names masked."""
    return _frame({"type": "presence", "items": items})


def reset(position: int) -> Frame:
    return _frame({"type": "reset", "position": position})
