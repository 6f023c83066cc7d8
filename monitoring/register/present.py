"""How the API shows systems, devices and their latest values."""

from datetime import datetime
from typing import Any

from ..models import Datastream, Device, UnknownDevice
from .selectors import Standing


def at(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def device_answer(device: Device) -> dict[str, Any]:
    """Return a device with how it is just now; ``device`` comes from ``with_online``. No queries."""
    status = getattr(device, "status", None)
    place = device.location
    return {
        "id": device.pk, "code": device.code, "name": device.name, "system": device.kind.system_id, "kind": device.kind_id,
        "state": device.state, "online": device.is_online, "protocol": device.protocol, "address": device.address,
        "company": device.company, "department": device.department.code if device.department else None,
        "area": device.area_code, "cell": device.cell.code if device.cell else None,
        "location": {"lon": place.x, "lat": place.y} if place else None, "moves": device.kind.moves,
        "status": {
            "seen_at": at(status.seen_at), "measured_at": at(status.measured_at), "lon": status.lon, "lat": status.lat,
            "speed_kmh": status.speed_kmh, "course": status.course, "flags": status.flags, "alarms": status.alarms,
        } if status else None,
        "synthetic": device.synthetic, "registered_at": at(device.registered_at), "changed_at": at(device.changed_at),
    }  # fmt: skip


def datastream_answer(stream: Datastream) -> dict[str, Any]:
    latest = getattr(stream, "latest", None)
    return {
        "id": stream.pk, "channel": stream.channel, "label": stream.label, "quantity": stream.quantity_id,
        "name": stream.quantity.name, "unit": stream.quantity.unit,
        "latest": {
            "value": latest.value, "quality": latest.quality, "measured_at": at(latest.measured_at),
            "received_at": at(latest.received_at),
        } if latest else None,
    }  # fmt: skip


def system_answer(one: Standing) -> dict[str, Any]:
    """Return a system; ``online_ratio`` is null without devices in service, levels without open alarms are left out."""
    return {
        "code": one.system.code, "name": one.system.name, "position": one.system.position,
        "connection": one.system.connection, "departments": [office.code for office in one.system.departments.all()],
        "devices": one.devices, "online": one.online, "online_ratio": one.online / one.devices if one.devices else None,
        "out_of_service": one.out, "seen_at": at(one.seen_at),
        "alarms": {str(level): n for level, n in sorted(one.alarms.items())},
    }  # fmt: skip


def unknown_answer(unknown: UnknownDevice) -> dict[str, Any]:
    return {
        "id": unknown.pk, "protocol": unknown.protocol, "address": unknown.address, "count": unknown.count,
        "first_at": at(unknown.first_at), "last_at": at(unknown.last_at), "said": unknown.said,
        "sample": bytes(unknown.sample).hex(),
    }  # fmt: skip
