"""Make one case of two that are the same hazard, and two of them again. Both rows are held by the caller."""

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from citysafety import areas
from citysafety.coordinates import metres_between
from citysafety.evidence import trust

from ..lifecycle import STAGE_OF
from ..models import Clock, Hazard, HazardQuerySet, Merger, Severity
from ..selectors import MOST_DOUBT_M
from .asides import write_aside
from .clocks import binds, days_for, lift_mark, own, release, set_due, settle, stand
from .given import FieldsMissing, StepInput

BASIS = gettext_noop("one hazard, one case: the earliest time limit holds")


def original_of(given: StepInput, hazard: Hazard, actor: Any) -> Hazard:
    """Return the case that a duplicate is to be merged into. Queries: 2.

    :raises FieldsMissing: there is none in the actor's area, it is the same, ended or merged itself, or the duplicate
        has duplicates of its own, it lies too far away, or it is a general hazard and the duplicate a major one.
    """
    original = _named(Hazard.objects.visible_to(actor), given.into.strip())
    seen: dict[str, Any] = {"seen": given.into, "number": original.number if original else ""}
    wrong = ""
    if original is None or not areas.covers(actor.area_code, original.area_code):
        wrong = _("There is no case “%(seen)s” in your area of duty.")
    elif original.pk == hazard.pk:
        wrong = _("%(number)s is this case itself.")
    elif not original.is_open:
        wrong = _("%(number)s has ended; only an open case takes a duplicate.")
    elif Merger.objects.filter(into=hazard, undone_at=None).exists():
        wrong = _("Others were merged into this case. Merge %(number)s into it instead, or undo those first.")
    elif (metres := _apart(hazard, original)) > settings.MERGE_REACH_M:
        seen |= {"metres": round(metres), "most": settings.MERGE_REACH_M}
        wrong = _("%(number)s lies %(metres)s m away; one hazard lies within %(most)s m of itself.")
    elif hazard.severity == Severity.MAJOR != original.severity:  # else it would need no plan any more
        wrong = _("This is a major hazard and %(number)s a general one. Raise that first, or merge it into this one.")
    if wrong:
        raise FieldsMissing({"into": wrong % seen})
    return original


def _apart(hazard: Hazard, original: Hazard) -> float:
    """Return how far two cases lie apart, in metres, as far as their positions are sure."""
    between = metres_between((hazard.location.x, hazard.location.y), (original.location.x, original.location.y))
    return between - sum(min(one.accuracy_m or 0, MOST_DOUBT_M) for one in (hazard, original))


def _named(rows: HazardQuerySet, given: str) -> Hazard | None:
    try:
        return rows.filter(pk=uuid.UUID(given)).first()
    except ValueError:
        return rows.filter(number=given.upper()).first()


