"""What is done to re-checks: draw, give to another, record what was found, let lapse."""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.contrib.gis.geos import Point
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from citysafety.accounts.models import User
from citysafety.accounts.rights import may
from citysafety.accounts.roles import Role
from citysafety.evidence import services as evidence
from citysafety.lifecycle import Step as Row
from citysafety.lifecycle import StepNotAllowed
from citysafety.notices.services import notify

from .. import notices
from ..lifecycle import HazardState
from ..models import Hazard, Step
from ..services import take_step
from ..services.given import EvidenceMissing, FieldsMissing, NotAllowed, StaleVersion, StepInput
from ..services.steps import place_fault
from . import drawing
from .choosing import Pool, fit_for
from .lifecycle import LIFECYCLE, RecheckState
from .models import Every, Recheck, RecheckDraw, RecheckRule, RecheckStep
from .rules import Closed, rule_of, rules_in_force

REMINDED_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RecheckInput:
    """What a person brings to a step of a re-check; the place in WGS 84, ``checker`` the user name of who gets it."""

    id: UUID
    version: int | None
    words: str = ""
    lon: float | None = None
    lat: float | None = None
    accuracy_m: float | None = None
    checker: str = ""


# -- the draw ------------------------------------------------------------------------------------


def draw_due(*, at: datetime) -> int:
    """Draw the samples of all weeks and months that have ended and were not drawn; return how many re-checks there are.

    Any number at a time draw each once. Queries: 2, for each period 1, and 8 a draw.
    """
    rules, made = rules_in_force(), 0
    known = set(RecheckDraw.objects.filter(rule__in=rules).values_list("rule", "first", "last"))
    for every in Every.values:
        for first, last in drawing.ended(every, timezone.localdate(at)):
            due = [
                rule
                for rule in rules
                if rule.every == every and rule.since <= last and (rule.pk, first, last) not in known
            ]
            if due:
                made += _draw_period(rules, due, first, last, at)
    return made


def draw_days(first: date, last: date, *, at: datetime) -> int:
    """Draw a sample of some days that are over, besides those of weeks and months, by the rules of each week; once."""
    rules = rules_in_force()
    weekly = [rule for rule in rules if rule.every == Every.WEEK]
    return _draw_period(rules, weekly, first, last, at)


def _draw_period(
    rules: Sequence[RecheckRule], due: Sequence[RecheckRule], first: date, last: date, at: datetime
) -> int:
    populations: dict[int, list[UUID]] = defaultdict(list)
    for case in closed_within(first, last):
        if rule := rule_of(case, rules):
            populations[rule.pk].append(case.closing)
    return sum(_draw(rule, first, last, sorted(populations[rule.pk]), at) for rule in due)


def closed_within(first: date, last: date) -> list[Closed]:
    """Return the closings of some days that still hold and were never drawn. Queries: 1."""
    passed = Step.objects.filter(
        hazard=OuterRef("hazard"), version__lt=OuterRef("version"), action__in=("verify", "pass_by_sample")
    )
    rows = Step.objects.filter(
        action="write_off", at__gte=_midnight(first), at__lt=_midnight(last + timedelta(days=1)),
        hazard__state=HazardState.WRITTEN_OFF, hazard__written_off_at=F("at"),
    ).exclude(Exists(Recheck.objects.filter(closing=OuterRef("pk"))))  # fmt: skip
    rows = rows.annotate(passed_by=Subquery(passed.order_by("-version").values("action")[:1]))
    fields = ("pk", "hazard_id", "hazard__matter_id", "hazard__matter__matter_class_id", "hazard__severity",
              "hazard__area_code", "passed_by")  # fmt: skip
    return [Closed(*row, sampled=passed_by == "pass_by_sample") for *row, passed_by in rows.values_list(*fields)]


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def _draw(rule: RecheckRule, first: date, last: date, population: list[UUID], at: datetime) -> int:
    """Draw once and deal what was drawn; 0 where somebody else has drawn meanwhile."""
    seed = drawing.fresh_seed()
    number = drawing.wanted(len(population), rule.percent, rule.at_least)
    row = RecheckDraw(
        rule=rule, first=first, last=last, at=at, method=drawing.METHOD, seed=seed, percent=rule.percent,
        at_least=rule.at_least, days=rule.days, population=population, size=len(population), drawn=number,
    )  # fmt: skip
    try:
        with transaction.atomic():
            row.save()  # the other of two that draw at once waits here, and then knows
            _deal(row, drawing.chosen(population, seed, number), at)
    except IntegrityError:
        if RecheckDraw.objects.filter(rule=rule, first=first, last=last).exists():
            return 0
        raise
    return number


