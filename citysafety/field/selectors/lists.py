"""Whose hand a case waits for: the lists of the phone, each one rule. Every read states its number of queries."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, F, Max, OuterRef, Q
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from citysafety.accounts.models import Role
from citysafety.notices.models import Notice
from grid.models import Cell, Division, Matter, Posting
from hazards.lifecycle import ENDED, LIFECYCLE, OPEN, HazardState
from hazards.models import Hazard, Step

CITY_TIME = ZoneInfo("Asia/Shanghai")
RECENT = timedelta(days=30)
RECENT_MATTERS = 5
FIRST_DUE = 5
NOTICES = 3
PAGE, MOST = 30, 300

# Whoever the table of steps names works with cases on the phone; what was contested is decided at the desk.
ROLES = frozenset(
    rule.split(":", 1)[0]
    for step in LIFECYCLE.steps
    if not step.is_aside and "contested" not in step.when
    for rule in step.roles
    if not rule.startswith("*")
)
DISPATCHER_STATES = (HazardState.REPORTED, HazardState.ACCEPTED, HazardState.VERIFIED)
HANDLER_STATES = (HazardState.DISPATCHED, HazardState.TAKEN)


@dataclass(frozen=True, slots=True)
class Kind:
    """One list of a person's cases, with its length."""

    key: str
    label: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The first page: where I work, what waits, what is due first."""

    place: str
    standing: str
    kinds: list[Kind]
    waiting: int
    first_due: list[Hazard]
    notices: list[Notice]  # the newest that are unread


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """One list: which, where, in which state, its first rows and whether there are more."""

    key: str
    label: str
    count: int
    kinds: list[Kind]
    where: str
    scopes: list[Kind]
    state: str
    states: list[tuple[str, str]]  # what the list can be cut to; nothing where all its cases stand alike
    rows: list[Hazard]
    more: int


def own_cells(user: Any, at: datetime) -> list[Cell]:
    """Return the cells a worker answers for today, the primary ones first. Queries: 1 for a worker, else 0."""
    if user.role != Role.GRID_WORKER:
        return []
    postings = Posting.objects.on(at.astimezone(CITY_TIME).date()).filter(worker__user=user)
    return [posting.cell for posting in postings.select_related("cell").order_by("-role", "cell__code")]


def _verify(user: Any, cells: Iterable[Cell]) -> Q | None:
    """What I may verify: rectified by another, not reported by me and put right on the spot."""
    if user.role not in (Role.GRID_WORKER, Role.DISPATCHER) or not user.area_code:
        return None
    others = ~Q(rectified_by=user) & ~Q(handled_on_spot=True, reporter=user)
    wanted = Q(state=HazardState.RECTIFIED, area_code__startswith=user.area_code) & others
    ids = [cell.pk for cell in cells]
    return wanted & (Q(cell_id__in=ids) | Q(dedicated_cell_id__in=ids)) if ids else wanted


def _handle(user: Any) -> Q | None:
    """What waits for me to move it on: my department's cases, or those of my area a dispatcher acts on."""
    if user.role == Role.DEPARTMENT_HANDLER and user.department_id:
        return Q(state__in=HANDLER_STATES, department_id=user.department_id)
    if user.role == Role.DISPATCHER and user.area_code:
        return Q(state__in=DISPATCHER_STATES, area_code__startswith=user.area_code)
    return None


def _back(user: Any) -> Q:
    """What came back: my reports that were refused; for a handler, what failed its verification."""
    if user.role == Role.DEPARTMENT_HANDLER and user.department_id:
        failed = Step.objects.filter(hazard=OuterRef("pk"), version=OuterRef("version"), action="fail")
        return Q(Exists(failed), state=HazardState.TAKEN, department_id=user.department_id)
    return Q(state=HazardState.REFUSED, reporter=user)


def kinds_of(user: Any, cells: Iterable[Cell] = ()) -> dict[str, tuple[str, Q]]:
    """Return the lists a person has: key → (label, which hazards)."""
    lists = {
        "verify": (_("To verify"), _verify(user, cells)),
        "handle": (_("To handle"), _handle(user)),
        "back": (_("Sent back"), _back(user)),
        "mine": (_("Mine, open"), Q(reporter=user, state__in=sorted(OPEN))),
    }
    return {key: (label, wanted) for key, (label, wanted) in lists.items() if wanted is not None}


def _counted(lists: dict[str, tuple[str, Q]]) -> list[Kind]:
    """Count every list in one query."""
    anything = Q()
    for _label, wanted in lists.values():
        anything |= wanted
    counts = Hazard.objects.filter(anything).aggregate(
        **{key: Count("pk", filter=wanted) for key, (_label, wanted) in lists.items()}
    )
    return [Kind(key, label, counts[key]) for key, (label, _wanted) in lists.items()]


