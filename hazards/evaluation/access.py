"""Who sees an evaluation, and of what: deny by default."""

from typing import Any

from citysafety import areas
from citysafety.accounts.roles import Role

from .models import Finding

# Handlers see the row of their own department alone.
READERS = frozenset({Role.LEADER, Role.SUPERVISOR, Role.DISPATCHER, Role.AUDITOR, Role.DEPARTMENT_HANDLER})
NAMES_SEEN_BY = frozenset({Role.SUPERVISOR, Role.DISPATCHER, Role.AUDITOR})  # of workers


def may_read(user: Any) -> bool:
    """Test whether a person sees evaluations."""
    return user.role in READERS


def sees_workers(user: Any) -> bool:
    """Test whether a person sees workers by name, and with them the doubts."""
    return user.role in NAMES_SEEN_BY


def dimensions_of(user: Any, all_of_them: Any) -> list[str]:
    """Return by what a person may have cases told apart."""
    if user.role == Role.DEPARTMENT_HANDLER:
        return ["department"]
    return [name for name in all_of_them if name != "worker" or sees_workers(user)]


def may_set_aside(user: Any, finding: Finding) -> bool:
    """Test whether a person may say that nothing follows from a doubt."""
    return user.role == Role.SUPERVISOR and areas.covers(user.area_code, finding.area_code)
