"""Store what devices sent: one transaction for readings, positions, latest values, received bytes and what rules say.

All work is on columns; the database sees a few statements however many readings there are. A device is answered only
after :meth:`Store.take` has returned: what was answered is kept.

Late data (older than what the datastream had, or delivered afterwards by the device) fills history and raises nothing.
A repeat is one row: what is newer than all before is copied in, the rest goes past the keys one by one.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from django.db import IntegrityError, connection, transaction
from numpy.typing import NDArray

from citysafety.bulk import Cells, copy_in, copy_packed, moments, numbers, packed, raw, words

from .engine import Change
from .known import Known
from .services import alarms

Ints, Floats = NDArray[np.int64], NDArray[np.float64]
QUALITIES = ("g", "d", "b")  # by their numbers in a batch
GOOD, DOUBTFUL, BAD = range(3)
LATE_MS = 300_000  # behind the usual distance of a device's clock
NO_LAG = 10**15  # not known: the first that is heard of a device is believed
AHEAD_MS = 300_000  # a clock that is ahead by more does not make what comes after it late

READING = ("datastream_id", "measured_at", "value", "quality", "late", "received_at")
FIX = (
    "device_id", "measured_at", "digest", "lon", "lat", "speed_kmh", "course", "flags", "alarms", "late", "received_at",
)  # fmt: skip
STAGED = """
CREATE TEMP TABLE IF NOT EXISTS staged_{name} (LIKE monitoring_{name} INCLUDING DEFAULTS) ON COMMIT DELETE ROWS"""
PAST_THE_KEYS = "INSERT INTO monitoring_{name} SELECT * FROM staged_{name} ON CONFLICT DO NOTHING"
LATEST = """
INSERT INTO monitoring_latest AS l (datastream_id, measured_at, value, quality, received_at)
SELECT stream, to_timestamp(measured / 1000.0), value, quality, to_timestamp(received / 1000.0)
FROM unnest(%s::bigint[], %s::bigint[], %s::float8[], %s::text[], %s::bigint[])
  AS n (stream, measured, value, quality, received)
ON CONFLICT (datastream_id) DO UPDATE SET measured_at = excluded.measured_at, value = excluded.value,
  quality = excluded.quality, received_at = excluded.received_at
WHERE l.measured_at < excluded.measured_at"""
SEEN = """
INSERT INTO monitoring_devicestatus AS s
  (device_id, seen_at, measured_at, clock_s, lon, lat, speed_kmh, course, flags, alarms)
SELECT device, to_timestamp(received / 1000.0), to_timestamp(measured / 1000.0), (measured - received) / 1000.0,
  n.lon, n.lat, speed, n.course, coalesce(n.flags, was.flags, 0), coalesce(n.alarms, was.alarms, 0)
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::float8[], %s::float8[], %s::float8[], %s::int[],
  %s::bigint[], %s::bigint[]) AS n (device, received, measured, lon, lat, speed, course, flags, alarms)
  LEFT JOIN monitoring_devicestatus was ON was.device_id = device
