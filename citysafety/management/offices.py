"""The offices of the demo city at work on what comes due: one step at a time, through the API as everybody else.

Cases are chosen here from their rows; every step is taken at the API's door by the account whose step it is.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Length

from citysafety import areas
from citysafety.accounts.models import AccessToken, Role, User
from citysafety.accounts.selectors import office_choice
from citysafety.accounts.tokens import digest, issue
from hazards.models import Hazard
from projects.models import OverdueNotice

LABEL = "bin/manage simulate"
SOON = timedelta(hours=3)  # before its due time a case's turn has come
UNTOUCHED, YOUNG = timedelta(minutes=30), timedelta(hours=3)  # whoever is at work on a case is left to it
KEYS_LAST = timedelta(days=1)
SLOW, SLOW_BY = "7", timedelta(days=1)  # cases whose number ends so are left until they are late by this much
FORGOTTEN = timedelta(days=7)
NEXT = {
    "reported": "accept",
    "accepted": "dispatch",
    "dispatched": "take",
    "taken": "rectify",
    "rectified": "verify",
    "verified": "write_off",
}


def due_case(at: datetime, leave_out: Collection[str]) -> Hazard | None:
    """Return the case that most needs a step now, None without one. Queries: 1."""
    turn_has_come = Q(due_at__lt=at + SOON) & ~Q(number__endswith=SLOW) | Q(due_at__lt=at - SLOW_BY)
    # What is late by a week was forgotten: only an overdue notice brings it back to mind.
    forgotten = Q(due_at__lt=at - FORGOTTEN) & ~Exists(
        OverdueNotice.objects.filter(hazard=OuterRef("pk"), issued_at__isnull=False)
    )
    at_rest = Q(changed_at__lt=at - UNTOUCHED, received_at__lt=at - YOUNG)
    # A major hazard's plan is for people to lay and approve.
    without_plan = Q(state="taken", severity="major", plan_approved_at=None)
    rows = (
        Hazard.objects.open()
        .filter(turn_has_come, at_rest)
        .exclude(forgotten)
        .exclude(without_plan)
        .exclude(pk__in=leave_out)
    )
    return rows.select_related("matter__matter_class").order_by("due_at").first()


class Offices:
    """Handlers and dispatchers with keys of this run, thrown away at its end; keys of a killed run after a day."""

    def __init__(self, at: datetime) -> None:
        AccessToken.objects.filter(label=LABEL, created_at__lt=at - KEYS_LAST).delete()
        self._keys: dict[int, str] = {}  # by user

    def close(self) -> None:
        AccessToken.objects.filter(digest__in=[digest(key) for key in self._keys.values()]).delete()

    def account_for(self, action: str, hazard: Hazard) -> dict[str, Any] | None:
        """Return the account whose step it is, with the office to name where it is a dispatch; None where there is none.

        Queries: 1 to 3.
        """
        if action in ("take", "rectify"):
            whose = {"role": Role.DEPARTMENT_HANDLER, "department_id": hazard.department_id}
        else:
            whose = {"role": Role.DISPATCHER, "area_code__in": areas.lineage(hazard.area_code)}
        user = User.objects.filter(is_active=True, **whose).order_by(Length("area_code").desc(), "pk").first()
        if user is None:
            return None
        account = {"token": self._key(user)}
        if action == "dispatch":
            account["department"] = office_choice(user, hazard.area_code, hazard.matter.department_id).proposed
        return account

    def _key(self, user: User) -> str:
        if user.pk not in self._keys:
            self._keys[user.pk] = issue(user, LABEL)
        return self._keys[user.pk]
