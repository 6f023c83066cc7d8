"""Past lives as rows of their tables, in the form that COPY reads."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy

from citysafety import bulk, worktime
from citysafety.tallies.columns import Sums
from citysafety.tallies.models import OPEN as LASTING

from ..standing import counts_now, counts_today
from .lives import ACTIONS, BASIS, MARKED, STAGES, STATES, Changes, Lives

Column = Any  # a numpy array
COLUMNS = {
    "hazards_hazard": [
        "id",
        "number",
        "matter_id",
        "severity",
        "criterion",
        "state",
        "version",
        "description",
        "location",
        "accuracy_m",
        "cell_id",
        "dedicated_cell_id",
        "area_code",
        "department_id",
        "reporter_id",
        "rectified_by_id",
        "occurred_at",
        "received_at",
        "changed_at",
        "written_off_at",
        "claimed_on_spot",
        "handled_on_spot",
        "due_stage",
        "due_at",
        "due_reason",
        "overdue",
        "late",
        "failures",
        "imported",
        "party_users",
        "party_departments",
        "period_id",
    ],
    "hazards_step": [
        "id",
        "hazard_id",
        "action",
        "source",
        "target",
        "version",
        "actor_id",
        "department_id",
        "at",
        "words",
        "location",
        "basis",
    ],
    "hazards_clock": (
        [
            "hazard_id",
            "stage",
            "unit",
            "amount",
            "started_at",
            "stopped_at",
            "consumed_s",
            "due_at",
            "due_reason",
            "marked_at",
        ]
    ),
    "hazards_mark": ["hazard_id", "stage", "version", "due_at", "at"],
    "evidence_attachment": ["photo_id", "kind", "subject_id", "role", "used_by", "by_id", "at"],
    "tallies_period": (
        [
            "id",
            "kind",
            "subject_id",
            "previous_id",
            "since",
            "until",
            "day",
            "area",
            "extra_area",
            "category",
            "unit",
            "state",
            "now",
            "today",
        ]
    ),
}
CRITERION = "重大事故隐患判定标准（示例）"
DAY_MS = 86_400_000
HEX = numpy.frombuffer(b"0123456789abcdef", "u1")
EPOCH = date(1970, 1, 1).toordinal()
SEVERITIES = ("general", "major")
# The figures that a state, severity and being overdue count in; those that actions earn, late or not, as bits.
NOW = [
    counts_now(state=name, severity=severity, overdue=overdue)
    for name in STATES for severity in SEVERITIES for overdue in (False, True)
]  # fmt: skip
EARNING = [[counts_today(action=name, late=late) for late in (False, True)] for name in ACTIONS]
EARNED = sorted({key for pair in EARNING for keys in pair for key in keys})
BITS = numpy.array([[sum(1 << EARNED.index(key) for key in keys) for keys in pair] for pair in EARNING])


@dataclass(slots=True)
class Told:
    """Lives that are told to their end, with what happened to them and the photos that prove it."""

    lives: Lives
    changes: Changes
    categories: list[str]  # by number
    matters: Column  # keys of the matters, by number
    units: dict[int, str]  # codes of departments, by key
    photos: list[tuple] = field(default_factory=list)  # sha256, row, role, id of the step it served or None, by, at


def texts_of(ids: Column) -> Column:
    """Return UUIDs as texts with hyphens."""
    digits = HEX[numpy.stack([ids >> 4, ids & 15], axis=-1)].reshape(len(ids), 32)
    out = numpy.full((len(ids), 36), ord("-"), "u1")
    for begin, end, at in ((0, 8, 0), (8, 12, 9), (12, 16, 14), (16, 20, 19), (20, 32, 24)):
        out[:, at : at + end - begin] = digits[:, begin:end]
    return out


def numbers_of(day: Column, serial: Column) -> Column:
    """Return numbers as cases have them, YH-20260102-00003."""
    date = numpy.char.replace(numpy.datetime_as_string(day.astype("M8[D]")).astype("S10"), b"-", b"")
    out = numpy.empty((len(day), 17), "u1")
    out[:, :3], out[:, 11] = numpy.frombuffer(b"YH-", "u1"), ord("-")
    out[:, 3:11] = date.astype("S8").view("u1").reshape(-1, 8)
    for n in range(5):
        out[:, 12 + n] = ord("0") + serial // 10 ** (4 - n) % 10
    return out


@dataclass(slots=True)
class Periods:
    """What counts, in columns: changes of one hazard, day and department are one period, shown as the last left it.

    It earns what any of them earned, each figure once a day. Imported, what earns nothing and does not last is none.
    """

    change: Column  # the last of each
    earned: Column  # bits, of EARNED
    is_first: Column
    is_last: Column


def periods_of(told: Told) -> Periods:
    """Return the periods of lives."""
    changes, offset = told.changes, told.lives.time.offset
    row, day = changes.row, (changes.at + offset) // DAY_MS
    new = numpy.ones(len(row), bool)
    new[1:] = (numpy.diff(row) != 0) | (numpy.diff(day) != 0) | (numpy.diff(changes.department) != 0)
    begins = numpy.flatnonzero(new)
    last = numpy.append(begins[1:], len(row)) - 1
    bits = numpy.bitwise_or.reduceat(BITS[changes.action, changes.late.astype("i8")], begins)
    same_day = numpy.zeros(len(begins), bool)
    same_day[1:] = (numpy.diff(row[begins]) == 0) & (numpy.diff(day[begins]) == 0)
    before = numpy.zeros_like(bits)
    while True:  # as often as a hazard changes hands in a day
        seen = numpy.where(same_day, numpy.roll(before | bits, 1), 0)
        if (seen == before).all():
            break
        before = seen
    bits &= ~before
    kept = (bits != 0) | (numpy.diff(row[begins], append=-1) != 0)
    change = last[kept]
    is_first = numpy.diff(row[change], prepend=-1) != 0
    return Periods(change, bits[kept], is_first, numpy.diff(row[change], append=-1) != 0)


def count(told: Told, periods: Periods, sums: Sums) -> None:
    """Add periods to the figures of all areas around."""
    lives, changes = told.lives, told.changes
    change = periods.change
    row, day = changes.row[change], (changes.at[change] + lives.time.offset) // DAY_MS + EPOCH
    classes = numpy.array([name.encode() for name in told.categories])
    offices, which = numpy.unique(changes.department[change], return_inverse=True)
    units = numpy.array([told.units.get(int(office), "").encode() for office in offices])
    places = sums.places(lives.area[row], lives.dedicated_code[row], classes[lives.category[row]], units[which])
    for n, figure in enumerate(EARNED):
        rows = numpy.flatnonzero(periods.earned >> n & 1)
        sums.add(figure, places, rows, day[rows])
    last = numpy.flatnonzero(periods.is_last)
    standing = _standing(lives, changes, change[last])
    for figure in {key for keys in NOW for key in keys}:
        counting = numpy.array([figure in keys for keys in NOW])
        sums.add(figure, places, last[counting[standing]])


def _standing(lives: Lives, changes: Changes, change: Column) -> Column:
    """Return which of NOW each change left its hazard in."""
    severe = lives.severe[changes.row[change]]
    return (changes.target[change] * 2 + severe) * 2 + changes.overdue[change]


def rows_of(told: Told, counting: Periods, *, position: int, period: int) -> Iterator[tuple[str, bytes]]:
    """Yield each table with its rows; periods are numbered from ``period``, all dealt at ``position``."""
    lives, changes = told.lives, told.changes
    periods, last = _periods(told, counting, position, period)
    yield "tallies_period", periods
    yield "hazards_hazard", _hazards(told, last)
    yield "hazards_step", _steps(lives, changes)
    yield "hazards_clock", b"".join(_clocks(lives))
    if (marks := changes.action == MARKED).any():
        yield "hazards_mark", _marks(lives, changes, marks)
    if told.photos:
        yield "evidence_attachment", _photos(told)


def _periods(told: Told, periods: Periods, position: int, first: int) -> tuple[bytes, Column]:
    """Return the rows of periods and, by hazard, the number of its last one."""
    lives, changes, kept = told.lives, told.changes, periods.change
    row = changes.row[kept]
    ids = numpy.arange(first, first + len(kept))
    last = numpy.zeros(lives.number, "i8")
    last[row[periods.is_last]] = ids[periods.is_last]
    earned, today = numpy.unique(periods.earned, return_inverse=True)
    # What does not last has no share in figures of the moment at any position that can be read.
    standing = numpy.where(periods.is_last, _standing(lives, changes, kept), 0)
    offices, unit = numpy.unique(changes.department[kept], return_inverse=True)
    packed = bulk.packed(
        [
            bulk.numbers(ids),
            bulk.words(row * 0, ["hazard"]),
            bulk.raw(texts_of(lives.id[row])),
            bulk.numbers(ids - 1, null=periods.is_first),
            bulk.numbers(numpy.full(len(kept), position)),
            bulk.numbers(numpy.where(periods.is_last, LASTING, position)),
            bulk.days((changes.at[kept] + lives.time.offset) // DAY_MS),
            _codes(lives.area[row]),
            _codes(lives.dedicated_code[row]),
            bulk.words(lives.category[row], told.categories),
            bulk.words(unit, [told.units.get(int(office), "") for office in offices]),
            bulk.words(changes.target[kept], STATES),
            bulk.words(standing, [bulk.texts(keys) for keys in NOW]),
            bulk.words(today, [bulk.texts([key for n, key in enumerate(EARNED) if bits >> n & 1]) for bits in earned]),
        ],
        in_order=True,
    )
    return packed, last


def _codes(codes: Column) -> bulk.Cells:
    """Return codes of areas, of a city's four digits or a cell's fifteen or none, as a column."""
    known, which = numpy.unique(codes, return_inverse=True)
    return bulk.words(which, known.tolist())


def _hazards(told: Told, period: Column) -> bytes:
    lives = told.lives
    runs, stage = lives.stage >= 0, numpy.maximum(lives.stage, 0)
    every = numpy.arange(lives.number)
    due = lives.due[stage, every]
    columns = [
        bulk.raw(lives.id),
        bulk.raw(numbers_of((lives.filed + lives.time.offset) // DAY_MS, lives.serial)),
        bulk.numbers(told.matters[lives.matter]),
        bulk.words(lives.severe.astype("i8"), SEVERITIES),
        bulk.words(lives.severe.astype("i8"), ["", CRITERION]),
        bulk.words(lives.state, STATES),
        bulk.numbers(lives.version, ">i4"),
        bulk.words(lives.description, lives.spoken),
        bulk.points(lives.lon, lives.lat),
        bulk.numbers(lives.accuracy_m, ">f8"),
        bulk.numbers(lives.cell, null=lives.cell == 0),
        bulk.numbers(lives.dedicated, null=lives.dedicated == 0),
        _codes(lives.area),
        bulk.numbers(lives.department, null=lives.department == 0),
        bulk.numbers(lives.reporter),
        bulk.numbers(lives.rectified_by, null=lives.rectified_by == 0),
        bulk.moments(lives.filed),
        bulk.moments(lives.filed),
        bulk.moments(lives.changed),
        bulk.moments(lives.written_off, null=lives.written_off == 0),
        bulk.numbers(lives.claimed_on_spot, "u1"),
        bulk.numbers(lives.handled_on_spot, "u1"),
        bulk.words(lives.stage + 1, ["", *STAGES]),
        bulk.moments(due, null=~runs | (due == 0)),
        bulk.words((runs & (due == 0)).astype("i8"), ["", _unknown(lives)]),
        bulk.numbers(lives.overdue, "u1"),
        bulk.numbers(lives.late, "u1"),
        bulk.numbers(lives.failures, ">i2"),
        bulk.numbers(numpy.ones(lives.number), "u1"),
        bulk.lists(lives.parties, lives.many),
        bulk.lists(lives.offices[:, None], (lives.offices > 0).astype("i8")),
        bulk.numbers(period),
    ]
    return bulk.packed(columns, in_order=True)


def _unknown(lives: Lives) -> str:
    return f"calendar {lives.time.last_year + 1} missing"


def _steps(lives: Lives, changes: Changes) -> bytes:
    steps = numpy.flatnonzero(changes.action != MARKED)
    row, action = changes.row[steps], changes.action[steps]
    department, actor = changes.department[steps], changes.actor[steps]
    return bulk.packed(
        [
            bulk.raw(changes.id[steps]),
            bulk.raw(lives.id[row]),
            bulk.words(action, ACTIONS),
            bulk.words(changes.source[steps], STATES),
            bulk.words(changes.target[steps], STATES),
            bulk.numbers(changes.version[steps], ">i4"),
            bulk.numbers(actor, null=actor == 0),
            bulk.numbers(department, null=department == 0),
            bulk.moments(changes.at[steps]),
            bulk.words(changes.words[steps], lives.spoken),
            bulk.points(lives.lon[row], lives.lat[row], null=~changes.placed[steps]),
            bulk.words(action, [BASIS.get(one, "") for one in ACTIONS]),
        ]
    )


def _clocks(lives: Lives) -> Iterator[bytes]:
    for stage, name in enumerate(STAGES):
        rows = numpy.flatnonzero(lives.started[stage])
        if not len(rows):
            continue
        stopped, due, marked = lives.stopped[stage, rows], lives.due[stage, rows], lives.marked[stage, rows]
        matter = lives.matter[rows]
        yield bulk.packed(
            [
                bulk.raw(lives.id[rows]),
                bulk.words(rows * 0, [name]),
                bulk.words(lives.limits.units[stage, matter], worktime.UNITS),
                bulk.numbers(lives.limits.amounts[stage, matter], ">i2"),
                bulk.moments(lives.started[stage, rows]),
                bulk.moments(stopped, null=stopped == 0),
                bulk.numbers(lives.used[stage, rows] // 1000, ">i4"),
                bulk.moments(due, null=due == 0),
                bulk.words((due == 0).astype("i8"), ["", _unknown(lives)]),
                bulk.moments(marked, null=marked == 0),
            ]
        )


def _marks(lives: Lives, changes: Changes, marks: Column) -> bytes:
    return bulk.packed(
        [
            bulk.raw(lives.id[changes.row[marks]]),
            bulk.words(changes.stage[marks], STAGES),
            bulk.numbers(changes.version[marks], ">i4"),
            bulk.moments(changes.due[marks]),
            bulk.moments(changes.at[marks]),
        ]
    )


def _photos(told: Told) -> bytes:
    sha256, row, role, used_by, by, at = zip(*told.photos, strict=True)
    roles = ["scene", "before", "after"]
    unused = numpy.array([step is None for step in used_by])
    steps = numpy.stack([numpy.zeros(16, "u1") if step is None else step for step in used_by])
    return bulk.packed(
        [
            bulk.raw(numpy.array(sha256, "S64")),
            bulk.words(numpy.zeros(len(row), "i8"), ["hazard"]),
            bulk.raw(texts_of(told.lives.id[numpy.array(row)])),
            bulk.words(numpy.array([roles.index(one) for one in role]), roles),
            bulk.raw(steps, null=unused),
            bulk.numbers(numpy.array(by)),
            bulk.moments(numpy.array(at)),
        ]
    )
