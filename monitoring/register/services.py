"""What administrators do in the register: devices come, change, rest and go; systems move on. One transaction each."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.gis.geos import Point
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from citysafety.accounts.models import Department, User
from citysafety.accounts.rights import judge
from citysafety.outbox.services import announce
from grid import locate

from ..facts import DeviceChanged, SystemMoved
from ..models import Connection, ConnectionStep, Datastream, Device, DeviceKind, DeviceStep, System, UnknownDevice
from .telling import tell_gateways

KEEPERS = ("administrator:area",)
STATES = {  # step → from which states, to which
    DeviceStep.Action.TAKEN_OUT: ((Device.State.IN_SERVICE,), Device.State.OUT_OF_SERVICE),
    DeviceStep.Action.PUT_BACK: ((Device.State.OUT_OF_SERVICE,), Device.State.IN_SERVICE),
    DeviceStep.Action.RETIRED: ((Device.State.IN_SERVICE, Device.State.OUT_OF_SERVICE), Device.State.RETIRED),
}
BUTTONS = {
    DeviceStep.Action.TAKEN_OUT: gettext_lazy("Take out of service"),
    DeviceStep.Action.PUT_BACK: gettext_lazy("Put back into service"),
    DeviceStep.Action.RETIRED: gettext_lazy("Retire"),
}
WANTS_WORDS = frozenset({DeviceStep.Action.TAKEN_OUT, DeviceStep.Action.RETIRED})


class Refused(Exception):
    """What was asked cannot be done: ``field`` says what of it, the text why, in the user's language."""

    def __init__(self, words: str, field: str = "") -> None:
        super().__init__(words)
        self.field = field


class NotAllowed(Exception):
    """The person keeps no devices, or not those of this area."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a device is registered with; its cell and area follow from the place where it has one."""

    code: str
    name_zh: str
    kind: DeviceKind
    protocol: str
    address: str
    name_en: str = ""
    company: str = ""
    department: Department | None = None
    lon: float | None = None
    lat: float | None = None
    area_code: str = ""  # of what moves, or has no place: its home
    options: dict[str, Any] = field(default_factory=dict)


def may_keep(user: User, area_code: str = "") -> bool:
    """Test whether a person keeps the devices of an area, of the own one without a code. No queries."""
    subject = Device(area_code=area_code or user.area_code)
    return bool(user.area_code) and any(judge(user, one, subject).allowed for one in KEEPERS)


def may_move_systems(user: User) -> bool:
    """Test whether a person moves systems on: the register of systems is the whole city's. No queries."""
    return may_keep(user, user.area_code[:4])


def open_actions(device: Device) -> list[tuple[str, Any]]:
    """Return the steps that a device's state has: action, and what its button says."""
    return [(action, BUTTONS[action]) for action, (sources, _target) in STATES.items() if device.state in sources]


@transaction.atomic
def register_device(given: Given, *, by: User, at: datetime, words: str = "") -> Device:
    """Add a device; an address that was unknown is known from now on. Queries: about 8.

    :raises NotAllowed: not the person's business, or area.
    :raises Refused: code or address are another device's, or the place is outside the city.
    """
    device = Device(registered_at=at, changed_at=at)
    _put(device, given)
    if not may_keep(by, device.area_code):
        raise NotAllowed
    _save(device)
    UnknownDevice.objects.filter(protocol=device.protocol, address=device.address).delete()
    _told(device, DeviceStep.Action.REGISTERED, by, at, words)
    return device


@transaction.atomic
def register_unknown(unknown_id: int, *, kind: DeviceKind, by: User, at: datetime) -> Device:
    """Make a device of an address that nobody knew, with what is known: number and name are its address. Queries: about 10.

    Its channels are those that other devices of the kind have: the first device of a kind gets none.

    :raises UnknownDevice.DoesNotExist: it was registered or taken away meanwhile.
    """
    unknown = UnknownDevice.objects.select_for_update().get(pk=unknown_id)
    code = f"{unknown.protocol}-{unknown.address}"[:40]
    device = register_device(
        Given(
            code=code, name_zh=f"{kind.name_zh} {unknown.address}"[:120], name_en=f"{kind.name_en} {unknown.address}"[:160],
            kind=kind, protocol=unknown.protocol, address=unknown.address, area_code=by.area_code,
        ),
        by=by, at=at, words=_("From the list of unknown addresses."),
    )  # fmt: skip
    usual = Datastream.objects.filter(device__kind=kind).exclude(device=device)
    pairs = usual.order_by("channel").values_list("channel", "quantity").distinct()
    Datastream.objects.bulk_create(Datastream(device=device, channel=name, quantity_id=what) for name, what in pairs)
    return device


@transaction.atomic
def ignore_unknown(unknown_id: int, *, by: User, at: datetime, ignored: bool = True) -> UnknownDevice:
    """Put an unknown address aside, or back. It goes on being counted. Queries: 2."""
    unknown = UnknownDevice.objects.select_for_update().get(pk=unknown_id)
    if not may_keep(by):
        raise NotAllowed
    unknown.ignored_at = at if ignored else None
    unknown.save(update_fields=["ignored_at"])
    return unknown


