"""What calendars announce."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from citysafety.outbox.facts import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarChanged(Fact):
    """Working days or hours were edited: due times that could not be computed may be computable now.

    Subject: the year, or "" when hours or several years changed; the payload names the years.
    """

    topic: ClassVar[str] = "calendar.changed"
    kind: str = "calendar"
    years: tuple[int, ...] = ()

    def payload(self) -> dict[str, Any]:
        return {"years": list(self.years)}


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyGap(Fact):
    """Nobody, or too few people, will be on duty at a post within the hours that the post says. Subject: the post."""

    topic: ClassVar[str] = "duty.gap"
    kind: str = "duty_post"
    begins: datetime
    ends: datetime
    missing: int
    reason: str

    def payload(self) -> dict[str, Any]:
        return {
            "begins": _utc(self.begins),
            "ends": _utc(self.ends),
            "missing": self.missing,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftChanged(Fact):
    """The roster of a post changed: shifts added, changed, called off or swapped, or somebody on leave. Subject: the post.

    The payload says how, from when to when, how many shifts, and which accounts it concerns.
    """

    topic: ClassVar[str] = "duty.shift_changed"
    kind: str = "duty_post"
    how: str
    begins: datetime
    ends: datetime
    shifts: int
    people: tuple[int, ...]

    def payload(self) -> dict[str, Any]:
        return {
            "how": self.how,
            "begins": _utc(self.begins),
            "ends": _utc(self.ends),
            "shifts": self.shifts,
            "people": list(self.people),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverGiven(Fact):
    """The outgoing shift wrote its handover. Subject: the handover."""

    topic: ClassVar[str] = "duty.handover_given"
    kind: str = "duty_handover"
    post: int
    given_by: int

    def payload(self) -> dict[str, Any]:
        return {"post": self.post, "given_by": self.given_by}


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverReceived(Fact):
    """The incoming shift signed for a handover. Subject: the handover."""

    topic: ClassVar[str] = "duty.handover_received"
    kind: str = "duty_handover"
    post: int
    received_by: int

    def payload(self) -> dict[str, Any]:
        return {"post": self.post, "received_by": self.received_by}
