"""The public says that it is not solved, that it is, or that it sees it too."""

import uuid
from random import Random
from typing import Any

from hazards.models import Hazard, Step
from hazards.public import services as public
from hazards.public.models import PublicReport

from .cases import Cases
from .records import CLOSED, ENDED, Case


class Contested(Cases):
    """The public acts by the code of its report."""

    def the_public_says_it_is_not_solved(self, chance: Random) -> None:
        """Close a case of the public or refuse it, and let its reporter disagree; then a supervisor may decide."""
        report = self.some(chance, lambda case: case.by_public)
        if report is None:
            return
        case = report.into or report
        if chance.random() < 0.6:
            self.close(case, chance)
        self.wait(chance.choice([1, 1, 1, 200, 2200]))
        self.not_solved(report)
        if case.contested and chance.random() < 0.7:
            self.attempt_well(case, chance.choice(["grant_reopening", "deny_reopening", "deny_reopening"]), chance)
            self.not_solved(report)

    def close(self, case: Case, chance: Random) -> None:
        if case.state == "reported" and chance.random() < 0.5:
            self.attempt_well(case, "refuse", chance)
        elif case.state not in CLOSED:
            self.drive(case, "written_off", chance)

    def not_solved(self, report: Case) -> None:
        case, claimed = report.into or report, uuid.uuid4()
        action = self.city.answer_to_public(case)
        row = PublicReport.objects.select_related("hazard").get(pk=report.pk)

        def act() -> None:
            given: dict[str, Any] = {"words": "又堆起来了", "pictures": (), "at": self.city.now}
            assert public.contest(report=row, claimed=claimed, **given) == action

        if self.came_of_it("public.not_solved", case, None if action else public.Refused, act):
            self.city.follow(case, action, self.city.public, claimed, {}, case)
            assert Step.objects.get(pk=claimed).action == action

    def the_public_says_how_satisfied_it_is(self, chance: Random) -> None:
        report = self.some(chance, lambda case: case.by_public)
        if report is None:
            return
        case = report.into or report
        expected = None if case.state == "written_off" else public.Refused
        row = PublicReport.objects.select_related("hazard").get(pk=report.pk)
        is_new = report.rated_at is None or case.closed_at is None or report.rated_at < case.closed_at
        given = {"satisfaction": chance.randint(1, 5), "at": self.city.now}

        def act() -> None:
            assert public.rate(report=row, **given) == is_new

        if self.came_of_it("public.rate", case, expected, act) and is_new:
            report.rated_at = self.city.now

    def the_public_sees_it_too(self, chance: Random) -> None:
        case, claimed = chance.choice(self.city.cases), uuid.uuid4()
        theirs = self.city.public in self.city.reporters(case) and case.state not in ENDED
        number = Hazard.objects.values_list("number", flat=True).get(pk=case.pk)

        def act() -> None:
            assert public.say_the_same(number=number, claimed=claimed, at=self.city.now) == number

        if self.came_of_it("public.say_the_same", case, None if theirs else public.Refused, act):
            self.city.follow(case, "remark", self.city.public, claimed, {}, case)
