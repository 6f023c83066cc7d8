"""Let alarms climb the escalation ladders: who is told when nobody acknowledges. Rungs are rows of data (``Ladder`` of kind alarm).

A rung stands at so much of the time in which an alarm of its level is to be acknowledged (``AlarmPolicy``), round the
clock. The wait begins when the alarm is raised, and anew when it is heard again after it was kept quiet; an
acknowledgement ends it. With the alarm's row held everything is looked at again, so an acknowledgement that comes
first leaves nothing to tell.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from citysafety.notices import kinds, ladders
from citysafety.notices.ladders import Ladders, Point
from citysafety.notices.services import News, notify_all
from hazards.targets import TARGETS, Found, find

from .models import Alarm, AlarmClimb, AlarmClimbed, AlarmPolicy, Level
from .notices import params_of

KIND, STAGE, TOPIC = "alarm", "acknowledge", "alarm.escalated"
BATCH = 100
TOLD, SKIPPED, NOBODY = AlarmClimbed.Outcome.TOLD, AlarmClimbed.Outcome.SKIPPED, AlarmClimbed.Outcome.NOBODY


def register() -> None:
    """Say to the ladders what alarms have: levels, one clock, whom one may tell."""
    levels = {str(number): label for number, label in Level.choices}
    stages = {STAGE: gettext_lazy("Acknowledgement")}
    kinds.register_kind(kinds.Kind(KIND, Alarm._meta.verbose_name, levels, stages, TARGETS))


def look_again(*, at: datetime) -> int:
    """Let the ladders of all alarms be looked at at once: they were changed. Statements: 1."""
    return AlarmClimb.objects.update(next_at=at)


def wait_anew(alarm_id: Any, *, at: datetime) -> int:
    """Let an alarm climb the ladder of another level from its foot. Statements: 1."""
    return AlarmClimb.objects.filter(alarm=alarm_id).update(since=at, next_at=at)


def climb(*, at: datetime) -> int:
    """Take every rung whose moment has come; return how many told somebody. Any number of sweeps take a rung once.

    Of several due rungs of an alarm the highest is told, the others are passed over. Queries: 18 a batch of 100 at most.
    """
    told = 0
    while True:
        seen, some = _climb_batch(at)
        told += some
        if seen < BATCH:
            return told


@transaction.atomic
def _climb_batch(at: datetime) -> tuple[int, int]:
    due = Alarm.objects.waiting().filter(Q(climb=None) | Q(climb__next_at__lte=at), raised_at__lte=at)
    rows = due.select_related("rule", "device", "climb").order_by("raised_at")
    alarms = list(rows.select_for_update(of=("self",), skip_locked=True)[:BATCH])
    if not alarms:
        return 0, 0
    in_force, policy, before = Ladders(KIND), AlarmPolicy.present(), _taken_before(alarms)
    cases = [_case(alarm, in_force, policy, before[alarm.pk]) for alarm in alarms]
    ready = [case for case in cases if case.ahead and case.ahead[0][1] <= at]
    whom = find({(point.rung.target, case.alarm) for case in ready for point, _at in case.ahead}, at) if ready else {}
    taken = [one for case in ready for one in _take(case, whom, at)]
    AlarmClimbed.objects.bulk_create([row for _case, _point, row in taken])
    told = [one for one in taken if one[2].outcome == TOLD]
    notify_all([_news(*one) for one in told], at=at)
    AlarmClimb.objects.bulk_create(
        [AlarmClimb(alarm=case.alarm, since=case.since, next_at=case.ahead[0][1] if case.ahead else None) for case in cases],
        update_conflicts=True, unique_fields=["alarm"], update_fields=["since", "next_at"],
    )  # fmt: skip
    return len(alarms), len(told)


@dataclass(slots=True)
class Case:
    """A waiting alarm: since when it waits, and the rungs that lie ahead, each with its moment."""

    alarm: Alarm
    since: datetime
    ahead: list[tuple[Point, datetime]]


def _taken_before(alarms: Iterable[Alarm]) -> Mapping[Any, dict[datetime, int]]:
    """Return how far each alarm has come in each of its waits. Queries: 1."""
    reached: dict[Any, dict[datetime, int]] = defaultdict(dict)
    rows = AlarmClimbed.objects.filter(alarm__in=[alarm.pk for alarm in alarms])
    for alarm_id, since, reach_s in rows.values_list("alarm_id", "since", "reach_s"):
        reached[alarm_id][since] = max(reach_s, reached[alarm_id].get(since, 0))
    return reached


def _case(alarm: Alarm, in_force: Ladders, policy: AlarmPolicy, reached: Mapping[datetime, int]) -> Case:
    climb = getattr(alarm, "climb", None)
    since = climb.since if climb else alarm.raised_at
    rungs = in_force.rungs(str(alarm.level), STAGE)
    points = ladders.points(rungs, policy.acknowledge_within_s(alarm.level))
    ahead = [point for point in points if point.reach_s > reached.get(since, 0)]
    return Case(alarm, since, [(point, since + timedelta(seconds=point.reach_s)) for point in ahead])


def _take(case: Case, whom: Mapping[tuple[str, Any], Found], at: datetime) -> list[tuple[Case, Point, AlarmClimbed]]:
    """Take the highest rung that is due, and where it has nobody the next ones at once."""
    due = [point for point, moment in case.ahead if moment <= at]
    taken = [_row(case, point, SKIPPED, (), at) for point in due[:-1]]
    case.ahead = case.ahead[len(due) - 1 :]
    while case.ahead:
        point, _moment = case.ahead.pop(0)
        people = whom[point.rung.target, case.alarm.pk].people
        taken.append(_row(case, point, TOLD if people else NOBODY, people, at))
        if people:
            break
    return taken


def _row(
    case: Case, point: Point, outcome: str, people: Iterable[Any], at: datetime
) -> tuple[Case, Point, AlarmClimbed]:
    rung = point.rung
    row = AlarmClimbed(
        alarm=case.alarm, since=case.since, order=rung.order, repeat=point.repeat, reach_s=point.reach_s, at=at,
        target=rung.target, level=rung.level, outcome=outcome, people=[one.pk for one in people],
    )  # fmt: skip
    return case, point, row


def _news(case: Case, point: Point, row: AlarmClimbed) -> News:
    alarm, rung = case.alarm, point.rung
    return News(
        recipients=row.people,
        topic=TOPIC,
        params={**params_of(alarm), "minutes": max(1, round((row.at - case.since).total_seconds() / 60))},
        subject=(KIND, alarm.pk),
        source_key=f"climb:{alarm.pk}:{int(case.since.timestamp())}:{row.order}:{row.repeat}",
        level=row.level,
        channels=rung.channels,
        group=(alarm.area_code, alarm.department_id) if rung.robots else None,
    )


def rung_words(row: AlarmClimbed) -> str:
    """Say who was told when nobody acknowledged, or why nobody was: of people only how many."""
    minutes = max(1, round((row.at - row.since).total_seconds() / 60))
    words = {"target": TARGETS.get(row.target, row.target), "n": len(row.people), "minutes": minutes}
    if row.outcome == TOLD:
        return _("%(target)s told after %(minutes)s min: %(n)s") % words
    if row.outcome == SKIPPED:
        return _("%(target)s: passed over, a higher rung was due too") % words
    return _("%(target)s: nobody there, the next rung was taken") % words
