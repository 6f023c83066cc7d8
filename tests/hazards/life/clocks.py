"""Time limits as a child would count them: ten minutes by ten minutes."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

CITY = ZoneInfo("Asia/Shanghai")
TICK = timedelta(minutes=10)
BEGIN = datetime(2026, 11, 20, 16, 0, tzinfo=CITY)  # a Friday
LIMITS = {  # hours by matter and stage; XF-002 runs round the clock
    "XF-001": {"accept": 4, "rectify": 12, "verify": 6},
    "XF-002": {"accept": 6, "rectify": 30, "verify": 20},
}


def works(at: datetime) -> bool:
    """Whether the ten minutes from a moment on are working time: Monday to Friday, 8–12 and 14–18."""
    return at.weekday() < 5 and (8 <= at.hour < 12 or 14 <= at.hour < 18)


@dataclass
class Stretch:
    """A clock as a child would keep it: hours allowed, and from when to when it ran."""

    hours: int
    urgent: bool
    ran: list[list[datetime | None]] = field(default_factory=list)

    @property
    def runs(self) -> bool:
        return bool(self.ran) and self.ran[-1][1] is None

    def start(self, at: datetime, *, once_out: bool = False) -> None:
        """Let it run from now on; ``once_out``: what had run out before it was stopped has run out when it had."""
        if once_out and not self.runs and self.ended():
            self.ran[-1][1] = None
        else:
            self.ran.append([at, None])

    def ended(self) -> datetime | None:
        """When it runs out, or did before it was stopped; None where it stands and had not."""
        if self.runs or not self.ran:
            return self.due()
        *before, (begin, stopped) = self.ran
        ended = Stretch(self.hours, self.urgent, [*before, [begin, None]]).due()
        return ended if ended and stopped and ended < stopped else None

    def stop(self, at: datetime) -> None:
        if self.runs:
            self.ran[-1][1] = at

    def counted(self, begin: datetime, end: datetime) -> int:
        total, at = 0, begin
        while at < end:
            total += self.urgent or works(at)
            at += TICK
        return total

    def due(self) -> datetime | None:
        """When it runs out, None while it stands. What is used up is over at once."""
        if not self.runs:
            return None
        left = self.hours * 6 - sum(self.counted(begin, end) for begin, end in self.ran[:-1])
        at = self.ran[-1][0]
        while left > 0:
            left -= self.urgent or works(at)
            at += TICK
        return at
