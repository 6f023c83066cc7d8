"""What a person brings to a step, and how it is refused."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from citysafety.lifecycle import StepNotAllowed


class NotAllowed(Exception):
    """The caller's role has no such action here, or it is the caller's own work. ``rule`` names what decided."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


class StaleVersion(Exception):
    """The caller saw an older version of the hazard."""


class TooLateToReopen(StepNotAllowed):
    """It was written off too long ago; the message says so to people."""


class FieldsMissing(ValueError):
    """Fields that the step asks for are missing or wrong; ``errors`` maps each to a sentence."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(", ".join(errors))
        self.errors = errors


class EvidenceMissing(ValueError):
    """A photo that the step asks for is missing; ``requirement`` names it, such as ``photo:after``."""

    def __init__(self, requirement: str, message: str) -> None:
        super().__init__(message)
        self.requirement = requirement


@dataclass(frozen=True, slots=True, kw_only=True)
class StepInput:
    """What a person brings to a step. ``amount`` is in the unit of the clock, ``until`` aware."""

    id: UUID
    version: int | None
    words: str = ""
    department: str = ""
    lon: float | None = None
    lat: float | None = None
    accuracy_m: float | None = None
    amount: int | None = None
    cause: str = ""
    until: datetime | None = None
    matter: str = ""
    severity: str = ""  # what a case is under the other matter that it is filed under
    into: str = ""  # id or number of the case that a duplicate is merged into
    cell: str = ""
    # of major hazards: why it is one, the five items of a plan, an order to stop work
    criterion: str = ""
    unit: str = ""
    person: str = ""
    measures: str = ""
    funds: str = ""  # yuan, or that none are needed
    finish_on: date | None = None
    contingency: str = ""
    since: datetime | None = None
    scope: str = ""
    basis: str = ""
    checker: int | None = None  # set by the service of re-checks alone: whose re-check found that it does not hold
