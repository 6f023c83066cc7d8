"""Who may watch a wall, and to whom its figures open as lists."""

from typing import Any

from citysafety.accounts.models import Role

# A wall shows what happens in an area, never to whom: everyone whose work is that area may look at it.
WATCHERS = frozenset(
    {
        Role.GRID_WORKER, Role.DEPARTMENT_HANDLER, Role.DISPATCHER, Role.OPERATOR, Role.SUPERVISOR, Role.LEADER,
        Role.AUDITOR, Role.ADMINISTRATOR, Role.KIOSK,
    }
)  # fmt: skip
# A screen has no lists; a handler's list is the own department's, shorter than the figure of the area.
WITHOUT_LISTS = frozenset({Role.KIOSK, Role.DEPARTMENT_HANDLER})


def may_watch(user: Any) -> bool:
    return user.role in WATCHERS


def opens_lists(user: Any) -> bool:
    """Test whether the list behind a figure of the area is, for this reader, the whole of it."""
    return user.role not in WITHOUT_LISTS
