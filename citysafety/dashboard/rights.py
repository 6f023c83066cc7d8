"""Who may watch a wall, and who weighs how work goes."""

from typing import Any

from citysafety.accounts.models import Role

# A wall shows what happens in an area, never to whom: everyone whose work is that area may look at it.
WATCHERS = frozenset(
    {
        Role.GRID_WORKER, Role.DEPARTMENT_HANDLER, Role.DISPATCHER, Role.OPERATOR, Role.SUPERVISOR, Role.LEADER,
        Role.AUDITOR, Role.ADMINISTRATOR, Role.KIOSK,
    }
)  # fmt: skip


def may_watch(user: Any) -> bool:
    return user.role in WATCHERS


# A trend compares areas and offices: for those who steer and those who watch over them.
WEIGHERS = frozenset({Role.DISPATCHER, Role.OPERATOR, Role.SUPERVISOR, Role.LEADER, Role.AUDITOR})


def may_weigh(user: Any) -> bool:
    return user.role in WEIGHERS


def may_lead(user: Any) -> bool:
    """Test whether a person has the leader's screen."""
    return user.role == Role.LEADER


# Whose duty it is to hear: a major hazard waits for them, or the screen hangs where they sit.
HEARERS = frozenset({Role.DISPATCHER, Role.OPERATOR, Role.KIOSK})


def must_hear(user: Any) -> bool:
    """Test whether a wall before this user sounds without being asked to."""
    return user.role in HEARERS
