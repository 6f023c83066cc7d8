"""Who a rung of a ladder means at one case, and whether anybody of them is there. Nothing is written."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from citysafety.accounts.models import Role, User
from citysafety.calendars.models import Leave
from citysafety.calendars.presence import NO_POST
from citysafety.calendars.rosters import MOMENT, Ask, Duty, duties

from .models import Hazard

HANDLERS, HEAD = "handlers", "head"
TARGETS: dict[str, Any] = {
    HANDLERS: _("Handlers of the department"),
    HEAD: _("Head of the department"),
    "dispatchers": _("Nearest dispatchers"),
    "operators": _("Operators on duty at the centre"),
    "supervisors": _("Supervisors"),
    "leaders": _("Leaders"),
}
ROLES = {
    HANDLERS: Role.DEPARTMENT_HANDLER,
    "dispatchers": Role.DISPATCHER,
    "operators": Role.OPERATOR,
    "supervisors": Role.SUPERVISOR,
    "leaders": Role.LEADER,
}


@dataclass(frozen=True, slots=True)
class Found:
    """Whom to tell. ``nobody``: why nobody was on duty at ``post`` where one asks first, "" where somebody was or no roster is kept."""

    people: tuple[User, ...]
    nobody: str = ""
    post: tuple[str, str] = field(default=("", ""))


def find(wanted: Iterable[tuple[str, Hazard]], at: datetime) -> Mapping[tuple[str, Any], Found]:
    """Return whom each target means at each case, by target and case. Queries: at most 5, however many.

    First who is on duty, else the deputy, else the next level's post (citysafety/calendars/rosters.py); where no roster
    is kept or helps, the people of the role nearest to the place, nobody on leave.
    """
    wanted = list(wanted)
    asks = {
        (target, hazard.pk): Ask(ROLES[target], hazard.area_code, hazard.department_id if target == HANDLERS else None)
        for target, hazard in wanted
        if target in ROLES and (target != HANDLERS or hazard.department_id)
    }
    answers = duties(asks.values(), at)
    members = _members({hazard.department_id for _target, hazard in wanted if hazard.department_id}, at)
    found: dict[tuple[str, Any], Found] = {}
    for target, hazard in wanted:
        own = members[hazard.department_id]
        key = (target, hazard.pk)
        if target == HEAD:
            found[key] = Found(tuple(one for one in own if one.may_sign))
        elif key not in asks:
            found[key] = Found(())
        else:
            found[key] = _on_duty(answers[asks[key]], own if target == HANDLERS else [])
    return found


def _on_duty(duty: Duty, members: list[User]) -> Found:
    people = duty.to_ask
    if people and people == duty.others:  # whatever the roster: the nearest alone
        nearest = len(people[0].area_code)
        people = tuple(one for one in people if len(one.area_code) == nearest)
    if duty.nobody and duty.reason != NO_POST:
        post = duty.levels[0].posts[0]
        return Found(people or tuple(members), duty.reason, (post.name_zh, post.name_en))
    return Found(people or tuple(members))


def _members(departments: set[int], at: datetime) -> dict[int | None, list[User]]:
    """Return the handlers of departments who are not on leave. Queries: 1, none for none."""
    found: dict[int | None, list[User]] = defaultdict(list)
    if departments:
        away = Leave.objects.during(at, at + MOMENT).filter(person=OuterRef("pk"))
        of_department = Q(is_active=True, role=Role.DEPARTMENT_HANDLER, department__in=departments)
        for user in User.objects.filter(of_department).exclude(Exists(away)).order_by("pk"):
            found[user.department_id].append(user)
    return found
