"""Who checks a case again: somebody of the area, by a role that verifies, who took no step in it."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Count

from citysafety import areas
from citysafety.accounts.models import User
from citysafety.accounts.roles import Role
from grid.models import Worker

from .drawing import lot
from .models import CHECKERS, Recheck


def fit_for(recheck: Recheck) -> list[User]:
    """Return who may be given a re-check, the present one left out, those of the smallest area first. Queries: 1."""
    rows = _people(areas.lineage(recheck.area_code)).exclude(pk__in=recheck.party_ids | {recheck.checker_id or 0})
    return sorted(rows, key=lambda user: (user.role != Role.GRID_WORKER, -len(user.area_code), user.username))


def _people(codes: Collection[str]) -> Any:
    """Return active people who verify in some areas; of workers those on duty."""
    away = [state for state in Worker.State.values if state != Worker.State.ON_DUTY]
    rows = User.objects.filter(is_active=True, role__in=CHECKERS, area_code__in=codes)
    return rows.exclude(worker__state__in=away)


class Pool:
    """The people whom the re-checks of a draw are dealt to; whoever has fewest to do gets the next. Queries: 2."""

    def __init__(self, codes: Iterable[str]) -> None:
        around = {code for area in codes for code in areas.lineage(area)}
        self._here: dict[str, list[User]] = defaultdict(list)
        for user in _people(around):
            self._here[user.area_code].append(user)
        counted = Recheck.objects.due().exclude(checker=None).order_by().values_list("checker").annotate(n=Count("pk"))
        self._load: dict[int, int] = defaultdict(int, counted)

    def deal(self, recheck: Recheck, seed: str) -> User | None:
        """Choose a checker: a worker of the place before a dispatcher, of dispatchers the nearest; equals by lot."""
        parties = recheck.party_ids
        fit = [user for code in areas.lineage(recheck.area_code) for user in self._here[code] if user.pk not in parties]
        best = min(
            fit, key=lambda user: (*self._order(user), lot(f"{seed}:{recheck.closing_id}", user.pk)), default=None
        )
        if best is not None:
            self._load[best.pk] += 1
        return best

    def _order(self, user: User) -> tuple[bool, int, int]:
        is_worker = user.role == Role.GRID_WORKER
        return (not is_worker, 0 if is_worker else -len(user.area_code), self._load[user.pk])
