"""Readings stored as the gateway stores them, rules evaluated and the latest value kept, beside COPY of the same rows."""

import time
from collections.abc import Callable, Iterator

import numpy as np

from . import city
from .figures import Report, Side, Turn, Verdict, at_least, in_turns

STREAMS, SMALL, LARGE, ROWS = 2_000, 500, 5_000, 100_000
# A field of gas stations, four channels each, and a limit that nothing passes.
FIELD = f"""
INSERT INTO monitoring_system (code, name_zh, name_en, position, connection, operator, contract, silent_after_s, keep_days)
VALUES ('bench', 'bench', 'bench', 0, 'live', '', '', 300, 365);
INSERT INTO monitoring_riskfield (code, name_zh, name_en) VALUES ('bench', 'bench', 'bench');
INSERT INTO monitoring_devicekind (code, name_zh, name_en, system_id, field_id, icon, moves, offline_after_s)
VALUES ('bench', 'bench', 'bench', 'bench', 'bench', '', false, 300);
INSERT INTO monitoring_quantity (code, name_zh, name_en, unit, decimals, source) VALUES ('bench', 'bench', 'bench', '', 1, '');
INSERT INTO monitoring_device (code, name_zh, name_en, kind_id, protocol, address, options, state, company, area_code, synthetic,
  registered_at, changed_at)
SELECT 'bench-' || n, 'bench', 'bench', 'bench', 'hj212', 'bench-' || n, '{{}}', 'in_service', '', '370502', true, now(), now()
FROM generate_series(1, {STREAMS // 4}) n;
INSERT INTO monitoring_datastream (device_id, quantity_id, channel, label, factor, "offset")
SELECT d.id, 'bench', 'a' || c, '', 1, 0 FROM monitoring_device d, generate_series(1, 4) c WHERE d.kind_id = 'bench';
ANALYZE monitoring_datastream"""


def run(rows: int = ROWS) -> Report:
    """Take batches in this process; the plain COPY writes the same rows, made before, into the same table of another copy."""
    city.start_django()
    from django.utils import timezone  # noqa: PLC0415  models are ready now

    from citysafety.bulk import copy_packed, moments, numbers, packed, words  # noqa: PLC0415
    from monitoring import known, partitions  # noqa: PLC0415
    from monitoring.models import Reading, Rule  # noqa: PLC0415
    from monitoring.storing import QUALITIES, READING, Batch, Store, flags  # noqa: PLC0415

    clock = int(time.time() * 1000) - 3_600_000

    def moments_of(size: int) -> Iterator[np.ndarray]:
        """Yield the moments of one batch after the other, each newer than all before it."""
        nonlocal clock
        for _ in range(rows // size):
            clock += size
            yield clock + np.arange(size)

    def ours(size: int) -> Turn:
        city.use(mine)
        store = Store(known.read())
        batches = []
        for measured in moments_of(size):
            batch = Batch()
            for n, at in enumerate(measured.tolist()):
                batch.read(n % STREAMS, at, n % 7 + 0.5, at)
            batches.append(batch)
        before = Reading.objects.count()
        seconds = timed(lambda: [store.take(batch) for batch in batches])
        lacking = before + rows - Reading.objects.count()
        return Turn(rows / seconds, lacking)

    def plain(size: int) -> Turn:
        city.use(theirs)
        streams = known.read().stream_ids
        made = []
        for measured in moments_of(size):
            n = np.arange(size)
            cells = (
                numbers(streams[n % STREAMS]), moments(measured), numbers(n % 7 + 0.5, ">f8"),
                words(np.zeros(size, dtype="i8"), QUALITIES), flags(np.zeros(size, dtype=bool)), moments(measured),
            )  # fmt: skip
            made.append(packed(cells))
        before = Reading.objects.count()
        seconds = timed(lambda: [copy_packed("monitoring_reading", READING, one) for one in made])
        return Turn(rows / seconds, before + rows - Reading.objects.count())

    with city.copy_of("bench_intake") as mine, city.copy_of("bench_copy") as theirs:
        for database in (mine, theirs):
            city.use(database)
            city.ask(database, FIELD)
            today = timezone.localdate()
            partitions.make(today, today)
            Rule.objects.create(
                code="bench", name_zh="bench", name_en="bench", kind=Rule.Kind.LIMIT, device_kind_id="bench",
                quantity_id="bench", settings={"high": 1000},
            )  # fmt: skip
        sides: dict[str, Side] = in_turns(
            {
                f"{what} by {size:,}": ("/s", lambda act=act, size=size: act(size))
                for size in (SMALL, LARGE)
                for what, act in (("ours", ours), ("COPY", plain))
            }
        )
    small, small_copy, large, large_copy = sides.values()
    return Report(
        f"{rows:,} readings of {STREAMS:,} channels with a rule each, in batches of {SMALL} and {LARGE:,}; one process",
        list(sides.values()),
        [
            Verdict(small, small_copy, at_least(0.15), at_least(0.42)),
            Verdict(large, large_copy, at_least(0.15), at_least(0.42)),
        ],
        [
            "ours: rules, latest values and one commit a batch; batches are there as lists, as a gateway has them",
            "COPY: rows in PostgreSQL's binary form, made before, one commit a batch, same table and key",
        ],
    )


def timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
