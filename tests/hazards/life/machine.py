"""The machine: everybody tries everything, and after each try the city must be as the oracle says."""

from collections import Counter
from random import Random

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from citysafety.tallies.models import Period
from hazards.models import Clock, Hazard, Step
from hazards.registry import recount

from .cases import CHANCE, STEPS, told
from .checked import Checked
from .contested import Contested
from .listed import Listed
from .records import ENDED

EVERY_STEP = {  # of cases as the product names them, and what is beside
    *STEPS, "listing.propose", "listing.list_it", "listing.clear", "listing.withdraw",
    "listing.publish_clearing", "recheck.holds", "recheck.fails", "recheck.assign", "public.not_solved", "public.rate",
    "public.say_the_same",
}  # fmt: skip
HAPPENS = {  # how often what happens; one rule for all, because hypothesis leaves some rules out of each life
    "file": 2, "time_passes": 2, "photo": 1, "somebody_tries": 5, "the_work_goes_on": 4, "a_case_comes_to_its_end": 2,
    "something_is_asked_and_decided": 3, "two_cases_are_one_for_a_while": 3, "a_plan_becomes_the_limit": 2,
    "somebody_proposes_a_listing": 1, "somebody_tries_a_step_of_a_listing": 2,
    "a_major_case_is_listed_to_its_end": 2, "lots_are_drawn": 2, "somebody_checks_again": 4,
    "the_public_says_it_is_not_solved": 3, "the_public_says_how_satisfied_it_is": 1, "the_public_sees_it_too": 1,
}  # fmt: skip


class Life(Listed, Checked, Contested):
    """People try; the oracle says what must come of it."""

    @rule(what=st.sampled_from([name for name, often in HAPPENS.items() for _n in range(often)]), chance=CHANCE)
    def happens(self, what: str, chance: Random) -> None:
        getattr(self, what)(chance)

    @invariant()
    def the_city_is_as_the_oracle_says(self) -> None:
        for case in self.city.cases:
            hazard = Hazard.objects.get(pk=case.pk)
            assert (hazard.area_code, hazard.failures) == (case.cell, case.failures)
            said = (hazard.state, hazard.version, hazard.overdue, bool(hazard.paused_at), bool(hazard.pinned_at))
            assert said == (case.state, case.version, case.overdue, case.paused, case.pinned), told(case)
            assert (hazard.due_at, hazard.late) == (case.due(), bool(case.marks)), told(case)
            assert hazard.paused_until == case.until, told(case)
            running = Clock.objects.filter(hazard=case.pk, stopped_at=None)
            assert running.exists() == (bool(case.stage) and not case.paused)
            assert Step.objects.filter(hazard=case.pk).count() == hazard.version
            asked = (bool(hazard.extension_asked_at), bool(hazard.pause_asked_at), bool(hazard.contested_at))
            assert asked == (case.asked == "extension", case.asked == "pause", case.contested), told(case)
            papers = (bool(hazard.plan_asked_at), bool(hazard.plan_approved_at), bool(hazard.stopped_at))
            assert papers == (case.plan_waits, case.plan_holds, case.stopped), told(case)
            assert (hazard.severity == "major", bool(hazard.listed_at)) == (case.major, case.listing == "listed")
            assert hazard.plans.filter(decided_at=None).exists() == case.plan_waits
            assert hazard.stops.filter(ended_at=None).exists() == case.stopped
            parties = {*hazard.party_users, *(hazard.co_reporters or ())}
            assert parties == {user.pk for user in self.city.parties(case)}, told(case)

    @invariant()
    def no_major_hazard_is_rectified_without_an_approved_plan(self) -> None:
        rectified = Hazard.objects.filter(severity="major", state__in=("rectified", "verified"))
        assert not rectified.filter(plan_approved_at=None).exists()
        assert not Hazard.objects.filter(listed_at__isnull=False).exclude(severity="major").exists()

    @invariant()
    def the_figures_are_the_rows(self) -> None:
        rows, cases = {row.subject_id: row for row in recount()}, self.city.cases
        for case in cases:
            last = Period.objects.filter(kind="hazard", subject_id=str(case.pk)).latest("pk")
            row = rows[str(case.pk)]
            assert (last.now, last.state, last.area, last.category) == (row.now, row.state, row.area, row.category)
        now = Counter(key for case in cases for key in rows[str(case.pk)].now)
        assert now["hazards.open"] == sum(case.state not in ENDED for case in cases)
        assert now["hazards.major_open"] == sum(case.state not in ENDED and case.major for case in cases)