def _deal(row: RecheckDraw, closings: list[UUID], at: datetime) -> None:
    steps = Step.objects.filter(pk__in=closings).select_related("hazard__matter", "hazard__cell")
    due_on = timezone.localdate(at) + timedelta(days=row.days)
    rechecks = [
        Recheck(
            id=uuid.uuid4(), draw=row, hazard=step.hazard, closing=step, area_code=step.hazard.area_code, due_on=due_on,
            drawn_at=at,
        )
        for step in sorted(steps, key=lambda step: drawing.lot(row.seed, step.pk))
    ]  # fmt: skip
    if not rechecks:
        return
    pool = Pool(one.area_code for one in rechecks)
    for one in rechecks:
        one.checker = pool.deal(one, row.seed)
    Recheck.objects.bulk_create(rechecks)
    RecheckStep.objects.bulk_create(
        RecheckStep(
            id=uuid.uuid4(), recheck=one, action="draw", version=1, checker=one.checker, at=at,
            basis=f"{row.first} – {row.last}",
        )
        for one in rechecks
    )  # fmt: skip
    for one in rechecks:
        _tell(one, at)


def _tell(recheck: Recheck, at: datetime) -> None:
    """Tell the checker; where there is none, the supervisors of the area. Queries: 4 or 5."""
    params = {**notices.params_of(recheck.hazard), "due_on": recheck.due_on.isoformat()}
    people = [recheck.checker] if recheck.checker else notices.covering(recheck.area_code, Role.SUPERVISOR)
    notify(
        recipients=people, topic="recheck.drawn" if recheck.checker else "recheck.nobody", params=params,
        subject=("recheck", recheck.pk), source_key=f"recheck:{recheck.pk}:{recheck.version}", at=at,
    )  # fmt: skip


def remind_late(*, at: datetime) -> int:
    """Tell checkers of what they are late with, each once; return how many were told now. Queries: 1, and 4 a late one."""
    late = Recheck.objects.due().filter(due_on__lt=timezone.localdate(at), checker__isnull=False)
    rows = late.select_related("hazard__matter", "hazard__cell").order_by("-due_on", "pk")[:REMINDED_AT_ONCE]
    return sum(
        notify(
            recipients=[one.checker_id], topic="recheck.late", subject=("recheck", one.pk), at=at,
            params={**notices.params_of(one.hazard), "due_on": one.due_on.isoformat()},
            source_key=f"recheck:{one.pk}:late:{one.checker_id}",
        )
        for one in rows
    )  # fmt: skip


def chosen_again(row: RecheckDraw) -> bool:
    """Test whether the stored number still gives just what was drawn. Queries: 1."""
    number = drawing.wanted(len(row.population), row.percent, row.at_least)
    drawn = set(row.rechecks.values_list("closing", flat=True))
    return drawn == set(drawing.chosen(row.population, row.seed, number)) and number == row.drawn


# -- steps ---------------------------------------------------------------------------------------


def permitted(user: Any, action: str, recheck: Recheck) -> None:
    """Let pass who may take an action on this re-check. :raises NotAllowed: everybody else. Queries: 0 with its hazard."""
    verdicts = [may(user, step, recheck) for step in LIFECYCLE.steps_named(action)]
    if not any(verdict.allowed for verdict in verdicts):
        raise NotAllowed(verdicts[0].rule if verdicts else "denied.action")


def steps_open_to(user: Any, recheck: Recheck) -> list[Row]:
    """Return the rows a person may take now: the buttons of a page."""
    return [step for step in LIFECYCLE.steps_from(recheck.state) if may(user, step, recheck).allowed]


@transaction.atomic
def take_recheck_step(*, recheck_id: UUID, action: str, given: RecheckInput, actor: Any, at: datetime) -> Recheck:
    """Take one step: lock, ask the table, check, write; what does not hold reopens the case in the same transaction.

    :raises NotAllowed: not the checker, or a party of the case; StepNotAllowed: done, or the case was reopened since.
    :raises StaleVersion: ``given.version`` is not the present one; FieldsMissing, EvidenceMissing: what is missing.
    """
    recheck = _held(recheck_id)
    permitted(actor, action, recheck)
    step = LIFECYCLE.step(recheck.state, action)
    if recheck.hazard.state != HazardState.WRITTEN_OFF or recheck.hazard.written_off_at != recheck.closing.at:
        raise StepNotAllowed(_("The case was reopened since; this re-check lapses."))
    if given.version is not None and given.version != recheck.version:
        raise StaleVersion(f"{given.version} is not {recheck.version}")
    _check(step, given, recheck)
    _use_photos(step, given, recheck)
    recheck.version += 1
    if action == "assign":
        recheck.checker = _chosen(given, recheck)
    else:
        recheck.state, recheck.done_at, recheck.done_by = step.target, at, actor
    recheck.save()
    _write(recheck, step, given, actor, at)
    if action == "fails":
        _reopen(recheck, given, actor, at)
    elif action == "assign":
        _tell(recheck, at)
    return recheck


