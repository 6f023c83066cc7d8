"""Listed supervision beside the life of major cases."""

import uuid
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.db import transaction

from citysafety.lifecycle import StepNotAllowed
from hazards.listings import services as listings
from hazards.listings.lifecycle import SIGNS
from hazards.models import Listing
from hazards.services import NotAllowed

from .cases import Cases, snapshot
from .records import Case


class Listed(Cases):
    """People propose, list, clear and withdraw."""

    def somebody_proposes_a_listing(self, chance: Random) -> None:
        self.propose(chance.choice(self.city.cases), chance.choice(["supervisor", "leader", "far_supervisor"]))

    def somebody_tries_a_step_of_a_listing(self, chance: Random) -> None:
        if case := self.some(chance, lambda case: case.listing):
            action = chance.choice(["list_it", "clear", "withdraw"])
            self.attempt_listing(case, action, chance.choice(["leader", "supervisor", "handler"]))

    def a_major_case_is_listed_to_its_end(self, chance: Random) -> None:
        """Propose, list, rectify, clear; sometimes withdraw on the way."""
        case = self.some(chance, lambda case: case.listing) or self.some(chance, lambda case: case.major)
        if case is None or (not case.listing and not (self.drive(case, "taken", chance) and case.major)):
            return
        if not case.listing:
            self.propose(case, "supervisor")
        if case.listing == "proposed" and case.may_be_listed:
            self.attempt_listing(case, "list_it", "leader")
        if case.listing and chance.random() < 0.5:
            self.attempt_listing(case, chance.choice(["list_it", "clear", "withdraw"]), "handler")
        if chance.random() < 0.2:
            self.attempt_listing(case, "withdraw", "supervisor")
        elif case.listing == "listed" and self.drive(case, "written_off", chance, most=20):
            self.attempt_listing(case, chance.choice(["clear", "clear", "withdraw"]), "leader")

    def propose(self, case: Case, by: str) -> None:
        finish_by = self.city.today + timedelta(days=25)
        proposal = listings.Proposal(level="county", leader="王副区长", requirement_zh="立即整改", finish_by=finish_by)
        expected: type[Exception] | None = None
        if by != "supervisor":
            expected = NotAllowed
        elif not case.may_be_listed or case.listing:
            expected = listings.NotListable

        def act() -> None:
            user = self.city.people[by]
            listings.propose(hazard_id=case.pk, proposal=proposal, by=user, at=self.city.now)

        if self.came_of_it("listing.propose", case, expected, act):
            case.listing, case.finish_by = "proposed", finish_by

    def attempt_listing(self, case: Case, action: str, by: str) -> None:
        is_open = {
            "list_it": case.listing == "proposed" and case.may_be_listed,
            "clear": case.listing == "listed" and case.state == "written_off",
            "publish_clearing": case.listing == "cleared", "withdraw": case.listing != "cleared",
        }[action]  # fmt: skip
        signs_own = action == "list_it" and by == "supervisor"
        fit = by == "supervisor" if action == "publish_clearing" else by != "handler" and not signs_own
        expected = None if is_open and fit else (NotAllowed, StepNotAllowed)
        self.tried[f"listing.{action}", "taken" if expected is None else "refused"] += 1
        if expected is not None:
            before = snapshot(case.pk)
            with pytest.raises(expected):
                self.step_of_listing(case, action, self.city.people[by])
            assert snapshot(case.pk) == before, f"a refused {action} left a trace"
            return
        self.step_of_listing(case, action, self.city.people[by])
        case.listing = {"list_it": "listed", "clear": "cleared"}.get(action, "")
        if action == "clear":
            for signer in ("leader", "supervisor"):
                self.attempt_listing(case, "publish_clearing", signer)

    def step_of_listing(self, case: Case, action: str, user: Any) -> None:
        """Take a step of the listing of a case, with the bytes that its signer saw where it is signed."""
        listing = Listing.objects.live().get(hazard=case.pk)
        with transaction.atomic():
            paper = listings.prepare(listing_id=listing.pk, by=user, at=self.city.now) if action in SIGNS else None
            given = listings.ListingInput(
                id=uuid.uuid4(), version=listing.version, words="有原因", sha256=paper.sealed_id if paper else ""
            )
            listings.take_step(listing_id=listing.pk, action=action, given=given, actor=user, at=self.city.now)
