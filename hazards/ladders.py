"""Let cases climb the escalation ladders: who is told when the time runs and nobody acts.

**Where the next rung is known from.** Filing writes nothing for it. Every change of a clock is a fact already, so
:func:`follow` reads the facts that the relay has dealt since it last looked, by position, and lays one row a case
(``Climb``: when to look next). A change of the calendar or of a ladder is a fact too; then all open cases are laid
anew, some at a time. Positions have no holes: where one is seen, facts are missing, and all are laid anew as well.

**What a sweep costs.** :func:`climb` reads ``climb_next``, a partial index of moments, from its beginning up to now:
a million open clocks cost what ten thousand do, since those whose moment has not come are not read.

**What holds.** The row is only a hint. With the case's row held, rungs, clocks, last step and what was told before
are read again, so a step, pause or merge that came first leaves nothing to tell, and one that comes later waits. A row
that a step holds is passed over and looked at again in seconds.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from citysafety import worktime
from citysafety.calendars.rosterwords import REASONS
from citysafety.names import chosen
from citysafety.notices import kinds, ladders
from citysafety.notices.ladders import Ladders, Point
from citysafety.notices.models import Rung
from citysafety.notices.services import News, notify_all
from citysafety.outbox.models import OutboxEntry
from citysafety.outbox.selectors import head
from citysafety.outbox.services import announce_all

from . import notices
from .lifecycle import Stage
from .models import Climb, Climbed, Clock, Followed, Hazard, Severity, Step
from .services.clocks import days_of
from .services.reporting import stepped
from .targets import TARGETS, Found, find

KIND = "hazard"
BATCH, FACTS = 100, 2_000
LAID_AT_ONCE, MOST_LAID = 500, 20_000  # cases laid in a transaction; in a sweep, when all are laid anew
FIRST = UUID(int=0)
LAYS_ALL = frozenset({"calendar.changed", "ladder.changed"})
OWN = "hazard.escalated"
TOLD, SKIPPED, NOBODY = Climbed.Outcome.TOLD, Climbed.Outcome.SKIPPED, Climbed.Outcome.NOBODY


def register() -> None:
    """Say to the ladders what hazards have: severities, clocks and whom one may tell."""
    label = Hazard._meta.verbose_name
    kinds.register_kind(kinds.Kind(KIND, label, dict(Severity.choices), dict(Stage.choices), TARGETS))


# -- one case ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class Case:
    """A case with what decides its climb: the clock that is due first, its rungs, what was told in this run, the last move."""

    hazard: Hazard
    clock: Clock | None
    told: list[Climbed] = field(default_factory=list)
    moved_at: datetime | None = None
    limit_s: float = 0
    ahead: list[tuple[Point, datetime]] = field(default_factory=list)

    @property
    def run(self) -> dict[str, Any]:
        clock = self.clock
        return {"stage": clock.stage, "run": begun(clock), "unit": clock.unit, "amount": clock.amount} if clock else {}


def begun(clock: Clock) -> datetime:
    """Return when a clock first began to run: pauses and ways back go on with it."""
    return clock.ran[0] if clock.ran else clock.started_at


def _cases(hazards: Iterable[Hazard]) -> list[Case]:
    """Return cases with everything that decides. Queries: 5, the calendar's own besides, however many."""
    hazards = list(hazards)
    ids = [hazard.pk for hazard in hazards]
    in_force = Ladders(KIND)
    running: dict[Any, list[Clock]] = defaultdict(list)
    for clock in Clock.objects.filter(hazard__in=ids, stopped_at=None, due_at__isnull=False):
        running[clock.hazard_id].append(clock)
    told: dict[Any, list[Climbed]] = defaultdict(list)
    for row in Climbed.objects.filter(hazard__in=ids):
        told[row.hazard_id].append(row)
    moves = (
        Step.objects.filter(hazard__in=ids).exclude(source=F("target")).values_list("hazard").annotate(last=Max("at"))
    )
    moved = dict(moves)
    cases = []
    for hazard in hazards:
        clock = min(running[hazard.pk], key=lambda one: one.due_at, default=None) if hazard.is_open else None
        case = Case(hazard, clock, moved_at=moved.get(hazard.pk))
        if clock is not None:
            _look(case, clock, in_force, told[hazard.pk], days_of(hazard, clock.stage))
        cases.append(case)
    return cases


def _look(case: Case, clock: Clock, in_force: Ladders, told: Iterable[Climbed], days: worktime.Calendar) -> None:
    """Find the points that lie ahead of a case, each with its moment.

    Not ahead: what was told in this run, or lies before it; what was due before somebody last moved the case on; the
    repeats of a rung after which somebody did.
    """
    case.limit_s = ladders.limit_of(clock, days)
    same = (clock.stage, begun(clock), clock.unit)
    case.told = [row for row in told if (row.stage, row.run, row.unit) == same]
    reached = max((row.reach_s for row in case.told), default=0)
    first = {row.order: row for row in case.told if not row.repeat and row.amount == clock.amount}
    moved = case.moved_at
    passed: set[int] = set()
    for point in ladders.points(in_force.rungs(case.hazard.severity, clock.stage), case.limit_s):
        order = point.rung.order
        due_at = ladders.moment(clock, point.reach_s, days)
        if due_at is None:
            continue
        if not point.repeat and order not in first and (point.reach_s <= reached or (moved and due_at <= moved)):
            passed.add(order)
        answered = order in first and moved is not None and first[order].at <= moved
        if point.reach_s <= reached or (moved is not None and due_at <= moved):
            continue
        if point.repeat and (order in passed or answered):
            continue
        case.ahead.append((point, due_at))