@transaction.atomic
def change_device(device_id: int, given: Given, *, by: User, at: datetime) -> Device:
    """Write what an administrator changed; nothing changed, nothing is written. Queries: about 8.

    :raises NotAllowed: before or after the change it is not the person's area.
    """
    device = _locked(device_id, by)
    before = _said(device)
    _put(device, given)
    changes = {name: [before[name], value] for name, value in _said(device).items() if value != before[name]}
    if not changes:
        return device
    if not may_keep(by, device.area_code):
        raise NotAllowed
    device.changed_at = at
    _save(device)
    _told(device, DeviceStep.Action.CHANGED, by, at, "", changes)
    return device


@transaction.atomic
def move_device(device_id: int, action: str, *, by: User, at: datetime, words: str = "") -> Device:
    """Take a device out of service, put it back, or retire it. Queries: about 6.

    Out of service its reports are kept and raise nothing (ISA-18.2); a retired one is history, its address is free.

    :raises Refused: not from this state, or without the words that the step wants.
    """
    device = _locked(device_id, by)
    sources, target = STATES[DeviceStep.Action(action)]
    if device.state not in sources:
        raise Refused(_("“%(action)s” is not possible from “%(state)s”.") % {
            "action": DeviceStep.Action(action).label, "state": device.get_state_display()
        })  # fmt: skip
    if action in WANTS_WORDS and not words.strip():
        raise Refused(_("Say why."), "words")
    device.state, device.changed_at = target, at
    device.save(update_fields=["state", "changed_at"])
    _told(device, DeviceStep.Action(action), by, at, words.strip())
    return device


@transaction.atomic
def move_system(code: str, target: str, *, by: User, at: datetime, words: str) -> System:
    """Let a system reach another station of its connection, or fall back to it; words say what was agreed or seen. Queries: 5.

    :raises Refused: it stands there already, or nothing is said.
    """
    system = System.objects.select_for_update().get(pk=code)
    if not may_move_systems(by):
        raise NotAllowed
    if system.connection == target:
        raise Refused(
            _("It stands there already: %(station)s.") % {"station": system.get_connection_display()}, "target"
        )
    if not words.strip():
        raise Refused(_("Say what was agreed or seen."), "words")
    source, system.connection, system.changed_at = system.connection, Connection(target), at
    system.save(update_fields=["connection", "changed_at"])
    ConnectionStep.objects.create(system=system, source=source, target=target, actor=by, at=at, words=words.strip())
    announce(SystemMoved(area_code=by.area_code, subject_id=system.code, state=target), at=at)
    return system


def _locked(device_id: int, by: User) -> Device:
    device = Device.objects.select_for_update(of=("self",)).get(pk=device_id)
    if not may_keep(by, device.area_code):
        raise NotAllowed
    return device


def _put(device: Device, given: Given) -> None:
    """Write what is given into a device, and where it lies."""
    for name in ("code", "name_zh", "name_en", "kind", "protocol", "address", "company", "department", "options"):
        setattr(device, name, getattr(given, name))
    if given.lon is None or given.lat is None:
        if device.location is not None or device.area_code != given.area_code:
            device.cell_id = None
        device.location, device.area_code = None, given.area_code
        return
    if not locate.in_frame(given.lon, given.lat):
        raise Refused(_("%(lon).5f, %(lat).5f lies outside the city.") % {"lon": given.lon, "lat": given.lat}, "lon")
    place = locate.locate(given.lon, given.lat)
    device.location = Point(given.lon, given.lat, srid=4326)
    device.cell_id, device.area_code = place.cell_id, place.area_code


def _said(device: Device) -> dict[str, Any]:
    """Return what a device says of itself, as its history keeps it."""
    place = device.location
    return {
        "code": device.code, "name_zh": device.name_zh, "name_en": device.name_en, "kind": device.kind_id,
        "protocol": device.protocol, "address": device.address, "company": device.company,
        "department": device.department_id, "area_code": device.area_code,
        "location": f"{place.x:.6f}, {place.y:.6f}" if place else "",
    }  # fmt: skip


def _save(device: Device) -> None:
    try:
        with transaction.atomic():
            device.save()
    except IntegrityError as error:
        if "device_address_once" in str(error):
            words = _("%(protocol)s %(address)s is another device's address.")
            asked = {"protocol": device.get_protocol_display(), "address": device.address}
            raise Refused(words % asked, "address") from error
        raise Refused(_("%(code)s is another device's number.") % {"code": device.code}, "code") from error


def _told(
    device: Device, action: DeviceStep.Action, by: User, at: datetime, words: str, changes: dict | None = None
) -> None:
    """Write a step down, announce it, and ring the gateways."""
    DeviceStep.objects.create(device=device, action=action, actor=by, at=at, words=words[:500], changes=changes or {})
    place = device.location
    announce(
        DeviceChanged(
            area_code=device.area_code, subject_id=str(device.pk), state=device.state, action=action,
            protocol=device.protocol, lon=place.x if place else None, lat=place.y if place else None,
        ),
        at=at,
    )  # fmt: skip
    tell_gateways()
