"""Raise alarms and let them return: what rules see becomes rows, once, in the transaction that stores what they saw.

One open alarm a rule and subject: raised again it is the same alarm, more often. Who flaps is told once.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from django.contrib.gis.geos import Point
from django.db import connection, transaction

from citysafety.outbox.services import announce_all
from citysafety.tallies.models import Period
from citysafety.workdays import CITY_TIME

from .. import engine, rules
from ..engine import Change
from ..known import Known
from ..lifecycle import LIFECYCLE, STANDING, AlarmState
from ..models import Alarm, AlarmStep, Device, DeviceStatus, Rule
from ..standing import standing_of
from .moving import fact_of
from .quiet import Quiet
from .storms import in_storms


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What a rule sees of a subject at a moment: a zone, normal or not."""

    rule: int
    device: int
    subject: str
    zone: int
    level: int
    at: datetime  # by the device's clock
    datastream: int | None = None
    fence: int | None = None
    value: float | None = None
    limit: float | None = None
    lon: float | None = None
    lat: float | None = None

    @property
    def key(self) -> tuple[int, str]:
        return self.rule, self.subject


def follow(known: Known, changes: Iterable[Change]) -> list[Alarm]:
    """Take over what the rules on datastreams see now. Statements: none without changes, else those of :func:`happen`."""
    seen = [_happening(known, change) for change in changes]
    return happen(seen, at=_now()) if seen else []


def _now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def _happening(known: Known, change: Change) -> Happening:
    watch = known.watches[change.slot]
    level, limit = told(watch.settings, change.target)
    return Happening(
        rule=watch.rule, device=watch.device, subject=watch.subject, datastream=watch.datastream, zone=change.target,
        level=level, at=datetime.fromtimestamp(change.at, UTC), value=change.value, limit=limit,
    )  # fmt: skip


def told(settings: rules.Settings, zone: int) -> tuple[int, float | None]:
    """Return the level of a zone and the limit that was passed."""
    match settings:
        case rules.Limit():
            names = {
                engine.LOW_LOW: "low_low", engine.LOW: "low", engine.HIGH: "high", engine.HIGH_HIGH: "high_high",
            }  # fmt: skip
            limit = getattr(settings, names[zone]) if zone in names else None
            return settings.far_level if zone in engine.FAR else settings.level, limit
        case rules.Rate():
            return settings.level, settings.rise_per_min if zone == engine.HIGH else settings.fall_per_min
    return settings.level, None


@transaction.atomic
def happen(seen: Sequence[Happening], *, at: datetime) -> list[Alarm]:
    """Raise, worsen or let return what rules saw; return the alarms that changed.

    Any number of gateways may tell the same: an alarm is open once. Statements: 7 for any number of happenings, 3 more
    where alarms are raised, 1 more where some are in the midst of a storm.
    """
    work = _Work(seen, at)
    for one in seen:
        work.take(one)
    return work.write()


