"""Who may sit at the console."""

from typing import Any

from citysafety.accounts.roles import CONSOLE


def may_operate(user: Any) -> bool:
    return user.role in CONSOLE and bool(user.area_code)
