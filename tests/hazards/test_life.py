"""The whole life by chance: who may do what is written down here a second time, and nothing else is ever accepted.

People of every role try every step at every case, at any time of any day, with and without what a step asks. Beside the
city runs a naive model of it. After each try the rows, the history and the figures must be what the model says, and the
due time what counting ten minutes by ten minutes gives.
"""

import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from citysafety.calendars.services import forget
from citysafety.evidence.models import Attachment, Photo
from citysafety.lifecycle import StepNotAllowed
from citysafety.tallies.models import Period
from grid.models import Matter
from hazards.lifecycle import LIFECYCLE
from hazards.models import Clock, Hazard, Step
from hazards.registry import recount
from hazards.seeds import seed_limits
from hazards.services import (
    EvidenceMissing,
    FieldsMissing,
    NotAllowed,
    StaleVersion,
    mark_overdue,
    resume_ended,
    take_step,
)
from hazards.services.given import StepInput
from tests.factories import AWAY, HOME, file_hazard, make_city, person
from tests.running import scales

CITY = ZoneInfo("Asia/Shanghai")
TICK = timedelta(minutes=10)
BEGIN = datetime(2026, 11, 20, 16, 0, tzinfo=CITY)  # a Friday
ENDED = {"written_off", "refused", "merged"}
STAGES = {
    "reported": "accept", "accepted": "accept", "dispatched": "rectify", "taken": "rectify", "rectified": "verify",
    "verified": "verify",
}  # fmt: skip
LIMITS = {  # hours by matter and stage; XF-002 runs round the clock
    "XF-001": {"accept": 4, "rectify": 12, "verify": 6},
    "XF-002": {"accept": 6, "rectify": 30, "verify": 20},
}
CELLS = ("370502001001001", "370502001001002")  # side by side
# Steps that only major hazards have, or that make them major: tests/hazards/test_majors.py.
OF_MAJORS = {"raise", "lower", "plan", "approve_plan", "return_plan", "stop_work", "resume_work"}
OF_PUBLIC = {"ask_reopening", "grant_reopening", "deny_reopening"}
ACTIONS = [action for action in LIFECYCLE.actions if action not in OF_MAJORS | OF_PUBLIC]
BEFORE_VERIFIED = {"reported", "accepted", "dispatched", "taken"}


def works(at: datetime) -> bool:
    """Whether the ten minutes from a moment on are working time: Monday to Friday, 8–12 and 14–18."""
    return at.weekday() < 5 and (8 <= at.hour < 12 or 14 <= at.hour < 18)


@dataclass
class Stretch:
    """A clock as a child would keep it: hours allowed, and from when to when it ran."""

    hours: int
    urgent: bool
    ran: list[list[datetime | None]] = field(default_factory=list)

    def start(self, at: datetime) -> None:
        self.ran.append([at, None])

    def stop(self, at: datetime) -> None:
        if self.ran and self.ran[-1][1] is None:
            self.ran[-1][1] = at

    def counted(self, begin: datetime, end: datetime) -> int:
        total, at = 0, begin
        while at < end:
            total += self.urgent or works(at)
            at += TICK
        return total

    def due(self) -> datetime | None:
        """When it runs out, None while it stands. What is used up is over at once."""
        if not self.ran or self.ran[-1][1] is not None:
            return None
        left = self.hours * 6 - sum(self.counted(begin, end) for begin, end in self.ran[:-1])
        at = self.ran[-1][0]
        while left > 0:
            left -= self.urgent or works(at)
            at += TICK
        return at


@dataclass
class Model:
    """What the city should know of one case."""

    pk: Any
    reporter: Any
    matter: str
    state: str = "reported"
    version: int = 1
    department: Any = None
    rectifier: Any = None
    on_spot: bool = False
    paused: bool = False
    asked: tuple[str, Any] | None = None  # extension, hours; pause, decided by a supervisor?
    extended: int = 0  # times, in this stage
    pinned: bool = False
    pin: Stretch | None = None
    into: Any = None
    came_from: str = ""
    photos: Counter = field(default_factory=Counter)
    clocks: dict[str, Stretch] = field(default_factory=dict)
    caps: dict[Any, tuple[str, datetime | None]] = field(default_factory=dict)  # of its duplicates
    overdue: bool = False
    until: datetime | None = None
    cell: str = "370502001001001"

    @property
    def stage(self) -> str:
        return STAGES.get(self.state, "")

    def running(self) -> list[Stretch]:
        return [self.clocks[self.stage], *([self.pin] if self.pin else [])] if self.stage else []

    def due(self) -> datetime | None:
        if not self.stage or self.paused:
            return None
        known = [stretch.due() for stretch in self.running()]
        caps = [due for stage, due in self.caps.values() if stage == self.stage and due]
        return min([due for due in known if due] + caps)

    def fresh(self, stage: str) -> Stretch:
        return Stretch(LIMITS[self.matter][stage], self.matter == "XF-002")