# -- follow -----------------------------------------------------------------------------------------


def follow() -> int:
    """Lay the ladders of the cases that facts tell of; return how many cases were looked at.

    Of two at once, one goes on without. Queries: 4 a batch of facts, and those of ``_lay`` for each 500 cases.
    """
    looked = 0
    while True:
        seen, more = _follow_once()
        looked += seen
        if not more or looked >= MOST_LAID:
            return looked


@transaction.atomic
def _follow_once() -> tuple[int, bool]:
    row = Followed.objects.select_for_update(skip_locked=True).filter(pk=1).first()
    if row is None:
        if Followed.objects.filter(pk=1).exists():
            return 0, False  # another is at it
        Followed.objects.bulk_create(
            [Followed(pk=1, position=head().position, laid_after=FIRST)], ignore_conflicts=True
        )
        return 0, True
    facts = list(
        OutboxEntry.objects.filter(position__gt=row.position)
        .order_by("position")
        .values_list("position", "topic", "kind", "subject_id")[:FACTS]
    )
    ids = {UUID(subject) for _position, topic, kind, subject in facts if kind == KIND and topic != OWN}
    if facts:
        holes = facts[0][0] != row.position + 1
        if holes or any(topic in LAYS_ALL for _position, topic, _kind, _subject in facts):
            row.laid_after = FIRST
        row.position = facts[-1][0]
    moved = bool(facts) or row.laid_after is not None
    looked = sum(_lay(some) for some in _some(sorted(ids)))
    if row.laid_after is not None:
        rows = Hazard.objects.open().filter(pk__gt=row.laid_after).order_by("pk")
        anew = list(rows.values_list("pk", flat=True)[:LAID_AT_ONCE])
        looked += _lay(anew)
        row.laid_after = anew[-1] if len(anew) == LAID_AT_ONCE else None
    if moved:
        row.save()
    return looked, len(facts) == FACTS or row.laid_after is not None


def _some(ids: Sequence[UUID]) -> Iterable[Sequence[UUID]]:
    return (ids[n : n + LAID_AT_ONCE] for n in range(0, len(ids), LAID_AT_ONCE))


def _lay(ids: Sequence[UUID]) -> int:
    """Write when each case is looked at next, its row held meanwhile. Queries: 8, however many; none for none."""
    if not ids:
        return 0
    held = Hazard.objects.filter(pk__in=ids).order_by("pk").select_for_update()
    _write_next(_cases(held.only("pk", "state", "severity", "department")))
    return len(ids)


def _write_next(cases: Iterable[Case]) -> None:
    """Write the next moments. Queries: 2."""
    cases = list(cases)
    rows = [
        Climb(
            hazard_id=case.hazard.pk,
            next_at=due_at,
            order=point.rung.order,
            repeat=point.repeat,
            target=point.rung.target,
        )
        for case in cases
        for point, due_at in case.ahead[:1]
    ]
    Climb.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["hazard"], update_fields=["next_at", "order", "repeat", "target"]
    )
    done = [case.hazard.pk for case in cases if not case.ahead]
    Climb.objects.filter(hazard__in=done, next_at__isnull=False).update(next_at=None)


# -- climb ------------------------------------------------------------------------------------------


def climb(*, at: datetime) -> int:
    """Take every rung whose moment has come; return how many rungs told somebody.

    Of several due rungs of a case the highest is told and the others are passed over: who was away three hours hears
    once. Queries: 24 a batch of 100 cases at most, however many of them climb.
    """
    told = 0
    while True:
        seen, some = _climb_batch(at)
        told += some
        if not seen:
            return told


@transaction.atomic
def _climb_batch(at: datetime) -> tuple[int, int]:
    """Look at the first cases whose moment has come; return how many were looked at, and how many rungs told somebody."""
    keys = list(Climb.objects.filter(next_at__lte=at).order_by("next_at").values_list("hazard", flat=True)[:BATCH])
    if not keys:
        return 0, 0
    rows = (
        Hazard.objects.filter(pk__in=keys).order_by("pk").select_related("matter", "cell", "dedicated_cell").shapeless()
    )
    cases = _cases(rows.select_for_update(of=("self",), skip_locked=True))
    due = [case for case in cases if case.ahead and case.ahead[0][1] <= at]
    whom = find({(point.rung.target, case.hazard) for case in due for point, _due_at in case.ahead}, at) if due else {}
    taken = [one for case in due for one in _take(case, whom, at)]
    Climbed.objects.bulk_create([one.row for one in taken])
    told = [one for one in taken if one.row.outcome == TOLD]
    notify_all([_news(one) for one in told], at=at)
    if told:
        announce_all([stepped(one.case.hazard, action="escalated", actor_id=None) for one in told], at=at)
    _write_next(cases)
    return len(cases), len(told)


