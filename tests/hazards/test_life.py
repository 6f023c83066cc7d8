"""The whole life by chance: who may do what is written down here a second time, and nothing else is ever accepted.

People of every role try every step at every case, at any time of any day, with and without what a step asks. Beside the
city runs a naive model of it. After each try the rows, the history and the figures must be what the model says, and the
due time what counting ten minutes by ten minutes gives.
"""

import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
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
from hazards.listings import services as listings
from hazards.listings.clocks import mark_missed
from hazards.listings.lifecycle import SIGNS
from hazards.listings.seeds import seed_majors
from hazards.models import Clock, Hazard, Listing, Plan, Step, StopWork
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

from .test_majors import PLAN

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
EXTENSIONS, PINNED_H = {False: 2, True: 1}, {False: 24, True: 12}  # whether it is major
OF_RECHECKS = {"pass_by_sample"}  # tests/hazards/test_rechecks.py
OF_PUBLIC = {"ask_reopening", "grant_reopening", "deny_reopening"}  # tests/hazards/test_public.py
ACTIONS = [action for action in LIFECYCLE.actions if action not in OF_RECHECKS | OF_PUBLIC]
ONWARD = {"accept", "dispatch", "take", "plan", "approve_plan", "rectify", "resume_work", "verify", "write_off"}
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
    granted: int = 0  # hours, since its clock began
    pinned: bool = False
    pin: Stretch | None = None
    into: Any = None
    came_from: str = ""
    photos: list[tuple[str, Any, datetime]] = field(default_factory=list)  # role, sender, when; those no step has used
    entered: datetime | None = None  # the present state
    failures: int = 0
    clocks: dict[str, Stretch] = field(default_factory=dict)
    caps: dict[Any, tuple[str, datetime | None]] = field(default_factory=dict)  # of its duplicates
    overdue: bool = False
    until: datetime | None = None
    cell: str = "370502001001001"
    major: bool = False
    plan_waits: bool = False
    plan_holds: bool = False
    stopped: bool = False
    listing: str = ""  # proposed, listed
    finish_by: date | None = None  # of the listing

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
    @rule(by=st.sampled_from(["worker", "neighbour"]), matter=st.sampled_from(sorted(LIMITS)), major=st.booleans())
    def file(self, by: str, matter: str, major: bool = False) -> None:
        more = {"severity": "major", "criterion": "other: 判定标准第五条第一款"} if major else {"severity": "general"}
        hazard = file_hazard(self.people[by], matter=matter, at=self.now, **more)
        case = Model(hazard.pk, self.people[by], matter, major=major, entered=self.now)
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
        mark_missed(at=self.now)
        for case in self.cases:
            if (due := case.due()) and due < self.now:
                case.overdue = True

    @rule(n=st.integers(0, 3), role=st.sampled_from(["before", "after"]), by=st.sampled_from(["worker", "handler"]))
    def photo(self, n: int, role: str, by: str) -> None:
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
            photo_id=sha256, kind="hazard", subject_id=str(case.pk), role=role, by=self.people[by], at=self.now
        )
        case.photos.append((role, self.people[by], self.now))

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

    @rule(data=st.data(), n=st.integers(0, 3), steps=st.integers(1, 8))
    def the_work_goes_on(self, data: Any, n: int, steps: int) -> None:
        """Take steps that the state has, each by somebody whose it is, so that lives come to their ends too."""
        listed = [case for case in self.cases if case.listing]
        case = listed[0] if listed and n >= 2 else self.cases[n % len(self.cases)]
        for _n in range(steps):
            here = [
                step.action
                for step in LIFECYCLE.steps_from(case.state)
                if step.action in ACTIONS and self.open_now(case, step.action)
            ]
            onward = [action for action in here if action in ONWARD]
            ways = [
                (action, name)
                for action in (onward if onward and (case.listing or data.draw(st.booleans())) else here)
                for name, user in self.people.items()
                if self.rights(case, action, user)
            ]
            if not ways:
                return
            action = data.draw(st.sampled_from(sorted({action for action, _name in ways})))
            by = data.draw(st.sampled_from([name for one, name in ways if one == action]))
            for role in ("before", "after"):
                if not self.shown(case, role, self.people[by]):
                    self.photo(self.cases.index(case), role, by)
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
            case "grant_extension" | "deny_extension" | "raise":
                return dispatcher
            case "lower" | "approve_plan" | "return_plan":
                return user.role == "supervisor" and here
            case "stop_work" | "resume_work":
                return dispatcher or (user.role == "supervisor" and here)
            case "pause" | "deny_pause":
                return dispatcher or (user.role == "supervisor" and here)
            case "resume":
                return dispatcher or handler or (user.role == "supervisor" and here)
            case "take" | "return" | "rectify" | "ask_extension" | "ask_pause" | "plan":
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
            "accept": case.state == "reported", "refuse": case.state == "reported",
            "handle_on_spot": case.state == "reported" and not case.major,
            "dispatch": case.state == "accepted", "take": case.state == "dispatched", "return": case.state == "dispatched",
            "rectify": case.state == "taken" and not case.plan_waits and (not case.major or case.plan_holds), "verify": case.state == "rectified", "fail": case.state == "rectified",
            "write_off": case.state == "verified" and not case.stopped, "reopen": case.state == "written_off", "contest": case.state == "refused",
            "ask_extension": in_work and free and not case.overdue, "ask_pause": in_work and free and not case.overdue,
            "grant_extension": in_work and case.asked is not None and case.asked[0] == "extension",
            "deny_extension": in_work and case.asked is not None and case.asked[0] == "extension",
            "deny_pause": in_work and case.asked is not None and case.asked[0] == "pause",
            "pause": in_work or case.state == "accepted", "change_matter": case.state in BEFORE_VERIFIED,
            "pin": case.state not in ENDED and not case.pinned, "unpin": case.state not in ENDED and case.pinned,
            "correct_cell": case.state in ("reported", "accepted"), 
            "merge": case.state in BEFORE_VERIFIED and free and not case.stopped and case.listing != "listed",
            "raise": case.state in BEFORE_VERIFIED and not case.major,
            "lower": case.state in BEFORE_VERIFIED and case.major and not case.stopped and case.listing != "listed",
            "plan": case.state == "taken" and case.major and not case.plan_waits,
            "approve_plan": case.state == "taken" and case.plan_waits, "return_plan": case.state == "taken" and case.plan_waits,
            "stop_work": case.state not in ENDED | {"reported"} and case.major and not case.stopped,
            "resume_work": case.stopped,
            "unmerge": case.state == "merged",
            "remark": case.state not in ("written_off", "refused"),
        }  # fmt: skip
        if action == "resume":
            return (in_work or case.state == "accepted") and case.paused
        beside = (
            "unmerge", "remark", "deny_extension", "deny_pause", "unpin", "approve_plan", "return_plan", "stop_work", "resume_work",
        )  # fmt: skip
        return stands[action] and (not case.paused or action in beside)

    def given(self, case: Model, action: str, user: Any, other: Model) -> tuple[dict[str, Any], str]:
        """What a person brings to a step, and what is wrong with it if anything."""
        match action:
            case "dispatch":
                return {"department": "fire-02"}, ""
            case "verify":
                return {"lon": 118.53, "lat": 37.45}, ""
            case "ask_extension":
                return {"amount": 2, "words": "配件"}, "" if case.extended < EXTENSIONS[case.major] else "amount"
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
                    and other.major >= case.major
                )
                return {"into": str(other.pk)}, "" if takes else "into"
            case "raise":
                return {"criterion": "other: 判定标准第五条第一款", "words": "人员密集"}, ""
            case "plan":
                day = self.today() + timedelta(days=10 if case.version % 3 else 40)
                late = case.listing == "listed" and day > case.finish_by
                return {**PLAN, "finish_on": day}, "finish_on" if late else ""
            case "stop_work":
                return {"scope": "二层营业区", "basis": "《安全生产法》第六十五条"}, ""
        return {"words": "有原因"}, ""

    def today(self) -> date:
        return self.now.astimezone(CITY).date()

    def attempt(self, case: Model, action: str, user: Any, *, whole: bool, other: Model) -> None:
        if action == "dispatch":
            self.time_passes(1)  # what was granted before a clock began anew was granted at another moment
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
        elif self.lacks_photos(case, action, user):
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

    # -- listed supervision beside it ------------------------------------------------------------------

    @rule(
        n=st.integers(0, 3),
        by=st.sampled_from(["supervisor", "supervisor", "leader", "dispatcher"]),
        fits=st.booleans(),
    )
    def somebody_proposes_a_listing(self, n: int, by: str, fits: bool) -> None:
        fit = [case for case in self.cases if self.may_be_listed(case) and not case.listing] if fits else []
        case, user = (fit or self.cases)[n % len(fit or self.cases)], self.people[by]
        before, finish_by = snapshot(case.pk), self.today() + timedelta(days=25)
        proposal = listings.Proposal(level="county", leader="王副区长", requirement_zh="立即整改", finish_by=finish_by)
        expected: type[Exception] | None = None
        if by != "supervisor":
            expected = NotAllowed
        elif not self.may_be_listed(case) or case.listing:
            expected = listings.NotListable
        Life.tried["propose", expected.__name__ if expected else "taken"] += 1
        if expected is not None:
            with pytest.raises(expected):
                listings.propose(hazard_id=case.pk, proposal=proposal, by=user, at=self.now)
            assert snapshot(case.pk) == before
            return
        listings.propose(hazard_id=case.pk, proposal=proposal, by=user, at=self.now)
        case.listing, case.finish_by = "proposed", finish_by

    @precondition(lambda self: any(case.listing for case in self.cases))
    @rule(
        n=st.integers(0, 3),
        action=st.sampled_from(["", "", "", "list_it", "clear", "withdraw"]),  # without one: what its state asks
        by=st.sampled_from(["leader", "leader", "supervisor", "handler"]),
    )
    def somebody_goes_on_with_a_listing(self, n: int, action: str, by: str) -> None:
        found = [case for case in self.cases if case.listing]
        ended = [case for case in found if case.listing == "listed" and case.state == "written_off"]
        case, user = (ended or found)[n % len(ended or found)], self.people[by]
        action = action or ("list_it" if case.listing == "proposed" else "clear")
        is_open = {
            "list_it": case.listing == "proposed" and self.may_be_listed(case),
            "clear": case.listing == "listed" and case.state == "written_off", "withdraw": True,
        }[action]  # fmt: skip
        signs_own = case.listing == "proposed" and action == "list_it" and by == "supervisor"
        can = is_open and by != "handler" and not signs_own
        before = snapshot(case.pk)
        Life.tried[action, "taken" if can else "NotListed"] += 1
        if not can:
            with pytest.raises((NotAllowed, StepNotAllowed)):
                self.step_of_listing(case, action, user)
            assert snapshot(case.pk) == before, f"a refused {action} left a trace"
            return
        self.step_of_listing(case, action, user)
        if action == "clear":
            self.step_of_listing(case, "publish_clearing", self.people["supervisor"])
        case.listing = "listed" if action == "list_it" else ""

    def step_of_listing(self, case: Model, action: str, user: Any) -> None:
        """Take a step of the listing of a case, with the bytes that its signer saw where it is signed."""
        listing = Listing.objects.live().get(hazard=case.pk)
        with transaction.atomic():
            paper = listings.prepare(listing_id=listing.pk, by=user, at=self.now) if action in SIGNS else None
            given = listings.ListingInput(
                id=uuid.uuid4(), version=listing.version, words="有原因", sha256=paper.sealed_id if paper else ""
            )
            listings.take_step(listing_id=listing.pk, action=action, given=given, actor=user, at=self.now)

    @staticmethod
    def may_be_listed(case: Model) -> bool:
        return case.major and case.state not in ENDED and case.department is not None

    @staticmethod
    def shown(case: Model, role: str, user: Any) -> list[tuple[str, Any, datetime]]:
        """What somebody's side has sent of a role since the case came into its state."""
        return [
            (one, by, at)
            for one, by, at in case.photos
            if one == role
            and at >= case.entered
            and (by == user or (by.department and by.department == user.department))
        ]

    def lacks_photos(self, case: Model, action: str, user: Any) -> bool:
        needs = {"handle_on_spot": ("before", "after"), "rectify": ("after",)}.get(action, ())
        return any(not self.shown(case, role, user) for role in needs)

    # -- what a step does, in the model --------------------------------------------------------------

    def move(self, case: Model, state: str) -> None:
        stage = case.stage
        case.state, case.entered = state, self.now
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
            if case.stage == "rectify":
                case.granted = 0
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
                    used = self.shown(case, role, user)
                    case.photos = [one for one in case.photos if one not in used]
                case.on_spot, case.rectifier = action == "handle_on_spot", user
                self.move(case, "rectified")
            case "fail":
                case.photos = [one for one in case.photos if one[0] != "after"]
                case.failures += 1
                self.move(case, "accepted" if case.on_spot else "taken")
            case "ask_extension":
                case.asked = ("extension", 2)
            case "grant_extension":
                case.clocks["rectify"].hours += 2
                case.extended, case.granted, case.asked = case.extended + 1, case.granted + 2, None
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
                case.pinned, case.pin = True, Stretch(PINNED_H[case.major], urgent=True, ran=[[self.now, None]])
            case "unpin":
                case.pinned, case.pin = False, None
                if not case.paused:
                    self.lift(case)
            case "change_matter":
                old, case.matter = case.matter, "XF-002" if case.matter == "XF-001" else "XF-001"
                stretch = case.clocks[case.stage]
                granted = case.granted if case.stage == "rectify" else 0
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
                case.into, case.state, case.entered = None, case.came_from, self.now
                for stretch in case.running():
                    stretch.start(self.now)
                original.version += 1
                if cap:
                    self.lift(original)
            case "raise":
                case.major = True
            case "lower":
                case.major = case.plan_waits = case.plan_holds = False
            case "plan":
                case.plan_waits = True
            case "approve_plan" | "return_plan":
                case.plan_waits, case.plan_holds = False, case.plan_holds or action == "approve_plan"
            case "stop_work" | "resume_work":
                case.stopped = action == "stop_work"
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
            case.plan_waits = case.plan_holds = False

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
            assert hazard.failures == case.failures
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
            of_major = (
                hazard.severity == "major",
                hazard.plan_asked_at is not None,
                hazard.plan_approved_at is not None,
                hazard.stopped_at is not None,
                hazard.listed_at is not None,
            )
            listed = case.listing == "listed"
            assert of_major == (case.major, case.plan_waits, case.plan_holds, case.stopped, listed), told(case)
            assert hazard.plans.filter(decided_at=None).exists() == case.plan_waits
            assert hazard.stops.filter(ended_at=None).exists() == case.stopped

    @invariant()
    def no_major_hazard_is_rectified_without_an_approved_plan(self) -> None:
        rectified = Hazard.objects.filter(severity="major", state__in=("rectified", "verified"))
        assert not rectified.filter(plan_approved_at=None).exists()
        assert not Hazard.objects.filter(listed_at__isnull=False).exclude(severity="major").exists()

    @invariant()
    def the_figures_are_the_rows(self) -> None:
        rows = {row.subject_id: row for row in recount()}
        for case in self.cases:
            last = Period.objects.filter(kind="hazard", subject_id=str(case.pk)).latest("pk")
            row = rows[str(case.pk)]
            assert (last.now, last.state, last.area, last.category) == (row.now, row.state, row.area, row.category)
        now = Counter(key for case in self.cases for key in rows[str(case.pk)].now)
        assert now["hazards.open"] == sum(case.state not in ENDED for case in self.cases)
        assert now["hazards.major_open"] == sum(case.state not in ENDED and case.major for case in self.cases)


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
    beside = [
        list(rows.filter(hazard=pk).order_by("pk").values())
        for rows in (Plan.objects, StopWork.objects, Listing.objects)
    ]
    return hazard, clocks, Step.objects.filter(hazard=pk).count(), beside


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
    seed_majors(at=BEGIN - timedelta(days=1))
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
        assert taken >= {*ACTIONS, "propose", "list_it"}, "every kind of step was taken in some life"
    refused = sum(n for outcome, n in ended.items() if outcome != "taken")
    say(
        f"L1: {scale} lives, {sum(ended.values())} steps tried: {ended['taken']} taken ({len(taken)} kinds), all in the history; "
        f"{refused} refused, none left a trace; due times against counting by tens of minutes and figures against rows: 0 wrong"
    )
