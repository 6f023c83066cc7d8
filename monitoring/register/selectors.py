"""Reads of the register; each states its number of queries."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.gis.geos import Point
from django.db.models import BooleanField, Count, DurationField, ExpressionWrapper, F, Max, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from citysafety.accounts.models import Role
from grid.models.places import shapes_of

from ..models import Alarm, Connection, Datastream, Device, DeviceKind, RawMessage, System, UnknownDevice
from ..models.intake import DEAD

# Addresses that nobody knows belong to no area: who keeps the register reads them, and who watches the whole.
UNKNOWN_READERS = frozenset({Role.ADMINISTRATOR, Role.OPERATOR, Role.SUPERVISOR, Role.AUDITOR})
SECOND = Value(timedelta(seconds=1))


def online(at: datetime) -> Q:
    """Return the condition that a device was heard of not longer ago than its kind allows."""
    allowed = ExpressionWrapper(F("kind__offline_after_s") * SECOND, output_field=DurationField())
    return Q(status__seen_at__gt=Value(at) - allowed)


def devices_seen_by(user: Any, area: str = "") -> QuerySet[Device]:
    """Return the devices that a reader may see, of an area, with kind, system, department, cell and status. Queries: 1."""
    rows = Device.objects.visible_to(user).select_related("kind__system", "department", "cell", "status")
    rows = rows.defer(*shapes_of("cell"))
    return rows.filter(area_code__startswith=area) if area and user.role != Role.DEPARTMENT_HANDLER else rows


def with_online(rows: QuerySet[Device], at: datetime) -> QuerySet[Device]:
    """Add ``is_online``; what was never heard of, or is retired, is not. Adds no query."""
    return rows.annotate(is_online=Coalesce(ExpressionWrapper(online(at), output_field=BooleanField()), Value(False)))


def datastreams_of(device: Device) -> QuerySet[Datastream]:
    """Return what a device measures, with the latest values. Queries: 1."""
    return device.datastreams.select_related("quantity", "latest").order_by("channel")


@dataclass(slots=True)
class Standing:
    """How a system stands: its devices in service, how many of them are online, its newest message, its open alarms."""

    system: System
    devices: int = 0
    online: int = 0
    out: int = 0
    seen_at: datetime | None = None
    alarms: dict[int, int] = field(default_factory=dict)

    @property
    def percent(self) -> int | None:
        """The online share in percent; none without devices: no figure is no zero."""
        return round(100 * self.online / self.devices) if self.devices else None

    @property
    def levels(self) -> list[tuple[int, int]]:
        """The open alarms by level, the gravest first."""
        return sorted(self.alarms.items())

    def is_silent(self, at: datetime) -> bool:
        """Test whether a system that should report has not for too long."""
        return (
            self.system.connection == Connection.LIVE
            and self.devices > 0
            and (self.seen_at is None or at - self.seen_at > timedelta(seconds=self.system.silent_after_s))
        )


def standings(user: Any, *, at: datetime, area: str = "", code: str | None = None) -> list[Standing]:
    """Return the systems in the order of the register, as far as a reader sees their devices. Queries: 4."""
    systems = System.objects.prefetch_related("departments").order_by("position", "code")
    found = {one.pk: Standing(one) for one in (systems.filter(pk=code) if code else systems)}
    rows = Device.objects.filter(pk__in=devices_seen_by(user, area).order_by().values("pk"), kind__system__in=found)
    in_service, out = Q(state=Device.State.IN_SERVICE), Q(state=Device.State.OUT_OF_SERVICE)
    counted = rows.order_by().values("kind__system").annotate(
        devices=Count("pk", filter=in_service), online=Count("pk", filter=in_service & online(at)),
        out=Count("pk", filter=out), seen_at=Max("status__seen_at"),
    )  # fmt: skip
    for row in counted:
        one = found[row["kind__system"]]
        one.devices, one.online, one.out, one.seen_at = row["devices"], row["online"], row["out"], row["seen_at"]
    open_alarms = Alarm.objects.visible_to(user).counted().filter(device__kind__system__in=found)
    if area and user.role != Role.DEPARTMENT_HANDLER:
        open_alarms = open_alarms.filter(area_code__startswith=area)
    for system, level, n in open_alarms.order_by().values_list("device__kind__system", "level").annotate(n=Count("pk")):
        found[system].alarms[level] = n
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Dead:
    """Messages of a protocol that could not be taken, for one reason."""

    protocol: str
    reason: str
    count: int
    last_at: datetime


def dead_letters(*, since: datetime) -> dict[str, list[Dead]]:
    """Return what could not be taken since a moment, by protocol, the most frequent reason first. Queries: 1."""
    rows = RawMessage.objects.filter(DEAD, received_at__gte=since).values_list("protocol", "reason")
    found: dict[str, list[Dead]] = defaultdict(list)
    for row in rows.annotate(count=Count("pk"), last_at=Max("received_at")).order_by("-count", "reason"):
        found[row[0]].append(Dead(*row))
    return found


def lags(codes: list[str] | None = None) -> dict[str, float]:
    """Return by system how far the clock of the device last heard of lay behind ours, in seconds. Queries: 1."""
    rows = (
        Device.objects.in_service().filter(status__clock_s__isnull=False)
        .order_by("kind__system", "-status__seen_at").distinct("kind__system")
        .values_list("kind__system", "status__clock_s")
    )  # fmt: skip
    return {system: -ahead for system, ahead in (rows.filter(kind__system__in=codes) if codes else rows)}


def protocols_of_systems() -> dict[str, set[str]]:
    """Return the protocols that the devices of each system speak. Queries: 1."""
    rows = Device.objects.exclude(state=Device.State.RETIRED).order_by()
    found: dict[str, set[str]] = defaultdict(set)
    for system, protocol in rows.values_list("kind__system", "protocol").distinct():
        found[system].add(protocol)
    return found


def unknown_listed(*, ignored: bool = False) -> QuerySet[UnknownDevice]:
    """Return the addresses that nobody knows, the newest first. Queries: 1."""
    return UnknownDevice.objects.filter(ignored_at__isnull=not ignored).order_by("-last_at", "-pk")


def kinds_of(user: Any, code: str, *, at: datetime, area: str = "") -> list[tuple[DeviceKind, int, int, int]]:
    """Return the kinds of a system: devices in service, those online, those out of service. Queries: 2."""
    rows = Device.objects.filter(pk__in=devices_seen_by(user, area).order_by().values("pk"), kind__system=code)
    in_service, out = Q(state=Device.State.IN_SERVICE), Q(state=Device.State.OUT_OF_SERVICE)
    counted = (
        rows.order_by()
        .values_list("kind")
        .annotate(
            n=Count("pk", filter=in_service),
            online=Count("pk", filter=in_service & online(at)),
            out=Count("pk", filter=out),
        )
    )
    numbers = {kind: tuple(more) for kind, *more in counted}
    kinds = DeviceKind.objects.filter(system=code).select_related("field")
    return [(kind, *numbers.get(kind.pk, (0, 0, 0))) for kind in kinds]


def kinds_by_protocol() -> dict[str, list[DeviceKind]]:
    """Return which kinds of device speak a protocol, by the devices there are; every kind of no protocol. Queries: 2."""
    pairs = Device.objects.order_by().values_list("protocol", "kind").distinct()
    kinds = {kind.pk: kind for kind in DeviceKind.objects.all()}
    found: dict[str, list[DeviceKind]] = {"": list(kinds.values())}
    for protocol, kind in sorted(pairs):
        found.setdefault(protocol, []).append(kinds[kind])
    return found


def place_of(device: Device) -> Point | None:
    """Return where a device is: its last position if it moves and has one, else where it stands. No queries."""
    status = getattr(device, "status", None)
    if device.kind.moves and status and status.lon is not None:
        return Point(status.lon, status.lat, srid=4326)
    return device.location
