"""What a fact is: something that has happened in the city and will not un-happen."""

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """News of one subject, in two halves: what any screen may show, and what listeners need besides.

    The fields here are the live half. They go to every screen of the area, the wall of the
    command centre among them: no words, no names, no telephone numbers, ever (design: live push).
    Subclasses set ``topic`` ("hazard.reported"), may default ``kind``, and override
    :meth:`payload` for listeners; the payload never leaves the server.
    """

    topic: ClassVar[str]
    area_code: str  # where it happened: who may hear of it is decided by this code
    kind: str  # of the subject: "hazard", "worker", "cell" …
    subject_id: str
    state: str = ""
    level: str = ""
    lon: float | None = None  # WGS 84
    lat: float | None = None
    extra_area: str = ""  # one more cell (a dedicated one) whose screens hear of it

    def live(self) -> dict[str, Any]:
        """Return the wall-safe item, less its position and time, which the outbox adds."""
        return {
            "topic": self.topic,
            "area": self.area_code,
            "kind": self.kind,
            "id": str(self.subject_id),
            "state": self.state,
            "level": self.level,
            "lon": self.lon,
            "lat": self.lat,
        }

    def payload(self) -> dict[str, Any]:
        """Return what listeners need besides the live half."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class DayBegan(Fact):
    """A new day began in Asia/Shanghai: figures of "today" start again. Subject: the date."""

    topic = "day.began"
    kind: str = "day"
