"""Rows in the words of the standard: services, their definitions, service requests.

Everybody sees what was reported, where roughly, how it stands and who answers for it. Words of people, the exact place
and photos are for those who may see the case itself.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from citysafety import areas, worktime
from citysafety.calendars.services import calendar
from citysafety.names import address
from grid.models import Matter

from ..desk import reason_words
from ..lifecycle import ENDED, STAGE_OF, STAGES, HazardState
from ..models import Severity
from ..standing import CITY_TIME
from .selectors import Seen, Told

CRITERION = "CRITERION"  # the attribute that a major hazard asks for
ROUGHLY, EXACTLY = 3, 6  # decimals of a degree: about a hundred metres, about a decimetre


def w3c(at: datetime) -> str:
    """Return a moment as the standard writes it (W3C NOTE-datetime), in the city's time."""
    return at.astimezone(CITY_TIME).isoformat(timespec="seconds")


def service_answer(matter: Matter) -> dict[str, Any]:
    group = matter.matter_class
    names = dict.fromkeys([matter.name_zh, matter.name_en, group.name_zh, group.name_en])
    return {
        "service_code": matter.code,
        "service_name": matter.name,
        "description": _described(matter),
        "metadata": bool(attributes_of(matter)),
        "type": "realtime",
        "keywords": ", ".join(name.replace(",", "") for name in names if name),
        "group": group.name,
    }


def _described(matter: Matter) -> str:
    words = {"department": matter.department.name, "basis": matter.basis}
    if matter.basis:
        return _("Usually handled by %(department)s. Basis: %(basis)s") % words
    return _("Usually handled by %(department)s.") % words


def attributes_of(matter: Matter) -> list[dict[str, Any]]:
    """Return what a report of a matter must say besides: of a major hazard, the criterion that makes it one."""
    if matter.severity != Severity.MAJOR:
        return []
    return [
        {
            "variable": True,
            "code": CRITERION,
            "datatype": "string",
            "required": True,
            "datatype_description": _("At most 200 characters."),
            "order": 1,
            "description": _("Which criterion makes it a major hazard?"),
        }
    ]


def definition_answer(matter: Matter) -> dict[str, Any]:
    return {"service_code": matter.code, "attributes": attributes_of(matter)}


def promise(hazard: Any, limits: Matter, days: worktime.Calendar) -> worktime.Due:
    """Return when an open hazard is promised to be put right and checked.

    That is the due time of its present stage and, from there, the limits of the stages to come, by the clock that
    marks it overdue. A promise that was not kept stays where it was.
    """
    due = worktime.Due(hazard.due_at, hazard.due_reason)
    for stage in STAGES[STAGES.index(STAGE_OF[hazard.state]) + 1 :]:
        if due.at is None:
            break
        amount, unit = limits.clock(stage)
        due = worktime.due(due.at, amount, unit, days)
    return due


def request_answers(page: Told, absolute: Callable[[str], str]) -> list[dict[str, Any]]:
    """Return a page of requests; ``absolute`` makes an address of ours whole. Queries: the calendar's, now and then."""
    days = calendar()
    return [_request(line, page, days, absolute) for line in page.lines]


def _request(
    line: SimpleNamespace, page: Told, days: worktime.Calendar, absolute: Callable[[str], str]
) -> dict[str, Any]:
    seen = page.seen.get(line.pk)
    is_open = line.state not in ENDED and line.merged_into_id is None
    due = promise(line, page.limits[line.matter_id], days) if is_open else worktime.Due(None)
    digits = EXACTLY if seen else ROUGHLY
    answer: dict[str, Any] = {
        "service_request_id": line.number,
        "status": "open" if is_open else "closed",
        "status_notes": " · ".join(_status_notes(line, page, due, is_open=is_open)),
        "service_name": line.matter.name,
        "service_code": line.matter.code,
        "description": seen.description if seen else None,
        "agency_responsible": line.department.name if line.department else None,
        "service_notice": None,
        "requested_datetime": w3c(line.received_at),
        "updated_datetime": w3c(line.changed_at),
    }
    if due.at:
        answer["expected_datetime"] = w3c(due.at)
    return {
        **answer,
        "address": address(list(_address(line, page, seen))),
        "address_id": line.cell.code if seen and line.cell else None,
        "zipcode": None,
        "lat": round(line.location.y, digits),
        "long": round(line.location.x, digits),
        "media_url": absolute(reverse("evidence", args=[seen.photo, "view"])) if seen and seen.photo else None,
    }


def _status_notes(line: SimpleNamespace, page: Told, due: worktime.Due, *, is_open: bool) -> Iterable[str]:
    """Say in words how it stands; the words of those who decided are not among them."""
    if line.merged_into_id:
        yield _("Goes on as %(number)s") % {"number": page.merged[line.merged_into_id]}
        return
    yield str(HazardState(line.state).label)
    if line.overdue:
        yield _("Overdue")
    if is_open and due.at is None and due.reason:
        yield _("No time can be promised: %(reason)s") % {"reason": reason_words(due.reason)}


def _address(line: SimpleNamespace, page: Told, seen: Seen | None) -> Iterable[str]:
    """Name a place from the nearest to the widest. What a dedicated cell is made around is not for everybody."""
    if seen and line.dedicated_cell:
        yield line.dedicated_cell.name
    if line.cell:
        yield line.cell.name
    for code in reversed(areas.lineage(line.area_code)):
        if code in page.divisions:
            yield page.divisions[code]


def extended(answer: dict[str, Any], line: SimpleNamespace, page: Told) -> dict[str, Any]:
    """Add what ``extensions=true`` asks for: state, severity, lateness, and the updates so far (Extensions page)."""
    seen = page.seen.get(line.pk)
    answer["extended_attributes"] = {
        "state": line.state,
        "severity": line.severity,
        "overdue": line.overdue,
        "stage": line.due_stage or None,
        "stage_due_datetime": w3c(line.due_at) if line.due_at else None,
        "id": str(line.pk) if seen else None,
    }
    answer["notes"] = [
        {
            "datetime": w3c(step.at),
            "type": step.target,
            "description": _note(str(HazardState(step.target).label), step.words if seen else ""),
        }
        for step in page.notes.get(line.pk, [])
    ]
    return answer


def _note(label: str, words: str) -> str:
    return f"{label} · {words}" if words else label