class Life(RuleBasedStateMachine):
    """People try; the model says what must come of it."""

    tried: Counter = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.now = BEGIN
        self.cases: list[Model] = []

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @initialize()
    def people(self) -> None:
        fire = Matter.objects.get(code="XF-001").department
        self.people = {
            "worker": person("grid_worker"), "neighbour": person("grid_worker"), "far_worker": person("grid_worker", area=AWAY),
            "handler": person("department_handler", department=fire),
            "far_handler": person("department_handler", area=AWAY), "dispatcher": person("dispatcher"),
            "far_dispatcher": person("dispatcher", area=AWAY), "supervisor": person("supervisor"),
            "leader": person("leader"), "operator": person("operator"), "auditor": person("auditor"),
            "administrator": person("administrator"),
        }  # fmt: skip
        self.fire = fire
        self.file("worker", "XF-001")

    # -- what happens -----------------------------------------------------------------------------

    @precondition(lambda self: len(self.cases) < 4)
    @rule(by=st.sampled_from(["worker", "neighbour"]), matter=st.sampled_from(sorted(LIMITS)))
    def file(self, by: str, matter: str) -> None:
        hazard = file_hazard(self.people[by], matter=matter, at=self.now)
        case = Model(hazard.pk, self.people[by], matter)
        case.clocks["accept"] = case.fresh("accept")
        case.clocks["accept"].start(self.now)
        self.cases.append(case)

    @rule(ticks=st.one_of(st.integers(1, 12), st.integers(30, 600)))
    def time_passes(self, ticks: int) -> None:
        self.now += ticks * TICK
        for case in self.cases:
            if case.paused and case.until and case.until <= self.now:
                self._resume(case)
                case.version += 1
        resume_ended(at=self.now)
        mark_overdue(at=self.now)
        for case in self.cases:
            if (due := case.due()) and due < self.now:
                case.overdue = True

    @rule(n=st.integers(0, 3), role=st.sampled_from(["before", "after"]))
    def photo(self, n: int, role: str) -> None:
        case = self.cases[n % len(self.cases)]
        sha256 = uuid.uuid4().hex * 2
        look = {
            "size": 9,
            "mime": "image/jpeg",
            "width": 16,
            "height": 16,
            "received_at": self.now,
            "derived_at": self.now,
        }
        Photo.objects.create(sha256=sha256, **look)
        Attachment.objects.create(
            photo_id=sha256, kind="hazard", subject_id=str(case.pk), role=role, by=self.people["worker"], at=self.now
        )
        case.photos[role] += 1

    @rule(data=st.data(), n=st.integers(0, 3), whole=st.sampled_from([True, True, True, False]), fits=st.booleans())
    def somebody_tries(self, data: Any, n: int, whole: bool, fits: bool) -> None:
        """Try a step: often one that the state has, by somebody whose it is; often not."""
        case = self.cases[n % len(self.cases)]
        likely = [step.action for step in LIFECYCLE.steps_from(case.state) if step.action in ACTIONS]
        action = data.draw(st.sampled_from(likely if fits and likely else ACTIONS))
        able = [name for name, user in self.people.items() if self.rights(case, action, user)]
        by = data.draw(st.sampled_from(able if fits and able else sorted(self.people)))
        other = self.cases[data.draw(st.integers(0, 3)) % len(self.cases)]
        self.attempt(case, action, self.people[by], whole=whole, other=other)

    @rule(data=st.data(), n=st.integers(0, 3))
    def the_work_goes_on(self, data: Any, n: int) -> None:
        """Take a step that the state has, by somebody whose it is, so that lives come to their ends too."""
        case = self.cases[n % len(self.cases)]
        here = [step.action for step in LIFECYCLE.steps_from(case.state) if step.action in ACTIONS]
        open_now = [action for action in here if self.open_now(case, action)]
        ways = [
            (action, name)
            for action in open_now
            for name, user in self.people.items()
            if self.rights(case, action, user)
        ]
        if not ways:
            return
        action = data.draw(st.sampled_from(sorted({action for action, _name in ways})))
        by = data.draw(st.sampled_from([name for one, name in ways if one == action]))
        for role in ("before", "after"):
            if not case.photos[role]:
                self.photo(n % len(self.cases), role)
        other = self.cases[data.draw(st.integers(0, 3)) % len(self.cases)]
        self.attempt(case, action, self.people[by], whole=True, other=other)

    # -- the second writing-down of the rules -------------------------------------------------------

    def rights(self, case: Model, action: str, user: Any) -> bool:
        """Who may take an action at a case, whatever its state."""
        here = user.area_code == HOME
        own = user in self.reporters(case)
        dispatcher = user.role == "dispatcher" and here
        handler = (
            user.role == "department_handler"
            and case.department is not None
            and user.department_id == case.department.pk
        )
        match action:
            case "accept" | "refuse" | "dispatch" | "write_off" | "merge" | "unmerge" | "change_matter":
                return dispatcher
            case "grant_extension" | "deny_extension":
                return dispatcher
            case "pause" | "deny_pause":
                return dispatcher or (user.role == "supervisor" and here)
            case "resume":
                return dispatcher or handler or (user.role == "supervisor" and here)
            case "take" | "return" | "rectify" | "ask_extension" | "ask_pause":
                return handler
            case "verify" | "fail":
                fit = dispatcher or (user.role == "grid_worker" and here)
                return fit and user != case.rectifier and not (case.on_spot and user == case.reporter)
            case "handle_on_spot":
                return user.role == "grid_worker" and own
            case "correct_cell" | "reopen":
                return dispatcher or own
            case "contest" | "remark":
                return own
            case "pin" | "unpin":
                return user.role == "leader" and here
        raise AssertionError(f"nobody wrote down who may {action}")

    def reporters(self, case: Model) -> set[Any]:
        return {case.reporter, *(one.reporter for one in self.cases if one.into == case.pk)}

    def open_now(self, case: Model, action: str) -> bool:
        """Whether the state of a case allows an action, and what else must hold."""
        in_work, free = case.state in ("dispatched", "taken"), case.asked is None
        stands = {
            "accept": case.state == "reported", "refuse": case.state == "reported", "handle_on_spot": case.state == "reported",
            "dispatch": case.state == "accepted", "take": case.state == "dispatched", "return": case.state == "dispatched",
            "rectify": case.state == "taken", "verify": case.state == "rectified", "fail": case.state == "rectified",
            "write_off": case.state == "verified", "reopen": case.state == "written_off", "contest": case.state == "refused",
            "ask_extension": in_work and free and not case.overdue, "ask_pause": in_work and free and not case.overdue,
            "grant_extension": in_work and case.asked is not None and case.asked[0] == "extension",
            "deny_extension": in_work and case.asked is not None and case.asked[0] == "extension",
            "deny_pause": in_work and case.asked is not None and case.asked[0] == "pause",
            "pause": in_work or case.state == "accepted", "change_matter": case.state in BEFORE_VERIFIED,
            "pin": case.state not in ENDED and not case.pinned, "unpin": case.state not in ENDED and case.pinned,
            "correct_cell": case.state in ("reported", "accepted"), "merge": case.state in BEFORE_VERIFIED and free,
            "unmerge": case.state == "merged",
            "remark": case.state not in ("written_off", "refused"),
        }  # fmt: skip
        if action == "resume":
            return (in_work or case.state == "accepted") and case.paused
        beside = ("unmerge", "remark", "deny_extension", "deny_pause", "unpin")
        return stands[action] and (not case.paused or action in beside)

    def given(self, case: Model, action: str, user: Any, other: Model) -> tuple[dict[str, Any], str]:
        """What a person brings to a step, and what is wrong with it if anything."""
        match action:
            case "dispatch":
                return {"department": "fire-02"}, ""
            case "verify":
                return {"lon": 118.53, "lat": 37.45}, ""
            case "ask_extension":
                return {"amount": 2, "words": "配件"}, "" if case.extended < 2 else "amount"
            case "grant_extension":
                return {}, ""
            case "ask_pause":
                return {"cause": "weather", "words": "暴雨"}, ""
            case "pause":
                return {"cause": "weather", "words": "暴雨"}, ""
            case "change_matter":
                return {"matter": "XF-002" if case.matter == "XF-001" else "XF-001", "words": "应为另一事项"}, ""
            case "correct_cell":
                return {"cell": CELLS[1] if case.cell == CELLS[0] else CELLS[0]}, ""
            case "merge":
                takes = (
                    other is not case
                    and other.state not in ENDED
                    and not any(one.into == case.pk for one in self.cases)
                )
                return {"into": str(other.pk)}, "" if takes else "into"
        return {"words": "有原因"}, ""

    def attempt(self, case: Model, action: str, user: Any, *, whole: bool, other: Model) -> None:
        given, wrong = self.given(case, action, user, other)
        version = case.version if whole else case.version - 1
        before = snapshot(case.pk)
        allowed, is_open = self.rights(case, action, user), self.open_now(case, action)
        expected: type[Exception] | None = None
        if not allowed:
            expected = NotAllowed
        elif not is_open:
            expected = StepNotAllowed
        elif not whole:
            expected = StaleVersion
        elif wrong:
            expected = FieldsMissing
        elif self.lacks_photos(case, action):
            expected = EvidenceMissing
        step = StepInput(id=uuid.uuid4(), version=version, **given)
        Life.tried[action, expected.__name__ if expected else "taken"] += 1
        if expected is not None:
            with pytest.raises(expected):
                take_step(hazard_id=case.pk, action=action, given=step, actor=user, at=self.now)
            assert snapshot(case.pk) == before, f"a refused {action} left a trace"
            return
        take_step(hazard_id=case.pk, action=action, given=step, actor=user, at=self.now)
        self.follow(case, action, user, other)
        case.version += 1
        row = Step.objects.filter(hazard=case.pk).latest("version")
        assert (row.pk, row.action, row.target, row.actor) == (step.id, action, case.state, user)

    @staticmethod
    def lacks_photos(case: Model, action: str) -> bool:
        needs = {"handle_on_spot": ("before", "after"), "rectify": ("after",)}.get(action, ())
        return any(not case.photos[role] for role in needs)

    # -- what a step does, in the model --------------------------------------------------------------

    def move(self, case: Model, state: str) -> None:
        stage = case.stage
        case.state = state
        if case.asked and state not in ("dispatched", "taken"):
            case.asked = None
        if case.stage == stage:
            return
        case.overdue = False
        if stage:
            case.clocks[stage].stop(self.now)
        if not case.stage:
            if case.pin:
                case.pin.stop(self.now)
            return
        if state == "taken" and "rectify" in case.clocks and stage == "verify":
            case.clocks["rectify"].start(self.now)
        else:
            case.clocks[case.stage] = case.fresh(case.stage)
            case.clocks[case.stage].start(self.now)
            case.caps = {key: cap for key, cap in case.caps.items() if cap[0] != case.stage}
        if not stage and case.pinned and case.pin:
            case.pin = Stretch(case.pin.hours, urgent=True, ran=[[self.now, None]])

    def follow(self, case: Model, action: str, user: Any, other: Model) -> None:
        moves = {
            "accept": "accepted", "refuse": "refused", "dispatch": "dispatched", "take": "taken", "return": "accepted",
            "verify": "verified", "write_off": "written_off", "reopen": "accepted", "contest": "reported",
        }  # fmt: skip
        match action:
            case "handle_on_spot" | "rectify":
                for role in ("before", "after") if action == "handle_on_spot" else ("after",):
                    case.photos[role] = 0
                case.on_spot, case.rectifier = action == "handle_on_spot", user
                self.move(case, "rectified")
            case "fail":
                case.photos["after"] = 0
                self.move(case, "accepted" if case.on_spot else "taken")
            case "ask_extension":
                case.asked = ("extension", 2)
            case "grant_extension":
                case.clocks["rectify"].hours += 2
                case.extended, case.asked = case.extended + 1, None
                self.lift(case)
            case "deny_extension" | "deny_pause":
                case.asked = None
            case "ask_pause":
                case.asked = ("pause", False)
            case "pause":
                if case.asked and case.asked[0] == "pause":
                    case.asked = None
                    case.until = None  # as it was asked: looked up
                case.until = Hazard.objects.get(pk=case.pk).paused_until
                for stretch in case.running():
                    stretch.stop(self.now)
                case.paused = True
            case "resume":
                self._resume(case)
            case "pin":
                case.pinned, case.pin = True, Stretch(24, urgent=True, ran=[[self.now, None]])
            case "unpin":
                case.pinned, case.pin = False, None
                if not case.paused:
                    self.lift(case)
            case "change_matter":
                old, case.matter = case.matter, "XF-002" if case.matter == "XF-001" else "XF-001"
                stretch = case.clocks[case.stage]
                granted = 2 * case.extended if case.stage == "rectify" else 0
                assert stretch.hours == LIMITS[old][case.stage] + granted
                stretch.hours, stretch.urgent = LIMITS[case.matter][case.stage] + granted, case.matter == "XF-002"
                self.lift(case)
            case "correct_cell":
                case.cell = CELLS[1] if case.cell == CELLS[0] else CELLS[0]
            case "merge":
                other.caps[case.pk] = (case.stage, case.due())
                case.into, case.came_from = other.pk, case.state
                self.move(case, "merged")
                other.version += 1
                self.lift(other)
            case "unmerge":
                original = next(one for one in self.cases if one.pk == case.into)
                cap = original.caps.pop(case.pk, None)
                case.into, case.state = None, case.came_from
                for stretch in case.running():
                    stretch.start(self.now)
                original.version += 1
                if cap:
                    self.lift(original)
            case "remark":
                original = next((one for one in self.cases if one.pk == case.into), None)
                if original is not None and original.state not in ENDED:
                    original.version += 1
            case _:
                self.move(case, moves[action])
        if action == "dispatch":
            case.department = self.fire
        if case.state in ("accepted", "reported") and action in (*moves, "fail"):
            case.department, case.rectifier, case.on_spot = None, None, False

    def _resume(self, case: Model) -> None:
        case.paused, case.until = False, None
        for stretch in case.running():
            stretch.start(self.now)

    def lift(self, case: Model) -> None:
        due = case.due()
        if case.overdue and due and due > self.now:
            case.overdue = False

    # -- what always holds ----------------------------------------------------------------------------

    @invariant()
    def the_city_is_as_the_model_says(self) -> None:
        for case in self.cases:
            hazard = Hazard.objects.get(pk=case.pk)
            assert hazard.area_code == case.cell
            said = (
                hazard.state,
                hazard.version,
                hazard.overdue,
                hazard.paused_at is not None,
                hazard.pinned_at is not None,
            )
            assert said == (case.state, case.version, case.overdue, case.paused, case.pinned), case
            assert hazard.due_at == case.due(), told(case)
            running = Clock.objects.filter(hazard=case.pk, stopped_at=None)
            assert running.exists() == (bool(case.stage) and not case.paused)
            assert Step.objects.filter(hazard=case.pk).count() == hazard.version
            asked = (hazard.extension_asked_at is not None, hazard.pause_asked_at is not None)
            kind = case.asked[0] if case.asked else ""
            assert asked == (kind == "extension", kind == "pause")

    @invariant()
    def the_figures_are_the_rows(self) -> None:
        rows = {row.subject_id: row for row in recount()}
        for case in self.cases:
            last = Period.objects.filter(kind="hazard", subject_id=str(case.pk)).latest("pk")
            row = rows[str(case.pk)]
            assert (last.now, last.state, last.area, last.category) == (row.now, row.state, row.area, row.category)
        now = Counter(key for case in self.cases for key in rows[str(case.pk)].now)
        assert now["hazards.open"] == sum(case.state not in ENDED for case in self.cases)


