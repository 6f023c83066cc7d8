"""Draft a re-zoning and take its steps up to the approval; what happens then is in ``rezoned``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from citysafety.accounts.models import User
from citysafety.accounts.rights import judge, may
from citysafety.lifecycle import Step

from ..lifecycle import DRAFTERS, LIFECYCLE, RezoningState
from ..models import DraftCell, Rezoning, RezoningStep, Worker
from ..rezoning.checks import problems
from ..rezoning.records import foretell
from ..rezoning.shapes import geos_of
from ..rezoning.sketch import Drawing, NotUnderstood, Sketch, sketch, workers_for

GRID_LOCK = 0x6C6F6164  # that of loading: whoever changes the cells of the city waits for the others


class NotAllowed(Exception):
    """This person may not take the step; ``rule`` is the key of the refusal in rights."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


class StaleVersion(Exception):
    """It changed since the caller looked."""


class Refused(ValueError):
    """What was given cannot be; ``errors`` names fields and says why, each in several sentences where there are several."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        super().__init__(" ".join(text for texts in errors.values() for text in texts))
        self.errors = dict(errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepInput:
    """What a person sends with a step. ``cells`` are {code, name_zh, name_en, worker, nobody_yet} of draft cells."""

    id: UUID
    version: int | None = None
    words: str = ""
    reason: str | None = None
    basis: str | None = None
    effective_at: datetime | None = None
    is_dated: bool = False  # whether ``effective_at`` was given at all; None then means as soon as it is approved
    drawing: Drawing | None = None
    cells: Sequence[Mapping[str, Any]] = field(default=())


def hold_grid() -> None:
    """Wait until nobody else changes the city's cells; held until the transaction ends. Queries: 1."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [GRID_LOCK])


@transaction.atomic
def draft_rezoning(
    *, id: UUID, drawing: Drawing, reason: str, basis: str, effective_at: datetime | None, actor: User, at: datetime
) -> Rezoning:
    """Draft a re-zoning of cells of the actor's area.

    :raises NotAllowed: the role drafts none, or the ground lies outside the actor's area.
    :raises Refused: the drawing makes no outlines, reason or basis are missing, the date has passed.
    """
    hold_grid()
    made = _sketched(drawing, actor)
    rezoning = Rezoning(
        id=id, number=_next_number(at), area_code=made.area_code, reason=reason.strip(), basis=basis.strip(),
        effective_at=effective_at, drafted_by=actor, drafted_at=at, changed_at=at, drafter_ids=[actor.pk],
    )  # fmt: skip
    verdicts = [judge(actor, one, rezoning) for one in DRAFTERS]
    if not any(verdict.allowed for verdict in verdicts):
        raise NotAllowed(next((v.rule for v in verdicts if v.rule != "denied.role"), "denied.role"))
    _must_say_why(rezoning, at)
    rezoning.save(force_insert=True)
    _draw(rezoning, made)
    _note(rezoning, id, "create", "", actor, at, "")
    return rezoning


def _sketched(drawing: Drawing, actor: User) -> Sketch:
    try:
        return sketch(drawing, actor)
    except NotUnderstood as refusal:
        raise Refused({refusal.field: [str(refusal)]}) from refusal


def _next_number(at: datetime) -> str:
    year = timezone.localdate(at).year
    last = Rezoning.objects.filter(number__startswith=f"RZ-{year}-").aggregate(last=Max("number"))["last"]
    return f"RZ-{year}-{int(last.rpartition('-')[2]) + 1 if last else 1:04d}"


def _must_say_why(rezoning: Rezoning, at: datetime) -> None:
    errors: dict[str, list[str]] = {}
    for name in ("reason", "basis"):
        if not getattr(rezoning, name):
            errors[name] = [_("This cannot be empty.")]
    if rezoning.effective_at is not None and rezoning.effective_at < at:
        words = _("%(seen)s has passed; expected now or later.")
        errors["effective_at"] = [words % {"seen": f"{timezone.localtime(rezoning.effective_at):%F %H:%M}"}]
    if errors:
        raise Refused(errors)


def _draw(rezoning: Rezoning, made: Sketch) -> None:
    """Write the cells that end and the outlines that begin in place of what was drawn before."""
    try:
        people = workers_for(made)
    except NotUnderstood as refusal:
        raise Refused({refusal.field: [str(refusal)]}) from refusal
    rezoning.draws.all().delete()
    rezoning.ends.set(made.ends)
    DraftCell.objects.bulk_create(
        DraftCell(
            rezoning=rezoning, code=one.code, kind=one.kind, division_id=one.division, focus=one.focus, name_zh=one.name_zh,
            name_en=one.name_en, geometry=geos_of(one.shape), worker=people[one.code],
            synthetic=bool(made.ends) and all(cell.synthetic for cell in made.ends),
        )
        for one in made.begins
    )  # fmt: skip


def may_draft(user: User) -> bool:
    """Test whether a person drafts re-zonings of the own area."""
    return bool(user.area_code) and user.role in {one.partition(":")[0] for one in DRAFTERS}


def permitted(user: User, action: str, rezoning: Rezoning) -> None:
    """Let pass who may take some row of an action. :raises NotAllowed: everybody else."""
    verdicts = [may(user, step, rezoning) for step in LIFECYCLE.steps_named(action)]
    if not any(verdict.allowed for verdict in verdicts):
        raise NotAllowed(verdicts[0].rule if verdicts else "denied.action")


