"""Say of many cases which of them a step can be taken with and why not with the others; nothing is written.

Each check reads what it needs for all cases at once and answers for each from memory. What it cannot know, such as a
colleague who is faster, the step itself finds when it is taken.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from citysafety.accounts.rights import sentence
from citysafety.accounts.roles import Role
from citysafety.accounts.selectors import choose_for, offices_around
from citysafety.lifecycle import StepNotAllowed

from ..lifecycle import FOR_MANY, LIFECYCLE, HazardState, kept_from
from ..models import ClockChange, Hazard, LimitRule, PauseCause
from ..services.given import FieldsMissing, NotAllowed
from ..services.limits import OTHER, end_of_pause
from ..services.steps import permitted

MOST = 1000  # cases in one run
POSSIBLE, DONE, REFUSED = "possible", "done", "refused"
TEXTS = ("what", "office", "words")  # of a row, by language
Row = dict[str, Any]
Said = TypeVar("Said")
Check = Callable[[Hazard, Row], str]  # why not; empty where nothing is against it


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """What all cases of a run get alike. Without a department each goes to the office suggested for it."""

    words: str = ""
    department: str = ""
    cause: str = ""


def choices(user: Any) -> list[tuple[str, Any]]:
    """Return the steps that somebody of a role may take with many cases, with their labels. Queries: 0."""
    labels = {step.action: step.label for step in LIFECYCLE.steps}
    return [(action, labels[action]) for action in FOR_MANY if _is_for(user, action)]


def _is_for(user: Any, action: str) -> bool:
    alternatives = {one for step in LIFECYCLE.steps_named(action) for one in step.roles}
    return any(one.partition(":")[0] == user.role for one in alternatives)


def asks(action: str) -> set[str]:
    """Return what a step asks for, or takes besides, when it is taken with many cases."""
    return {name for step in LIFECYCLE.steps_named(action) for name in step.requires} | (
        {"cause"} if action == "pause" else set()
    )


def judge(actor: Any, action: str, seen: Mapping[UUID, int | None], given: Fields, at: datetime) -> list[Row]:
    """Return a row for each case, in the order given: possible, or refused with the reason.

    ``seen``: the version of each that its reader saw; None takes the present one. Queries: 1, and at most 2 of the step's own,
    however many cases.
    """
    found = Hazard.objects.visible_to(actor).filter(pk__in=seen).select_related("matter").defer("location")
    hazards = {hazard.pk: hazard for hazard in found}
    check = CHECKS.get(action, _nothing)(list(hazards.values()), actor, given, at)
    told = in_each_language(
        lambda: [_row(pk, hazards.get(pk), version, actor, action, check) for pk, version in seen.items()]
    )
    return [
        rows[0] | {name: {code: row[name] for code, row in zip(told, rows, strict=True)} for name in TEXTS}
        for rows in zip(*told.values(), strict=True)
    ]


def in_each_language(say: Callable[[], Said]) -> dict[str, Said]:
    """Return what is said, by language: a page that is looked at later speaks its reader's."""
    told = {}
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            told[code] = say()
    return told


def _row(pk: UUID, hazard: Hazard | None, seen: int | None, actor: Any, action: str, check: Check) -> Row:
    row: Row = {"hazard": str(pk), "number": "", "what": "", "version": seen, "department": "", "office": ""}
    if hazard is None:
        return row | {"result": REFUSED, "words": _("There is no such case, or it is not visible to you.")}
    row |= {"number": hazard.number, "what": hazard.matter.name, "version": seen or hazard.version}
    words = against(actor, action, hazard, seen) or check(hazard, row)
    return row | {"result": REFUSED if words else POSSIBLE, "words": words}