ON CONFLICT (device_id) DO UPDATE SET seen_at = greatest(s.seen_at, excluded.seen_at),
  measured_at = coalesce(excluded.measured_at, s.measured_at), clock_s = coalesce(excluded.clock_s, s.clock_s),
  lon = coalesce(excluded.lon, s.lon), lat = coalesce(excluded.lat, s.lat),
  speed_kmh = coalesce(excluded.speed_kmh, s.speed_kmh), course = coalesce(excluded.course, s.course),
  flags = excluded.flags, alarms = excluded.alarms"""
MORE = """
UPDATE monitoring_devicestatus s SET more = coalesce(s.more, '{}') || n.more::jsonb
FROM unnest(%s::bigint[], %s::text[]) AS n (device, more) WHERE s.device_id = n.device"""
UNKNOWN = """
INSERT INTO monitoring_unknowndevice AS u (protocol, address, count, first_at, last_at, sample, said)
SELECT protocol, address, many, to_timestamp(at / 1000.0), to_timestamp(at / 1000.0), decode(sample, 'hex'), '{}'
FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::text[]) AS n (protocol, address, many, at, sample)
ON CONFLICT (protocol, address) DO UPDATE SET count = u.count + excluded.count,
  last_at = greatest(u.last_at, excluded.last_at), sample = excluded.sample"""


@dataclass(slots=True)
class Message:
    """Bytes as they came, and why they could not be taken if they could not."""

    protocol: str
    address: str
    peer: str
    received_ms: int
    data: bytes
    reason: str = ""


@dataclass(slots=True)
class Batch:
    """What is stored at once, as columns of equal length; times are milliseconds since 1970.

    ``stream`` is the place of a channel in the snapshot (`Known`), ``device`` the id of a device. Missing numbers are
    NaN, a missing moment is -1.
    """

    stream: list[int] = field(default_factory=list)
    measured: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    quality: list[int] = field(default_factory=list)
    received: list[int] = field(default_factory=list)
    afterwards: list[bool] = field(default_factory=list)  # delivered later by the device: raises nothing
    fixes: list[tuple] = field(default_factory=list)  # as FIXES below
    messages: list[Message] = field(default_factory=list)
    seen: dict[int, tuple[int, int]] = field(default_factory=dict)  # device → received, measured
    unknown: Counter[tuple[str, str]] = field(default_factory=Counter)
    samples: dict[tuple[str, str], tuple[int, bytes]] = field(default_factory=dict)
    more: dict[int, dict[str, Any]] = field(default_factory=dict)  # device → what it says of itself

    def read(
        self, place: int, measured: int, value: float, received: int, *, quality: int = GOOD, afterwards: bool = False
    ) -> None:
        """Add a reading."""
        self.stream.append(place)
        self.measured.append(measured)
        self.value.append(value)
        self.quality.append(quality)
        self.received.append(received)
        self.afterwards.append(afterwards)

    def meet(self, protocol: str, address: str, received: int, data: bytes) -> None:
        """Count a message of an address that no device has."""
        self.unknown[protocol, address] += 1
        self.samples[protocol, address] = (received, data[:512])


FIXES = np.dtype([
    ("device", "i8"), ("measured", "i8"), ("digest", "i8"), ("lon", "f8"), ("lat", "f8"), ("speed", "f8"), ("course", "i8"),
    ("flags", "i8"), ("alarms", "i8"), ("received", "i8"), ("afterwards", "?"),
])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Taken:
    """What a batch came to."""

    readings: int
    fixes: int
    late: int
    changes: Sequence[Change] = ()


class Store:
    """Takes batches of one gateway, one after the other; keeps by heart how far each datastream and device has come."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.newest = np.full(len(known.stream_ids), np.iinfo(np.int64).min)
        self.newest_fix: dict[int, int] = {}
        self.lag = np.full(len(known.stream_ids), NO_LAG)  # how far behind ours its device's clock is, at least (ms)
        self._recall()

    def _recall(self) -> None:
        """Read how far each datastream and device had come. Queries: 2."""
        places = {pk: place for place, pk in enumerate(self.known.stream_ids.tolist())}
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT datastream_id, (extract(epoch FROM measured_at) * 1000)::bigint FROM monitoring_latest"
            )
            for pk, measured in cursor.fetchall():
                if (place := places.get(pk)) is not None:
                    self.newest[place] = measured
            cursor.execute(
                "SELECT device_id, (extract(epoch FROM measured_at) * 1000)::bigint FROM monitoring_devicestatus"
                " WHERE measured_at IS NOT NULL AND lon IS NOT NULL"
            )
            self.newest_fix = dict(cursor.fetchall())

    def renew(self, known: Known) -> None:
        """Go on with a newer snapshot."""
        known.carry_over(self.known)
        fresh = Store(known)
        _same, here, there = np.intersect1d(known.stream_ids, self.known.stream_ids, return_indices=True)
        fresh.lag[here] = self.lag[there]
        self.known, self.newest, self.newest_fix, self.lag = known, fresh.newest, fresh.newest_fix, fresh.lag

    def take(self, batch: Batch) -> Taken:
        """Store a batch whole, or nothing of it. Statements: at most 13, whatever it holds, besides those of alarms.

        :raises django.db.Error: nothing was stored; the same batch may be taken again.
        """
        readings, fixes = self._in_order(batch), np.array(batch.fixes, dtype=FIXES)
        kept = self.known.slots.snapshot()
        try:
            with transaction.atomic():
                late = self._write_readings(readings) + self._write_fixes(fixes)
                changes = self._evaluate(readings)
                alarms.follow(self.known, changes)
                self._keep_latest(readings)
                _see(batch, fixes)
                _note(batch.more)
                _keep_messages(batch.messages)
                _meet(batch)
        except BaseException:
            self.known.slots.restore(kept)
            raise
        self._advance(readings, fixes)
        return Taken(len(readings.place), len(fixes), late, changes)

    def _in_order(self, batch: Batch) -> "Columns":
        """Return the readings by channel and time, and which of them are news.

        News is what is newer than all before it; late is what is older than that, what the device delivers afterwards,
        and what its clock, as far as it usually is from ours, says to be older than 300 s.
        """
        place, measured = np.array(batch.stream, dtype=np.int64), np.array(batch.measured, dtype=np.int64)
        order = np.lexsort((measured, place))
        place, measured = place[order], measured[order]
        received = np.array(batch.received, dtype=np.int64)[order]
        # A clock that is far ahead does not make what comes after it late.
        counted = np.minimum(measured, received + AHEAD_MS)
        again = np.r_[False, (place[1:] == place[:-1]) & (measured[1:] == measured[:-1])] if len(place) else place > 0
        is_news = (counted > self.newest[place]) & ~again
        late = np.array(batch.afterwards, dtype=bool)[order] | (counted < self.newest[place])
        late |= received - measured > self.lag[place] + LATE_MS
        return Columns(
            place, measured, counted, np.array(batch.value, dtype=np.float64)[order],
            np.array(batch.quality, dtype=np.int64)[order], received, is_news, late,
        )  # fmt: skip

    def _write_readings(self, columns: "Columns") -> int:
        """Write readings; return how many are late. Statements: 2, or 4 with what is not new."""
        if not len(columns.place):
            return 0
        cells = (
            numbers(self.known.stream_ids[columns.place]), moments(columns.measured), numbers(columns.value, ">f8"),
            words(columns.quality, QUALITIES), flags(columns.late), moments(columns.received),
        )  # fmt: skip
        _write("reading", READING, cells, columns.is_news)
        return int(columns.late.sum())

    def _write_fixes(self, fixes: NDArray[np.void]) -> int:
        """Write positions; return how many are late. Statements: 2, or 4 with what is not new."""
        if not len(fixes):
            return 0
        fixes.sort(order=("device", "measured"), kind="stable")
        counted = np.minimum(fixes["measured"], fixes["received"] + AHEAD_MS)
        newest = np.array([self.newest_fix.get(device, -1) for device in fixes["device"].tolist()], dtype=np.int64)
        same = (fixes["device"][1:] == fixes["device"][:-1]) & (fixes["measured"][1:] == fixes["measured"][:-1])
        is_news = (counted > newest) & ~np.r_[False, same]
        late = fixes["afterwards"] | (counted < newest)
        nowhere = np.isnan(fixes["lon"])
        cells = (
            numbers(fixes["device"]), moments(fixes["measured"]), numbers(fixes["digest"]),
            numbers(fixes["lon"], ">f8", nowhere), numbers(fixes["lat"], ">f8", nowhere),
            numbers(fixes["speed"], ">f8", np.isnan(fixes["speed"])), numbers(fixes["course"], ">i2", fixes["course"] < 0),
            numbers(fixes["flags"]), numbers(fixes["alarms"]), flags(late), moments(fixes["received"]),
        )  # fmt: skip
        _write("fix", FIX, cells, is_news)
        fixes["afterwards"] = late  # where a device is now is told by what is not late
        return int(late.sum())

    def _evaluate(self, columns: "Columns") -> list[Change]:
        """Return what the rules make of the news."""
        takes = columns.is_news & ~columns.late & (columns.quality != BAD)
        place, starts = columns.place[takes], self.known.starts
        many = starts[place + 1] - starts[place]
        row = np.repeat(np.flatnonzero(takes), many)
        slots = np.repeat(starts[place], many) + _count_up(many)
        fit = (columns.quality[row] == GOOD) | self.known.takes_doubtful[slots]
        row, slots = row[fit], slots[fit]
        return list(self.known.slots.evaluate(slots, columns.value[row], columns.counted[row] / 1000))

    def _keep_latest(self, columns: "Columns") -> None:
        """Write the newest value of each datastream that has one. Statements: at most 1."""
        last = _lasts(columns.place[columns.is_news])
        if not len(last):
            return
        rows = np.flatnonzero(columns.is_news)[last]
        stream = self.known.stream_ids[columns.place[rows]]
        quality = [QUALITIES[one] for one in columns.quality[rows].tolist()]
        _run(
            LATEST, stream.tolist(), columns.counted[rows].tolist(), columns.value[rows].tolist(), quality,
            columns.received[rows].tolist(),
        )  # fmt: skip

    def _advance(self, columns: "Columns", fixes: NDArray[np.void]) -> None:
        """Note how far everything has come, once it is committed."""
        np.maximum.at(self.newest, columns.place[~columns.late], columns.counted[~columns.late])
        # A clock that is ahead counts as right: once it is set right, it must not seem to be behind.
        np.minimum.at(self.lag, columns.place, np.maximum(columns.received - columns.measured, 0))
        for device, measured, received, afterwards in zip(
            *(fixes[name].tolist() for name in ("device", "measured", "received", "afterwards")), strict=True
        ):
            if not afterwards:
                newest = self.newest_fix.get(device, -1)
                self.newest_fix[device] = max(newest, min(measured, received + AHEAD_MS))