def _held(recheck_id: UUID) -> Recheck:
    """Return a re-check with its row and its hazard's held, the hazard's first, as steps of hazards do."""
    list(Hazard.objects.filter(rechecks=recheck_id).select_for_update(of=("self",)).values_list("pk"))
    rows = Recheck.objects.select_related("hazard__matter", "hazard__cell", "closing", "checker")
    return rows.select_for_update(of=("self",)).get(pk=recheck_id)


def _check(step: Row, given: RecheckInput, recheck: Recheck) -> None:
    errors: dict[str, str] = {}
    if "reason" in step.requires and not given.words.strip():
        errors["reason"] = _("This step needs words.")
    if "location" in step.requires and (fault := place_fault(_as_step(given), recheck.hazard)):
        errors["location"] = fault
    if "checker" in step.requires and _chosen(given, recheck) is None:
        errors["checker"] = _("“%(seen)s” is nobody who may check this case again.") % {"seen": given.checker}
    if given.version is None:
        errors["version"] = _("A step carries the version that its sender saw.")
    if errors:
        raise FieldsMissing(errors)


def _chosen(given: RecheckInput, recheck: Recheck) -> User | None:
    return next((user for user in fit_for(recheck) if user.username == given.checker), None) if given.checker else None


def _as_step(given: RecheckInput, **more: Any) -> StepInput:
    place = {"lon": given.lon, "lat": given.lat, "accuracy_m": given.accuracy_m}
    return StepInput(**{"id": given.id, "version": None, "words": given.words, **place, **more})


def _use_photos(step: Row, given: RecheckInput, recheck: Recheck) -> None:
    """Bind the photos of the visit to its result. :raises EvidenceMissing: there is none."""
    if "photo:after" not in step.requires:
        return
    photos = evidence.unused(kind="recheck", subject_id=str(recheck.pk), role="after", step_id=given.id)
    if not photos:
        raise EvidenceMissing("photo:after", _("A re-check needs a photo of what was found; there is none."))
    evidence.use(photos, step_id=given.id)


def _write(recheck: Recheck, step: Row, given: RecheckInput, actor: Any, at: datetime) -> None:
    RecheckStep.objects.create(
        id=given.id, recheck=recheck, action=step.action, version=recheck.version, actor=actor, checker=recheck.checker,
        at=at, words=given.words.strip(), accuracy_m=given.accuracy_m, basis=step.basis,
        location=None if given.lon is None or given.lat is None else Point(given.lon, given.lat, srid=4326),
    )  # fmt: skip


def _reopen(recheck: Recheck, given: RecheckInput, actor: Any, at: datetime) -> None:
    """Reopen the case by its own step, in the name of the checker, with what was found as the reason."""
    step = _as_step(given, id=uuid.uuid4(), version=recheck.hazard.version, checker=actor.pk)
    take_step(hazard_id=recheck.hazard_id, action="reopen", given=step, actor=actor, at=at)


@transaction.atomic
def lapse(hazard_id: UUID, *, at: datetime) -> int:
    """Let the re-checks of a case lapse that are still due once it is open again; return how many. Queries: 1, 2 more each.

    Heard late, when the case was closed and drawn again meanwhile, this leaves the new one be.
    """
    stands = {"hazard__state": HazardState.WRITTEN_OFF, "hazard__written_off_at": F("closing__at")}
    rows = Recheck.objects.due().filter(hazard=hazard_id).exclude(**stands)
    found = list(rows.select_for_update(of=("self",)))
    for one in found:
        one.state, one.version = RecheckState.LAPSED, one.version + 1
        one.save(update_fields=["state", "version"])
        RecheckStep.objects.create(
            id=uuid.uuid4(), recheck=one, action="lapse", version=one.version, checker_id=one.checker_id, at=at
        )
    return len(found)