def against(actor: Any, action: str, hazard: Hazard, seen: int | None) -> str:
    """Say what in rights, version, state or conditions is against a step: what was seen and what is expected. Queries: 0."""
    try:
        permitted(actor, action, hazard)
    except NotAllowed as refusal:
        return sentence(refusal.rule)
    if seen is not None and seen != hazard.version:
        words = _("It changed meanwhile: version %(seen)s was seen, it is version %(now)s now (%(state)s).")
        return words % {"seen": seen, "now": hazard.version, "state": hazard.get_state_display()}
    try:
        return kept_from(LIFECYCLE.step(hazard.state, action), hazard)
    except StepNotAllowed:
        sources = dict.fromkeys(step.source for step in LIFECYCLE.steps_named(action))
        expected = " / ".join(str(HazardState(source).label) for source in sources)
        words = _("It is “%(state)s”; expected %(expected)s.")
        return words % {"state": hazard.get_state_display(), "expected": expected}


# -- what single steps look at besides -------------------------------------------------------------


def _nothing(hazards: Sequence[Hazard], actor: Any, given: Fields, at: datetime) -> Check:
    return lambda hazard, row: ""


def _dispatching(hazards: Sequence[Hazard], actor: Any, given: Fields, at: datetime) -> Check:
    """Choose each case's office: the one that is named, else the one suggested. Queries: 1."""
    offices = offices_around(actor, {hazard.area_code for hazard in hazards})

    def check(hazard: Hazard, row: Row) -> str:
        choice = choose_for(actor, offices, hazard.area_code, hazard.matter.department_id)
        open_to = {office.code: office for office in (*choice.around, *choice.elsewhere)}
        office = open_to.get(given.department or choice.proposed)
        if office is not None:
            row |= {"department": office.code, "office": office.name}
            return ""
        if not given.department:
            return _("No office is suggested for its matter and place; choose one.")
        words = _("“%(code)s” neither answers for its place nor lies in your area of duty.")
        return words % {"code": given.department}

    return check


def _pausing(hazards: Sequence[Hazard], actor: Any, given: Fields, at: datetime) -> Check:
    """Look whether each cause is this role's to decide and has not run out. Queries: 2."""
    causes = {cause.code: cause for cause in PauseCause.objects.filter(active=True)}
    asked = _pauses_asked(hazards)

    def check(hazard: Hazard, row: Row) -> str:
        change = asked.get(hazard.pk)
        cause = change.cause if change and change.cause and not given.cause else causes.get(given.cause or OTHER)
        if cause is None:
            known = ", ".join(sorted(causes))
            return _("“%(seen)s” is not one of %(known)s.") % {"seen": given.cause, "known": known}
        if cause.by_supervisor and actor.role not in (Role.SUPERVISOR, Role.DEPARTMENT_HANDLER):
            return _("A pause for “%(cause)s” is decided by a supervisor.") % {"cause": cause.name}
        try:
            end_of_pause(change.until if change else None, cause, at)
        except FieldsMissing as refusal:
            return "; ".join(refusal.errors.values())
        return ""

    return check


def _pauses_asked(hazards: Sequence[Hazard]) -> dict[UUID, ClockChange]:
    waiting = [hazard.pk for hazard in hazards if hazard.pause_asked_at is not None]
    rows = ClockChange.objects.filter(
        hazard__in=waiting, kind=ClockChange.Kind.PAUSE, decided_at=None, ended_at=None
    ).select_related("cause")
    return {change.hazard_id: change for change in rows}


def _pinning(hazards: Sequence[Hazard], actor: Any, given: Fields, at: datetime) -> Check:
    """Look whether a rule says how much a leader may set. Queries: 1."""
    ruled = set(LimitRule.objects.filter(active=True).values_list("severity", flat=True))
    return lambda hazard, row: (
        "" if hazard.severity in ruled else _("No rule says what a leader may set for this severity.")
    )


CHECKS: dict[str, Callable[[Sequence[Hazard], Any, Fields, datetime], Check]] = {
    "dispatch": _dispatching,
    "ask_pause": _pausing,
    "pause": _pausing,
    "pin": _pinning,
}