@dataclass(frozen=True, slots=True)
class Columns:
    """Readings by channel and time."""

    place: Ints
    measured: Ints
    counted: Ints  # measured, as far as it is believed
    value: Floats
    quality: Ints
    received: Ints
    is_news: NDArray[np.bool_]
    late: NDArray[np.bool_]


def flags(values: NDArray[np.bool_]) -> Cells:
    return raw(values.astype("u1"))


def _count_up(many: Ints) -> Ints:
    """Return 0, 1, … for each so many: ``[2, 3]`` gives ``0 1 0 1 2``."""
    ends = np.cumsum(many)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - many, many)


def _lasts(groups: Ints) -> Ints:
    """Return the place of the last row of each group; equal groups stand together."""
    return np.flatnonzero(np.r_[groups[1:] != groups[:-1], True]) if len(groups) else groups


def _run(statement: str, *columns: list) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(columns))


def _write(name: str, columns: Sequence[str], cells: Sequence[Cells], is_news: NDArray[np.bool_]) -> None:
    """Copy what is new into a table; what may be there already goes past its keys.

    Another gateway may have taken the same: then everything goes past the keys.
    """
    if is_news.any():
        try:
            with transaction.atomic():
                copy_packed(f"monitoring_{name}", columns, packed([some(one, is_news) for one in cells]))
        except IntegrityError:
            is_news = np.zeros_like(is_news)
    if not is_news.all():
        with connection.cursor() as cursor:
            cursor.execute(STAGED.format(name=name))
            copy_packed(f"staged_{name}", columns, packed([some(one, ~is_news) for one in cells]))
            cursor.execute(PAST_THE_KEYS.format(name=name))


