"""Rules over batches: which pair of rule and subject changes its state, with delays and dead-bands. Pure, in columns.

A *slot* is a rule on one subject (a datastream, or a device in regard to fences). Its state is a *zone*: 0 is normal,
the others are what the rule watches for. A batch is worked off in rounds, each of which has a slot at most once, so
that values of one slot are taken one after the other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

NORMAL, LOW_LOW, LOW, HIGH, HIGH_HIGH = range(5)
FAR = (LOW_LOW, HIGH_HIGH)
GRAVITY = np.array([0, 2, 1, 1, 2])  # of a zone: a graver one waits for the on-delay, a milder one for the off-delay
LIMIT, BITS, RATE, GIVEN = range(4)  # how a slot's zone is found; GIVEN: whoever calls knows it

STATES = ("zone", "pending", "since", "last_value", "last_at")

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Change:
    """A slot went from one zone to another: with the value and the moment (Unix seconds) that decided it."""

    slot: int
    source: int
    target: int
    value: float
    at: float
    since: float  # when the condition began: earlier than ``at`` by the delay


class Slots:
    """The limits and the states of so many slots, a column each."""

    def __init__(self, count: int) -> None:
        self.how = np.full(count, LIMIT, dtype=np.int8)
        self.low_low, self.low, self.high, self.high_high = (np.full(count, np.nan) for _ in range(4))
        self.band, self.on_s, self.off_s = np.zeros(count), np.zeros(count), np.zeros(count)
        self.mask, self.inverted = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=bool)
        self.latching = np.zeros(count, dtype=bool)
        self.zone = np.zeros(count, dtype=np.int8)
        self.pending, self.since = np.full(count, -1, dtype=np.int8), np.zeros(count)
        self.last_value, self.last_at = np.full(count, np.nan), np.full(count, np.nan)

    def evaluate(self, slots: Ints, values: Floats, at: Floats) -> Iterator[Change]:
        """Yield the changes that values bring about, in the order of their moments within a slot.

        ``slots``, ``values``, ``at`` are columns of one length; the values of a slot stand in the order of their time.
        """
        for some in rounds(slots):
            s, v, t = slots[some], values[some], at[some]
            yield from self.settle(s, self.zones(s, v, t), v, t)
            self.last_value[s], self.last_at[s] = v, t

    def zones(self, s: Ints, v: Floats, t: Floats) -> NDArray[np.int8]:
        """Return the zone in which each value lies, as its slot stands: who is beyond a limit must come back further."""
        now, band = self.zone[s], self.band[s]
        found = np.zeros(len(s), dtype=np.int8)
        with np.errstate(invalid="ignore"):
            is_low = v <= self.low[s] + np.where(np.isin(now, (LOW, LOW_LOW)), band, 0)
            is_high = v >= self.high[s] - np.where(np.isin(now, (HIGH, HIGH_HIGH)), band, 0)
            is_low_low = v <= self.low_low[s] + np.where(now == LOW_LOW, band, 0)
            is_high_high = v >= self.high_high[s] - np.where(now == HIGH_HIGH, band, 0)
            for mask, zone in ((is_low, LOW), (is_high, HIGH), (is_low_low, LOW_LOW), (is_high_high, HIGH_HIGH)):
                found[mask] = zone
        how = self.how[s]
        if (bits := how == BITS).any():
            with np.errstate(invalid="ignore"):
                is_set = (v[bits].astype(np.int64) & self.mask[s[bits]]) != 0
            found[bits] = np.where(is_set != self.inverted[s[bits]], HIGH, NORMAL)
        if (rate := how == RATE).any():
            found[rate] = self._rates(s[rate], v[rate], t[rate])
        found[np.isnan(v)] = now[np.isnan(v)]  # no value says nothing
        return found

    def _rates(self, s: Ints, v: Floats, t: Floats) -> NDArray[np.int8]:
        with np.errstate(invalid="ignore", divide="ignore"):
            per_min = (v - self.last_value[s]) / (t - self.last_at[s]) * 60
            return np.select(
                [per_min >= self.high[s], per_min <= -self.low[s]], [np.int8(HIGH), np.int8(LOW)], np.int8(NORMAL)
            )

    def settle(self, s: Ints, target: NDArray[np.int8], v: Floats, t: Floats) -> Iterator[Change]:
        """Yield the changes of slots, each here once, towards the zones in which they are found: after their delays."""
        now = self.zone[s]
        target = np.where(self.latching[s] & (GRAVITY[target] < GRAVITY[now]), now, target)
        differs = target != now
        self.pending[s[~differs]] = -1
        s, target, now, v, t = s[differs], target[differs], now[differs], v[differs], t[differs]
        # Who waits for a graver zone and finds another grave one goes on waiting from the same moment.
        begins = (self.pending[s] == -1) | (
            (GRAVITY[self.pending[s]] > GRAVITY[now]) != (GRAVITY[target] > GRAVITY[now])
        )
        self.since[s[begins]] = t[begins]
        self.pending[s] = target
        delay = np.where(GRAVITY[target] >= np.maximum(GRAVITY[now], 1), self.on_s[s], self.off_s[s])
        due = t - self.since[s] >= delay
        for slot, source, to, value, at in zip(
            s[due].tolist(), now[due].tolist(), target[due].tolist(), v[due].tolist(), t[due].tolist(), strict=True
        ):
            yield Change(slot, source, to, value, at, float(self.since[slot]))
        self.zone[s[due]], self.pending[s[due]] = target[due], -1

    def snapshot(self) -> list[NDArray]:
        """Return the states, to be put back by :meth:`restore` when what followed from them was not kept."""
        return [getattr(self, name).copy() for name in STATES]

    def restore(self, kept: list[NDArray]) -> None:
        for name, column in zip(STATES, kept, strict=True):
            setattr(self, name, column)

    def reset(self, slots: Sequence[int]) -> None:
        """Let latched slots begin anew, as after the reset of a panel."""
        self.zone[list(slots)], self.pending[list(slots)] = NORMAL, -1


def rounds(slots: Ints) -> Iterator[Ints]:
    """Yield places of a column so that no slot is twice in a round and those of a slot keep their order."""
    if not len(slots):
        return
    order = np.argsort(slots, kind="stable")
    ranked = slots[order]
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    rank = np.arange(len(slots)) - np.repeat(starts, np.diff(np.r_[starts, len(slots)]))
    if rank.max() == 0:
        yield np.arange(len(slots))
        return
    by_rank = np.argsort(rank, kind="stable")
    bounds = np.flatnonzero(np.r_[True, np.diff(rank[by_rank]) != 0, True])
    for first, after in pairwise(bounds):
        yield np.sort(order[by_rank[first:after]])
