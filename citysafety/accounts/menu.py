"""Where each role begins and what its menu holds: one table each."""

from dataclasses import dataclass
from typing import Any

from django.urls import Resolver404, resolve
from django.utils.translation import gettext_lazy as _

from .roles import CONSOLE, Role

ADMIN = "/admin/"
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
    Entry("/inspections/", _("Inspections"), INSPECTION),
    Entry("/supervision/", _("Supervision"), (Role.SUPERVISOR, Role.LEADER, Role.AUDITOR, Role.DEPARTMENT_HANDLER)),
    Entry("/duty/", _("Duty"), WATCHERS),
    Entry("/wall/", _("Wall"), (*WATCHERS, Role.ADMINISTRATOR, Role.KIOSK)),
    Entry("/trends/", _("Trends"), WATCHERS[1:]),
    Entry("/grid/", _("Grid"), (Role.GRID_WORKER, *WATCHERS, Role.ADMINISTRATOR)),
    Entry(ADMIN, _("Administration"), (Role.ADMINISTRATOR, Role.SECURITY_OFFICER, Role.AUDITOR)),
)


def home_of(role: str) -> str:
    """Return the page a role begins with; who has none sees the own account."""
    return HOME.get(role, "/account/")


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
