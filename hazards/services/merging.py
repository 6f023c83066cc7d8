"""Make one case of two that are the same hazard, and two of them again. Both rows are held by the caller."""

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from citysafety import areas
from citysafety.coordinates import metres_between
from citysafety.evidence import trust
from citysafety.outbox.services import announce

from ..lifecycle import STAGE_OF, Stage
from ..models import Hazard, HazardQuerySet, Merger, Severity, Step
from ..selectors import MOST_DOUBT_M
from ..standing import record_standing
from .clocks import began, days_of, lift_mark, release, set_due, settle
from .given import FieldsMissing, StepInput
from .reporting import stepped

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
    """Merge a duplicate into the case it names: the earlier time limit holds, its reporters see the case."""
    original = held(original_of(given, hazard, actor).pk)
    Merger.objects.create(
        duplicate=hazard, into=original, stage=hazard.due_stage, due_at=hazard.due_at, merged_by=actor, merged_at=at
    )
    hazard.merged_into = original
    _follow(original, "absorb", hazard.number, actor, at)
    trust.look_again("hazard", [str(hazard.pk), str(original.pk)])  # one hazard may have one picture twice


def unmerge(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Make a case of its own of a duplicate again, as it stood; its clocks go on with what they had used up."""
    merger = hazard.mergers.get(undone_at=None)
    merger.undone_by, merger.undone_at = actor, at
    merger.save()
    merged = hazard.steps.filter(action="merge").order_by("-version").first()
    original = held(merger.into_id)
    hazard.merged_into, hazard.state = None, merged.source
    hazard.due_stage = STAGE_OF[hazard.state]
    release(hazard, since=merger.merged_at, at=at)
    _follow(original, "release", hazard.number, actor, at)
    trust.look_again("hazard", [str(hazard.pk), str(original.pk)])


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
    _cap(original, merged)
    if original.due_stage and original.paused_at is None:
        settle(original)
        lift_mark(original, at=at)
    _write(original, action, number, actor, at)


def _cap(original: Hazard, merged: list[Merger]) -> None:
    """Let the stage of a case end no later than its duplicates did that were merged since it began; also where the clock
    stands and may go on: paused, or that of the work until it is verified. Queries: 1, and 1 or 2 a case.
    """
    for clock in original.clocks.filter(stage__in=(original.due_stage, Stage.RECTIFY)):
        since = [merger for merger in merged if merger.stage == clock.stage and merger.merged_at >= began(clock)]
        clock.not_after = min((merger.due_at for merger in since if merger.due_at), default=None)
        if clock.stopped_at is None:
            set_due(clock, days_of(original, clock.stage))
        clock.save()


def pass_on(hazard: Hazard, given: StepInput, actor: Any, at: datetime) -> None:
    """Let what is added to a duplicate reach the case that it was merged into, while that is open."""
    original = held(hazard.merged_into_id) if hazard.merged_into_id else None
    if original is not None and original.is_open:
        _write(original, "remark", f"{hazard.number}: {given.words.strip()}"[:2000], actor, at)


def _write(original: Hazard, action: str, words: str, actor: Any, at: datetime) -> None:
    """Write what a step at a duplicate did to the case: a row of its history, its news, its place in the figures."""
    original.version += 1
    original.changed_at = at
    step = Step.objects.create(
        id=uuid.uuid4(), hazard=original, action=action, source=original.state, target=original.state,
        version=original.version, actor=actor, department=original.department, at=at, words=words, basis=BASIS,
    )  # fmt: skip
    entry = announce(stepped(original, action=action, actor_id=actor.pk, step=str(step.pk)), at=at)
    original.period = record_standing(original, entry, action=action)
    original.save()
