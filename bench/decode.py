"""JT/T 808 positions decoded: one by one and in batches, beside the least decoder that plain Python can be."""

import functools
import operator
import random
import struct
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from monitoring.intake import jt808

from .figures import Report, Turn, Verdict, at_least, in_turns

FRAMES, BATCH = 50_000, 1_000
BARE = struct.Struct(">HH6sHIIIIHHH6s")  # header and body of 2013


def fleet(count: int, *, items: Sequence[tuple[int, bytes]], seed: int = 808) -> list[bytes]:
    """Return one frame each of so many vehicles of 2013 about the city."""
    chance, at = random.Random(seed), datetime(2026, 11, 23, 6, tzinfo=UTC)
    return [
        jt808.encode_position(
            jt808.Terminal(f"{13_800_000_000 + n}", jt808.Edition.E2013),
            n,
            jt808.make(
                chance.uniform(37.2, 38.2),
                chance.uniform(118.1, 119.3),
                at + timedelta(seconds=n % 3600),
                speed_kmh=chance.uniform(0, 90),
                course=chance.randrange(360),
                status=0b11 | 1 << 18 | 1 << 19,
                items=items,
            ),
        )
        for n in range(count)
    ]


def a_second(work: Callable[[], object], count: int, errors: int = 0) -> Turn:
    """Return how many frames a second of this process's own CPU time are decoded by ``work``, which takes all of them."""
    began = time.process_time()
    work()
    return Turn(count / (time.process_time() - began), errors)


def run(count: int = FRAMES) -> Report:
    """Ours finds the layout of the header and knows every message; the least decoder knows one, of 2013."""
    items = [(0x01, (123_456).to_bytes(4, "big")), (0x30, b"\x1f"), (0x31, b"\x0c")]
    frames = fleet(count, items=items)
    batches = [frames[start : start + BATCH] for start in range(0, count, BATCH)]

    def least() -> None:
        for frame in frames:
            data = frame[1:-1].replace(b"\x7d\x02", b"\x7e").replace(b"\x7d\x01", b"\x7d")
            if functools.reduce(operator.xor, data):
                raise ValueError(frame)
            BARE.unpack_from(data)

    def unchecked() -> None:
        for frame in frames:
            BARE.unpack_from(frame, 1)

    def one_by_one() -> None:
        for frame in frames:
            jt808.decode(frame)

    def in_batches() -> None:
        for batch in batches:
            jt808.positions(batch)

    # Both of ours must say the same before either is measured.
    columns = jt808.positions(frames)
    differ = sum(jt808.decode(frames[n]).body != columns.position(row) for row, n in enumerate(columns.index))
    errors = differ + len(columns.rest)
    sides = in_turns(
        {
            "ours, one by one": ("/s", lambda: a_second(one_by_one, count, errors)),
            "least decoder, one by one": ("/s", lambda: a_second(least, count)),
            f"ours, in batches of {BATCH:,}": ("/s", lambda: a_second(in_batches, count, errors)),
            "struct alone, escapes and check byte ignored": ("/s", lambda: a_second(unchecked, count)),
        },
        rounds=5,
    )
    single, bare, many, _unchecked = sides.values()
    size = sum(map(len, frames)) / count
    escaped = sum(b"\x7d" in frame for frame in frames) / count
    return Report(
        f"{count:,} frames of 0x0200 with three items, {size:.0f} bytes each, decoded in one process",
        list(sides.values()),
        [
            Verdict(single, bare, at_least(0.15)),
            Verdict(many, bare, at_least(0.15), at_least(1)),
        ],
        [
            f"{errors} of {count:,} frames are read differently one by one and in batches, or not at all",
            f"{escaped:.0%} hold an escape; the least decoder unescapes, checks and unpacks, and makes no time of BCD",
            "ours by batches gives times and degrees as columns; one by one they are made when asked for",
            "by the CPU time of the process",
        ],
    )