def some(cells: Cells, rows: NDArray[np.bool_]) -> Cells:
    """Return a column with some of its rows."""
    null = None if cells.null is None else cells.null[rows]
    return Cells(cells.data[rows], null, cells.words, cells.length, cells.table)


def _see(batch: Batch, fixes: NDArray[np.void]) -> None:
    """Write how each device is that was heard of. Statements: at most 1."""
    seen: dict[int, list] = {
        device: [device, received, measured if measured >= 0 else None, *[None] * 6]
        for device, (received, measured) in batch.seen.items()
    }
    live = fixes[~fixes["afterwards"]]
    for row in live[_lasts(live["device"])].tolist():
        device, measured, _digest, *moved, received, _afterwards = row
        seen[device] = [device, received, measured, *(None if one != one or one == -1 else one for one in moved)]
    if seen:
        _run(SEEN, *(list(column) for column in zip(*(seen[device] for device in sorted(seen)), strict=True)))


def _note(more: dict[int, dict[str, Any]]) -> None:
    """Write what devices say of themselves beside what they said before. Statements: at most 1."""
    if more:
        _run(MORE, sorted(more), [json.dumps(more[device]) for device in sorted(more)])


def _keep_messages(messages: Sequence[Message]) -> None:
    """Keep bytes as they were received. Statements: at most 1."""
    if not messages:
        return
    columns = ("received_at", "protocol", "address", "peer", "data", "reason")
    rows = (
        (
            datetime.fromtimestamp(one.received_ms / 1000, UTC), one.protocol, one.address[:64], one.peer[:64],
            f"\\x{one.data.hex()}", one.reason[:200],
        )
        for one in messages
    )  # fmt: skip
    copy_in("monitoring_rawmessage", columns, rows)


def _meet(batch: Batch) -> None:
    """Count the addresses that no device has. Statements: at most 1."""
    if not batch.unknown:
        return
    met = sorted(batch.unknown)
    _run(
        UNKNOWN, [protocol for protocol, _address in met], [address[:64] for _protocol, address in met],
        [batch.unknown[one] for one in met], [batch.samples[one][0] for one in met],
        [batch.samples[one][1].hex() for one in met],
    )  # fmt: skip
