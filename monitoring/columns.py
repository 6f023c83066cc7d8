"""The columns that a list of alarms may show: what each says, on the page and in a file alike."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from citysafety.accounts.lists import kept_columns
from citysafety.filtering import not_understood

from .desk import age_words, value_words
from .models import Alarm

LIST = "alarms"
COLOURS = {
    1: gettext_lazy("Red"), 2: gettext_lazy("Orange"), 3: gettext_lazy("Yellow"), 4: gettext_lazy("Blue"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """An alarm as a list shows it, at a moment."""

    alarm: Alarm
    at: datetime


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its key in the address, its heading, what a line says in it, and how the page draws that."""

    key: str
    label: Any
    says: Callable[[Line], Any]  # words, a moment or None
    look: str = ""


def _name(named: Any) -> str:
    return named.name if named else ""


def _level(line: Line) -> str:
    return f"{line.alarm.get_level_display()} {COLOURS[line.alarm.level]}"


def _marks(line: Line) -> str:
    alarm = line.alarm
    marks = [_("flapping") if alarm.flapping else "", _("storm") if alarm.storm_id else "", alarm.get_quiet_display()]
    return " · ".join(mark for mark in marks if mark)


COLUMNS = {
    column.key: column
    for column in (
        Column("level", gettext_lazy("Level"), _level, "level"),
        Column("number", gettext_lazy("Number"), lambda line: line.alarm.number, "link"),
        Column("rule", gettext_lazy("What"), lambda line: line.alarm.rule.name, "strong"),
        Column("device", gettext_lazy("Device"), lambda line: line.alarm.device.name),
        Column("value", gettext_lazy("Value"), lambda line: value_words(line.alarm)),
        Column("place", gettext_lazy("Place"), lambda line: _name(line.alarm.cell) or line.alarm.area_code),
        Column("state", gettext_lazy("State"), lambda line: line.alarm.get_state_display(), "state"),
        Column("marks", gettext_lazy("Marks"), _marks, "marks"),
        Column("age", gettext_lazy("Age"), lambda line: age_words(line.alarm, line.at), "number"),
        Column("raised", gettext_lazy("Raised"), lambda line: line.alarm.raised_at, "moment"),
        Column("department", gettext_lazy("Department"), lambda line: _name(line.alarm.assigned_to or line.alarm.department)),
        Column("system", gettext_lazy("System"), lambda line: line.alarm.device.kind.system.name),
        Column("kind", gettext_lazy("Kind of device"), lambda line: line.alarm.device.kind.name),
        Column("times", gettext_lazy("Times"), lambda line: str(line.alarm.times), "number"),
        Column("verdict", gettext_lazy("Verdict"), lambda line: line.alarm.get_verdict_display()),
        Column("hazard", gettext_lazy("Hazard"), lambda line: line.alarm.hazard.number if line.alarm.hazard else ""),
        Column("measured", gettext_lazy("Measured"), lambda line: line.alarm.measured_at, "moment"),
        Column("acknowledged", gettext_lazy("Acknowledged"), lambda line: line.alarm.acknowledged_at, "moment"),
        Column("over", gettext_lazy("Over"), lambda line: line.alarm.over_at, "moment"),
    )
}  # fmt: skip
USUAL = ("level", "number", "rule", "device", "value", "place", "state", "marks", "age", "raised")


def chosen(asked: QueryDict, user: Any) -> tuple[list[Column], list[str]]:
    """Return the columns that an address asks for, else the account's own, else the usual; and what was not understood.

    Queries: 0.
    """
    names = list(dict.fromkeys(asked.getlist("columns")))
    if strange := [name for name in names if name not in COLUMNS]:
        expected = _("one of %(choices)s") % {"choices": ", ".join(COLUMNS)}
        return [COLUMNS[name] for name in USUAL], [not_understood(_("Columns"), strange, expected)]
    return [COLUMNS[name] for name in names or kept_columns(user, LIST) or USUAL], []
