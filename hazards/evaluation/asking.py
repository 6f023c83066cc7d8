"""What an address asks of the evaluation, for page, file and API alike."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from citysafety.accounts.roles import Role
from citysafety.api import area_asked
from citysafety.filtering import not_understood

from . import access, keeping
from .selectors import DIMENSIONS, Table
from .spans import MOST_DAYS, Days, days_of

PERIODS = ("day", "week", "month", "quarter")
KNOWN = ("area", "by", "period", "on", "from", "to", "times", "format")


@dataclass(frozen=True, slots=True)
class Asked:
    """An evaluation as it is asked for, and what of the address could not be understood."""

    area: str
    dimension: str
    period: str
    days: Days
    with_times: bool
    dimensions: list[str]
    refused: dict[str, str]
    table: Table | None

    @property
    def is_waiting(self) -> bool:
        """Whether it is being worked out."""
        return self.table is None and not self.refused


def asked_for(request: Any) -> Asked:
    """Return what an address asks for, cut to who asks. Queries: 4; 1 for another area than the own, 1 or 2 for a cell.

    :raises PermissionDenied: the role reads no evaluations. :raises Http404: a foreign area.
    """
    user, asked = request.user, request.GET
    if not access.may_read(user):
        raise PermissionDenied
    area, dimensions = area_asked(request), access.dimensions_of(user, DIMENSIONS)
    refused = {name: _("There is no filter “%(name)s”.") % {"name": name} for name in asked if name not in KNOWN}
    dimension = asked.get("by") or dimensions[0]
    if dimension not in dimensions:
        refused["by"] = not_understood(pgettext("rows of a table", "By"), [dimension], _one_of(dimensions))
    times = asked.get("times", "")
    if times not in ("", "true", "false"):
        refused["times"] = not_understood(_("Working time"), [times], _("true or false"))
    period = "days" if asked.get("from") or asked.get("to") else asked.get("period") or "month"
    days = days_of("month", timezone.localdate())
    try:
        days = _days(asked, period)
    except (ValueError, OverflowError):
        seen = [asked[name] for name in ("period", "on", "from", "to") if asked.get(name)]
        expected = _("%(periods)s with a day as YYYY-MM-DD, or two days that are at most %(most)s days apart")
        words = {"periods": ", ".join(PERIODS), "most": MOST_DAYS}
        refused["period"] = not_understood(_("Period"), seen, expected % words)
    look = None if refused else keeping.looked_up(area, dimension, days, with_times=times == "true")
    if look is not None and user.role == Role.DEPARTMENT_HANDLER:
        look = _own_row(look, user)
    return Asked(area, dimension, period, days, times == "true", dimensions, refused, look)


def _days(asked: Any, period: str) -> Days:
    if period == "days":
        return Days(date.fromisoformat(asked.get("from", "")), date.fromisoformat(asked.get("to", "")))
    return days_of(period, date.fromisoformat(asked["on"]) if asked.get("on") else timezone.localdate())


def _one_of(choices: list[str]) -> str:
    return _("one of %(choices)s") % {"choices": ", ".join(choices)}


def _own_row(table: Table, user: Any) -> Table:
    """Leave the row of the reader's own department, and no sum of all."""
    code = user.department.code if user.department_id else ""
    rows = [row for row in table.rows if row.key == code]
    return replace(table, rows=rows, total=None)
