"""Try a step with many cases, and do it to exactly those that were tried."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from citysafety.lifecycle import StepNotAllowed

from ..models import BulkRun, Hazard, Step
from ..services.given import EvidenceMissing, FieldsMissing, NotAllowed, StaleVersion, StepInput
from ..services.steps import NEEDED, take_step
from . import judging
from .judging import DONE, MOST, REFUSED, Fields, Row

AT_ONCE = 50  # more are done by a worker, while the page shows how far it is
SAVED_EVERY = 25  # rows: how often what is done is written down
PART = 200  # rows that a worker takes before others have a turn
STALLED_AFTER = timedelta(seconds=60)  # a worker that wrote nothing for so long is gone
KEPT_TRIED, KEPT_DONE = timedelta(days=1), timedelta(days=90)  # the steps themselves stay in the histories of the cases
State = BulkRun.State


class NotForMany(Exception):
    """This role takes no such step with many cases; the message says which it does."""


class TooMany(Exception):
    """More cases than one run takes; the message says so."""


class AnotherRun(Exception):
    """The id belongs to a run of somebody else, or of something else. Says nothing of what it was."""


def digest(asked: Any) -> str:
    """Return what tells one request from another, whatever the order of its names."""
    return sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()


def known(run_id: UUID, actor: Any, asked: Any) -> BulkRun | None:
    """Return the run of an id, None for a new id. Queries: 1. :raises AnotherRun: it is of another person or request."""
    run = BulkRun.objects.filter(pk=run_id).first()
    if run is not None and (run.actor_id != actor.pk or run.asked != digest(asked)):
        raise AnotherRun
    return run


def try_run(
    *, run_id: UUID, action: str, seen: Mapping[UUID, int | None], given: Fields, actor: Any, at: datetime,
    asked: Any = None, back: str = "", is_more: bool = False,
) -> BulkRun:  # fmt: skip
    """Try a step with many cases and keep what would become of each; no case is touched.

    ``seen``: the version of each case that its reader saw, None for the present one; ``asked``: what the request said, for
    its repeats. Queries: those of ``judging.judge`` and 1.

    :raises NotForMany, TooMany: not this role's, or more cases than :data:`MOST`.
    :raises AnotherRun: the id was used before.
    """
    _must_be_for_many(actor, action)
    if len(seen) > MOST:
        raise TooMany(_("%(n)s cases were chosen; one run takes %(most)s at most.") % {"n": len(seen), "most": MOST})
    run = BulkRun(
        id=run_id, actor=actor, action=action, words=given.words, department=given.department, cause=given.cause,
        asked=digest(asked), back=back, is_more=is_more, language=translation.get_language() or settings.LANGUAGE_CODE, tried_at=at,
        rows=judging.judge(actor, action, seen, given, at),
    )  # fmt: skip
    try:
        with transaction.atomic():
            run.save(force_insert=True)
    except IntegrityError as error:  # the same request at the same moment, or an id that belongs to another
        if again := known(run_id, actor, asked):
            return again
        raise AnotherRun from error
    return run


def _must_be_for_many(actor: Any, action: str) -> None:
    own = judging.choices(actor)
    if action in dict(own):
        return
    if not own:
        raise NotForMany(_("Your role takes no step with many cases."))
    expected = ", ".join(code for code, _label in own)
    raise NotForMany(_("“%(seen)s” was given; expected one of %(choices)s.") % {"seen": action, "choices": expected})


def missing(action: str, given: Fields) -> dict[str, str]:
    """Return what the step asks of all cases alike and was not given, with the words for it."""
    wanted = {name for name in judging.asks(action) if name in ("reason", "cause")}
    if action == "pause":  # what was asked for names a cause
        wanted.discard("cause")
    errors = {}
    if "reason" in wanted and not given.words.strip():
        errors["reason"] = _("This step needs words.")
    if "cause" in wanted and not given.cause:
        errors["cause"] = str(NEEDED["cause"])
    return errors


def confirm(*, run_id: UUID, given: Fields, actor: Any, at: datetime) -> tuple[BulkRun, bool]:
    """Do what was tried. Return the run, and whether other fields made it be tried anew: then it is to be confirmed again.

    Up to :data:`AT_ONCE` cases are done before this returns; more by a worker. A run that is confirmed a second time is
    returned as it stands; one whose worker is gone goes on.

    :raises BulkRun.DoesNotExist: there is none of this person's.
    :raises FieldsMissing: the step asks for something that all cases need.
    """
    with transaction.atomic():
        run = BulkRun.objects.select_for_update(of=("self",)).select_related("actor").get(pk=run_id, actor=actor)
        if run.state == State.TRIED:
            run.words = given.words.strip()
            if (run.department, run.cause) != (given.department, given.cause) and _try_anew(run, given, at):
                return run, True
            if errors := missing(run.action, given):
                raise FieldsMissing(errors)
            run.state = State.RUNNING
            run.save()
        is_waiting = run.state == State.RUNNING and (run.touched_at is None or run.touched_at < at - STALLED_AFTER)
        is_short = len(run.waiting) <= AT_ONCE
        if is_waiting and not is_short:
            _call_worker(run.pk)
    if is_waiting and is_short:
        carry_on(run_id=run.pk, at=at)
        run.refresh_from_db()
    return run, False


def _try_anew(run: BulkRun, given: Fields, at: datetime) -> bool:
    """Try what was possible with another office or cause; return whether some of it is refused now. Versions stay those seen."""
    run.department, run.cause = given.department, given.cause
    before = {row["hazard"] for row in run.waiting}
    seen = {UUID(row["hazard"]): row["version"] for row in run.rows}
    run.rows = judging.judge(run.actor, run.action, seen, given, at)
    run.save()
    return {row["hazard"] for row in run.waiting} != before


def _call_worker(run_id: UUID) -> None:
    from ..tasks import carry_on_bulk  # noqa: PLC0415  doors stand above

    transaction.on_commit(lambda: carry_on_bulk.delay(str(run_id)))


def carry_on(*, run_id: UUID, at: datetime) -> bool:
    """Do what is confirmed and not done yet, each case in a transaction of its own; return whether some is left.

    Any number of workers may be called: one has a run at a time. Each step's id follows from the run's and the case's, so
    that a worker who takes over from one that was lost does nothing twice.
    """
    if not BulkRun.objects.filter(_stands_still(at), pk=run_id, state=State.RUNNING).update(touched_at=at):
        return False
    run = BulkRun.objects.select_related("actor__department").get(pk=run_id)
    with translation.override(run.language):
        for number, row in enumerate(run.waiting[:PART], 1):
            _take(run, row, at)
            if number % SAVED_EVERY == 0:
                _keep(run)
    is_left = bool(run.waiting)
    run.touched_at = None
    if not is_left:
        run.state, run.ended_at = State.DONE, at
    run.save(update_fields=["rows", "state", "touched_at", "ended_at"])
    if is_left:
        _call_worker(run.pk)
    return is_left


def _stands_still(at: datetime) -> Q:
    """Return the condition that no worker has a run, or that the one that had it is gone."""
    return Q(touched_at=None) | Q(touched_at__lt=at - STALLED_AFTER)


def sweep(*, at: datetime) -> None:
    """Call a worker for every run that stands still, and drop what is old. Any number of sweeps do it once. Queries: 3."""
    for run_id in BulkRun.objects.filter(_stands_still(at), state=State.RUNNING).values_list("pk", flat=True):
        _call_worker(run_id)
    BulkRun.objects.filter(state=State.TRIED, tried_at__lt=at - KEPT_TRIED).delete()
    BulkRun.objects.filter(state=State.DONE, tried_at__lt=at - KEPT_DONE).delete()


def _keep(run: BulkRun) -> None:
    """Write down how far a run is; the worker shows that it is there. By the clock: the run may take a minute."""
    run.touched_at = timezone.now()
    run.save(update_fields=["rows", "touched_at"])


def _take(run: BulkRun, row: Row, at: datetime) -> None:
    """Take the step with one case, and note what became of it."""
    hazard_id, step_id = UUID(row["hazard"]), uuid5(run.pk, row["hazard"])
    given = StepInput(
        id=step_id, version=row["version"], words=run.words, department=row["department"], cause=run.cause
    )
    try:
        take_step(hazard_id=hazard_id, action=run.action, given=given, actor=run.actor, at=at)
    except (NotAllowed, StepNotAllowed, StaleVersion, FieldsMissing, EvidenceMissing, IntegrityError) as refusal:
        if not Step.objects.filter(pk=step_id, hazard=hazard_id).exists():  # else a worker before had done it
            row |= {"result": REFUSED, "words": _why(run, hazard_id, row["version"], refusal, at)}
            return
    row["result"] = DONE


def _why(run: BulkRun, hazard_id: UUID, seen: int, refusal: Exception, at: datetime) -> dict[str, str]:
    """Say in each language why a case was refused that was possible when it was tried. Queries: 1."""
    hazard = Hazard.objects.visible_to(run.actor).filter(pk=hazard_id).first()
    told = "; ".join(refusal.errors.values()) if isinstance(refusal, FieldsMissing) else str(refusal)

    def say() -> str:
        if hazard is None:
            return _("There is no such case, or it is not visible to you.")
        return judging.against(run.actor, run.action, hazard, seen, at) or told

    return judging.in_each_language(say)
