"""May this person take this step with this record? Role × area × state × four eyes, deny by default.

A :class:`~citysafety.lifecycle.Step` names its alternatives as ``"role:rule,rule"``; ``*`` is any role.
The rules look only at attributes of the record (``area_code``, ``department_id``, ``reporter_id``,
``rectified_by_id``, ``handled_on_spot``, ``drafter_ids``, ``checker_id``, ``party_ids``), so this module knows no app above it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db.models import Q
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from citysafety import areas
from citysafety.lifecycle import Step

from .models import Role, User


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether, and by which rule: a stable key that :func:`sentence` puts into words."""

    allowed: bool
    rule: str


@dataclass(frozen=True, slots=True)
class Tried:
    """One alternative of a step, as it was judged for one user and one record."""

    alternative: str
    allowed: bool
    rule: str

    @property
    def words(self) -> str:
        """Return whom the alternative is for: the role, and what must hold."""
        role, rules = parsed(self.alternative)
        return _said(role, rules)

    @property
    def sentence(self) -> str:
        return sentence(self.rule)


# -- the rules: small, named, true or false ----------------------------------------------------


def area_covers(user: User, subject: Any) -> bool:
    return areas.covers(user.area_code, subject.area_code)


def own_department(user: User, subject: Any) -> bool:
    return user.department_id is not None and user.department_id == subject.department_id


def assigned_department(user: User, subject: Any) -> bool:
    return user.department_id is not None and user.department_id == getattr(subject, "assigned_to_id", None)


def is_reporter(user: User, subject: Any) -> bool:
    """Whose report it is; of several reports that were made one, each one's."""
    return user.pk is not None and (
        user.pk == subject.reporter_id or user.pk in (getattr(subject, "co_reporters", None) or ())
    )


def not_the_doer(user: User, subject: Any) -> bool:
    return user.pk != subject.rectified_by_id


def not_the_reporter_on_spot(user: User, subject: Any) -> bool:
    return not (subject.handled_on_spot and user.pk == subject.reporter_id)


def not_the_first_signer(user: User, subject: Any) -> bool:
    return user.pk != subject.first_signer_id


def not_a_drafter(user: User, subject: Any) -> bool:
    return user.pk not in subject.drafter_ids


def is_checker(user: User, subject: Any) -> bool:
    """Who was chosen to look at it again; a hazard has such a person only while the re-check that fails is recorded."""
    return user.pk is not None and user.pk == getattr(subject, "checker_id", None)


def took_no_step(user: User, subject: Any) -> bool:
    return user.pk not in subject.party_ids


Rule = Callable[[User, Any], bool]

RULES: dict[str, tuple[Rule, str]] = {
    "area": (area_covers, "denied.area"),
    "department": (own_department, "denied.department"),
    "assigned": (assigned_department, "denied.department"),
    "reporter": (is_reporter, "denied.reporter"),
    "not_rectifier": (not_the_doer, "denied.four_eyes"),
    "not_reporter_on_spot": (not_the_reporter_on_spot, "denied.four_eyes_on_spot"),
    "not_first_signer": (not_the_first_signer, "denied.two_signatures"),
    "not_drafter": (not_a_drafter, "denied.own_draft"),
    "checker": (is_checker, "denied.checker"),
    "no_party": (took_no_step, "denied.party"),
}

SENTENCES = {
    "denied.inactive": _("The account is switched off."),
    "denied.action": _("There is no such action."),
    "denied.role": _("The role has no part in this step."),
    "denied.area": _("The record lies outside the area of duty."),
    "denied.department": _("The record is not with this person's department."),
    "denied.reporter": _("Only the reporter may do this."),
    "denied.four_eyes": _("Four eyes: who rectified may not verify."),
    "denied.two_signatures": _("Four eyes: who signed first may not sign second."),
    "denied.own_draft": _("Four eyes: who had a hand in the draft may not approve it."),
    "denied.maker": _("Only who made the draft works on it."),
    "denied.own_list": _("Four eyes: who made a list does not sign it."),
    "denied.no_place": _("No signature of this person is asked for, or it is given."),
    "denied.checker": _("Only who was chosen to check it again may do this."),
    "denied.party": _("Four eyes: who took a step in the case does not check it again."),
    "denied.four_eyes_on_spot": _("Four eyes: what was handled on the spot is verified by another than its reporter."),
}

RULE_WORDS = {
    "area": _("the area of duty covers the record"),
    "department": _("the record is with the own department"),
    "assigned": _("the record is assigned to the own department"),
    "reporter": _("reported by this person"),
    "not_rectifier": _("rectified by another"),
    "not_first_signer": _("signed first by another"),
    "not_drafter": _("drafted by others"),
    "checker": _("chosen to check it again"),
    "no_party": _("took no step in the case"),
    "not_reporter_on_spot": _("not handled on the spot by this person"),
}