class _Work:
    """The alarms of a batch of happenings, as they were and as they become."""

    def __init__(self, seen: Sequence[Happening], at: datetime) -> None:
        self.at = at
        keys = {one.key for one in seen}
        # In one order, so that two gateways wait for each other instead of standing in each other's way.
        rows = Alarm.objects.open().select_for_update(of=("self",)).order_by("pk")
        rows = rows.filter(rule__in={rule for rule, _subject in keys}, subject__in={subject for _rule, subject in keys})
        self.open = {(alarm.rule_id, alarm.subject): alarm for alarm in rows}
        self.rules = Rule.objects.in_bulk({one.rule for one in seen})
        self.devices = (
            Device.objects.select_related("cell")
            .defer("cell__geometry", "cell__mercator")
            .in_bulk({one.device for one in seen})
        )
        self.status = DeviceStatus.objects.in_bulk([pk for pk, one in self.devices.items() if one.location is None])
        self.quiet = Quiet(keys, at)
        self.new: list[Alarm] = []
        self.changed: dict[UUID, Alarm] = {}
        self.steps: list[AlarmStep] = []
        self.facts: list[tuple[Alarm, str]] = []

    def take(self, one: Happening) -> None:
        """Let one happening change its alarm."""
        alarm = self.open.get(one.key)
        if alarm is None:
            if one.zone != engine.NORMAL:
                self._raise(one)
            return
        self._flap(alarm, one)
        if one.zone == engine.NORMAL:
            self._return(alarm, one)
        elif alarm.state == AlarmState.RETURNED:
            self._again(alarm, one)
        elif one.level < alarm.level:
            self._move(alarm, one, "worsen")
        else:
            alarm.zone, alarm.level = one.zone, one.level
            self.changed[alarm.pk] = alarm
        if alarm.state != AlarmState.OVER:
            return
        del self.open[one.key]

    def _raise(self, one: Happening) -> None:
        rule, device = self.rules[one.rule], self.devices[one.device]
        where = self._place(one, device)
        alarm = Alarm(
            id=uuid4(), rule=rule, device=device, datastream_id=one.datastream, fence_id=one.fence, subject=one.subject,
            level=one.level, worst=one.level, zone=one.zone, quiet=self.quiet.why(device, one.key), value=one.value, limit=one.limit,
            peak=one.value, location=where, cell=device.cell, area_code=device.area_code,
            department_id=device.department_id, measured_at=one.at, raised_at=self.at, changed_at=self.at,
            flaps_since=self.at,
        )  # fmt: skip
        self.open[one.key] = alarm
        self.new.append(alarm)
        self._step(alarm, "raise", source="", said=one)
        self.facts.append((alarm, "raise"))

    def _place(self, one: Happening, device: Device) -> Point | None:
        if one.lon is not None and one.lat is not None:
            return Point(one.lon, one.lat, srid=4326)
        status = self.status.get(device.pk)
        if device.location is None and status is not None and status.lon is not None:
            return Point(status.lon, status.lat, srid=4326)
        return device.location

    def _flap(self, alarm: Alarm, one: Happening) -> None:
        """Count how often an alarm changes sides; who does so too often flaps until its window has passed quietly."""
        rule = self.rules[one.rule]
        window = timedelta(seconds=rule.shake_window_s)
        if alarm.flaps_since is None or self.at - alarm.flaps_since > window:
            alarm.flaps, alarm.flaps_since, alarm.flapping = 0, self.at, False
        alarm.flaps += 1
        if alarm.state in STANDING and not alarm.flapping and alarm.flaps >= 2 * rule.shake_most:
            alarm.flapping = True
            self._move(alarm, one, "flap")

    def _return(self, alarm: Alarm, one: Happening) -> None:
        # Who flaps stands until the sweep finds it quiet; an acknowledged one that changes sides is no new alarm each time.
        is_restless = alarm.state == AlarmState.ACKNOWLEDGED and alarm.flaps > 2
        if alarm.state not in STANDING or alarm.flapping or is_restless:
            alarm.flapping = alarm.flapping or is_restless
            alarm.zone = engine.NORMAL
            self.changed[alarm.pk] = alarm
            return
        alarm.returned_at = self.at
        self._move(alarm, one, "return")

    def _again(self, alarm: Alarm, one: Happening) -> None:
        alarm.times += 1
        alarm.returned_at = None
        self._move(alarm, one, "raise")

    def _move(self, alarm: Alarm, one: Happening, action: str) -> None:
        """Take a step of the system's own."""
        source = alarm.state
        alarm.state = LIFECYCLE.step(source, action).target
        alarm.zone = one.zone
        if one.zone != engine.NORMAL:
            alarm.level, alarm.worst = one.level, min(alarm.worst, one.level)
            alarm.peak = _further(alarm.peak, one.value, one.zone)
        if alarm.state == AlarmState.OVER:
            alarm.over_at = self.at
        alarm.version += 1
        alarm.changed_at = self.at
        self.changed[alarm.pk] = alarm
        self._step(alarm, action, source=source, said=one)
        self.facts.append((alarm, action))

    def _step(self, alarm: Alarm, action: str, *, source: str, said: Happening) -> None:
        brought = {"value": said.value, "limit": said.limit, "level": said.level, "measured_at": said.at.isoformat()}
        if alarm.version == 1:  # whether it was heard then: later it may be kept quiet, or heard
            brought["quiet"] = alarm.quiet or None
        self.steps.append(
            AlarmStep(
                id=uuid4(),
                alarm=alarm,
                action=action,
                source=source,
                target=alarm.state,
                version=alarm.version,
                at=self.at,
                said={key: value for key, value in brought.items() if value is not None},
            )
        )

    def write(self) -> list[Alarm]:
        """Write everything; return the alarms that changed."""
        for alarm, number in zip(self.new, _numbers(len(self.new), self.at), strict=True):
            alarm.number = number
        in_storms(self.new, at=self.at)
        entries = (
            announce_all([fact_of(alarm, action) for alarm, action in self.facts], at=self.at) if self.facts else []
        )
        last: dict[UUID, Period] = {}
        periods = []
        for (alarm, action), entry in zip(self.facts, entries, strict=True):
            period = standing_of(alarm, entry, raised=action == "raise" and alarm.version == 1)
            before = last.get(alarm.pk)
            if before is not None:  # twice in one batch: the later one stands
                period.previous_id, period.today = before.previous_id, before.today
                periods.remove(before)
            last[alarm.pk] = period
            periods.append(period)
        Period.objects.bulk_create(periods)
        for alarm, _action in self.facts:
            alarm.period = last[alarm.pk]
        Alarm.objects.bulk_create(self.new)
        fresh = {alarm.pk for alarm in self.new}
        if changed := [alarm for pk, alarm in self.changed.items() if pk not in fresh]:
            Alarm.objects.bulk_update(changed, CHANGING)
        AlarmStep.objects.bulk_create(self.steps)
        return [*self.new, *changed]


