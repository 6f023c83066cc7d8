"""Making a roster: shifts one by one or by pattern, copies, swaps, leave. Verbs; each is one transaction.

Who plans: dispatchers and supervisors whose area of duty covers the post. What is over is not changed any more.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from citysafety.accounts.models import User
from citysafety.accounts.rights import area_q, may
from citysafety.accounts.roles import Role
from citysafety.lifecycle import Step
from citysafety.outbox.services import announce, announce_all
from citysafety.workdays import CITY_TIME

from .facts import ShiftChanged
from .models import ROSTERED, Leave, Post, Shift, Swap
from .models.duty import LONGEST
from .patterns import Draft
from .presence import midnight
from .rosters import fits

PLANNERS = (Role.DISPATCHER, Role.SUPERVISOR)
PLAN = Step("", "plan", "", "", roles=tuple(f"{role}:area" for role in PLANNERS))
AFTERWARDS = timedelta(hours=12)  # a shift is entered late at most by this: a roster is no diary
MOST_DRAFTS = 500
NO_OVERLAP = "shift_once_a_person_and_post"

TAKEN, LEAVE, ELSEWHERE = "taken", "leave", "elsewhere"
CONFLICTS = {
    TAKEN: gettext_noop("is on this post at that time already"),
    LEAVE: gettext_noop("is on leave at that time"),
    ELSEWHERE: gettext_noop("is on another post at that time"),
}


class NotAllowed(Exception):
    """The person may not take this step with this post; ``rule`` says why."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


class Refused(Exception):
    """What was given cannot be written; ``errors`` says by field what was seen and what is expected."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = errors


class Over(Exception):
    """It has ended, was called off or was settled: nothing is changed any more."""


@dataclass(frozen=True, slots=True)
class ShiftInput:
    """A shift as it is to be."""

    person: User
    begins: datetime
    ends: datetime
    deputy: User | None = None
    kind: str = Shift.Kind.PRIMARY
    note: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """A draft of a shift, and what stands against it: "" for nothing, else a key of ``CONFLICTS``."""

    draft: Draft
    conflict: str

    @property
    def is_written(self) -> bool:
        """Only what the roster cannot hold is left out; leave and other posts are told, and the planner's to weigh."""
        return self.conflict != TAKEN


def may_plan(user: User, post: Post) -> bool:
    """Test whether a person plans the roster of a post. No queries."""
    return may(user, PLAN, post).allowed


def permitted(user: User, post: Post) -> None:
    """Let a planner through. :raises NotAllowed: others."""
    verdict = may(user, PLAN, post)
    if not verdict.allowed:
        raise NotAllowed(verdict.rule)


# -- one shift ---------------------------------------------------------------------------------------


@transaction.atomic
def add_shift(*, id: uuid.UUID, post: Post, given: ShiftInput, by: User, at: datetime) -> Shift:
    """Put a person on a post. :raises NotAllowed, Refused:"""
    permitted(by, post)
    shift = Shift(pk=id, post=post)
    _write(shift, given, at)
    _tell("added", [shift], at)
    return shift


@transaction.atomic
def change_shift(*, shift: Shift, given: ShiftInput, by: User, at: datetime) -> Shift:
    """Change who, when or the deputy of a shift that is not over. :raises NotAllowed, Refused, Over:"""
    permitted(by, shift.post)
    shift = _open(shift, at)
    before = [shift.person_id, shift.deputy_id]
    _write(shift, given, at, may_have_begun=given.begins == shift.begins)
    _tell("changed", [shift], at, *before)
    return shift


@transaction.atomic
def cancel_shift(*, shift: Shift, by: User, at: datetime) -> Shift:
    """Call a shift off; the row stays. :raises NotAllowed, Over:"""
    permitted(by, shift.post)
    shift = _open(shift, at)
    shift.cancelled_at = at
    shift.save(update_fields=["cancelled_at"])
    _tell("cancelled", [shift], at)
    return shift


