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
from ..services.limits import OTHER, cause_of, check_office, end_of_pause, sum_up
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
        lambda: [_row(pk, hazards.get(pk), version, actor, action, check, at) for pk, version in seen.items()]
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


def _row(
    pk: UUID, hazard: Hazard | None, seen: int | None, actor: Any, action: str, check: Check, at: datetime
) -> Row:  # fmt: skip
    row: Row = {"hazard": str(pk), "number": "", "what": "", "version": seen, "department": "", "office": ""}
    if hazard is None:
        return row | {"result": REFUSED, "words": _("There is no such case, or it is not visible to you.")}
    row |= {"number": hazard.number, "what": hazard.matter.name, "version": seen or hazard.version}
    words = against(actor, action, hazard, seen, at) or check(hazard, row)
    return row | {"result": REFUSED if words else POSSIBLE, "words": words}


def against(actor: Any, action: str, hazard: Hazard, seen: int | None, at: datetime) -> str:
    """Say what in rights, version, state or conditions is against a step: what was seen and what is expected. Queries: 0."""
    try:
        permitted(actor, action, hazard)
    except NotAllowed as refusal:
        return sentence(refusal.rule)
    if seen is not None and seen != hazard.version:
        words = _("It changed meanwhile: version %(seen)s was seen, it is version %(now)s now (%(state)s).")
        return words % {"seen": seen, "now": hazard.version, "state": hazard.get_state_display()}
    try:
        return kept_from(LIFECYCLE.step(hazard.state, action), hazard, at)
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
    """Look whether each cause is the one asked for, is this role's to decide, and is not used up in the case. Queries: 2."""
    causes = {cause.code: cause for cause in PauseCause.objects.filter(active=True)}
    changes = _pauses(hazards)

    def check(hazard: Hazard, row: Row) -> str:
        own = changes.get(hazard.pk, [])
        change = next((one for one in own if one.decided_at is None and one.ended_at is None), None)
        try:
            cause = cause_of(change, given.cause) or causes.get(given.cause or OTHER)
            if cause is None:
                known = ", ".join(sorted(causes))
                return _("“%(seen)s” is not one of %(known)s.") % {"seen": given.cause, "known": known}
            if actor.role != Role.DEPARTMENT_HANDLER:
                check_office(cause, actor)
            before = sum_up(one for one in own if one.is_granted and one.cause_id == cause.pk)
            end_of_pause(change.until if change else None, cause, at, before)
        except FieldsMissing as refusal:
            return "; ".join(refusal.errors.values())
        return ""

    return check


def _pauses(hazards: Sequence[Hazard]) -> dict[UUID, list[ClockChange]]:
    """Return by case the pauses that were asked for or granted. Queries: 1, none for no case."""
    rows = ClockChange.objects.filter(hazard__in=[hazard.pk for hazard in hazards], kind=ClockChange.Kind.PAUSE)
    found: dict[UUID, list[ClockChange]] = {}
    for change in rows.select_related("cause"):
        found.setdefault(change.hazard_id, []).append(change)
    return found


def _denying_pauses(hazards: Sequence[Hazard], actor: Any, given: Fields, at: datetime) -> Check:
    """Look whether each cause that was asked for is this role's to decide. Queries: 1."""
    changes = _pauses(hazards)

    def check(hazard: Hazard, row: Row) -> str:
        try:
            for change in changes.get(hazard.pk, []):
                if change.decided_at is None and change.ended_at is None and change.cause is not None:
                    check_office(change.cause, actor)
        except FieldsMissing as refusal:
            return "; ".join(refusal.errors.values())
        return ""

    return check


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
    "deny_pause": _denying_pauses,
    "pin": _pinning,
}
