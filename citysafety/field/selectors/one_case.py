"""One case and one step of it, as the phone shows them. Every read states its number of queries."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Case as Choice
from django.db.models import F, Q, When
from django.utils.translation import gettext as _

from citysafety.accounts.models import Role
from citysafety.accounts.selectors import OfficeChoice, office_choice
from citysafety.evidence.models import Attachment
from grid.models import Posting
from hazards.lifecycle import LABELS, LIFECYCLE, HazardState, PhotoRole
from hazards.models import Clock, Hazard
from hazards.services.steps import photos_for, requirements, steps_open_to

CITY_TIME = ZoneInfo("Asia/Shanghai")
MINUTE = timedelta(minutes=1)  # less is not worth a word
LOW_ACCURACY_M = 100  # from here on a position is marked (ODK Collect's pattern)
SYMBOLS = {
    "verify": "eye",
    "fail": "close",
    "take": "list",
    "rectify": "wrench",
    "handle_on_spot": "wrench",
    "return": "return",
    "refuse": "close",
    "contest": "flag",
    "reopen": "flag",
}
# What a form of the phone can ask; steps that ask more are taken at a desk.
ON_THE_PHONE = frozenset({"reason", "words", "department", "location", "photo:before", "photo:after"})
# On the page that asks for a verdict the two buttons say it in a word.
VERDICTS = {"verify": lambda: _("Passed"), "fail": lambda: _("Not passed")}
# A look at the place helps these steps; the table does not ask for one.
PICTURE_IF_USEFUL = frozenset({"verify", "fail", "reopen", "contest"})


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
    ahead: list[dict[str, str]]  # what must still happen, the next first
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
    asks_words: bool
    words_label: str
    cell_name: str
    offices: OfficeChoice | None = None  # where one must be chosen
    told: dict[str, Any] = field(default_factory=dict)


def hazard_of(user: Any, hazard_id: Any) -> Hazard:
    """Return a hazard that a person may see. :raises Hazard.DoesNotExist: for all others. Queries: 1."""
    rows = Hazard.objects.visible_to(user).select_related(
        "matter__matter_class", "matter__department", "department", "cell", "dedicated_cell", "reporter"
    )
    return rows.get(pk=hazard_id)


def case(user: Any, hazard: Hazard, at: datetime) -> Case:
    """Return what a case's page shows. Queries: clock, photos, history, and who answers for the cell."""
    clock = _first_clock(hazard)
    open_rows = [step for step in steps_open_to(user, hazard, at) if ON_THE_PHONE.issuperset(step.requires)]
    inside = _is_party(user, hazard)
    return Case(
        relation=_relation(user, hazard),
        list="mine" if hazard.reporter_id == user.pk else _list_of(hazard),
        clock=clock,
        used=_used(clock, at),
        limit=f"{clock.amount} {_unit(clock)}" if clock else "",
        photos=photos_of(hazard),
        cell_name=_cell_name(hazard),
        responsible=_responsible(hazard, at, inside=inside),
        low_accuracy=bool(hazard.accuracy_m and hazard.accuracy_m > LOW_ACCURACY_M),
        history=_history(hazard, inside=inside),
        ahead=_ahead(hazard, mine=bool(open_rows)),
        actions=[
            {"action": step.action, "label": action_label(step), "symbol": SYMBOLS.get(step.action, "tick")}
            for step in open_rows
        ],
    )


def _first_clock(hazard: Hazard) -> Clock | None:
    """Return the clock that is due first; of a case that is due at no time that of its stage. Queries: 1, none for one that ended."""
    if not hazard.due_stage:
        return None
    of_stage = Choice(When(stage=hazard.due_stage, merger=None, then=0), default=1)
    rows = Clock.objects.filter(Q(stopped_at=None) | Q(stage=hazard.due_stage, merger=None), hazard=hazard)
    return rows.order_by(F("due_at").asc(nulls_last=True), of_stage).first()


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
        "urgent_hours": _("urgent hours"),
        "work_hours": _("working hours"),
        "work_days": _("working days"),
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


ROLE_ORDER = {"before": 0, "scene": 0, "after": 1}


def photos_of(hazard: Hazard) -> list[Attachment]:
    """Return the photos of a hazard, before first. Queries: 1."""
    rows = list(Attachment.objects.filter(kind="hazard", subject_id=str(hazard.pk)).order_by("at", "pk"))
    for row in rows:
        row.label = PhotoRole(row.role).label
    return sorted(rows, key=lambda row: ROLE_ORDER.get(row.role, 0))


