"""What calendars announce."""

from dataclasses import dataclass
from typing import ClassVar

from citysafety.outbox.facts import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarChanged(Fact):
    """Working days or hours were edited: due times that could not be computed may be computable now."""

    topic: ClassVar[str] = "calendar.changed"
