"""Alarms in words for their pages: values, ages, tabs, forms of steps, the life of one."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from citysafety.accounts.selectors import office_choice
from citysafety.lifecycle import Step
from citysafety.names import chosen
from hazards.asked import Field
from hazards.desk import ASKED_WORDS, span_words

from .ladders import rung_words
from .lifecycle import LABELS, LIFECYCLE, AlarmState
from .models import Alarm, AlarmClimbed, AlarmPolicy, AlarmStep
from .selectors import open_counts
from .services.steps import steps_open_to

S = AlarmState
SIGNS = {  # sign and look of the state's chip
    S.UNACKNOWLEDGED: ("open", "strong"),
    S.ACKNOWLEDGED: ("half", ""),
    S.RETURNED: ("clock", ""),
    S.OVER: ("tick", "ended"),
}
MARKS = {S.UNACKNOWLEDGED: "new", S.ACKNOWLEDGED: "acknowledged", S.RETURNED: "returned", S.OVER: "returned"}
ASKS = {**ASKED_WORDS, "until": gettext_lazy("until when")}
BESIDE = frozenset({"comment", "shelve", "unshelve", "file_hazard", "reset", "assign"})
A_SHELVING = timedelta(hours=1)  # what the form proposes


def mark_of(alarm: Alarm) -> str:
    """Return how the mark of its level is drawn."""
    return "shelved" if alarm.quiet else MARKS[S(alarm.state)]


def value_words(alarm: Alarm) -> str:
    """Say the value that raised it against its limit; "" where it has none. Queries: 0 with its quantity."""
    if alarm.value is None:
        return ""
    unit = alarm.datastream.quantity.unit if alarm.datastream else ""
    value = f"{alarm.value:g} {unit}".strip()
    return (
        _("%(value)s, limit %(limit)s") % {"value": value, "limit": f"{alarm.limit:g}"}
        if alarm.limit is not None
        else value
    )


def age_words(alarm: Alarm, at: datetime) -> str:
    """Say how long it has been open, or was."""
    return span_words(((alarm.over_at or at) - alarm.raised_at).total_seconds(), "urgent_hours")


def said_words(step: AlarmStep) -> str:
    """Say what a step brought besides words."""
    said = step.said
    if "written_off" in said:
        return _("Hazard %(number)s is written off") % {"number": said["written_off"]}
    if "hazard" in said:
        return _("Hazard %(number)s") % {"number": said["hazard"]}
    if "department" in said:
        return _("To %(department)s") % {"department": chosen(said["zh"], said["en"])}
    if "until" in said and (until := parse_datetime(said["until"])):
        return _("until %(when)s") % {"when": date_format(localtime(until), "m-d H:i")}
    if step.action in ("suppress", "unsuppress", "raise") and said.get("quiet"):
        return str(Alarm.Quiet(said["quiet"]).label)
    if "value" in said:
        limit = f" / {said['limit']:g}" if said.get("limit") is not None else ""
        return f"{said['value']:g}{limit}"
    return ""


def tabs(user: Any, asked: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Return the work queues: open by level, what nobody has seen, flapping, and apart what is kept quiet. Queries: 1."""
    counts = open_counts(user)
    heard = {"open": "true", "quiet": "false"}
    rows = [
        ("heard", _("Open"), heard),
        ("unseen", _("To acknowledge"), {**heard, "state": ["unack", "rtnun"]}),
        *(
            (f"level_{n}", label, {**heard, "level": str(n)})
            for n, label in enumerate(("I", "II", "III", "IV"), start=1)
        ),
        ("flapping", _("Flapping"), {**heard, "flapping": "true"}),
        ("quiet", _("Kept quiet"), {"open": "true", "quiet": "true"}),
    ]
    return [
        {
            "label": label,
            "count": counts[f"n_{key}"],
            "address": f"?{urlencode(query, doseq=True)}",
            "chosen": asked == {name: value if isinstance(value, list) else [value] for name, value in query.items()},
            "is_apart": key == "quiet",
            "level": key.removeprefix("level_") if key.startswith("level_") else "",
        }
        for key, label, query in rows
    ]


def step_forms(user: Any, alarm: Alarm, at: datetime) -> list[dict[str, Any]]:
    """Return a form for each step the reader may take now, those that move it on first. Queries: 1 where a department is chosen, 1 for the longest shelving."""
    steps = sorted(steps_open_to(user, alarm), key=lambda step: step.action in BESIDE)
    return [_form(step, alarm, user, at) for step in steps]


def _form(step: Step, alarm: Alarm, user: Any, at: datetime) -> dict[str, Any]:
    asks_reason, asks_words = "reason" in step.requires, "words" in step.requires
    is_assigned = step.action == "assign"
    return {
        "action": step.action,
        "label": step.label,
        "is_beside": step.action in BESIDE,
        "fields": FIELDS[step.action](alarm, at) if step.action in FIELDS else [],
        "basis": step.basis,
        "asks": ", ".join(str(ASKS[name]) for name in step.requires),
        "words_name": "reason" if asks_reason else "words",
        "words_label": _("Reason") if asks_reason else _("Words") if asks_words else _("Words (if useful)"),
        "asks_words": asks_reason or asks_words,
        "offices": office_choice(user, alarm.area_code, alarm.department_id or 0) if is_assigned else None,
    }


def _shelving(alarm: Alarm, at: datetime) -> list[Field]:
    longest = AlarmPolicy.present().shelve_most_h
    hint = _("At most %(n)s hours from now; then it is heard again by itself.") % {"n": longest}
    value = f"{localtime(at + A_SHELVING):%Y-%m-%dT%H:%M}"
    return [Field(name="until", label=_("Until"), kind="datetime", value=value, hint=hint)]


def _hazard(alarm: Alarm, at: datetime) -> list[Field]:
    matter = alarm.rule.matter
    fields = [
        Field(
            name="matter", label=_("Matter"), kind="matter", value=matter.code if matter else "",
            choices=[(matter.code, matter.name)] if matter else [],
        )
    ]  # fmt: skip
    if matter and matter.severity == "major":
        fields.append(Field(name="criterion", label=_("Criterion"), kind="words"))
    return fields


FIELDS = {"shelve": _shelving, "file_hazard": _hazard}
BASIS = {(step.source, step.action): step.basis for step in LIFECYCLE.steps}


def happened(steps: Any, climbed: Any) -> list[dict[str, Any]]:
    """Return the steps of an alarm and who was told when nobody acknowledged, in the order of time."""
    rows = [
        {
            "at": step.at,
            "step": step,
            "label": LABELS[step.action],
            "said": said_words(step),
            "basis": BASIS.get((step.source, step.action), ""),
        }
        for step in steps
    ]
    rows += [{"at": row.at, "rung": row, "label": _("Escalated"), "said": rung_words(row)} for row in climbed]
    return sorted(rows, key=lambda row: row["at"])


def climbed_of(alarm: Alarm) -> list[AlarmClimbed]:
    """Return the rungs that were taken. Queries: 1."""
    return list(AlarmClimbed.objects.filter(alarm=alarm).order_by("at", "order"))
