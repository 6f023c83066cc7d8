"""What the phone shows: lists by who must move, one case, one step. Every read states its number of queries."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, F, Max, OuterRef, Q
from django.utils.translation import gettext as _

from citysafety import areas
from citysafety.accounts.models import Department, Role
from citysafety.evidence.models import Attachment
from grid.models import Cell, Division, Matter, Posting
from hazards.lifecycle import LIFECYCLE, OPEN, HazardState
from hazards.models import Clock, Hazard, Step
from hazards.services.steps import requirements, steps_open_to

CITY_TIME = ZoneInfo("Asia/Shanghai")
RECENT = timedelta(days=30)
RECENT_MATTERS = 5
FIRST_DUE = 5
LOW_ACCURACY_M = 100  # engineering B.2 F9
PAGE, MOST = 30, 300

# Whoever the table of steps names works with cases on the phone.
ROLES = frozenset(
    rule.split(":", 1)[0] for step in LIFECYCLE.steps for rule in step.roles if not rule.startswith("*")
)
DISPATCHER_STATES = (HazardState.REPORTED, HazardState.ACCEPTED, HazardState.VERIFIED)
HANDLER_STATES = (HazardState.DISPATCHED, HazardState.TAKEN)
SYMBOLS = {"verify": "eye", "fail": "close", "take": "list", "rectify": "wrench", "handle_on_spot": "wrench",
           "return": "return", "refuse": "close", "contest": "flag", "reopen": "flag"}
# A look at the place helps these steps; the table does not ask for one.
PICTURE_IF_USEFUL = frozenset({"verify", "fail", "reopen", "contest"})


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
    states: list[tuple[str, str]]
    rows: list[Hazard]
    more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case as its page shows it."""

    relation: str
    list: str
    clock: Clock | None
    used: int  # thousandths of the time between the clock's start and its due time
    limit: str
    photos: list[Attachment]
    cell_name: str
    responsible: str
    low_accuracy: bool
    history: list[dict[str, Any]]
    next: dict[str, str] | None
    actions: list[dict[str, str]]

    @property
    def used_percent(self) -> int:
        return self.used // 10


@dataclass(frozen=True, slots=True, kw_only=True)
class StepForm:
    """What one step asks for, and what the page tells its script."""

    label: str
    submit: str
    symbol: str
    open: bool
    other: dict[str, str] | None  # the opposite verdict, where there are two
    seen: list[Attachment]  # the case's photos, to compare with
    photos: list[dict[str, Any]]
    asks_location: bool
    asks_department: bool
    asks_words: bool
    words_label: str
    cell_name: str
    departments: list[Department] = field(default_factory=list)
    home: str = ""
    told: dict[str, Any] = field(default_factory=dict)


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
    """Return the first page. Queries: counts, first due, and the name of the place; postings for a worker."""
    cells = own_cells(user, at)
    lists = kinds_of(user, cells)
    kinds = _counted(lists)
    todo = [lists[key][1] for key in ("verify", "handle") if key in lists]
    waiting = sum(kind.count for kind in kinds if kind.key in ("verify", "handle"))
    rows: list[Hazard] = []
    if todo:
        wanted = todo[0] if len(todo) == 1 else todo[0] | todo[1]
        rows = list(Hazard.objects.filter(wanted).select_related("matter__matter_class").order_by(*_by_due())[:FIRST_DUE])
    for row in rows:
        row.todo = TODO[row.state]()
    standing = user.worker.get_state_display() if cells else user.get_role_display()
    return Home(place=_place_of(user, cells), standing=standing, kinds=kinds, waiting=waiting, first_due=rows)


def _place_of(user: Any, cells: list[Cell]) -> str:
    if cells:
        names = [cell.name for cell in cells[:2]]
        more = len(cells) - len(names)
        joined = "、".join(names)
        return _("%(names)s and %(n)s more") % {"names": joined, "n": more} if more else joined
    if user.department_id:
        return user.department.name
    division = Division.objects.filter(code=user.area_code).first()
    return division.name if division else user.area_code


def cases(user: Any, at: datetime, *, key: str, where: str, state: str, number: int) -> Cases:
    """Return one list of a person's cases, first due first. Queries: counts and rows; postings for a worker."""
    cells = own_cells(user, at)
    near, wide = kinds_of(user, cells), kinds_of(user)
    scopes = []
    if key == "verify" and cells:
        scopes = [Kind("", _("My cells"), 0), Kind("area", _("Whole area"), 0)]
    lists = wide if where == "area" else near
    key = key if key in lists else next(iter(lists))
    kinds = _counted(lists)
    label, wanted = lists[key]
    rows = Hazard.objects.filter(wanted).select_related("matter__matter_class")
    if state in HazardState.values:
        rows = rows.filter(state=state)
    number = max(PAGE, min(number, MOST))
    shown = list(rows.order_by(*_by_due())[: number + 1])
    return Cases(
        key=key, label=label, count=next(kind.count for kind in kinds if kind.key == key), kinds=kinds,
        where=where if scopes else "", scopes=scopes, state=state if state in HazardState.values else "",
        states=HazardState.choices, rows=shown[:number],
        more=number + PAGE if len(shown) > number and number < MOST else 0,
    )