def steps_open_to(user: User, rezoning: Rezoning) -> list[Step]:
    """Return the rows a person may take now: the buttons of a page."""
    return [step for step in LIFECYCLE.steps_from(rezoning.state) if may(user, step, rezoning).allowed]


@transaction.atomic
def take_step(*, rezoning_id: UUID, action: str, given: StepInput, actor: User, at: datetime) -> Rezoning:
    """Take one step of a re-zoning: lock, ask the table, check, write. Approved without a date it is in force at once.

    :raises NotAllowed, StepNotAllowed, StaleVersion: wrong person, wrong state, older version.
    :raises Refused: what the step asks for is not there, or speaks against the re-zoning.
    """
    from . import rezoned  # noqa: PLC0415  the two call each other

    hold_grid()
    rezoning = Rezoning.objects.select_for_update().get(pk=rezoning_id)
    permitted(actor, action, rezoning)
    step = LIFECYCLE.step(rezoning.state, action)
    if given.version is None:
        raise Refused({"version": [_("A step carries the version that its sender saw.")]})
    if given.version != rezoning.version:
        raise StaleVersion(f"{given.version} is not {rezoning.version}")
    if "reason" in step.requires and not given.words.strip():
        raise Refused({"reason": [_("This step needs words.")]})
    if action == "draw":
        _redraw(rezoning, given, actor)
    elif action == "settle":
        _settle(rezoning, given, at)
    elif action in ("check", "approve") and (found := problems(rezoning, at)):
        raise Refused({"cells": found})
    if action == "approve":
        rezoning.approved_by = actor
        foretell(rezoning, at)
    if action in ("draw", "settle", "check") and actor.pk not in rezoning.drafter_ids:
        rezoning.drafter_ids = [*rezoning.drafter_ids, actor.pk]
    if action == "roll_back":
        rezoned.restore(rezoning, at)
    move(rezoning, step, given.id, actor, at, given.words)
    if action == "approve" and (rezoning.effective_at is None or rezoning.effective_at <= at):
        rezoned.enter(rezoning, at)
    return rezoning


def _redraw(rezoning: Rezoning, given: StepInput, actor: User) -> None:
    if given.drawing is None:
        raise Refused({"operation": [_("This step needs a drawing.")]})
    with transaction.atomic():
        rezoning.draws.all().delete()  # so that its own codes are free again
        made = _sketched(given.drawing, actor)
        _draw(rezoning, made)
    rezoning.area_code = made.area_code


def _settle(rezoning: Rezoning, given: StepInput, at: datetime) -> None:
    """Write the words, the date, and for each cell named its names and who answers for it."""
    for name in ("reason", "basis"):
        if getattr(given, name) is not None:
            setattr(rezoning, name, getattr(given, name).strip())
    if given.is_dated:
        rezoning.effective_at = given.effective_at
    _must_say_why(rezoning, at)
    drafts = {draft.code: draft for draft in rezoning.draws.all()}
    numbers = {str(row.get("worker") or "").strip() for row in given.cells} - {""}
    workers = {worker.number: worker for worker in Worker.objects.filter(number__in=numbers)}
    wrong: list[str] = []
    for row in given.cells:
        draft, number = drafts.get(row["code"]), str(row.get("worker") or "").strip()
        if draft is None:
            wrong.append(_("Cell %(code)s is not part of this re-zoning.") % {"code": str(row["code"])[:20]})
            continue
        if number and (number not in workers or workers[number].state == Worker.State.LEFT):
            wrong.append(_("“%(seen)s” is no grid worker in service; expected a number.") % {"seen": number[:40]})
            continue
        draft.name_zh = (row.get("name_zh") or draft.name_zh)[:120]
        draft.name_en = row["name_en"][:160] if row.get("name_en") is not None else draft.name_en
        draft.worker = workers.get(number)
        draft.nobody_yet = bool(row.get("nobody_yet")) and draft.worker is None
    if wrong:
        raise Refused({"cells": wrong})
    DraftCell.objects.bulk_update(drafts.values(), ["name_zh", "name_en", "worker", "nobody_yet"])


def move(rezoning: Rezoning, step: Step, id: UUID, actor: User | None, at: datetime, words: str) -> None:
    """Bring a re-zoning into the state of a step, and note it in the history."""
    source = rezoning.state
    rezoning.state = RezoningState(step.target)
    rezoning.version += 1
    rezoning.changed_at = at
    rezoning.save()
    _note(rezoning, id, step.action, source, actor, at, words)


def move_by_clock(rezoning: Rezoning, action: str, at: datetime, words: str = "") -> None:
    """Take a step that nobody takes."""
    move(rezoning, LIFECYCLE.step(rezoning.state, action), uuid4(), None, at, words)


def _note(rezoning: Rezoning, id: UUID, action: str, source: str, actor: User | None, at: datetime, words: str) -> None:
    RezoningStep.objects.create(
        id=id, rezoning=rezoning, action=action, source=source, target=rezoning.state, version=rezoning.version, actor=actor,
        at=at, words=words.strip()[:2000],
    )  # fmt: skip