CHANGING = [
    "level", "worst", "state", "version", "zone", "peak", "returned_at", "over_at", "changed_at", "times", "flaps",
    "flaps_since", "flapping", "period",
]  # fmt: skip


def _further(peak: float | None, value: float | None, zone: int) -> float | None:
    """Return the value that lies further out."""
    if peak is None or value is None:
        return value if peak is None else peak
    return min(peak, value) if zone in (engine.LOW, engine.LOW_LOW) else max(peak, value)


def _numbers(count: int, at: datetime) -> Iterator[str]:
    """Return so many numbers: the day of the city and a running number that the database deals. Queries: 1."""
    if not count:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('monitoring_alarm_number') FROM generate_series(1, %s)", [count])
        for (running,) in cursor.fetchall():
            yield f"BJ-{at.astimezone(CITY_TIME):%Y%m%d}-{running:05d}"


def settle_flapping(*, at: datetime) -> int:
    """Let alarms that flapped return once their window has passed quietly; return how many did. Any number of sweeps do it once."""
    rows = Alarm.objects.standing().filter(flapping=True, zone=engine.NORMAL).select_related("rule")
    over = [
        alarm
        for alarm in rows
        if alarm.flaps_since and at - alarm.flaps_since > timedelta(seconds=alarm.rule.shake_window_s)
    ]
    seen = [
        Happening(
            rule=alarm.rule_id, device=alarm.device_id, subject=alarm.subject, datastream=alarm.datastream_id,
            fence=alarm.fence_id, zone=engine.NORMAL, level=alarm.level, at=at,
        )
        for alarm in over
    ]  # fmt: skip
    if seen:
        happen(seen, at=at)
    return len(seen)


__all__ = ["Happening", "fact_of", "follow", "happen", "settle_flapping", "told"]