def recent_matters(user: Any, at: datetime) -> list[Matter]:
    """Return the five matters this person filed most in the last 30 days. Queries: 2."""
    mine = Hazard.objects.filter(reporter=user, received_at__gt=at - RECENT).order_by()
    often = mine.values("matter_id").annotate(n=Count("pk"), last=Max("received_at")).order_by("-n", "-last")
    ids = [row["matter_id"] for row in often[:RECENT_MATTERS]]
    matters = Matter.objects.active().select_related("matter_class").in_bulk(ids) if ids else {}
    return [matters[pk] for pk in ids if pk in matters]


def matter_words(matter: Matter) -> dict[str, Any]:
    """Return a matter as the phone keeps it; the same names as in ``/api/v1/matters/``."""
    return {
        "code": matter.code, "name": matter.name, "name_zh": matter.name_zh, "name_en": matter.name_en,
        "class": {"code": matter.matter_class.code, "name": matter.matter_class.name},
        "severity": matter.severity, "special": matter.special, "icon": matter.icon, "pinyin": matter.pinyin,
        "rectify_unit": matter.rectify_unit, "rectify_amount": matter.rectify_amount,
        "photos_before": matter.photos_before, "photos_after": matter.photos_after,
    }


def hazard_of(user: Any, hazard_id: Any) -> Hazard:
    """Return a hazard that a person may see. :raises Hazard.DoesNotExist: for all others. Queries: 1."""
    rows = Hazard.objects.visible_to(user).select_related(
        "matter__matter_class", "matter__department", "department", "cell", "dedicated_cell", "reporter"
    )
    return rows.get(pk=hazard_id)


def case(user: Any, hazard: Hazard, at: datetime) -> Case:
    """Return what a case's page shows. Queries: clock, photos, history, and who answers for the cell."""
    clock = Clock.objects.filter(hazard=hazard, stage=hazard.due_stage).first() if hazard.due_stage else None
    open_rows = steps_open_to(user, hazard, at)
    inside = _is_party(user, hazard)
    return Case(
        relation=_relation(user, hazard), list="mine" if hazard.reporter_id == user.pk else _list_of(hazard),
        clock=clock, used=_used(clock, at),
        limit=f"{clock.amount} {_unit(clock)}" if clock else "",
        photos=photos_of(hazard), cell_name=_cell_name(hazard), responsible=_responsible(hazard, at, inside=inside),
        low_accuracy=bool(hazard.accuracy_m and hazard.accuracy_m > LOW_ACCURACY_M),
        history=_history(hazard, inside=inside), next=_next(hazard, mine=bool(open_rows)),
        actions=[
            {"action": step.action, "label": action_label(step), "symbol": SYMBOLS.get(step.action, "tick")}
            for step in open_rows
        ],
    )


def action_label(step: Any) -> str:
    """Say a step the way a hand presses it."""
    return _("Verify on the spot") if step.action == "verify" else str(step.label)


def _is_party(user: Any, hazard: Hazard) -> bool:
    return (
        user.role == Role.DISPATCHER
        or user.pk in hazard.party_users
        or (user.department_id is not None and user.department_id in hazard.party_departments)
    )


def _list_of(hazard: Hazard) -> str:
    return "verify" if hazard.state == HazardState.RECTIFIED else "handle"


def _relation(user: Any, hazard: Hazard) -> str:
    if hazard.reporter_id == user.pk:
        return _("Reported by me")
    if user.department_id and hazard.department_id == user.department_id:
        return _("My department's")
    if user.pk in hazard.party_users:
        return _("I acted on it")
    return _("In my area")


def _unit(clock: Clock) -> str:
    return {
        "urgent_hours": _("urgent hours"), "work_hours": _("working hours"), "work_days": _("working days"),
    }.get(clock.unit, clock.unit)


def _used(clock: Clock | None, at: datetime) -> int:
    if clock is None or clock.due_at is None or clock.due_at <= clock.started_at:
        return 0
    return max(0, min(1000, int(1000 * ((at - clock.started_at) / (clock.due_at - clock.started_at)))))


def _cell_name(hazard: Hazard) -> str:
    names = [cell.name for cell in (hazard.dedicated_cell, hazard.cell) if cell is not None]
    return " · ".join(names) or _("outside every cell")


def _responsible(hazard: Hazard, at: datetime, *, inside: bool) -> str:
    """Name who answers for the cell today: the dedicated one's worker where there is one. Queries: 1."""
    ids = [pk for pk in (hazard.dedicated_cell_id, hazard.cell_id) if pk]
    today = Posting.objects.on(at.astimezone(CITY_TIME).date()).filter(cell_id__in=ids, role=Posting.Role.PRIMARY)
    postings = {posting.cell_id: posting for posting in today.select_related("worker__user")}
    for pk in ids:
        if pk in postings:
            return _shown(postings[pk].worker.user, inside=inside)
    return ""


