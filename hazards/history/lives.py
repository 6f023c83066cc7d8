"""Past lives in columns: many hazards take the same step at once, as the table of steps and the clocks allow.

A row is a hazard. Moments are milliseconds since 1970 (UTC), 0 is none; a word is its place in a list.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from citysafety.workcolumns import WorkColumns

from ..lifecycle import LIFECYCLE, STAGE_OF, HazardState
from ..lifecycle import STAGES as IN_ORDER

Column = Any  # a numpy array
STATES = ["", *HazardState.values]
STAGES = [str(stage) for stage in IN_ORDER]
ACTIONS = ["report", *dict.fromkeys(step.action for step in LIFECYCLE.steps), "mark_overdue"]
MARKED = ACTIONS.index("mark_overdue")
ACCEPT, RECTIFY, VERIFY = range(3)
STAGE_AT = numpy.array([STAGES.index(STAGE_OF[state]) if state in STAGE_OF else -1 for state in STATES])
WITHOUT_OFFICE = [STATES.index(state) for state in ("reported", "accepted")]
BASIS = {"report": "GB/T 30428.8: information collection"} | {step.action: step.basis for step in LIFECYCLE.steps}
SWEEP_MS = 9_000  # what ran out is seen by the next sweep
MOST_PARTIES = 12


@dataclass(frozen=True, slots=True)
class Limits:
    """What matters allow each stage: units (of ``worktime.UNITS``) and amounts, by stage and matter."""

    units: Column
    amounts: Column


def ids_of(moments: Column, rnd: numpy.random.Generator) -> Column:
    """Return UUIDs of version 7, whose order is that of the moments."""
    made = rnd.integers(0, 256, (len(moments), 16), dtype="u1")
    made[:, :6] = moments.astype(">i8").view("u1").reshape(-1, 8)[:, 2:]
    made[:, 6] = made[:, 6] & 0x0F | 0x70
    made[:, 8] = made[:, 8] & 0x3F | 0x80
    return made


@dataclass(slots=True)
class Changes:
    """What happened, in columns: steps and (action ``mark_overdue``) clocks that ran out; a row is one change."""

    row: Column
    id: Column
    action: Column
    source: Column
    target: Column
    version: Column
    actor: Column
    department: Column
    at: Column
    words: Column
    placed: Column
    overdue: Column
    late: Column
    stage: Column
    due: Column


class Lives:
    """Hazards of some days with all that happened to them until now. Whoever tells sets the columns of the filing."""

    def __init__(
        self, number: int, *, now: int, limits: Limits, clocks: WorkColumns, rnd: numpy.random.Generator,
        spoken: Sequence[str],
    ) -> None:  # fmt: skip
        self.number, self.now, self.limits, self.time, self.rnd, self.spoken = number, now, limits, clocks, rnd, spoken
        self.matter = self.category = self.description = self.place = numpy.zeros(0, "i8")
        self.severe = self.claimed_on_spot = numpy.zeros(0, bool)
        self.filed = numpy.zeros(0, "i8")
        self.lon = self.lat = self.accuracy_m = numpy.zeros(0)
        self.cell = self.dedicated = self.reporter = self.serial = numpy.zeros(0, "i8")
        self.area = self.dedicated_code = numpy.zeros(0, "S15")
        self.id = numpy.zeros((0, 16), "u1")
        none = lambda: numpy.zeros(number, "i8")  # noqa: E731
        self.until, self.waits = none(), numpy.zeros(number, bool)
        self.state, self.version, self.department, self.rectified_by = none(), none(), none(), none()
        self.handled_on_spot, self.overdue, self.late = (numpy.zeros(number, bool) for _n in range(3))
        self.changed, self.written_off, self.failures = none(), none(), none()
        self.stage = none() - 1  # whose clock runs
        self.started, self.stopped, self.due, self.marked, self.used = (
            numpy.zeros((len(STAGES), number), "i8") for _n in range(5)
        )
        self.parties, self.many = numpy.zeros((number, MOST_PARTIES), "i8"), none()
        self.offices = none()  # that ever had it
        self._changes: list[dict[str, Any]] = []

    def step(
        self, rows: Column, action: str, target: str, at: Column, actor: Column, *, words: Column | None = None,
        office: Column | None = None, place: bool = False,
    ) -> Column:  # fmt: skip
        """Take a step with all rows whose moment has come; return which of them took it. What ran out is marked before."""
        self._mark(rows, numpy.where(self.waits[rows], self.now, numpy.minimum(at, self.now)))
        took = (at < self.now) & ~self.waits[rows]
        rows, at, actor = rows[took], at[took], actor[took]
        source, self.state[rows] = self.state[rows], STATES.index(target)
        self.version[rows] += 1
        self.changed[rows] = at
        self.waits[rows] = self.until[rows] == STATES.index(target)
        if office is not None:
            self.department[rows] = self.offices[rows] = office[took]
        elif STATES.index(target) in WITHOUT_OFFICE:
            self.department[rows] = self.rectified_by[rows] = 0
        if action == "fail":
            self.failures[rows] += 1
        if target == "rectified":
            self.rectified_by[rows] = actor
            self.handled_on_spot[rows] = source == STATES.index("reported")
        elif target == "written_off":
            self.written_off[rows] = at
        self._meet(rows, actor)
        self._run_clock(rows, target, at, goes_on=action == "fail")
        self._note(
            rows, action=action, source=source, at=at, actor=actor, placed=place,
            words=0 if words is None else words[took], id=self.id[rows] if action == "report" else ids_of(at, self.rnd),
        )  # fmt: skip
        return took

    def finish(self) -> Changes:
        """Return every change, those of one hazard together and in their order."""
        whole = {name: numpy.concatenate([one[name] for one in self._changes]) for name in Changes.__slots__}
        order = numpy.argsort(whole["row"], kind="stable")
        self._changes = []
        return Changes(**{name: values[order] for name, values in whole.items()})

    def _meet(self, rows: Column, actor: Column) -> None:
        new = ~(self.parties[rows] == actor[:, None]).any(axis=1)
        self.parties[rows[new], self.many[rows[new]]] = actor[new]
        self.many[rows[new]] += 1

    def _run_clock(self, rows: Column, target: str, at: Column, *, goes_on: bool) -> None:
        """Let the clock of the new state's stage run, as ``services.clocks.run_clock`` does."""
        stage = STAGE_AT[STATES.index(target)]
        turned = rows[self.stage[rows] != stage]
        at = at[self.stage[rows] != stage]
        running = self.stage[turned]
        self.stopped[running[running >= 0], turned[running >= 0]] = at[running >= 0]
        self.overdue[turned] = False
        self.stage[turned] = stage
        if stage < 0:
            return
        matter = self.matter[turned]
        unit, amount = self.limits.units[stage, matter], self.limits.amounts[stage, matter]
        if goes_on and stage == RECTIFY:
            self.used[stage, turned] += (
                self.time.used(self.started[stage, turned], self.stopped[stage, turned], unit) // 1000 * 1000
            )
        else:
            self.used[stage, turned] = self.marked[stage, turned] = 0
        self.started[stage, turned], self.stopped[stage, turned] = at, 0
        self.due[stage, turned] = self.time.due(at, unit, amount, self.used[stage, turned])

    def _mark(self, rows: Column, until: Column) -> None:
        """Mark the rows whose running clock ran out before a moment."""
        stage = self.stage[rows]
        running = (stage >= 0) & ~self.overdue[rows]
        rows, stage, until = rows[running], stage[running], until[running]
        due = self.due[stage, rows]
        seen = numpy.maximum(due, self.started[stage, rows]) + SWEEP_MS
        out = (due > 0) & (seen < until)
        rows, stage, due, seen = rows[out], stage[out], due[out], seen[out]
        if not len(rows):
            return
        self.marked[stage, rows] = self.changed[rows] = seen
        self.overdue[rows] = self.late[rows] = True
        self._note(
            rows, action="mark_overdue", source=self.state[rows], at=seen, actor=0, placed=False, words=0,
            id=ids_of(seen, self.rnd), stage=stage, due=due,
        )  # fmt: skip

    def _note(self, rows: Column, *, action: str, stage: Any = -1, due: Any = 0, **known: Any) -> None:
        known |= {
            "row": rows, "action": ACTIONS.index(action), "target": self.state[rows], "version": self.version[rows],
            "department": self.department[rows], "overdue": self.overdue[rows], "late": self.late[rows],
            "stage": stage, "due": due,
        }  # fmt: skip
        full = {name: value if numpy.ndim(value) else numpy.full(len(rows), value) for name, value in known.items()}
        self._changes.append(full)
