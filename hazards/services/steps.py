"""Take a step in the life of a hazard."""

from collections.abc import Callable
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.gis.geos import Point
from django.db import transaction
from django.db.models import F, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import translation
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from citysafety.accounts.models import Department
from citysafety.accounts.rights import may
from citysafety.accounts.selectors import offices_open_to
from citysafety.coordinates import metres_between
from citysafety.evidence import services as evidence
from citysafety.outbox.services import announce
from grid.locate import in_frame

from ..lifecycle import IN_WORK, LIFECYCLE, TO_DISPATCH, HazardState, HazardStep, PhotoRole, kept_from, open_step
from ..models import Hazard, Severity, Step
from ..rechecks.rules import Closed, rule_of, rules_in_force
from ..selectors import MOST_DOUBT_M
from ..standing import record_standing
from . import limits, majors, merging, reopening, showing
from .clocks import run_clock
from .given import EvidenceMissing, FieldsMissing, NotAllowed, StaleVersion, StepInput, TooLateToReopen
from .places import correct_cell
from .publicity import answer_fault
from .reporting import stepped

REOPEN_WITHIN = timedelta(days=30)
AT_ONCE = 200  # pauses that end in one sweep
# What is said where a step's own field is missing.
NEEDED = {
    "amount": gettext_lazy("This step needs how much more time."),
    "cause": gettext_lazy("This step needs a cause."),
    "matter": gettext_lazy("This step needs the code of a matter."),
    "into": gettext_lazy("This step needs the number of the case it is a duplicate of."),
    "cell": gettext_lazy("This step needs the code of a cell."),
    "criterion": gettext_lazy("A major hazard names the criterion that makes it one."),
    "unit": gettext_lazy("A plan names the unit that answers for it."),
    "person": gettext_lazy("A plan names the person who answers for it."),
    "measures": gettext_lazy("A plan says which measures are taken."),
    "funds": gettext_lazy("A plan says what it costs in yuan, or “none” where no funds are needed."),
    "finish_on": gettext_lazy("A plan names the day by which it is done."),
    "contingency": gettext_lazy("A plan says what is done if something happens meanwhile."),
    "scope": gettext_lazy("This step says what stands still."),
    "basis": gettext_lazy("This step names its legal basis."),
}