def told(case: Model) -> str:
    """What happened to a case, for who reads a failure."""
    steps = Step.objects.filter(hazard=case.pk).order_by("version")
    rows = [f"{step.at.astimezone(CITY):%d %H:%M} {step.action} → {step.target}" for step in steps]
    clocks = [
        f"{clock.stage} {clock.amount} {clock.unit} {clock.ran} {clock.started_at} {clock.stopped_at}"
        for clock in Clock.objects.filter(hazard=case.pk)
    ]
    return "\n".join([repr(case), *rows, *clocks])


def snapshot(pk: Any) -> Any:
    hazard = Hazard.objects.filter(pk=pk).values().get()
    clocks = list(Clock.objects.filter(hazard=pk).order_by("stage").values())
    return hazard, clocks, Step.objects.filter(hazard=pk).count()


@pytest.fixture
def ground(db):
    city = make_city()
    for code, hours in LIMITS.items():
        unit = "urgent_hours" if code == "XF-002" else "work_hours"
        Matter.objects.filter(code=code).update(
            **{f"{stage}_amount": n for stage, n in hours.items()},
            **{f"{stage}_unit": unit for stage in hours},
        )
    seed_limits()
    forget()
    Life.tried.clear()
    yield city
    forget()


@scales(short=10, long=400)
def test_l1_no_forbidden_step_is_ever_taken_and_every_one_taken_is_in_the_history(ground, scale, say):
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=scale, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck), database=None,
            phases=[Phase.generate],  # to make a failure smaller takes longer than to read it
        ),
    )  # fmt: skip
    ended = Counter(outcome for (_action, outcome), n in Life.tried.items() for _n in range(n))
    taken = {action for action, outcome in Life.tried if outcome == "taken"}
    if scale > 100:
        assert taken == set(ACTIONS), "every kind of step was taken in some life"
    refused = sum(n for outcome, n in ended.items() if outcome != "taken")
    say(
        f"L1: {scale} lives, {sum(ended.values())} steps tried: {ended['taken']} taken ({len(taken)} kinds), all in the history; "
        f"{refused} refused, none left a trace; due times against counting by tens of minutes and figures against rows: 0 wrong"
    )
