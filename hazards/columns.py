"""The columns that a list of hazards may show: what each says, on the page and in a file alike (V6)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from citysafety import areas
from citysafety.accounts.lists import kept_columns
from citysafety.filtering import not_understood

from .desk import DueWords, due_words
from .lifecycle import HazardState
from .models import Hazard, Severity

LIST = "hazards"
STATES, SEVERITIES = dict(HazardState.choices), dict(Severity.choices)  # looked up once, not for each row of a file
NAMED_TO = areas.LEVELS[2]  # an area is said by its county and township


@dataclass(frozen=True, slots=True)
class Line:
    """A hazard as a list shows it, at a moment."""

    hazard: Hazard
    due: DueWords
    areas: Mapping[str, str]  # names of counties and townships by their codes

    @property
    def area(self) -> str:
        code = self.hazard.area_code[:NAMED_TO]
        return " ".join(self.areas[part] for part in areas.lineage(code) if part in self.areas) or code


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its key in the address, its heading, what a line says in it, and how the page draws that."""

    key: str
    label: Any
    says: Callable[[Line], Any]  # words, a moment or None
    look: str = ""


def _yes(is_so: bool) -> str:
    return _("yes") if is_so else ""


def _name(named: Any) -> str:
    return named.name if named else ""


def _place(hazard: Hazard) -> str:
    return _name(hazard.dedicated_cell or hazard.cell) or _("in no cell")


COLUMNS = {
    column.key: column
    for column in (
        Column("number", gettext_lazy("Number"), lambda line: line.hazard.number, "link"),
        Column("severity", gettext_lazy("Severity"), lambda line: SEVERITIES[line.hazard.severity], "severity"),
        Column("matter", gettext_lazy("Matter"), lambda line: line.hazard.matter.name, "matter"),
        Column("description", gettext_lazy("Description"), lambda line: line.hazard.description, "words"),
        Column("place", gettext_lazy("Place"), lambda line: _place(line.hazard)),
        Column("department", gettext_lazy("Department"), lambda line: _name(line.hazard.department)),
        Column("state", gettext_lazy("State"), lambda line: STATES[line.hazard.state], "state"),
        Column("due", gettext_lazy("Due"), lambda line: line.due.at, "due"),
        Column("left", gettext_lazy("Time left"), lambda line: line.due.words, "left"),
        Column("category", gettext_lazy("Class"), lambda line: line.hazard.matter.matter_class.name),
        Column("cell", gettext_lazy("Cell"), lambda line: _name(line.hazard.cell)),
        Column("dedicated", gettext_lazy("Dedicated cell"), lambda line: _name(line.hazard.dedicated_cell)),
        Column("area", gettext_lazy("Area"), lambda line: line.area),
        Column("found", gettext_lazy("Occurred"), lambda line: line.hazard.occurred_at, "moment"),
        Column("received", gettext_lazy("Received"), lambda line: line.hazard.received_at, "moment"),
        Column("changed", gettext_lazy("Changed"), lambda line: line.hazard.changed_at, "moment"),
        Column("written_off", gettext_lazy("Written off"), lambda line: line.hazard.written_off_at, "moment"),
        Column("overdue", gettext_lazy("Overdue"), lambda line: _yes(line.hazard.overdue)),
        Column("late", gettext_lazy("Ever overdue"), lambda line: _yes(line.hazard.late)),
        Column("failures", gettext_lazy("Failed verifications"), lambda line: line.hazard.failures or ""),
        Column("on_spot", gettext_lazy("Handled on the spot"), lambda line: _yes(line.hazard.handled_on_spot)),
    )
}
USUAL = ("number", "severity", "matter", "description", "place", "department", "state", "due", "left")


def chosen(asked: QueryDict, user: Any) -> tuple[list[Column], list[str]]:
    """Return the columns that an address asks for, else the account's own, else the usual; and what was not understood.

    Queries: 0.
    """
    names = list(dict.fromkeys(asked.getlist("columns")))
    if strange := [name for name in names if name not in COLUMNS]:
        expected = _("one of %(choices)s") % {"choices": ", ".join(COLUMNS)}
        return [COLUMNS[name] for name in USUAL], [not_understood(_("Columns"), strange, expected)]
    return [COLUMNS[name] for name in names or kept_columns(user, LIST) or USUAL], []


def line_of(hazard: Hazard, at: datetime, names: Mapping[str, str]) -> Line:
    """Return a hazard as a line of a list. Queries: 0 where what it names is at hand."""
    return Line(hazard, due_words(hazard, at), names)
