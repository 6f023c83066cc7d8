"""What the evidence chain says of alarms: the value that was measured, the raising, each step, who was told when nobody acted."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from citysafety.evidence.chain import Event, Record

from .desk import said_words, value_words
from .ladders import rung_words
from .lifecycle import LABELS, LIFECYCLE, AlarmState
from .models import Alarm, AlarmClimbed, AlarmStep

RELATED = ("rule", "device", "datastream__quantity")
BASIS = {(step.source, step.action): step.basis for step in LIFECYCLE.steps}


def look(user: Any, ids: list[str]) -> list[Record]:
    """Return alarms with all that happened, those the user may not see left out. Queries: 3, however many."""
    wanted = [one for one in map(_uuid, ids) if one]
    alarms = list(Alarm.objects.visible_to(user).filter(pk__in=wanted).select_related(*RELATED).order_by("pk"))
    keys = [alarm.pk for alarm in alarms]
    states = dict(AlarmState.choices)
    events: dict[Any, list[Event]] = defaultdict(list)
    for alarm in alarms:
        if alarm.value is not None:
            measured = _("Measured by the device's clock"), value_words(alarm)
            events[alarm.pk].append(Event(at=alarm.measured_at, label=measured[0], target=measured[1]))
    for step in AlarmStep.objects.filter(alarm__in=keys).select_related("actor").order_by("alarm", "version"):
        events[step.alarm_id].append(
            Event(
                at=step.at,
                label=str(LABELS[step.action]),
                who=step.actor.name if step.actor else "",
                role=step.actor.get_role_display() if step.actor else "",
                source=str(states.get(step.source, "")),
                target=str(states[step.target]),
                words=" · ".join(part for part in (said_words(step), step.words) if part),
                basis=BASIS.get((step.source, step.action), ""),
            )
        )
    for row in AlarmClimbed.objects.filter(alarm__in=keys):
        events[row.alarm_id].append(Event(at=row.at, label=_("Escalated"), words=rung_words(row), late=True))
    return [
        Record(
            kind="alarm",
            id=str(alarm.pk),
            label=_("alarm"),
            number=alarm.number,
            title=f"{alarm.rule.name} · {alarm.device.name}",
            state=alarm.get_state_display(),
            address=reverse("alarm-page", args=[alarm.pk]),
            area=alarm.area_code,
            events=events[alarm.pk],
            bound=[("hazard", str(alarm.hazard_id))] if alarm.hazard_id else [],
        )
        for alarm in alarms
    ]


def about_hazards(user: Any, hazard_ids: list[str]) -> list[str]:
    """Return the alarms that some hazards come from, those the user may not see left out. Queries: 1."""
    rows = Alarm.objects.visible_to(user).filter(hazard__in=hazard_ids).order_by("raised_at", "pk")
    return [str(pk) for pk in rows.values_list("pk", flat=True)]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