def _leave_to_sampling(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Let a case pass without a visit only where a rule draws from such cases. Queries: 1."""
    case = Closed(
        closing=given.id, hazard=hazard.pk, matter=hazard.matter_id, matter_class=hazard.matter.matter_class_id,
        severity=hazard.severity, area=hazard.area_code, sampled=True,
    )  # fmt: skip
    if rule_of(case, rules_in_force()) is None:
        raise FieldsMissing({"matter": _("No rule of re-checks draws from such cases; it is verified on site.")})


# What a step does to a case besides moving it on: called with its row held and the step's fields checked.
EFFECTS: dict[str, Callable[[Hazard, StepInput, Any, datetime], None]] = {
    "pass_by_sample": _leave_to_sampling,
    "ask_extension": limits.ask_extension,
    "grant_extension": limits.grant_extension,
    "deny_extension": limits.deny_extension,
    "ask_pause": limits.ask_pause,
    "pause": limits.pause,
    "deny_pause": limits.deny_pause,
    "resume": limits.resume,
    "pin": limits.pin,
    "unpin": limits.unpin,
    "change_matter": majors.change_matter,
    "correct_cell": correct_cell,
    "merge": merging.merge,
    "unmerge": merging.unmerge,
    "remark": merging.pass_on,
    "raise": majors.raise_to_major,
    "lower": majors.lower,
    "plan": majors.plan,
    "approve_plan": majors.approve_plan,
    "return_plan": majors.return_plan,
    "stop_work": majors.stop_work,
    "resume_work": majors.resume_work,
    "show_photos": showing.show,
    "hide_photos": showing.hide,
    "ask_reopening": reopening.ask,
    "deny_reopening": reopening.deny,
}


def permitted(user: Any, action: str, hazard: Hazard) -> None:
    """Let pass who may take some row of an action on this hazard. :raises NotAllowed: everybody else."""
    verdicts = [may(user, step, hazard) for step in LIFECYCLE.steps_named(action)]
    if not any(verdict.allowed for verdict in verdicts):
        raise NotAllowed(verdicts[0].rule if verdicts else "denied.action")


def steps_open_to(user: Any, hazard: Hazard, at: datetime) -> list[HazardStep]:
    """Return the rows a person may take now: the buttons of a page."""
    return [
        step
        for step in LIFECYCLE.steps_from(hazard.state)
        if may(user, step, hazard).allowed
        and not kept_from(step, hazard, at)
        and not (step.action == "reopen" and _too_late_to_reopen(hazard, at))
    ]


def _too_late_to_reopen(hazard: Hazard, at: datetime) -> bool:
    return hazard.written_off_at is not None and at > hazard.written_off_at + REOPEN_WITHIN


def requirements(step: HazardStep, hazard: Hazard) -> dict[str, int]:
    """Return how many photos of each role a step asks for: the table's, or more where the matter says so."""
    roles = [name.removeprefix("photo:") for name in step.requires if name.startswith("photo:")]
    return {role: max(1, getattr(hazard.matter, f"photos_{role}", 1) or 1) for role in roles}


def _entered(hazard: Hazard) -> QuerySet:
    """Return when a case came into its states, the present one first: what was shown before counts for nothing in it."""
    return hazard.steps.exclude(source=F("target")).order_by("-version").values_list("at", flat=True)


def photos_for(role: str, hazard: Hazard, actor: Any, step_id: UUID | None = None) -> list[int]:
    """Return the photos of a role that may serve a step that somebody takes now. Queries: 1."""
    since = Coalesce(Subquery(_entered(hazard)[:1]), Value(hazard.received_at))
    return evidence.unused(
        kind="hazard", subject_id=str(hazard.pk), role=role, step_id=step_id, since=since, actor=actor
    )


def _use_photos(step: HazardStep, hazard: Hazard, given: StepInput, actor: Any) -> None:
    """Bind the photos that a step asks for to it. :raises EvidenceMissing: fewer count than it asks for."""
    for role, number in requirements(step, hazard).items():
        photos = photos_for(role, hazard, actor, given.id)
        if len(photos) < number:
            words = _("This step needs %(number)s photo(s) “%(role)s”; there are %(seen)s.")
            said = words % {"number": number, "role": PhotoRole(role).label, "seen": len(photos)}
            if evidence.left_over(kind="hazard", subject_id=str(hazard.pk), role=role) > len(photos):
                more = _("Only those count that you or your department sent since %(since)s.")
                said += " " + more % {"since": f"{localtime(_entered(hazard).first() or hazard.received_at):%F %H:%M}"}
            raise EvidenceMissing(f"photo:{role}", said)
        evidence.use(photos, step_id=given.id)


def photo_fault(role: str, hazard: Hazard, sender: Any) -> str:
    """Say why a photo cannot be taken now; empty where it can. Queries: none.

    What shows the scene may always come. What shows work comes while a step can ask for it; that of a claim to have
    handled it on the spot follows its filing, from a phone that had no net, until the case is dispatched.
    """
    if role == PhotoRole.SCENE:
        return ""
    asked = any(f"photo:{role}" in step.requires for step in LIFECYCLE.steps_from(hazard.state))
    claimed = hazard.claimed_on_spot and sender.pk == hazard.reporter_id and hazard.state in TO_DISPATCH
    if asked or claimed:
        return ""
    words = _("No step from “%(state)s” asks for a photo “%(role)s”; it would show no work.")
    return words % {"state": hazard.get_state_display(), "role": PhotoRole(role).label}


@transaction.atomic
def take_step(*, hazard_id: UUID, action: str, given: StepInput, actor: Any, at: datetime) -> Hazard:
    """Take one step: lock, ask the table, check, write, announce.

    Source: 《安全生产事故隐患排查治理暂行规定》; GB/T 30428.8 for the order of steps.

    :raises NotAllowed: wrong role or area, or one's own work.
    :raises StepNotAllowed: not open from the present state; TooLateToReopen: past the limit for reopening.
    :raises StaleVersion: ``given.version`` is not the present one.
    :raises FieldsMissing, EvidenceMissing: what the step asks for is not there.
    """
    hazard = merging.held_with_its_other(hazard_id, action, given, actor)
    hazard.checker_id = given.checker
    permitted(actor, action, hazard)
    step = open_step(hazard, action, at)
    if action == "reopen" and given.checker is None and _too_late_to_reopen(hazard, at):
        raise TooLateToReopen(_("It was written off more than %(days)s days ago.") % {"days": REOPEN_WITHIN.days})
    if given.version is not None and given.version != hazard.version:
        raise StaleVersion(f"{given.version} is not {hazard.version}")
    department = _checked(step, given, hazard, actor)
    _use_photos(step, hazard, given, actor)
    if action == "fail":  # what was shown so far has not convinced; sent once more, it is told so
        evidence.spend(kind="hazard", subject_id=str(hazard.pk), role=PhotoRole.AFTER, step_id=given.id)
    if action in EFFECTS:
        EFFECTS[action](hazard, given, actor, at)
    _move(hazard, step, actor=actor, department=department, at=at)
    _write(hazard, step, given, actor=actor, at=at)
    return hazard


def resume_ended(*, at: datetime) -> int:
    """Let every pause end whose time has come; return how many. Safe to run at once with itself and with steps. Queries: 1, and 8 a case."""
    ended = Hazard.objects.filter(paused_at__isnull=False, paused_until__lte=at).order_by("paused_until")
    return sum(_resume(pk, at) for pk in ended.values_list("pk", flat=True)[:AT_ONCE])


@transaction.atomic
def dispatch_by_rule(hazard_id: UUID, office: Department, *, words: str, at: datetime) -> Hazard:
    """Accept a case that was just reported and dispatch it, by a rule and in nobody's name; ``words`` name the rule. Queries: about 20."""
    hazard = merging.held(hazard_id)
    for action, department in (("accept", None), ("dispatch", office)):
        step = open_step(hazard, action, at)
        _move(hazard, step, actor=None, department=department, at=at)
        _write(hazard, step, StepInput(id=uuid4(), version=None, words=words), actor=None, at=at)
    return hazard


@transaction.atomic
def _resume(hazard_id: UUID, at: datetime) -> bool:
    hazard = merging.held(hazard_id)
    if hazard.paused_until is None or hazard.paused_until > at:
        return False
    step = open_step(hazard, "resume", at)
    limits.resume(hazard, None, None, at)
    _move(hazard, step, actor=None, department=None, at=at)
    _write(hazard, step, StepInput(id=uuid4(), version=None), actor=None, at=at)
    return True


def _checked(step: HazardStep, given: StepInput, hazard: Hazard, actor: Any) -> Department | None:
    """Check the fields a step asks for; return the department where one is named."""
    errors: dict[str, str] = {}
    for name in ("reason", "words"):
        if name in step.requires and not given.words.strip():
            errors[name] = _("This step needs words.")
    if fault := answer_fault(step.action, hazard, given.words):
        errors["reason"] = fault
    for name, words in NEEDED.items():
        if name in step.requires and not str(getattr(given, name) or "").strip():
            errors[name] = str(words)
    if "location" in step.requires and (fault := place_fault(given, hazard)):
        errors["location"] = fault
    department = None
    if "department" in step.requires:
        department = offices_open_to(actor, hazard.area_code).filter(code=given.department).first()
        if department is None:
            errors["department"] = _(
                "There is no department “%(code)s” that answers for the place or lies in your area of duty."
            ) % {"code": given.department}
    if given.version is None:
        errors["version"] = _("A step carries the version that its sender saw.")
    if errors:
        raise FieldsMissing(errors)
    return department


def place_fault(given: StepInput, hazard: Hazard) -> str:
    """Say what is wrong with where somebody stands who looks at a case on site; empty where nothing is."""
    if given.lon is None or given.lat is None:
        return _("This step needs the place where you stand.")
    if not in_frame(given.lon, given.lat):
        return _("%(lon).5f, %(lat).5f lies outside the city.") % {"lon": given.lon, "lat": given.lat}
    if (limit := hazard.matter.verify_within_m) and (away := _metres_away(given, hazard)) > limit:
        words = _("You stand %(away)d m or more from the case; this matter is verified within %(limit)d m of it.")
        return words % {"away": ceil(away), "limit": limit}
    return ""


def _metres_away(given: StepInput, hazard: Hazard) -> float:
    """Return how far from a case somebody stands at least, as far as the position can be trusted."""
    apart = metres_between((given.lon, given.lat), (hazard.location.x, hazard.location.y))
    return apart - min(given.accuracy_m or 0, MOST_DOUBT_M)


def _move(hazard: Hazard, step: HazardStep, *, actor: Any, department: Department | None, at: datetime) -> None:
    """Bring the hazard into its next state; a step without a target has brought it there itself."""
    source = step.source
    hazard.state = (step.on_spot if step.on_spot and hazard.handled_on_spot else step.target) or hazard.state
    hazard.version += 1
    hazard.changed_at = at
    if step.action == "fail" or hazard.checker_id is not None:  # a re-check that does not hold reopens the case
        hazard.failures += 1
    if hazard.state not in IN_WORK:
        limits.let_lapse(hazard, at)
    if department is not None:
        hazard.department = department
        if department.pk not in hazard.party_departments:
            hazard.party_departments = [*hazard.party_departments, department.pk]
    if actor is not None and actor.pk not in hazard.party_users:
        hazard.party_users = [*hazard.party_users, actor.pk]
    if step.is_aside:
        return
    hazard.contested_at = None
    if hazard.state == HazardState.RECTIFIED:
        hazard.rectified_by, hazard.handled_on_spot = actor, source == HazardState.REPORTED
    elif hazard.state in (HazardState.ACCEPTED, HazardState.REPORTED) and step.action != "unmerge":
        hazard.department, hazard.rectified_by, hazard.handled_on_spot = None, None, False
        hazard.photos_shown_at = None
        majors.drop_plan(hazard, at)
    if hazard.state == HazardState.WRITTEN_OFF:
        hazard.written_off_at = at
    run_clock(hazard, at=at)


def _said(step: HazardStep, given: StepInput) -> str:
    """Return the words of a step as the history keeps them; those of another matter with the severity that was decided."""
    words = given.words.strip() or given.scope.strip()
    if step.action != "change_matter" or not given.severity:
        return words
    with translation.override(settings.LANGUAGE_CODE):
        decided = _("Decided: %(severity)s") % {"severity": Severity(given.severity).label}
    return f"{words} ({decided})"[:2000]


def _write(hazard: Hazard, step: HazardStep, given: StepInput, *, actor: Any, at: datetime) -> None:
    """Write the hazard, its history row, its news and its place in the figures."""
    Step.objects.create(
        id=given.id,
        hazard=hazard,
        action=step.action,
        source=step.source,
        target=hazard.state,
        version=hazard.version,
        actor=actor,
        department=hazard.department,
        at=at,
        words=_said(step, given),
        location=None if given.lon is None or given.lat is None else Point(given.lon, given.lat, srid=4326),
        basis=step.basis,
    )
    actor_id = actor.pk if actor is not None else None
    entry = announce(stepped(hazard, action=step.action, actor_id=actor_id, step=str(given.id)), at=at)
    hazard.period = record_standing(hazard, entry, action=step.action)
    hazard.save()