@dataclass(frozen=True, slots=True)
class Taken:
    """A rung that was taken at a case, with its row, unsaved."""

    case: Case
    rung: Rung
    row: Climbed


def _take(case: Case, whom: Mapping[tuple[str, Any], Found], at: datetime) -> list[Taken]:
    """Take the highest rung that is due, and where it has nobody the next ones at once. Leaves what lies ahead after that."""
    due = [one for one in case.ahead if one[1] <= at]
    case.ahead = case.ahead[len(due) :]
    taken = [_taken(case, *one, SKIPPED, Found(()), at) for one in due[:-1]]
    point, due_at = due[-1]
    while True:
        found = whom[point.rung.target, case.hazard.pk]
        taken.append(_taken(case, point, due_at, TOLD if found.people else NOBODY, found, at))
        upper = [n for n, (one, _at) in enumerate(case.ahead) if one.rung.order > point.rung.order]
        if found.people or not upper:
            return taken
        point, due_at = case.ahead[upper[0]]
        case.ahead = case.ahead[upper[0] + 1 :]


def _taken(case: Case, point: Point, due_at: datetime, outcome: str, found: Found, at: datetime) -> Taken:
    rung = point.rung
    row = Climbed(
        hazard=case.hazard, **case.run, order=rung.order, repeat=point.repeat, reach_s=point.reach_s,
        percent=round(100 * point.reach_s / case.limit_s) if case.limit_s else 0, due_at=due_at, at=at,
        version=case.hazard.version, target=rung.target, level=rung.level, outcome=outcome,
        people=[one.pk for one in found.people], nobody=found.nobody, post_zh=found.post[0], post_en=found.post[1],
    )  # fmt: skip
    return Taken(case, rung, row)


def _news(taken: Taken) -> News:
    """Return what is said of a rung: to people, and where the ladder says so to group robots."""
    row, rung, hazard = taken.row, taken.rung, taken.case.hazard
    run = f"{row.stage}:{int(row.run.timestamp())}:{row.unit}:{row.amount}"
    return News(
        recipients=row.people,
        topic=OWN,
        params={
            **notices.params_of(hazard),
            "percent": row.percent,
            "due_at": taken.case.clock.due_at.isoformat() if taken.case.clock and taken.case.clock.due_at else "",
            "duty": _in_both(row),
        },
        subject=(KIND, hazard.pk),
        source_key=f"climb:{hazard.pk}:{run}:{row.order}:{row.repeat}",
        level=row.level,
        channels=rung.channels,
        group=(hazard.area_code, hazard.department_id) if rung.robots else None,
    )


def _in_both(row: Climbed) -> dict[str, str]:
    """Return what a notice says of an empty post, in both languages of the city: its reader is not known here."""
    said = {}
    for key, language in (("zh", "zh-hans"), ("en", "en")):
        with translation.override(language):
            said[key] = f" · {nobody_words(row)}" if row.nobody else ""
    return said


# -- what pages say ---------------------------------------------------------------------------------


def nobody_words(row: Climbed) -> str:
    """Say that nobody was on duty where one asks first, and why."""
    words = {"post": chosen(row.post_zh, row.post_en), "when": _when(row.at), "why": REASONS[row.nobody]}
    return _("nobody was on duty at %(post)s at %(when)s (%(why)s)") % words


def rung_words(row: Climbed) -> str:
    """Say who was told when, or why nobody was: of people only how many."""
    words = {"target": TARGETS.get(row.target, row.target), "percent": row.percent, "n": len(row.people)}
    if row.outcome == TOLD:
        said = _("%(target)s told at %(percent)s %% of the limit: %(n)s") % words
    elif row.outcome == SKIPPED:
        said = _("%(target)s, at %(percent)s %% of the limit: passed over, a higher rung was due too") % words
    else:
        said = _("%(target)s, at %(percent)s %% of the limit: nobody there, the next rung was taken") % words
    return f"{said}; {nobody_words(row)}" if row.nobody else said


def next_words(hazard: Hazard) -> str:
    """Say whom the ladder of a case tells next, and when, if nobody acts; "" where nothing is ahead. Queries: 1."""
    if hazard.due_at is None:  # ended, paused, or not computable
        return ""
    row = Climb.objects.filter(hazard=hazard, next_at__isnull=False).first()
    if row is None:
        return ""
    words = {"target": TARGETS.get(row.target, row.target), "when": _when(row.next_at)}
    return _("Next: %(target)s at %(when)s if nobody acts") % words


def _when(at: datetime) -> str:
    return date_format(timezone.localtime(at), "m-d H:i")