def merge(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Merge a duplicate into the case it names: its limits run on there beside the case's own, its reporters see the case."""
    original = held(original_of(given, hazard, actor).pk)
    merger = Merger.objects.create(
        duplicate=hazard, into=original, stage=hazard.due_stage, due_at=hazard.due_at, overdue=hazard.overdue,
        department=hazard.department, merged_by=actor, merged_at=at,
    )  # fmt: skip
    hazard.merged_into = original
    _bring(hazard, original, merger, at)
    _follow(original, "absorb", hazard.number, actor, at)
    trust.look_again("hazard", [str(hazard.pk), str(original.pk)])  # one hazard may have one picture twice


def _bring(hazard: Hazard, original: Hazard, merger: Merger, at: datetime) -> None:
    """Let the running clocks of a duplicate run on at the original as they are, or stand with it. Queries: 2."""
    brought = list(hazard.clocks.filter(stopped_at=None, gives_way=False))
    for clock in brought:
        clock.pk, clock._state.adding = None, True
        clock.hazard, clock.merger, clock.marked_at = original, merger, None
        if not binds(clock, original.due_stage):
            clock.stopped_at = at
        elif original.paused_at is not None:
            stand(clock, at=at)
    Clock.objects.bulk_create(brought)


def unmerge(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Make a case of its own of a duplicate again, as it stood: its clocks go on with what they had used up, and what had
    run out stays so and is not marked again. What it brought to the original goes with it.
    """
    merger = hazard.mergers.get(undone_at=None)
    merger.undone_by, merger.undone_at = actor, at
    merger.save()
    merged = hazard.steps.filter(action="merge").order_by("-version").first()
    original = held(merger.into_id)
    hazard.merged_into, hazard.state = None, merged.source
    hazard.due_stage, hazard.overdue = STAGE_OF[hazard.state], merger.overdue
    release(hazard, since=merger.merged_at, at=at)
    merger.clocks.all().delete()
    for clock in own(original).filter(stopped_at=None):  # as it would have been due without the duplicate
        set_due(clock, days_for(original, clock))
        clock.save()
    if original.late:
        _lift_marks_of(merger, original)
    _follow(original, "release", hazard.number, actor, at)
    trust.look_again("hazard", [str(hazard.pk), str(original.pk)])


def _lift_marks_of(merger: Merger, original: Hazard) -> None:
    """Let what ran out of a duplicate's limit alone be no lateness of the case. Has another limit run out meanwhile, the
    next sweep marks the case by that. Queries: 2 or 3.
    """
    original.late = original.marks.filter(Q(merger=None) | Q(merger__undone_at=None)).exists()
    last = original.marks.order_by("pk").last()
    if original.overdue and last is not None and last.merger_id == merger.pk:
        original.overdue = False
        original.clocks.filter(stopped_at=None).update(marked_at=None)


def held_with_its_other(hazard_id: uuid.UUID, action: str, given: StepInput, actor: Any) -> Hazard:
    """Return a case with its row held, after both rows where a step touches two: always in one order, so that none waits for the other."""
    if action in ("merge", "unmerge", "remark"):
        known = Hazard.objects.filter(pk=hazard_id).values_list("merged_into", flat=True).first()
        other = _named(Hazard.objects.visible_to(actor), given.into.strip()) if action == "merge" else None
        pks = sorted({hazard_id, *([other.pk] if other else []), *([known] if known else [])})
        list(Hazard.objects.filter(pk__in=pks).order_by("pk").select_for_update().values_list("pk"))
    return held(hazard_id)


def held(hazard_id: Any) -> Hazard:
    """Return a case with its row held. Queries: 1."""
    rows = Hazard.objects.select_related("matter__matter_class", "dedicated_cell", "department", "cell", "reporter")
    return rows.shapeless().select_for_update(of=("self",)).get(pk=hazard_id)


def _follow(original: Hazard, action: str, number: str, actor: Any, at: datetime) -> None:
    """Let the original follow: its reporters, its time limit, its history and its place in the figures."""
    merged = list(Merger.objects.filter(into=original, undone_at=None).select_related("duplicate"))
    reporters = {merger.duplicate.reporter_id for merger in merged} - {original.reporter_id}
    original.co_reporters = sorted(reporters) if merged else None  # empty: one's own duplicates
    actors = original.steps.exclude(actor=None).values_list("actor", flat=True).order_by().distinct()
    parties = [original.reporter_id, *original.party_users, *sorted(reporters)]
    kept = {original.reporter_id, actor.pk, *actors, *reporters}
    original.party_users = [pk for pk in dict.fromkeys([*parties, actor.pk]) if pk in kept]
    if original.due_stage and original.paused_at is None:
        settle(original)
        lift_mark(original, at=at)
    write_aside(original, action, number, actor, at, basis=BASIS)


def pass_on(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Let what is added to a duplicate reach the case that it was merged into, while that is open."""
    original = held(hazard.merged_into_id) if hazard.merged_into_id else None
    if original is not None and original.is_open:
        write_aside(original, "remark", f"{hazard.number}: {given.words.strip()}", actor, at, basis=BASIS)
