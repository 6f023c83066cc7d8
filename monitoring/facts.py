"""What monitoring announces, in the past tense."""

from dataclasses import dataclass, field
from typing import Any

from citysafety.outbox.facts import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmFact(Fact):
    """News of an alarm; ``level`` is its number, I to IV, as 1 to 4."""

    kind: str = "alarm"
    rule: str
    device: int
    action: str
    quiet: str = ""
    department: int | None = None
    notify: tuple[str, ...] = field(default=())
    actor_id: int | None = None

    def payload(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "device": self.device,
            "action": self.action,
            "quiet": self.quiet,
            "department": self.department,
            "notify": list(self.notify),
            "actor_id": self.actor_id,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRaised(AlarmFact):
    """A rule saw what it watches for; somebody is to look."""

    topic = "alarm.raised"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmChanged(AlarmFact):
    """An alarm went on: acknowledged, graver, returned, shelved, assigned."""

    topic = "alarm.changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmEnded(AlarmFact):
    """The condition is over and somebody has seen it."""

    topic = "alarm.ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceChanged(Fact):
    """A device was registered, changed, taken out of service, put back or retired. State: as it is now."""

    topic = "device.changed"
    kind: str = "device"
    action: str
    protocol: str

    def payload(self) -> dict[str, Any]:
        return {"action": self.action, "protocol": self.protocol}


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemMoved(Fact):
    """A monitoring system reached another station of its connection. State: the station."""

    topic = "system.moved"
    kind: str = "system"
