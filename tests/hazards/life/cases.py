"""Cases come in, time passes, and people of every role try every step at every case; the oracle says what must come of it.

What is chosen within a rule is chosen by one source of chance, so that hypothesis can play the same life again whatever
a lot of the product decided meanwhile.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

import pytest
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize

from citysafety.lifecycle import StepNotAllowed
from hazards.lifecycle import LIFECYCLE
from hazards.listings.clocks import mark_missed
from hazards.models import Clock, Hazard, Listing, Plan, Step, StopWork
from hazards.public import services as public
from hazards.public.models import PublicReport
from hazards.rechecks import services as rechecks
from hazards.rechecks.models import Recheck as RecheckRow
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
from tests.factories import file_hazard

from .actors import brought, city_of_people, show
from .clocks import CITY, LIMITS, TICK
from .oracle import BEFORE_RECTIFIED, City
from .records import ENDED, Case

MOST_CASES = 5
CHANCE = st.randoms(use_true_random=True)  # one seed; no choice is drawn by hypothesis itself
HOW = ("whole", "whole", "whole", "old", "nothing")  # with what a step asks, having seen an old version, with nothing
SHOWING = ("show_photos", "hide_photos")  # touch nothing else of a case: tests/hazards/test_public_photos.py
STEPS = [action for action in LIFECYCLE.actions if action not in SHOWING]
ONWARD = {  # how a case goes to its write-off
    "reported": ("accept", "handle_on_spot"), "accepted": ("dispatch",), "dispatched": ("take",),
    "taken": ("approve_plan", "rectify", "plan"), "rectified": ("pass_by_sample", "verify"),
    "verified": ("resume_work", "write_off"), "merged": ("unmerge",),
}  # fmt: skip
# Steps after which a clock may begin anew.
ANEW = ("dispatch", "return", "fail", "reopen", "contest", "grant_reopening")
CHANGING_CLOCKS = (
    "pause", "resume", "rectify", "fail", "return", "ask_extension", "grant_extension", "pin", "unpin", "change_matter",
    "plan", "approve_plan", "lower",
)  # fmt: skip
BACK = {"written_off": ("reopen", "grant_reopening"), "refused": ("contest", "grant_reopening")}


class Cases(RuleBasedStateMachine):
    """People try steps of cases."""

    tried: Counter = Counter()  # steps by what came of them

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @initialize(chance=CHANCE)
    def people(self, chance: Random) -> None:
        self.city: City = city_of_people()
        self.file_one(chance)

    def some(self, chance: Random, fits: Callable[[Case], Any]) -> Case | None:
        """Choose one of the cases that are such and such."""
        found = [case for case in self.city.cases if fits(case)]
        return chance.choice(found) if found else None

    def who(self, chance: Random, users: Iterable[Any], *, sure: float = 1) -> Any:
        """Choose one of some people, or, where there is none or one is not so sure, anybody."""
        found = list(users)
        return chance.choice(found if found and chance.random() < sure else list(self.city.people.values()))

    def able(self, case: Case, action: str) -> list[Any]:
        return [user for user in self.city.people.values() if self.city.may(case, action, user)]

    # -- cases come in, time passes ------------------------------------------------------------------

    def file(self, chance: Random) -> None:
        if len(self.city.cases) < MOST_CASES:
            self.file_one(chance)

    def file_one(self, chance: Random) -> Case:
        city, matter = self.city, chance.choice(sorted(LIMITS))
        by = chance.choice(["worker", "neighbour", "operator", "public"])
        if by == "public":
            form = {"service_code": matter, "lat": "37.45", "long": "118.53", "description": "楼道堆满纸箱"}
            secret = uuid.uuid4()
            _code, is_new = public.report(given=public.Given(secret=secret, fields=form), at=city.now)
            assert is_new
            case = city.file(public.codes.hazard_id(secret), city.public, matter, by_public=True)
        else:
            major = chance.random() < 0.4
            more = (
                {"severity": "major", "criterion": "other: 判定标准第五条第一款"} if major else {"severity": "general"}
            )
            reporter = city.people[by]
            case = city.file(
                file_hazard(reporter, matter=matter, at=city.now, **more).pk, reporter, matter, major=major
            )
        case.actors.add(case.reporter)
        return case

    def time_passes(self, chance: Random) -> None:
        self.wait(chance.choice([chance.randint(1, 12), chance.randint(30, 600)]))

    def wait(self, ticks: int) -> None:
        """Let time pass for the city and for the oracle; the news of what was reopened is heard meanwhile."""
        reopened = self.city.pass_time(ticks * TICK)
        resume_ended(at=self.city.now)
        mark_overdue(at=self.city.now)
        mark_missed(at=self.city.now)
        for case in reopened:
            rechecks.lapse(case.pk, at=self.city.now)

    # -- steps of cases ------------------------------------------------------------------------------

    def somebody_tries(self, chance: Random) -> None:
        """Try some step, by somebody: often one that is open, or by one whose it is; often neither."""
        for _n in range(3):
            case, fits = chance.choice(self.city.cases), chance.random() < 0.5
            here = [action for action in STEPS if self.city.is_open(case, action)]
            action = chance.choice(here if fits and here else STEPS)
            by = self.who(chance, self.able(case, action), sure=0.7)
            self.attempt(case, action, by, chance, how=chance.choice(HOW))

    def the_work_goes_on(self, chance: Random) -> None:
        """Take some steps that are open, each by somebody whose it is."""
        case = chance.choice(self.city.cases)
        for _n in range(chance.randint(1, 6)):
            here = [action for action in STEPS if self.city.is_open(case, action)]
            self.attempt_well(case, chance.choice(here), chance) if here else None

    def a_case_comes_to_its_end(self, chance: Random) -> None:
        case = self.some(chance, lambda case: case.state not in ENDED) or chance.choice(self.city.cases)
        self.drive(case, "written_off", chance)

    def drive(self, case: Case, state: str, chance: Random, most: int = 12) -> bool:
        """Take steps onward until a case is where it is to be; return whether it is."""
        for _n in range(most):
            if case.state == state:
                return True
            onward = ONWARD.get(case.state, ()) or BACK.get(case.state, ())
            here = [action for action in ("resume", *onward) if self.city.is_open(case, action)]
            if not here or not self.attempt_well(case, chance.choice(here), chance):
                break
        return case.state == state

    def something_is_asked_and_decided(self, chance: Random) -> None:
        """Take a new case to where its department has it, and ask for more time, a pause or a plan; another decides."""
        case = self.some(chance, lambda case: case.state in BEFORE_RECTIFIED)
        if case is None or not self.drive(case, "taken", chance):
            return
        for actions in (("ask_extension", "ask_pause", "plan"), ("grant_", "deny_", "return_plan", "pause")):
            here = [action for action in STEPS if action.startswith(actions) and self.city.is_open(case, action)]
            if here:
                self.attempt_well(case, chance.choice(here), chance)

    def two_cases_are_one_for_a_while(self, chance: Random) -> None:
        """Merge two, let something happen to the one that stays, and undo it; before and after too."""
        city = self.city
        original = self.some(chance, lambda case: case.state in ("accepted", "dispatched", "taken", "rectified"))
        duplicate = self.some(
            chance, lambda case: city.is_open(case, "merge") and original and city.takes(original, case)
        )
        if original is None or duplicate is None:
            return
        self.some_happen(original, chance)
        self.attempt_well(duplicate, "merge", chance, other=original)
        self.some_happen(original, chance)
        if duplicate.into is original and chance.random() < 0.7:
            self.attempt_well(duplicate, "unmerge", chance)
            self.some_happen(original, chance)

    def a_plan_becomes_the_limit(self, chance: Random) -> None:
        """Lay a plan, let something happen, approve it; then let more happen, with what is merged into the case too."""
        case = self.some(chance, lambda case: case.major and case.state in BEFORE_RECTIFIED)
        if case is None or not self.drive(case, "taken", chance):
            return
        for action in ("plan", "approve_plan", "plan", "approve_plan"):
            if self.city.is_open(case, action):
                self.attempt_well(case, action, chance)
            duplicate = self.some(chance, lambda one: self.city.is_open(one, "merge") and self.city.takes(case, one))
            if duplicate and chance.random() < 0.3:
                self.attempt_well(duplicate, "merge", chance, other=case)
            self.some_happen(case, chance)

    def some_happen(self, case: Case, chance: Random) -> None:
        for _n in range(chance.randint(0, 3)):
            here = [action for action in CHANGING_CLOCKS if self.city.is_open(case, action)]
            if here and self.attempt_well(case, chance.choice(here), chance) and chance.random() < 0.3:
                self.wait(chance.randint(1, 12))

    def attempt_well(self, case: Case, action: str, chance: Random, other: Case | None = None) -> bool:
        """Take a step that is open, by somebody whose it is, with all it asks for; return whether there is such a person.

        Sometimes somebody whose it is not tries it first.
        """
        able = self.able(case, action)
        if not able:
            return False
        if chance.random() < 0.1:
            others = [user for user in self.city.people.values() if user not in able]
            self.attempt(case, action, self.who(chance, others), chance, other=other)
        by = self.who(chance, able)
        for role in ("before", "after"):
            if not self.city.shown(case, role, by):
                self.show(case, role, by)
        self.attempt(case, action, by, chance, other=other)
        return True

    def photo(self, chance: Random) -> None:
        by = self.city.people[chance.choice(["worker", "handler"])]
        self.show(chance.choice(self.city.cases), chance.choice(["before", "after"]), by)

    def show(self, case: Case, role: str, by: Any) -> None:
        case.photos.append(show(self.city, "hazard", case.pk, role, by))

    def attempt(
        self, case: Case, action: str, user: Any, chance: Random, *, how: str = "whole", other: Case | None = None
    ) -> None:
        """Try a step and see that just that comes of it which the oracle says."""
        if action in ANEW:
            self.wait(1)  # what was granted or merged before a clock began anew was so at another moment
        city, other = self.city, other or chance.choice(self.city.cases)
        given, wrong = brought(city, case, action, user, other, chance, nothing=how == "nothing")
        expected: type[Exception] | None = None
        if not city.may(case, action, user):
            expected = NotAllowed
        elif not city.is_open(case, action):
            expected = StepNotAllowed
        elif how == "old":
            expected = StaleVersion
        elif wrong:
            expected = FieldsMissing
        elif city.lacks_photos(case, action, user):
            expected = EvidenceMissing
        step = StepInput(id=uuid.uuid4(), version=case.version - (how == "old"), **given)

        def act() -> None:
            take_step(hazard_id=case.pk, action=action, given=step, actor=user, at=city.now)

        if self.came_of_it(action, case, expected, act):
            city.follow(case, action, user, step.id, given, other)
            row = Step.objects.filter(hazard=case.pk).latest("version")
            assert (row.pk, row.action, row.target, row.actor) == (step.id, action, case.state, user), told(case)

    def came_of_it(self, action: str, case: Case, expected: Any, act: Callable[[], Any]) -> bool:
        """Act, see that it is refused just as expected and leaves no trace then; return whether it was done."""
        self.tried[action, expected.__name__ if expected else "taken"] += 1
        if expected is None:
            act()
            return True
        before = snapshot(case.pk)
        with pytest.raises(expected):
            act()
        assert snapshot(case.pk) == before, f"a refused {action} left a trace"
        return False


def told(case: Case) -> str:
    """What happened to a case, for who reads a failure."""
    steps = Step.objects.filter(hazard=case.pk).order_by("version").select_related("actor")
    rows = [f"{step.at.astimezone(CITY):%d %H:%M} {step.action} → {step.target} {step.actor}" for step in steps]
    clocks = [
        f"{clock.stage} {clock.amount} {clock.unit} {clock.ran} {clock.started_at} {clock.stopped_at}"
        for clock in Clock.objects.filter(hazard=case.pk)
    ]
    return "\n".join([repr(case), *rows, *clocks])


def snapshot(pk: Any) -> Any:
    """All that a refused step must leave as it was."""
    hazard = Hazard.objects.filter(pk=pk).values().get()
    beside = [
        list(rows.filter(hazard=pk).order_by("pk").values())
        for rows in (Clock.objects, Plan.objects, StopWork.objects, Listing.objects, RecheckRow.objects)
    ]
    rated = list(PublicReport.objects.filter(pk=pk).values())
    return hazard, beside, rated, Step.objects.filter(hazard=pk).count()
