"""What people are told about hazards: the words of each topic, and who is told."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from citysafety import areas
from citysafety.accounts.models import Role, User
from citysafety.notices import topics
from grid.models import Posting, Worker

from .models import Hazard

DESK, PHONE = "/hazards/%(subject_id)s/", "/field/cases/%(subject_id)s/"
CASE = _("%(number)s · %(place)s")
CASE_AND_REASON = _("%(number)s · %(place)s · Reason: %(reason)s")
CASE_AND_ORIGINAL = _("%(number)s · %(place)s · Followed as %(original)s")
CASE_AND_WORDS = _("%(number)s · %(place)s · %(reason)s")
CASE_AND_DUE = _("%(number)s · %(place)s · Due %(due_at)s")
CASE_DUE_AND_DUTY = _("%(number)s · %(place)s · Due %(due_at)s%(duty)s")


def register() -> None:
    """Register the topics once the apps stand."""
    rows = (
        ("hazard.major", _("Major hazard"), _("Major hazard reported: %(matter)s"), CASE, DESK),
        ("hazard.dispatched", _("Dispatched to us"), _("To take over: %(matter)s"), CASE_AND_DUE, DESK),
        ("hazard.returned", _("Returned"), _("Returned by the department: %(matter)s"), CASE_AND_REASON, DESK),
        ("hazard.refused", _("Refused"), _("Your report was refused: %(matter)s"), CASE_AND_REASON, PHONE),
        ("hazard.failed", _("Verification failed"), _("Verification failed: %(matter)s"), CASE_AND_REASON, DESK),
        ("hazard.to_verify", _("To verify"), _("To verify: %(matter)s"), CASE, PHONE),
        ("hazard.written_off", _("Written off"), _("Your report was written off: %(matter)s"), CASE, PHONE),
        ("hazard.reopened", _("Reopened"), _("Reopened: %(matter)s"), CASE_AND_REASON, DESK),
        ("hazard.contested", _("Refusal contested"), _("A refusal is contested: %(matter)s"), CASE_AND_REASON, DESK),
        (
            "hazard.reopening_asked",
            _("Reopening asked"),
            _("The public asks again for reopening: %(matter)s"),
            CASE_AND_REASON,
            DESK,
        ),
        ("hazard.overdue", _("Overdue"), _("Overdue: %(matter)s"), CASE_AND_DUE, DESK),
        (
            "hazard.escalated",
            _("Escalated"),
            _("Nobody has acted, %(percent)s %% of the time is used: %(matter)s"),
            CASE_DUE_AND_DUTY,
            DESK,
        ),
        (
            "hazard.overdue_to_verify",
            _("Overdue verification"),
            _("Overdue, to verify: %(matter)s"),
            CASE_AND_DUE,
            PHONE,
        ),
        ("hazard.overdue_in_area", _("Overdue in the area"), _("Overdue in your area: %(matter)s"), CASE_AND_DUE, DESK),
        (
            "hazard.extension_asked",
            _("Extension asked"),
            _("More time is asked for: %(matter)s"),
            CASE_AND_REASON,
            DESK,
        ),
        ("hazard.extension_granted", _("Extension granted"), _("More time is granted: %(matter)s"), CASE_AND_DUE, DESK),
        ("hazard.extension_denied", _("Extension denied"), _("More time is denied: %(matter)s"), CASE_AND_REASON, DESK),
        ("hazard.pause_asked", _("Pause asked"), _("A pause is asked for: %(matter)s"), CASE_AND_REASON, DESK),
        ("hazard.paused", _("Paused"), _("Paused: %(matter)s"), CASE_AND_REASON, DESK),
        ("hazard.pause_denied", _("Pause denied"), _("A pause is denied: %(matter)s"), CASE_AND_REASON, DESK),
        (
            "hazard.request_lapsed",
            _("Request ended undecided"),
            _("What you asked of the limits is not decided on any more: %(matter)s"),
            CASE_AND_REASON,
            DESK,
        ),
        ("hazard.resumed", _("Resumed"), _("The clock runs again: %(matter)s"), CASE_AND_DUE, DESK),
        ("hazard.pinned", _("Set by a leader"), _("A leader set a limit: %(matter)s"), CASE_AND_DUE, DESK),
        (
            "hazard.merged",
            _("Merged"),
            _("Your report is part of another case now: %(matter)s"),
            CASE_AND_ORIGINAL,
            PHONE,
        ),
        ("hazard.unmerged", _("Merge undone"), _("Your report is a case of its own again: %(matter)s"), CASE, PHONE),
        ("hazard.remarked", _("Remark"), _("A reporter adds something: %(matter)s"), CASE_AND_WORDS, DESK),
        (
            "hazard.handover",
            _("Work handed over"),
            _("You answer for cells of %(name)s now"),
            _("Cells: %(cells)s. Cases that wait there for a worker: %(count)s"),
            "/field/cases/?list=verify",
        ),
        (
            "hazard.handover_to_centre",
            _("Cells without a worker"),
            _("Nobody on duty answers for cells of %(name)s"),
            _("Cells: %(cells)s. Cases that wait there for a worker: %(count)s"),
            "/hazards/?state=rectified&area=%(area)s",
        ),
        ("hazard.plan_asked", _("Plan to approve"), _("A plan of rectification waits: %(matter)s"), CASE, DESK),
        ("hazard.plan_approved", _("Plan approved"), _("The plan is approved: %(matter)s"), CASE, DESK),
        ("hazard.plan_returned", _("Plan returned"), _("The plan is sent back: %(matter)s"), CASE_AND_REASON, DESK),
        ("hazard.stopped", _("Work stopped"), _("Work is stopped: %(matter)s"), CASE_AND_WORDS, DESK),
        ("hazard.work_resumed", _("Work goes on"), _("Work may go on: %(matter)s"), CASE_AND_WORDS, DESK),
        ("hazard.lowered", _("Lowered to general"), _("No major hazard any more: %(matter)s"), CASE_AND_REASON, DESK),
        (
            "hazard.in_dedicated_cell",
            _("In a dedicated cell"),
            _("In your dedicated cell: %(matter)s"),
            _("%(number)s · %(cell)s"),
            PHONE,
        ),
        (
            "hazard.in_your_cell",
            _("In your cell"),
            _("In your cell: %(matter)s"),
            _("%(number)s · %(cell)s, whose own worker sees to it first"),
            PHONE,
        ),
        (
            "hazard.rezoned",
            _("Cells drawn anew"),
            _("Cell %(cell)s is yours now"),
            _("Open cases that came with it: %(count)s"),
            "/field/cases/",
        ),
        (
            "calendar.missing",
            _("Calendar missing"),
            _("The working days of %(year)s are missing"),
            _("Time limits that reach into %(year)s cannot be computed until an administrator enters them."),
            "/admin/",
        ),
    )
    for key, label, title, body, path in rows:
        topics.register(key, label=label, title=title, body=body, path=path)


def params_of(hazard: Hazard) -> dict[str, Any]:
    """Return what every topic says of a case: no words of the report, no persons. Queries: 0 with matter and cell."""
    matter, cell = hazard.matter, hazard.cell
    return {
        "number": hazard.number,
        "matter": {"zh": matter.name_zh, "en": matter.name_en},
        "place": {"zh": cell.name_zh, "en": cell.name_en} if cell else hazard.area_code,
    }


def covering(area_code: str, *roles: str) -> list[User]:
    """Return the active people of some roles whose area of duty contains a place. Queries: 1."""
    return list(User.objects.filter(is_active=True, role__in=roles, area_code__in=areas.lineage(area_code)))


def nearest_dispatchers(area_code: str) -> list[User]:
    """Return the dispatchers of the lowest level that has any: township before county before city. Queries: 1."""
    found = covering(area_code, Role.DISPATCHER)
    nearest = max((len(user.area_code) for user in found), default=0)
    return [user for user in found if len(user.area_code) == nearest]


def handlers(department_id: int | None) -> list[User]:
    """Return the active handlers of a department. Queries: 1."""
    return list(User.objects.filter(is_active=True, role=Role.DEPARTMENT_HANDLER, department=department_id))


def verifiers(hazard: Hazard, on: date) -> list[User]:
    """Return who of a cell's workers on duty may verify: neither who rectified nor who reported it on the spot.

    Those of the dedicated cell come first; without any those of the cell around it, and without these the dispatchers
    nearest to the place. Queries: 1 to 3.
    """
    doers = {hazard.rectified_by_id, hazard.reporter_id if hazard.handled_on_spot else None}
    for cell in filter(None, (hazard.dedicated_cell_id, hazard.cell_id)):
        posted = Posting.objects.on(on).filter(cell=cell, worker__state=Worker.State.ON_DUTY)
        users = User.objects.filter(Q(worker__postings__in=posted), is_active=True).distinct()
        if fit := [user for user in users if user.pk not in doers and user.covers(hazard.area_code)]:
            return fit
    return [user for user in nearest_dispatchers(hazard.area_code) if user.pk not in doers]


def without(people: Iterable[User], actor_id: int | None) -> list[User]:
    """Leave out who did it: nobody is told of what they did themselves."""
    return [user for user in people if user.pk != actor_id]