def _labels() -> dict[str, str]:
    """Name every action of a history."""
    return {action: str(label) for action, label in LABELS.items()}


def _history(hazard: Hazard, *, inside: bool) -> list[dict[str, Any]]:
    """Return what happened, each step with the time since the one before. Queries: 1."""
    labels = _labels()
    rows = []
    before = None
    for step in hazard.steps.select_related("actor", "department").order_by("version"):
        who = _shown(step.actor, inside=inside)
        if step.action in ("dispatch", "take", "rectify", "return") and step.department:
            who = f"{who} · {step.department.name}" if who else step.department.name
        words = step.words if step.action != "report" else ""
        took = step.at - before if before and step.at - before >= MINUTE else None
        rows.append(
            {"label": labels.get(step.action, step.action), "who": who, "words": words, "at": step.at, "took": took}
        )
        before = step.at
    return rows


# The way of a case that meets no refusal: from where it stands, the steps that are left.
WAY = ("accept", "dispatch", "take", "rectify", "verify", "write_off")


def _ahead(hazard: Hazard, *, mine: bool) -> list[dict[str, str]]:
    """Say what must still happen and whose hand it needs, the next first; nothing when the case has ended."""
    centre = _("by the grid centre")
    department = _("by %(name)s") % {"name": hazard.department.name} if hazard.department else ""
    table = {
        "accept": (_("Acceptance"), centre),
        "dispatch": (_("Dispatch"), centre),
        "take": (_("Taking over"), department),
        "rectify": (_("Rectification"), department),
        "verify": (_("Verification on the spot"), _verifier(hazard)),
        "write_off": (_("Write-off"), centre),
    }
    here = [action for action in WAY if LIFECYCLE.steps_named(action)[0].source == hazard.state]
    if not here:
        return []
    left = [dict(zip(("what", "who"), table[action], strict=True)) for action in WAY[WAY.index(here[0]) :]]
    if mine:
        left[0]["who"] = _("you can do this")
    return left


def _verifier(hazard: Hazard) -> str:
    within = hazard.matter.verify_within_m
    if within:
        return _("by somebody other than who did it, within %(n)s m") % {"n": within}
    return _("by somebody other than who did it")


def step_form(user: Any, hazard: Hazard, action: str, at: datetime) -> StepForm:
    """Return the form of one step. Queries: photos; offices where one must be chosen.

    An action that is not open now keeps its form closed, so that what was written can still be read.
    """
    rows = {row.action: row for row in steps_open_to(user, hazard, at)}
    open_row = rows.get(action)
    row = open_row or LIFECYCLE.steps_named(action)[0]
    needed = requirements(row, hazard)
    wanted = needed or ({"scene": 0} if action in PICTURE_IF_USEFUL else {})
    there = {role: len(photos_for(role, hazard, user)) for role in needed}
    photos = [
        {"role": role, "label": PhotoRole(role).label, "need": need, "there": there.get(role, 0)}
        for role, need in wanted.items()
    ]
    label = action_label(row)
    opposite = rows.get("fail") if action == "verify" else None
    return StepForm(
        label=label,
        submit=VERDICTS[action]() if action in VERDICTS else str(row.label),
        symbol="tick" if action == "verify" else SYMBOLS.get(action, "tick"),
        open=open_row is not None,
        photos=photos,
        seen=photos_of(hazard) if action in PICTURE_IF_USEFUL else [],
        other={"action": opposite.action, "label": VERDICTS["fail"]()} if opposite else None,
        asks_location="location" in row.requires,
        asks_words="reason" in row.requires or "words" in row.requires,
        words_label=_("Reason") if "reason" in row.requires else _("Words"),
        cell_name=_cell_name(hazard),
        offices=(
            office_choice(user, hazard.area_code, hazard.matter.department_id) if "department" in row.requires else None
        ),
        told={
            "hazard": str(hazard.pk),
            "number": hazard.number,
            "title": hazard.matter.name,
            "action": action,
            "label": label,
            "version": hazard.version,
            "requires": list(row.requires),
            "photos": {photo["role"]: {"need": photo["need"], "there": photo["there"]} for photo in photos},
            "states": {value: str(name) for value, name in HazardState.choices},
            "labels": _labels(),
        },
    )