def _open(shift: Shift, at: datetime) -> Shift:
    """Lock a shift and return it as it stands. :raises Over: it has ended or was called off."""
    found = Shift.objects.select_for_update(of=("self",)).select_related("post", "person", "deputy").get(pk=shift.pk)
    if found.cancelled_at or found.ends <= at:
        raise Over
    return found


def _write(shift: Shift, given: ShiftInput, at: datetime, *, may_have_begun: bool = False) -> None:
    if errors := problems(shift.post, given, at, may_have_begun=may_have_begun):
        raise Refused(errors)
    shift.person, shift.deputy = given.person, given.deputy
    shift.begins, shift.ends, shift.kind, shift.note = given.begins, given.ends, given.kind, given.note
    try:
        with transaction.atomic():  # the database has the last word on overlaps
            shift.save(force_insert=shift._state.adding)
    except IntegrityError as error:
        if NO_OVERLAP not in str(error):
            raise
        raise Refused({"person": overlap_words(shift)}) from error


def problems(post: Post, given: ShiftInput, at: datetime, *, may_have_begun: bool = False) -> dict[str, str]:
    """Return what is wrong with a shift, by field: what was seen and what is expected. No queries."""
    errors = {}
    length = given.ends - given.begins
    if length <= timedelta():
        errors["ends"] = _("The shift ends %(ends)s, before it begins %(begins)s; expected a later end.") % {
            "ends": _wall(given.ends),
            "begins": _wall(given.begins),
        }
    elif length > LONGEST:
        errors["ends"] = _("The shift is %(hours)s hours long; expected at most %(most)s.") % {
            "hours": f"{length / timedelta(hours=1):g}",
            "most": f"{LONGEST / timedelta(hours=1):g}",
        }
    elif given.begins < at - AFTERWARDS and not may_have_begun:
        errors["begins"] = _("The begin %(begins)s lies in the past; expected a shift of today or later.") % {
            "begins": _wall(given.begins)
        }
    for name, who in (("person", given.person), ("deputy", given.deputy)):
        if who is not None and (words := misfit_words(post, who)):
            errors[name] = words
    if given.deputy is not None and given.deputy == given.person:
        errors["deputy"] = _("The deputy is the person on duty; expected another.")
    return errors


def misfit_words(post: Post, who: User) -> str:
    """Return why a person may not stand at a post, "" where nothing speaks against it."""
    if fits(who, post):
        return ""
    if not who.is_active:
        return _("The account of %(who)s is switched off; expected an active one.") % {"who": who.name}
    if who.role != post.role:
        return _("%(who)s is %(role)s; this post is for: %(expected)s.") % {
            "who": who.name,
            "role": who.get_role_display(),
            "expected": post.get_role_display(),
        }
    if not who.covers(post.area_code):
        return _("%(who)s's area of duty %(area)s does not cover %(expected)s, where the post is.") % {
            "who": who.name,
            "area": who.area_code or "–",
            "expected": post.area_code,
        }
    return _("%(who)s is not of the department that the post belongs to.") % {"who": who.name}


def overlap_words(shift: Shift) -> str:
    """Say which shift of the person at the post is in the way. Queries: 1."""
    others = Shift.objects.during(shift.begins, shift.ends).filter(post=shift.post_id, person=shift.person_id)
    other = others.exclude(pk=shift.pk).first()
    return _("%(who)s is on this post %(begins)s – %(ends)s already; expected a time outside of it.") % {
        "who": shift.person.name,
        "begins": _wall(other.begins if other else shift.begins),
        "ends": _wall(other.ends if other else shift.ends),
    }


def _wall(moment: datetime) -> str:
    return f"{localtime(moment):%Y-%m-%d %H:%M}"


# -- many shifts -------------------------------------------------------------------------------------


