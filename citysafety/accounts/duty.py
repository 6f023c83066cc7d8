"""Which area a person may ask for: one that exists, inside the own area of duty."""

from collections.abc import Callable

from citysafety import areas

from .models import User

_exists: list[Callable[[str], bool]] = []


def areas_exist_by(test: Callable[[str], bool]) -> None:
    """Register how to find out whether a stored code names an area; the room that keeps areas stands above this one."""
    _exists.append(test)


def area_within(user: User, asked: str) -> str:
    """Return the stored code of an area that a user asks for. Queries: 1, none for the own area.

    :raises areas.UnknownArea: not a code, no such area, or not inside the user's: which of them is not told.
    """
    code = areas.normal(asked)
    if code == user.area_code:
        return code
    if not areas.covers(user.area_code, code) or not all(exists(code) for exists in _exists):
        raise areas.UnknownArea(asked)
    return code