def _shown(person: Any, *, inside: bool) -> str:
    """Show a name to those inside the case; to others the family name only."""
    if person is None:
        return ""
    return person.name if inside else f"{person.name[:1]}*"


ROLE_WORDS = {"scene": lambda: _("Scene"), "before": lambda: _("Before"), "after": lambda: _("After")}
ROLE_ORDER = {"before": 0, "scene": 0, "after": 1}


def photos_of(hazard: Hazard) -> list[Attachment]:
    """Return the photos of a hazard, before first. Queries: 1."""
    rows = list(Attachment.objects.filter(kind="hazard", subject_id=str(hazard.pk)).order_by("at", "pk"))
    for row in rows:
        row.label = ROLE_WORDS.get(row.role, lambda: _("Scene"))()
    return sorted(rows, key=lambda row: ROLE_ORDER.get(row.role, 0))


def _history(hazard: Hazard, *, inside: bool) -> list[dict[str, Any]]:
    labels = {step.action: str(step.label) for step in LIFECYCLE.steps} | {"report": _("Reported")}
    rows = []
    for step in hazard.steps.select_related("actor", "department").order_by("version"):
        who = _shown(step.actor, inside=inside)
        if step.action in ("dispatch", "take", "rectify", "return") and step.department:
            who = f"{who} · {step.department.name}" if who else step.department.name
        words = step.words if step.action != "report" else ""
        rows.append({"label": labels.get(step.action, step.action), "who": who, "words": words, "at": step.at, "took": ""})
    return rows


def _next(hazard: Hazard, *, mine: bool) -> dict[str, str] | None:
    """Say what must happen next and whose hand it needs; nothing when the case has ended."""
    centre = _("by the grid centre")
    department = _("by %(name)s") % {"name": hazard.department.name} if hazard.department else centre
    table = {
        HazardState.REPORTED: (_("Acceptance"), centre),
        HazardState.ACCEPTED: (_("Dispatch"), centre),
        HazardState.DISPATCHED: (_("Taking over"), department),
        HazardState.TAKEN: (_("Rectification"), department),
        HazardState.RECTIFIED: (_("Verification on the spot"), _("by somebody other than who did it")),
        HazardState.VERIFIED: (_("Write-off"), centre),
    }
    if hazard.state not in table:
        return None
    what, who = table[hazard.state]
    return {"what": what, "who": _("you can do this") if mine else who}


def step_form(user: Any, hazard: Hazard, action: str, at: datetime) -> StepForm:
    """Return the form of one step. Queries: photos; departments where one must be chosen.

    An action that is not open now keeps its form closed, so that what was written can still be read.
    """
    rows = {row.action: row for row in steps_open_to(user, hazard, at)}
    open_row = rows.get(action)
    row = open_row or LIFECYCLE.steps_named(action)[0]
    needed = requirements(row, hazard)
    wanted = needed or ({"scene": 0} if action in PICTURE_IF_USEFUL else {})
    unused = Attachment.objects.filter(kind="hazard", subject_id=str(hazard.pk), role__in=list(wanted), used_by=None)
    there = dict(unused.values_list("role").annotate(n=Count("pk")).order_by()) if needed else {}
    photos = [
        {"role": role, "label": ROLE_WORDS[role](), "need": need, "there": there.get(role, 0)} for role, need in wanted.items()
    ]
    departments: list[Department] = []
    if "department" in row.requires:
        around = areas.lineage(hazard.area_code)
        departments = list(Department.objects.filter(area_code__in=around).order_by("code"))
    label = action_label(row)
    opposite = rows.get("fail") if action == "verify" else None
    return StepForm(
        label=label, submit=str(row.label), symbol="tick" if action == "verify" else SYMBOLS.get(action, "tick"),
        open=open_row is not None, photos=photos, seen=photos_of(hazard) if action in PICTURE_IF_USEFUL else [],
        other={"action": opposite.action, "label": str(opposite.label)} if opposite else None,
        asks_location="location" in row.requires, asks_department="department" in row.requires,
        asks_words="reason" in row.requires or "words" in row.requires,
        words_label=_("Reason") if "reason" in row.requires else _("Words"), cell_name=_cell_name(hazard),
        departments=departments, home=hazard.matter.department.code,
        told={
            "hazard": str(hazard.pk), "number": hazard.number, "title": hazard.matter.name, "action": action,
            "label": label, "version": hazard.version, "requires": list(row.requires), "state": hazard.state,
            "photos": {photo["role"]: {"need": photo["need"], "there": photo["there"]} for photo in photos},
            "states": {value: str(name) for value, name in HazardState.choices},
        },
    )
