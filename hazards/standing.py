"""In which figures a hazard counts: the one place where the figures of hazards are defined."""

from typing import Any
from zoneinfo import ZoneInfo

from citysafety.outbox.models import OutboxEntry
from citysafety.tallies.models import Period
from citysafety.tallies.services import record

from .lifecycle import OPEN
from .models import Hazard

CITY_TIME = ZoneInfo("Asia/Shanghai")


def counts_now(*, state: str, severity: str, overdue: bool) -> list[str]:
    """Return the figures a hazard counts in as long as it stands like this."""
    if state not in OPEN:
        return []
    keys = ["hazards.open"]
    if overdue:
        keys.append("hazards.overdue")
    if severity == "major":
        keys.append("hazards.major_open")
    return keys


def counts_today(*, action: str, late: bool) -> list[str]:
    """Return the figures of the day that a change earns.

    What is due to be closed on a day is what was written off on it or marked overdue on it; on time is
    what was written off without ever having been marked.
    """
    match action:
        case "report":
            return ["hazards.found_today"]
        case "dispatch":
            return ["hazards.dispatched_today"]
        case "refuse":
            return ["hazards.refused_today"]
        case "mark_overdue":
            return ["hazards.marked_today", "hazards.closed_due_today"]
        case "write_off":
            on_time = [] if late else ["hazards.closed_on_time_today"]
            return ["hazards.cleared_today", "hazards.closed_due_today", *on_time]
    return []


def record_standing(hazard: Hazard, entry: OutboxEntry, *, action: str) -> Period:
    """Record what the change announced by an entry does to the figures. Queries: 1."""
    return record(entry, **standing_of(hazard, entry, action=action))


def standing_of(hazard: Hazard, entry: OutboxEntry, *, action: str) -> dict[str, Any]:
    """Return what :func:`citysafety.tallies.services.period_of` is to be told of a hazard after a change."""
    return {
        "kind": "hazard",
        "subject_id": str(hazard.pk),
        "area": hazard.area_code,
        "extra_area": hazard.dedicated_cell.code if hazard.dedicated_cell else "",
        "category": hazard.matter.matter_class.code,
        "unit": hazard.department.code if hazard.department else "",
        "state": hazard.state,
        "now": counts_now(state=hazard.state, severity=hazard.severity, overdue=hazard.overdue),
        "today": counts_today(action=action, late=hazard.late),
        "day": entry.at.astimezone(CITY_TIME).date(),
        "previous": hazard.period_id,
    }