def trial(post: Post, drafts: Sequence[Draft]) -> list[Trial]:
    """Say of each draft what stands against it; nothing is written. Queries: 2, none without drafts.

    Drafts are held against each other, too: who comes twice at once comes once.
    """
    if not drafts:
        return []
    people = {draft.person.pk for draft in drafts}
    start, end = min(d.begins for d in drafts), max(d.ends for d in drafts)
    standing = list(
        Shift.objects.during(start, end).filter(person__in=people).values_list("person", "post", "begins", "ends")
    )
    away = list(Leave.objects.during(start, end).filter(person__in=people).values_list("person", "begins", "ends"))
    rows = []
    for draft in drafts:
        posts = {
            where for who, where, begins, ends in standing if who == draft.person.pk and _meet(draft, begins, ends)
        }
        on_leave = any(who == draft.person.pk and _meet(draft, begins, ends) for who, begins, ends in away)
        conflict = TAKEN if post.pk in posts else LEAVE if on_leave else ELSEWHERE if posts else ""
        rows.append(Trial(draft, conflict))
        if conflict != TAKEN:
            standing.append((draft.person.pk, post.pk, draft.begins, draft.ends))
    return rows


def _meet(draft: Draft, begins: datetime, ends: datetime) -> bool:
    return begins < draft.ends and draft.begins < ends


def copied(post: Post, source: date, target: date) -> list[Draft]:
    """Return the shifts that began in the week of one day as drafts for the week of another. Queries: 1."""
    monday, goal = (day - timedelta(days=day.weekday()) for day in (source, target))
    begin, end = (midnight(day, CITY_TIME) for day in (monday, monday + timedelta(days=7)))
    by = goal - monday
    rows = Shift.objects.standing().filter(post=post, begins__gte=begin, begins__lt=end)
    return [
        Draft(row.person, row.begins + by, row.ends + by, row.deputy, row.kind)
        for row in rows.select_related("person", "deputy").order_by("begins", "pk")
    ]


@transaction.atomic
def write_shifts(*, post: Post, drafts: Sequence[Draft], by: User, at: datetime) -> list[Trial]:
    """Write drafts that the roster can hold; return what became of each. Written again, nothing is written twice.

    Queries: 2 for the trial, 1 insert, 2 for the news. :raises NotAllowed, Refused:
    """
    permitted(by, post)
    if len(drafts) > MOST_DRAFTS:
        raise Refused(
            {
                "until": _("That makes %(n)s shifts; expected at most %(most)s at once.")
                % {"n": len(drafts), "most": MOST_DRAFTS}
            }
        )
    Post.objects.select_for_update().get(pk=post.pk)  # two planners at once write one after the other
    for draft in drafts:
        given = ShiftInput(draft.person, draft.begins, draft.ends, draft.deputy, draft.kind)
        if errors := problems(post, given, at):
            raise Refused({"people" if name in ("person", "deputy") else name: words for name, words in errors.items()})
    rows = trial(post, drafts)
    shifts = Shift.objects.bulk_create(
        Shift(post=post, person=d.person, deputy=d.deputy, begins=d.begins, ends=d.ends, kind=d.kind)
        for d in (row.draft for row in rows if row.is_written)
    )
    _tell("added", shifts, at)
    return rows


# -- two people change places ------------------------------------------------------------------------


def is_concerned(user: User, swap: Swap) -> bool:
    """Test whether a swap is one of a person's own."""
    return user.pk in (swap.first_person_id, swap.second_person_id)


