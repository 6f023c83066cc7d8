"""What calendars announce."""

from dataclasses import dataclass
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
