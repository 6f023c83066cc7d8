"""People and records for the tests of rights: plain makers."""

from dataclasses import dataclass
from itertools import count

from django.contrib.auth.hashers import Argon2PasswordHasher

from citysafety.accounts.models import User

_numbers = count(1)
PASSWORD = "correct-horse-battery-9"


def person(role: str, *, area: str = "370502", password: str = "", **fields: object) -> User:
    """Make a user with a role and an area; with a password only where a test signs in by it."""
    return User.objects.create_user(
        f"{role}-{next(_numbers)}", password=password or None, role=role, area_code=area, **fields
    )


@dataclass
class Record:
    """What the rules of rights look at, and no more."""

    pk: int = 1
    area_code: str = "370502001001001"
    department_id: int | None = None
    reporter_id: int | None = None
    rectified_by_id: int | None = None
    handled_on_spot: bool = False
    state: str = "reported"

    def __str__(self) -> str:
        return f"record {self.pk}"


class QuickArgon2(Argon2PasswordHasher):
    """The product's hasher at the least cost, so that tests do not wait for it."""

    time_cost, memory_cost, parallelism = 1, 8, 1