def _by_due() -> tuple[Any, ...]:
    return (F("due_at").asc(nulls_last=True), "received_at", "pk")


TODO = {
    HazardState.RECTIFIED: lambda: _("Verify"),
    HazardState.DISPATCHED: lambda: _("Take over"),
    HazardState.TAKEN: lambda: _("Handle"),
    HazardState.REPORTED: lambda: _("Accept"),
    HazardState.ACCEPTED: lambda: _("Dispatch"),
    HazardState.VERIFIED: lambda: _("Write off"),
}


def home(user: Any, at: datetime) -> Home:
    """Return the first page. Queries: counts, first due, notices, and the name of the place; postings for a worker."""
    cells = own_cells(user, at)
    lists = kinds_of(user, cells)
    kinds = _counted(lists)
    todo = [lists[key][1] for key in ("verify", "handle") if key in lists]
    waiting = sum(kind.count for kind in kinds if kind.key in ("verify", "handle"))
    rows: list[Hazard] = []
    if todo:
        rows = list(
            Hazard.objects.filter(reduce(or_, todo))
            .select_related("matter__matter_class")
            .order_by(*_by_due())[:FIRST_DUE]
        )
    for row in rows:
        row.todo = TODO[row.state]()
    standing = user.worker.get_state_display() if cells else user.get_role_display()
    return Home(
        place=_place_of(user, cells),
        standing=standing,
        kinds=kinds,
        waiting=waiting,
        first_due=rows,
        notices=list(user.notices.unread().order_by("-id")[:NOTICES]),
    )


def _place_of(user: Any, cells: list[Cell]) -> str:
    if cells:
        names = [cell.name for cell in cells[:2]]
        more = len(cells) - len(names)
        joined = (", " if (get_language() or "").startswith("en") else "、").join(names)
        return _("%(names)s and %(n)s more") % {"names": joined, "n": more} if more else joined
    if user.department_id:
        return user.department.name
    division = Division.objects.filter(code=user.area_code).first()
    return division.name if division else user.area_code


def cases(user: Any, at: datetime, *, key: str, where: str, state: str, number: int) -> Cases:
    """Return one list of a person's cases, first due first.

    Queries: counts and rows; postings for a worker; one more where a state or the whole area is asked for.
    """
    cells = own_cells(user, at)
    near, wide = kinds_of(user, cells), kinds_of(user)
    scopes = []
    if key == "verify" and cells:
        scopes = [Kind("", _("My cells"), 0), Kind("area", _("Whole area"), 0)]
    lists = wide if where == "area" else near
    key = key if key in lists else next(iter(lists))
    kinds = _counted(near)  # of the lists that the tabs open
    label, wanted = lists[key]
    rows = Hazard.objects.filter(wanted).select_related("matter__matter_class")
    states = _states_of(user, key)
    state = state if state in states else ""
    if state and key == "mine":  # what has ended is shown when it is asked for
        rows = Hazard.objects.filter(reporter=user).select_related("matter__matter_class")
    if state:
        rows = rows.filter(state=state)
    number = max(PAGE, min(number, MOST))
    order = ("-changed_at", "pk") if state in ENDED else _by_due()
    shown = list(rows.order_by(*order)[: number + 1])
    return Cases(
        key=key,
        label=str(HazardState(state).label) if state else label,
        count=rows.count() if state or where else next(kind.count for kind in kinds if kind.key == key),
        kinds=kinds,
        where=where if scopes else "",
        scopes=scopes,
        state=state,
        states=[(value, HazardState(value).label) for value in states],
        rows=shown[:number],
        more=number + PAGE if len(shown) > number and number < MOST else 0,
    )


def _states_of(user: Any, key: str) -> tuple[str, ...]:
    """Return the states that the cases of a list can stand in; nothing where there is only one."""
    if key == "mine":
        return tuple(HazardState.values)
    if key == "handle":
        return DISPATCHER_STATES if user.role == Role.DISPATCHER else HANDLER_STATES
    return ()


def recent_matters(user: Any, at: datetime) -> list[Matter]:
    """Return the five matters this person filed most in the last 30 days. Queries: 2."""
    mine = Hazard.objects.filter(reporter=user, received_at__gt=at - RECENT).order_by()
    often = mine.values("matter_id").annotate(n=Count("pk"), last=Max("received_at")).order_by("-n", "-last")
    ids = [row["matter_id"] for row in often[:RECENT_MATTERS]]
    matters = Matter.objects.active().select_related("matter_class", "department").in_bulk(ids) if ids else {}
    return [matters[pk] for pk in ids if pk in matters]
