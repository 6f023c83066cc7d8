"""Where each role begins and what its menu holds: one table each."""

from dataclasses import dataclass
from typing import Any

from django.urls import Resolver404, resolve
from django.utils.translation import gettext_lazy as _

from .roles import CONSOLE, Role, role_may

ADMIN, ACCOUNT = "/admin/", "/account/"
HOME = {
    Role.GRID_WORKER: "/field/",
    Role.DEPARTMENT_HANDLER: "/hazards/",
    Role.DISPATCHER: "/hazards/",
    Role.OPERATOR: "/centre/",
    Role.SUPERVISOR: "/supervision/",
    Role.LEADER: "/leader/",
    Role.AUDITOR: "/hazards/",
    Role.SECURITY_OFFICER: ADMIN,
    Role.ADMINISTRATOR: ADMIN,
    Role.KIOSK: "/wall/",
}

WATCHERS = (
    Role.DEPARTMENT_HANDLER, Role.DISPATCHER, Role.OPERATOR, Role.SUPERVISOR, Role.LEADER, Role.AUDITOR,
)  # fmt: skip
INSPECTION = (
    Role.GRID_WORKER, Role.DEPARTMENT_HANDLER, Role.DISPATCHER, Role.SUPERVISOR, Role.LEADER, Role.AUDITOR,
)  # fmt: skip


# Where they begin whose role has the admin as its first page, but not the whole city: the admin knows no areas.
HOME_OF_A_PART = {Role.ADMINISTRATOR: "/grid/"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the menu."""

    path: str
    label: Any
    roles: tuple[str, ...]


MENU = (
    Entry("/field/", _("Field"), (Role.GRID_WORKER, Role.DEPARTMENT_HANDLER, Role.DISPATCHER)),
    Entry("/centre/", _("Console"), tuple(sorted(CONSOLE))),
    Entry("/leader/", _("At a glance"), (Role.LEADER,)),
    Entry("/hazards/", _("Hazards"), (Role.GRID_WORKER, *WATCHERS)),
    Entry("/monitoring/alarms/", _("Alarms"), WATCHERS),
    Entry("/inspections/", _("Inspections"), INSPECTION),
    Entry("/monitoring/", _("Monitoring"), (*WATCHERS, Role.ADMINISTRATOR)),
    Entry("/supervision/", _("Supervision"), (Role.SUPERVISOR, Role.LEADER, Role.AUDITOR, Role.DEPARTMENT_HANDLER)),
    Entry("/duty/", _("Duty"), WATCHERS),
    Entry("/wall/", _("Wall"), (*WATCHERS, Role.ADMINISTRATOR, Role.KIOSK)),
    Entry("/trends/", _("Trends"), WATCHERS[1:]),
    Entry("/grid/", _("Grid"), (Role.GRID_WORKER, *WATCHERS, Role.ADMINISTRATOR)),
    Entry(ADMIN, _("Administration"), (Role.ADMINISTRATOR, Role.SECURITY_OFFICER, Role.AUDITOR)),
)


def home_of(user: Any) -> str:
    """Return the page a person begins with; who has none sees the own account, which says why."""
    path = HOME.get(user.role, ACCOUNT)
    if path == ADMIN and not user.is_staff:
        return HOME_OF_A_PART.get(user.role, ACCOUNT)
    return path


def keeps_a_part(user: Any) -> bool:
    """Test whether somebody's role works in the admin, which is closed because the area of duty is a part of the city."""
    return bool(role_may(user.role)) and not user.is_staff


def entries(user: Any) -> list[Entry]:
    """Return the menu of a person; pages that are not built are absent, and the admin for who has not the whole city."""
    own = [entry for entry in MENU if user.role in entry.roles and exists(entry.path)]
    return [entry for entry in own if entry.path != ADMIN or user.is_staff]


def exists(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True
