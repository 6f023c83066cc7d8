"""Devices and rules that tests of monitoring stand on."""

from typing import Any

from django.contrib.gis.geos import Point
from django.utils import timezone

from monitoring import partitions
from monitoring.models import Datastream, Device, DeviceKind, Quantity, RiskField, Rule, System


def station(
    address: str = "010000A8900016F000169DC0", *, channels: tuple[str, ...] = ("a21028-Rtd",), **more: Any
) -> Device:
    """Make a toxic gas station with its channels, in the days of which readings may be stored."""
    now = timezone.now()
    partitions.make(now.date(), now.date())
    system, _made = System.objects.get_or_create(code="toxic-gas", defaults={"name_zh": "城市毒害气体在线监测"})
    field, _made = RiskField.objects.get_or_create(code="hazmat", defaults={"name_zh": "危险化学品"})
    kind, _made = DeviceKind.objects.get_or_create(
        code="gas-station", defaults={"name_zh": "毒害气体监测站", "system": system, "field": field}
    )
    given: dict[str, Any] = {
        "code": f"QT-{address[-6:]}", "name_zh": "化工园监测站", "kind": kind, "protocol": "hj212", "address": address,
        "location": Point(118.5, 37.45, srid=4326), "area_code": "370502", "registered_at": now, "changed_at": now,
    }  # fmt: skip
    device = Device.objects.create(**(given | more))
    for channel in channels:
        code = channel.split("-")[0]
        quantity, _made = Quantity.objects.get_or_create(code=code, defaults={"name_zh": code, "unit": "mg/m³"})
        Datastream.objects.create(device=device, quantity=quantity, channel=channel)
    return device


def limits(of: Device, *, quantity: str = "a21028", **more: Any) -> Rule:
    """Make a rule of limits for the kind of a device: 10 high, 20 very high, clear below 9."""
    given: dict[str, Any] = {
        "code": "h2s", "name_zh": "硫化氢超限", "kind": Rule.Kind.LIMIT, "device_kind": of.kind, "quantity_id": quantity,
        "settings": {"high": 10, "high_high": 20, "dead_band": 1},
    }  # fmt: skip
    rule = Rule(**(given | more))
    rule.clean()
    rule.save()
    return rule
