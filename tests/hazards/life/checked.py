"""What was closed is drawn by lot and looked at again."""

import hashlib
import math
import uuid
from random import Random
from typing import Any

from hypothesis.stateful import invariant

from citysafety.lifecycle import StepNotAllowed
from hazards.models import Step
from hazards.rechecks import services as rechecks
from hazards.rechecks.models import Recheck as RecheckRow
from hazards.rechecks.models import RecheckDraw
from hazards.services import EvidenceMissing, FieldsMissing, NotAllowed, StaleVersion

from .actors import brought_to_recheck, show
from .cases import HOW, Cases
from .records import Case, Recheck


class Checked(Cases):
    """Lots are drawn, and people try steps of re-checks."""

    def lots_are_drawn(self, chance: Random) -> None:
        """Close a case or not, wait for the next week or not, and draw."""
        if chance.random() < 0.5:
            self.drive(chance.choice(self.city.cases), "written_off", chance)
            self.wait(chance.randint(7 * 144, 9 * 144))
        self.draw()

    def draw(self) -> None:
        """Draw, and see that of the right closings the right number was drawn by the lots of the stored number, for fit people."""
        expected, known = self.city.populations(), set(RecheckDraw.objects.values_list("pk", flat=True))
        made = rechecks.draw_due(at=self.city.now)
        draws = RecheckDraw.objects.exclude(pk__in=known).select_related("rule")
        assert {(row.rule.severity, row.first): set(row.population) for row in draws} == expected
        for row in draws:
            share = {"general": 50, "major": 100}[row.rule.severity]
            number = min(row.size, max(math.ceil(row.size * share / 100), 1))
            lots = sorted(row.population, key=lambda pk: hashlib.sha256(f"{row.seed}:{pk}".encode()).digest())
            dealt = {one.closing_id: one for one in row.rechecks.all()}
            assert set(dealt) == set(lots[:number])
            made -= number
            for case in self.city.cases:
                if case.closing in dealt:
                    self.deal(case, dealt[case.closing])
        assert made == 0
        self.city.drawn_weeks |= expected.keys()

    def deal(self, case: Case, row: RecheckRow) -> None:
        fit = self.city.fit(case)
        assert row.checker in fit if fit else row.checker is None
        workers = {user for user in fit if user.role == "grid_worker"}
        assert not workers or row.checker in workers
        case.drawn = True
        self.city.rechecks.append(Recheck(row.pk, case, case.closing, row.checker, dealt=self.city.now))

    def somebody_checks_again(self, chance: Random) -> None:
        """Try a step of a re-check: mostly of one that stands, mostly by who may."""
        for _n in range(2):
            standing = [one for one in self.city.rechecks if one.state == "due" and one.stands]
            found = standing if standing and chance.random() < 0.8 else self.city.rechecks
            if not found:
                return
            one, action = chance.choice(found), chance.choice(["holds", "fails", "fails", "assign", "assign"])
            able = [user for user in self.city.people.values() if self.city.may_recheck(one, action, user)]
            by = self.who(chance, able, sure=0.8)
            if chance.random() < 0.8:
                one.photos.append(show(self.city, "recheck", one.pk, "after", by))
            self.attempt_recheck(one, action, by, chance, how=chance.choice(HOW))

    def attempt_recheck(self, one: Recheck, action: str, user: Any, chance: Random, *, how: str) -> None:
        city, case = self.city, one.case
        given, wrong = brought_to_recheck(city, one, action, chance, nothing=how == "nothing")
        expected: type[Exception] | None = None
        if not city.may_recheck(one, action, user):
            expected = NotAllowed
        elif one.state != "due" or not one.stands:
            expected = StepNotAllowed
        elif how == "old":
            expected = StaleVersion
        elif wrong:
            expected = FieldsMissing
        elif action != "assign" and not any(photo.at >= one.dealt and photo.speaks_for(user) for photo in one.photos):
            expected = EvidenceMissing
        step = rechecks.RecheckInput(id=uuid.uuid4(), version=one.version - (how == "old"), **given)

        def act() -> None:
            rechecks.take_recheck_step(recheck_id=one.pk, action=action, given=step, actor=user, at=city.now)

        if not self.came_of_it(f"recheck.{action}", case, expected, act):
            return
        one.version += 1
        if action == "assign":
            one.checker = next(person for person in city.people.values() if person.username == given["checker"])
            one.dealt = city.now
            return
        one.state, one.photos = action, []
        if action == "fails":
            case.failures += 1
            row = Step.objects.filter(hazard=case.pk).latest("version")
            assert (row.action, row.actor) == ("reopen", user)
            city.follow(case, "reopen", user, row.pk, {}, case)

    @invariant()
    def rechecks_are_as_the_oracle_says(self) -> None:
        rows = {row.pk: row for row in RecheckRow.objects.select_related("checker")}
        assert len(rows) == len(self.city.rechecks)
        for one in self.city.rechecks:
            row = rows[one.pk]
            assert (row.state, row.version, row.checker) == (one.state, one.version, one.checker)
            assert row.steps.count() == row.version
