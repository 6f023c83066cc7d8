"""Who may see a photo: each kind of subject registers a resolver; without one nobody may."""

from collections.abc import Callable
from typing import Any

_RESOLVERS: dict[str, Callable[[Any, str], bool]] = {}


def register(kind: str, may_see: Callable[[Any, str], bool]) -> None:
    """Register ``may_see(user, subject_id)`` for the photos of a kind of subject."""
    _RESOLVERS[kind] = may_see


def may_see(user: Any, kind: str, subject_id: str) -> bool:
    """Ask the resolver of the kind; deny by default."""
    resolver = _RESOLVERS.get(kind)
    return bool(resolver and user.is_authenticated and resolver(user, subject_id))