@transaction.atomic
def propose_swap(*, id: uuid.UUID, first: Shift, second: Shift, words: str = "", by: User, at: datetime) -> Swap:
    """Propose that the people of two shifts change places. For a planner of both posts, or one of the two.

    Who proposes for himself has agreed. :raises NotAllowed, Refused, Over:
    """
    first, second = _open(first, at), _open(second, at)
    own = by.pk in (first.person_id, second.person_id)
    if not own:
        permitted(by, first.post)
        permitted(by, second.post)
    if errors := swap_problems(first, second):
        raise Refused(errors)
    if Swap.objects.filter(state=Swap.State.PROPOSED, first__in=(first, second), second__in=(first, second)).exists():
        raise Refused({"second": _("This swap is proposed already.")})
    return Swap.objects.create(
        pk=id, first=first, second=second, first_person=first.person, second_person=second.person, words=words,
        proposed_by=by, proposed_at=at, first_agreed_at=at if by.pk == first.person_id else None,
        second_agreed_at=at if by.pk == second.person_id else None,
    )  # fmt: skip


def swap_problems(first: Shift, second: Shift) -> dict[str, str]:
    """Return why two shifts cannot be swapped, by field. No queries."""
    if first.person_id == second.person_id:
        return {"second": _("Both shifts are of %(who)s; expected shifts of two people.") % {"who": first.person.name}}
    found = misfit_words(first.post, second.person) or misfit_words(second.post, first.person)
    return {"second": found} if found else {}


@transaction.atomic
def agree_to_swap(*, swap: Swap, by: User, at: datetime) -> Swap:
    """Agree for oneself; once both have, the people change places. :raises NotAllowed, Over, Refused:"""
    swap = _pending(swap, by)
    if by.pk == swap.first_person_id:
        swap.first_agreed_at = swap.first_agreed_at or at
    else:
        swap.second_agreed_at = swap.second_agreed_at or at
    if swap.first_agreed_at and swap.second_agreed_at:
        _exchange(swap, at)
        swap.state, swap.ended_by, swap.ended_at = Swap.State.DONE, by, at
    swap.save()
    return swap


@transaction.atomic
def refuse_swap(*, swap: Swap, by: User, at: datetime) -> Swap:
    """Refuse a swap, or take back one's own proposal. :raises NotAllowed, Over:"""
    swap = _pending(swap, by, proposer=True)
    swap.state, swap.ended_by, swap.ended_at = Swap.State.REFUSED, by, at
    swap.save()
    return swap


def _pending(swap: Swap, by: User, *, proposer: bool = False) -> Swap:
    """Lock a swap that awaits an answer of a person. :raises NotAllowed, Over:"""
    found = Swap.objects.select_for_update().get(pk=swap.pk)
    if not (is_concerned(by, found) or (proposer and by.pk == found.proposed_by_id)):
        raise NotAllowed("denied.role")
    if found.state != Swap.State.PROPOSED:
        raise Over
    return found


def _exchange(swap: Swap, at: datetime) -> None:
    """Let the people of two shifts change places in one statement, as the constraint is looked at when it ends.

    :raises Over: a shift has ended, was called off, or is another's by now.
    :raises Refused: one of them is at that post at that time already, or may not stand there any more.
    """
    first, second = (_open(shift, at) for shift in sorted((swap.first, swap.second), key=lambda one: str(one.pk)))
    if first.pk != swap.first_id:
        first, second = second, first
    if (first.person_id, second.person_id) != (swap.first_person_id, swap.second_person_id):
        raise Over
    if errors := swap_problems(first, second):
        raise Refused(errors)
    places = Case(When(pk=first.pk, then=Value(second.person_id)), default=Value(first.person_id))
    # Who takes over a shift in which he was the deputy has none there.
    alone = Case(
        When(pk=first.pk, deputy_id=second.person_id, then=None),
        When(pk=second.pk, deputy_id=first.person_id, then=None),
        default=F("deputy_id"),
    )
    try:
        with transaction.atomic():
            Shift.objects.filter(pk__in=(first.pk, second.pk)).update(person_id=places, deputy_id=alone)
    except IntegrityError as error:
        if NO_OVERLAP not in str(error):
            raise
        raise Refused({"second": _("One of the two is at that post at that time already.")}) from error
    _tell("swapped", [first, second], at)


# -- leave -------------------------------------------------------------------------------------------


