"""Write steps of alarms that are held: rows of history, news, places in the figures, the alarms; many in a few statements."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from citysafety.outbox.services import announce_all
from citysafety.tallies.models import Period

from ..facts import AlarmChanged, AlarmEnded, AlarmFact, AlarmRaised
from ..lifecycle import LIFECYCLE, UNSEEN, AlarmState
from ..models import Alarm, AlarmClimb, AlarmStep
from ..standing import standing_of

HEARD_AGAIN = frozenset({"unsuppress", "unshelve"})
CHANGING = [
    "state", "version", "quiet", "verdict", "assigned_to", "zone", "returned_at", "acknowledged_at", "over_at",
    "changed_at", "flapping", "hazard", "period",
]  # fmt: skip


@dataclass(slots=True)
class Move:
    """One step of an alarm that is held; what it changes besides the state is changed on the alarm already."""

    alarm: Alarm
    action: str
    id: UUID = field(default_factory=uuid4)
    words: str = ""
    actor: Any = None
    said: dict[str, Any] = field(default_factory=dict)


def fact_of(alarm: Alarm, action: str, *, actor_id: int | None = None) -> AlarmFact:
    """Return the news of a step."""
    kind = AlarmEnded if alarm.state == AlarmState.OVER else AlarmRaised if action == "raise" else AlarmChanged
    return kind(
        area_code=alarm.area_code, subject_id=str(alarm.pk), state=alarm.state, level=str(alarm.level),
        lon=alarm.location.x if alarm.location else None, lat=alarm.location.y if alarm.location else None,
        rule=alarm.rule.code, device=alarm.device_id, action=action, quiet=alarm.quiet,
        department=alarm.department_id, notify=tuple(alarm.rule.notify), actor_id=actor_id,
    )  # fmt: skip


def write(moves: Iterable[Move], *, at: datetime) -> None:
    """Write steps, each of another alarm whose row is held. Statements: 5, 1 more where some are heard again."""
    moves = list(moves)
    if not moves:
        return
    steps = []
    for move in moves:
        alarm, source = move.alarm, move.alarm.state
        alarm.state = LIFECYCLE.step(source, move.action).target
        alarm.version += 1
        alarm.changed_at = at
        if alarm.state == AlarmState.OVER and source != AlarmState.OVER:
            alarm.over_at = at
        steps.append(
            AlarmStep(
                id=move.id, alarm=alarm, action=move.action, source=source, target=alarm.state, version=alarm.version,
                actor=move.actor, at=at, words=move.words, said=move.said,
            )
        )  # fmt: skip
    AlarmStep.objects.bulk_create(steps)
    facts = [fact_of(move.alarm, move.action, actor_id=move.actor.pk if move.actor else None) for move in moves]
    entries = announce_all(facts, at=at)
    for move, entry in zip(moves, entries, strict=True):
        move.alarm.period = standing_of(move.alarm, entry, raised=False)
    Period.objects.bulk_create([move.alarm.period for move in moves])
    Alarm.objects.bulk_update([move.alarm for move in moves], CHANGING)
    _wait_anew(
        [m.alarm for m in moves if m.action in HEARD_AGAIN and m.alarm.state in UNSEEN and not m.alarm.quiet], at
    )


def _wait_anew(alarms: list[Alarm], at: datetime) -> None:
    """Let what is heard again be acknowledged within the whole time."""
    if alarms:
        AlarmClimb.objects.bulk_create(
            [AlarmClimb(alarm=alarm, since=at, next_at=at) for alarm in alarms],
            update_conflicts=True, unique_fields=["alarm"], update_fields=["since", "next_at"],
        )  # fmt: skip
