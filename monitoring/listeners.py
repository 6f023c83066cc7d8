"""What monitoring does when it hears news: whom it tells, and what it notes at its alarms. Rows only, nothing is sent.

Flapping and coming back are no news: who was told of an alarm at a level is not told again.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from citysafety.accounts.models import User
from citysafety.notices.services import notify
from citysafety.outbox.models import OutboxEntry
from hazards.notices import without

from . import ladders
from .lifecycle import OPEN, UNSEEN
from .models import Alarm
from .notices import handlers, params_of, told
from .services.moving import HEARD_AGAIN
from .services.steps import tell_of_write_off


def _alarm(entry: OutboxEntry) -> Alarm:
    """Return the alarm of a fact with what is told of it. Queries: 1."""
    rows = Alarm.objects.select_related("rule", "device", "cell", "storm").defer("cell__geometry", "cell__mercator")
    return rows.get(pk=entry.subject_id)


def tell_of_alarm(entry: OutboxEntry) -> None:
    """Raised: who the rule says and the device's departments; in a storm once for all of it. Queries: 8 at most."""
    alarm = _alarm(entry)
    if entry.payload["quiet"]:
        return
    if alarm.storm is not None:
        _tell_of_storm(entry, alarm)
    else:
        _tell("alarm.raised", told(alarm), alarm, entry, key=f"alarm:{alarm.pk}:{alarm.worst}")


def _tell_of_storm(entry: OutboxEntry, alarm: Alarm) -> None:
    place = {"zh": alarm.cell.name_zh, "en": alarm.cell.name_en} if alarm.cell else alarm.area_code
    notify(
        recipients=told(alarm), topic="alarm.storm", params={"place": place}, subject=("storm", alarm.storm_id),
        source_key=f"storm:{alarm.storm_id}", level=alarm.worst, at=entry.at,
    )  # fmt: skip


def tell_of_change(entry: OutboxEntry) -> None:
    """Graver than ever, heard again, or assigned: the same people, or the department. Queries: 8 at most; most changes: 0."""
    action = entry.payload["action"]
    if action == "worsen":
        ladders.wait_anew(entry.subject_id, at=entry.at)
        alarm = _alarm(entry)
        if not alarm.quiet and alarm.storm is None:
            _tell("alarm.worse", told(alarm), alarm, entry, key=f"alarm:{alarm.pk}:{alarm.worst}")
    elif action in HEARD_AGAIN:
        alarm = _alarm(entry)
        if not alarm.quiet and alarm.state in UNSEEN:
            _tell("alarm.heard_again", told(alarm), alarm, entry, key=f"alarm:{alarm.pk}:heard:{entry.pk}")
    elif action == "assign":
        alarm = _alarm(entry)
        if alarm.assigned_to_id and alarm.state in OPEN:
            people = handlers({alarm.assigned_to_id})
            _tell("alarm.assigned", people, alarm, entry, key=f"alarm:{alarm.pk}:assigned:{entry.pk}")


def _tell(topic: str, people: Iterable[User], alarm: Alarm, entry: OutboxEntry, *, key: str) -> None:
    """Write a notice to everybody but the doer, once for each key. Queries: 4, 0 for nobody."""
    params: dict[str, Any] = params_of(alarm)
    notify(
        recipients=without(people, entry.payload.get("actor_id")), topic=topic, params=params,
        subject=("alarm", alarm.pk), source_key=key, level=alarm.level, at=entry.at,
    )  # fmt: skip


def note_write_off(entry: OutboxEntry) -> None:
    """A hazard is written off: the alarms that it came from say so. Queries: 1 where there is none."""
    if Alarm.objects.filter(hazard=entry.subject_id).exists():
        tell_of_write_off(UUID(entry.subject_id), at=entry.at)


def follow_ladder(entry: OutboxEntry) -> None:
    """Ladders were changed: what waits is looked at again. Queries: 1."""
    ladders.look_again(at=entry.at)