@cache
def parsed(alternative: str) -> tuple[str, tuple[str, ...]]:
    """Return role and rules of ``"role:rule,rule"``.

    :raises ValueError: for a role or rule that does not exist: a slip in a table must not open or close a door.
    """
    role, _colon, names = alternative.partition(":")
    rules = tuple(name for name in names.split(",") if name)
    if role != "*" and role not in Role.values:
        raise ValueError(f"{alternative!r}: there is no role {role!r}")
    if unknown := [name for name in rules if name not in RULES]:
        raise ValueError(f"{alternative!r}: there is no rule {unknown[0]!r}")
    return role, rules


def judge(user: User, alternative: str, subject: Any) -> Verdict:
    """Judge one alternative; the first rule that does not hold decides."""
    role, rules = parsed(alternative)
    if role not in ("*", user.role):
        return Verdict(False, "denied.role")
    for name in rules:
        holds, refusal = RULES[name]
        if not holds(user, subject):
            return Verdict(False, refusal)
    return Verdict(True, ".".join(["allowed", "anyone" if role == "*" else role, *rules]))


def tried(user: User, step: Step, subject: Any) -> list[Tried]:
    """Return every alternative of a step with its verdict: what the page "why" shows."""
    return [
        Tried(alternative, verdict.allowed, verdict.rule)
        for alternative in step.roles
        for verdict in [judge(user, alternative, subject)]
    ]


def may(user: User, step: Step, subject: Any) -> Verdict:
    """Tell whether a user may take a step with a record, and the rule that decided. No queries.

    The state is not looked at: whether the step is open now is the lifecycle's answer (409, not 403).
    Of several refusals the one that came furthest is named: "outside the area" says more than "not the role".
    """
    if not user.is_active:
        return Verdict(False, "denied.inactive")
    verdicts = [judge(user, alternative, subject) for alternative in step.roles]
    for verdict in verdicts:
        if verdict.allowed:
            return verdict
    for verdict in verdicts:
        if verdict.rule != "denied.role":
            return verdict
    return Verdict(False, "denied.role")


def sentence(rule: str) -> str:
    """Return the sentence of a verdict's rule in the active language."""
    if rule in SENTENCES:
        return str(SENTENCES[rule])
    kind, _dot, rest = rule.partition(".")
    if kind != "allowed":
        return rule
    role, *names = rest.split(".")
    return gettext("Allowed: %(who)s.") % {"who": _said("*" if role == "anyone" else role, names)}


def _said(role: str, rules: Iterable[str]) -> str:
    """Say a role and the rules it must meet in the active language."""
    who = gettext("Anyone") if role == "*" else str(Role(role).label)
    return " · ".join([who, *(str(RULE_WORDS[name]) for name in rules)])


# A wall screen has no lists; a handler's list is the own department's, shorter than the figure of the area.
WITHOUT_LISTS = frozenset({Role.KIOSK, Role.DEPARTMENT_HANDLER})


def opens_lists(user: User) -> bool:
    """Test whether the list behind a figure of the area is, for this reader, the whole of it."""
    return user.role not in WITHOUT_LISTS


def area_q(user: User, field: str = "area_code") -> Q:
    """Return the condition that rows lie in the user's area of duty; without an area nothing does."""
    if len(user.area_code) not in areas.LEVELS:
        return Q(pk__in=[])
    return Q(**{f"{field}__startswith": user.area_code})


# -- why can or can't someone see a record -----------------------------------------------------


@dataclass(frozen=True, slots=True)
class Seen:
    """One rule of visibility, tried for one user and one record."""

    rule: str
    allowed: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record that can be explained: how to find one, who sees it, what may be done with it."""

    name: str
    label: Any
    explain: Callable[[User, str], Iterable[tuple[str, bool, str]]]
    find: Callable[[str], Any | None]
    steps: tuple[Step, ...]
    states: Mapping[str, Any]  # what each state is called


KINDS: dict[str, Kind] = {}


def register_visibility(
    kind: str,
    explain: Callable[[User, str], Iterable[tuple[str, bool, str]]],
    *,
    label: Any = None,
    find: Callable[[str], Any | None] | None = None,
    steps: Iterable[Step] = (),
    states: Mapping[str, Any] | None = None,
) -> None:
    """Make a kind of record explainable.

    ``explain(user, subject_id)`` returns every rule of visibility as (key, holds, sentence);
    ``find(id or number)`` returns the record (with ``pk`` and ``state``) or None; ``steps`` is its table.
    """
    KINDS[kind] = Kind(
        kind, label or format_lazy("{}", kind), explain, find or (lambda _given: None), tuple(steps), states or {}
    )


def visible_rule(kind: str, user: User, subject_id: str) -> list[Seen]:
    """Return every rule of visibility of a record, tried for a user. :raises KeyError: unknown kind."""
    return [Seen(*row) for row in KINDS[kind].explain(user, subject_id)]
