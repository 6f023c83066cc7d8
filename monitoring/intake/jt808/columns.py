"""Many positions at once, as columns: what `decode` does frame by frame, without an object for each of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from monitoring.intake.jt808 import position
from monitoring.intake.jt808.fields import BEIJING, CENTURY, TWO_DIGITS
from monitoring.intake.jt808.framing import ENCRYPTED, LONGEST, MAX_BODY, NEWER, SPLIT
from monitoring.intake.jt808.position import MICRO, NEGATIVE, SOUTH, WEST, Position

Column = npt.NDArray[Any]
MSG_ID = 0x0200
OLD, NEW = 12, 17  # bytes of the header in its two layouts
PHONE, SERIAL = 10, 2  # bytes of the header's end; the phone of the older layout has 6
WINDOW = 64  # bytes behind the last frame that may be looked at, though not meant
BODY = np.dtype(
    [
        ("alarm", ">u4"),
        ("status", ">u4"),
        ("latitude", ">u4"),
        ("longitude", ">u4"),
        ("altitude", ">u2"),
        ("speed", ">u2"),
        ("course", ">u2"),
        ("stamp", "u1", 6),
    ]
)
DIGITS = np.array(TWO_DIGITS, np.uint8)
NO_DIGITS = 0xFF
OFFSET = int(BEIJING.utcoffset(None).total_seconds())
MONTHS = 16  # places for a year in the calendar below


def _calendar() -> tuple[Column, Column]:
    """Return for each month of the century the day it begins on, since 1970, and how many days it has; 0 for no month."""
    begins, lengths = np.zeros(100 * MONTHS, np.int64), np.zeros(100 * MONTHS, np.uint8)
    first = np.datetime64(f"{CENTURY}-01", "M") + np.arange(100 * 12 + 1)
    days = first.astype("M8[D]").astype(np.int64)
    place = (np.arange(100 * 12) // 12) * MONTHS + np.arange(100 * 12) % 12 + 1
    begins[place], lengths[place] = days[:-1], np.diff(days)
    return begins, lengths


BEGINS, LENGTHS = _calendar()


@dataclass(frozen=True, slots=True)
class Columns:
    """Positions as columns, a row for each; the numbers are those of `Position`."""

    index: Column  # of the frame that a row comes from
    rest: list[
        int
    ]  # frames to be decoded one by one: other messages, sub-packages, and damaged ones, which say why then
    alarm: Column
    status: Column
    latitude: Column
    longitude: Column
    altitude: Column
    speed: Column
    course: Column
    lat: Column  # degrees, NaN where it is no latitude
    lon: Column
    time: Column  # datetime64[s] in UTC, NaT where it is no time
    serial: Column
    _phone: Column
    _plain: Column  # all frames without escapes
    _body: Column  # where the body of a row begins there, and ends
    _end: Column

    def __len__(self) -> int:
        return len(self.index)

    def phones(self) -> list[str]:
        """Return the numbers of the terminals, row by row."""
        digits, size = self._phone.tobytes().hex(), 2 * PHONE
        return [digits[at : at + size].lstrip("0") or "0" for at in range(0, len(digits), size)]

    def position(self, row: int) -> Position:
        """Return one row as `decode` would, with its items."""
        return position.decode(self._plain[self._body[row] : self._end[row]].tobytes())

    def has_items(self) -> Column:
        """Return of each row whether it has additional items."""
        found: Column = self._end - self._body > position.BASE.size
        return found


def positions(frames: Sequence[bytes]) -> Columns:
    """Return the positions among these frames, flags included, as columns."""
    count = len(frames)
    lengths = np.fromiter(map(len, frames), np.int64, count)
    plain, starts, lengths, good = _unescaped(np.frombuffer(b"".join(frames) + bytes(WINDOW), np.uint8), lengths)
    # The flags, 7E at both ends, take each other out of the exclusive or.
    good &= np.bitwise_xor.reduceat(plain, starts) == 0 if count else False
    header = np.lib.stride_tricks.sliding_window_view(plain, 5)[starts]
    attributes = header[:, 3].astype(np.uint16) << 8 | header[:, 4]
    good &= (header[:, 1] == MSG_ID >> 8) & (header[:, 2] == MSG_ID & 0xFF)
    good &= attributes & (SPLIT | ENCRYPTED) == 0
    declared = (attributes & MAX_BODY).astype(np.int64)
    newer = (attributes & NEWER != 0) & (declared + (NEW + 3) == lengths)
    good &= (newer | (declared + (OLD + 3) == lengths)) & (declared >= position.BASE.size)
    rows = np.flatnonzero(good)
    newer, declared = newer[rows], declared[rows]
    body = starts[rows] + np.where(newer, NEW + 1, OLD + 1)
    ends = np.lib.stride_tricks.sliding_window_view(plain, PHONE + SERIAL)[body - (PHONE + SERIAL)]
    ends[~newer, : PHONE - 6] = 0
    table = np.lib.stride_tricks.sliding_window_view(plain, BODY.itemsize)[body].view(BODY)[:, 0]
    native = {name: table[name].astype(BODY[name].newbyteorder("=")) for name in BODY.names or () if name != "stamp"}
    return Columns(
        index=rows,
        rest=np.flatnonzero(~good).tolist(),
        **native,
        lat=_degrees(native["latitude"], native["status"], SOUTH, 90),
        lon=_degrees(native["longitude"], native["status"], WEST, 180),
        time=_times(table["stamp"]),
        serial=ends[:, PHONE].astype(np.uint16) << 8 | ends[:, PHONE + 1],
        _phone=ends[:, :PHONE],
        _plain=plain,
        _body=body,
        _end=body + declared,
    )


def _unescaped(data: Column, lengths: Column) -> tuple[Column, Column, Column, Column]:
    """Return the bytes without escapes, where each frame begins and its length there, and which frames may be good."""
    starts = np.cumsum(lengths) - lengths
    flags = data == 0x7E
    good = flags[starts] & flags[starts + lengths - 1] & (lengths >= OLD + 3) & (lengths <= LONGEST + 2)
    if len(lengths) and np.count_nonzero(flags) != 2 * len(lengths):
        good &= np.add.reduceat(flags, starts, dtype=np.int64) == 2
    escapes = np.flatnonzero(data == 0x7D)
    if not len(escapes):
        return data, starts, lengths, good
    marks = data[escapes + 1]
    begun = (marks == 1) | (marks == 2)
    good[np.searchsorted(starts, escapes[~begun], "right") - 1] = False
    escapes, marks = escapes[begun], marks[begun]
    plain, kept = data.copy(), np.ones(len(data), np.bool_)
    plain[escapes] = marks + np.uint8(0x7C)
    kept[escapes + 1] = False
    dropped = np.searchsorted(escapes + 1, starts)  # bytes that went before a frame
    frame = np.searchsorted(starts, escapes, "right") - 1
    lengths = lengths - np.bincount(frame, minlength=len(lengths))
    return plain[kept], starts - dropped, lengths, good


def _degrees(raw: Column, status: Column, negative: int, limit: int) -> Column:
    value = np.where(raw >= NEGATIVE, raw.astype(np.int64) - (NEGATIVE << 1), raw)
    degrees = np.where(status & negative, -np.abs(value), value) / MICRO
    return np.where(np.abs(degrees) <= limit, degrees, np.nan)


def _times(stamps: Column) -> Column:
    year, month, day, hour, minute, second = DIGITS[stamps].T
    place = np.minimum(year, 99) * np.int64(MONTHS) + np.minimum(month, MONTHS - 1)
    good = (year != NO_DIGITS) & (day >= 1) & (day <= LENGTHS[place]) & (hour < 24) & (minute < 60) & (second < 60)
    days = BEGINS[place] + day - 1
    since = ((days * 24 + hour) * 60 + minute) * 60 + second - OFFSET
    since[~good] = np.iinfo(np.int64).min  # as NaT is kept
    times: Column = since.view("M8[s]")
    return times