def may_enter_leave(user: User, person: User) -> bool:
    """Test whether somebody may enter a person's leave: the person, or a planner whose area covers the person's."""
    return user.pk == person.pk or (user.role in PLANNERS and user.covers(person.area_code))


@transaction.atomic
def enter_leave(
    *, id: uuid.UUID, person: User, begins: datetime, ends: datetime, reason: str, by: User, at: datetime
) -> Leave:
    """Note that a person will not be there; the deputies of the shifts in that time step in. :raises NotAllowed, Refused:"""
    if not may_enter_leave(by, person):
        raise NotAllowed("denied.area" if by.role in PLANNERS else "denied.role")
    if ends <= begins:
        words = {"ends": _wall(ends), "begins": _wall(begins)}
        raise Refused(
            {"ends": _("The leave ends %(ends)s, before it begins %(begins)s; expected a later end.") % words}
        )
    if ends <= at:
        raise Refused({"ends": _("The end %(ends)s lies in the past; expected a later one.") % {"ends": _wall(ends)}})
    leave = Leave.objects.create(
        pk=id, person=person, begins=begins, ends=ends, reason=reason, entered_by=by, entered_at=at
    )
    _tell("leave", _within(leave), at)
    return leave


@transaction.atomic
def cancel_leave(*, leave: Leave, by: User, at: datetime) -> Leave:
    """Call a leave off: the person is there as planned. :raises NotAllowed, Over:"""
    leave = Leave.objects.select_for_update(of=("self",)).select_related("person").get(pk=leave.pk)
    if not may_enter_leave(by, leave.person):
        raise NotAllowed("denied.role")
    if leave.cancelled_at or leave.ends <= at:
        raise Over
    leave.cancelled_at = at
    leave.save(update_fields=["cancelled_at"])
    _tell("leave_cancelled", _within(leave), at)
    return leave


def _within(leave: Leave) -> list[Shift]:
    rows = Shift.objects.during(leave.begins, leave.ends).of(leave.person)
    return list(rows.select_related("post"))


# -- news --------------------------------------------------------------------------------------------


def _tell(how: str, shifts: Iterable[Shift], at: datetime, *more_people: int | None) -> None:
    """Announce that the roster of posts changed, once a post however many shifts."""
    by_post: dict[int, list[Shift]] = {}
    for shift in shifts:
        by_post.setdefault(shift.post_id, []).append(shift)
    facts = [
        ShiftChanged(
            area_code=rows[0].post.area_code,
            subject_id=str(post_id),
            state=how,
            how=how,
            begins=min(row.begins for row in rows),
            ends=max(row.ends for row in rows),
            shifts=len(rows),
            people=tuple(
                sorted({who for row in rows for who in (row.person_id, row.deputy_id, *more_people) if who is not None})
            ),
        )
        for post_id, rows in by_post.items()
    ]
    if len(facts) == 1:
        announce(facts[0], at=at)
    elif facts:
        announce_all(facts, at=at)


def leaves_seen_by(user: User) -> QuerySet[Leave]:
    """Return the leave that a person may read: the own, and for planners that of people of their area."""
    seen = Q(person=user)
    if user.role in PLANNERS:
        seen |= area_q(user, "person__area_code") & Q(person__role__in=[role.value for role in ROSTERED])
    return Leave.objects.standing().filter(seen).select_related("person", "person__department")


def swaps_seen_by(user: User) -> QuerySet[Swap]:
    """Return the swaps that a person may read: the own, and for planners those at posts of their area."""
    seen = Q(first_person=user) | Q(second_person=user) | Q(proposed_by=user)
    if user.role in PLANNERS:
        seen |= area_q(user, "first__post__area_code") & area_q(user, "second__post__area_code")
    rows = Swap.objects.filter(seen).select_related(
        "first__post", "second__post", "first_person", "second_person", "proposed_by"
    )
    return rows
