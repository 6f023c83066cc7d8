"""Alarms of active safety in items 0x64–0x67 of a position, T/JSATL 12-2017 (苏标) tables 4-15 to 4-20.

0x64 driver assistance, 0x65 the driver's state, 0x66 tyres, 0x67 blind spot. Other provinces lengthen the alarm's number at
the end or the lists; what stands before it is read all the same, and what cannot be read stays as bytes.
"""

from datetime import datetime
from typing import Any, NamedTuple

from monitoring.intake.jt808 import fields
from monitoring.intake.jt808.fields import Reader
from monitoring.intake.wire import Malformed

ASSISTANCE, DRIVER, TYRES, BLIND_SPOT = 0x64, 0x65, 0x66, 0x67
SYSTEMS = {ASSISTANCE: "driver_assistance", DRIVER: "driver_state", TYRES: "tyres", BLIND_SPOT: "blind_spot"}
STATES = {0: None, 1: "begin", 2: "end"}
KINDS: dict[int, dict[int, str]] = {
    ASSISTANCE: {
        0x01: "forward_collision",
        0x02: "lane_departure",
        0x03: "headway_too_short",
        0x04: "pedestrian_collision",
        0x05: "frequent_lane_changes",
        0x06: "road_sign_exceeded",
        0x07: "obstacle",
        0x10: "road_sign_event",
        0x11: "snapshot_event",
    },
    DRIVER: {
        0x01: "fatigue",
        0x02: "phone",
        0x03: "smoking",
        0x04: "distraction",
        0x05: "driver_abnormal",
        0x10: "snapshot_event",
        0x11: "driver_changed_event",
    },
    BLIND_SPOT: {0x01: "rear_approach", 0x02: "left_rear_approach", 0x03: "right_rear_approach"},
}
TYRE_BITS = (
    "pressure_report",
    "pressure_high",
    "pressure_low",
    "temperature_high",
    "sensor_fault",
    "pressure_unbalanced",
    "slow_leak",
    "battery_low",
)
VEHICLE_BITS = ("acc_on", "left_turn", "right_turn", "wipers", "braking", "card_inserted", *[None] * 4, "located")
IDENTITY = 16  # bytes: terminal BYTE[7], time BCD[6], number, count of attachments, reserved
WITH_LEVEL = 42  # bytes: some makers give 0x67 the level of 0x64, which the table does not have (41 bytes)


class Tyre(NamedTuple):
    """One row of 0x66."""

    place: int  # from the left front wheel on in Z order, from 0
    kinds: int  # bits, `TYRE_BITS`
    pressure_kpa: int
    temperature_c: int
    battery_percent: int


class Safety(NamedTuple):
    """One alarm or event of active safety."""

    item: int  # 0x64 … 0x67
    alarm_id: int
    state: int  # `STATES`
    kind: int | None  # of `KINDS`; tyres have theirs row by row
    level: int | None
    fatigue: int | None  # of 0x65, 1–10: the higher the worse
    details: bytes  # of 0x64: speed and distance of the vehicle ahead, departure, road sign; of 0x65: reserved
    speed_kmh: int
    altitude: int
    latitude: int  # 1e-6 degree
    longitude: int
    time: datetime | None
    vehicle: int  # bits, `VEHICLE_BITS`
    identity: bytes  # the alarm's number, by which attachments are asked for
    tyres: tuple[Tyre, ...] = ()

    def tell(self) -> dict[str, Any]:
        """Return the alarm as plain values, with the names of what is known by name."""
        told: dict[str, Any] = {
            "item": f"0x{self.item:02X}",
            "system": SYSTEMS[self.item],
            "alarm_id": self.alarm_id,
            "state": STATES.get(self.state, self.state),
            "type": self.kind,
            "type_name": KINDS[self.item].get(self.kind) if self.kind is not None else None,
            "level": self.level,
            "speed": self.speed_kmh,
            "altitude": self.altitude,
            "latitude": self.latitude,
            "longitude": self.longitude,
            "time": fields.told_moment(self.time),
            "vehicle": fields.named(self.vehicle, VEHICLE_BITS),
            "identity": self.identity.hex(),
        }
        if self.item == DRIVER:
            told["fatigue"] = self.fatigue
        if self.item == ASSISTANCE:
            ahead, distance, departure, sign, sign_value = self.details
            told |= {
                "speed_ahead": ahead,
                "distance_ahead": distance,  # 100 ms
                "departure": departure,  # 1 left, 2 right
                "road_sign": sign,
                "road_sign_value": sign_value,
            }
        if self.item == TYRES:
            told["tyres"] = [
                {
                    "place": tyre.place,
                    "types": fields.named(tyre.kinds, TYRE_BITS),
                    "pressure_kpa": tyre.pressure_kpa,
                    "temperature_c": tyre.temperature_c,
                    "battery_percent": tyre.battery_percent,
                }
                for tyre in self.tyres
            ]
        return told


def decode(item: int, value: bytes) -> Safety | None:
    """Return what an item says; None where its length is none of those that are known."""
    reader = Reader(value)
    try:
        alarm_id, state = reader.dword(), reader.byte()
        kind = level = fatigue = None
        details = b""
        if item != TYRES:
            kind = reader.byte()
        if item in (ASSISTANCE, DRIVER) or (item == BLIND_SPOT and len(value) == WITH_LEVEL):
            level = reader.byte()
        if item == DRIVER:
            fatigue = reader.byte()
            details = reader.take(4)
        elif item == ASSISTANCE:
            details = reader.take(5)
        speed, altitude = reader.byte(), reader.word()
        latitude, longitude = reader.dword(), reader.dword()
        time, vehicle, identity = fields.moment(reader.take(6)), reader.word(), reader.take(IDENTITY)
        tyres = tuple(_tyre(reader) for _ in range(reader.byte())) if item == TYRES else ()
    except Malformed:
        return None
    place = speed, altitude, latitude, longitude, time, vehicle, identity
    return Safety(item, alarm_id, state, kind, level, fatigue, details, *place, tyres)


def _tyre(reader: Reader) -> Tyre:
    return Tyre(reader.byte(), reader.word(), reader.word(), reader.word(), reader.word())


def encode(alarm: Safety) -> bytes:
    """Return the value of the item that says this, as the tables of the standard lay it out. :raises ValueError: it cannot."""
    if alarm.time is None:
        raise ValueError("an alarm without a time")
    if len(alarm.identity) != IDENTITY:
        raise ValueError(f"a number of {len(alarm.identity)} bytes; the field has {IDENTITY}")
    head = alarm.alarm_id.to_bytes(4, "big") + bytes([alarm.state])
    if alarm.item != TYRES:
        head += bytes([alarm.kind or 0])
    if alarm.item in (ASSISTANCE, DRIVER):
        head += bytes([alarm.level or 0])
    if alarm.item == DRIVER:
        head += bytes([alarm.fatigue or 0]) + alarm.details.ljust(4, b"\0")
    elif alarm.item == ASSISTANCE:
        head += alarm.details.ljust(5, b"\0")
    place = bytes([alarm.speed_kmh]) + alarm.altitude.to_bytes(2, "big")
    place += alarm.latitude.to_bytes(4, "big") + alarm.longitude.to_bytes(4, "big")
    tail = fields.bcd(alarm.time) + alarm.vehicle.to_bytes(2, "big") + alarm.identity
    if alarm.item == TYRES:
        tail += bytes([len(alarm.tyres)])
        for tyre in alarm.tyres:
            tail += bytes([tyre.place]) + b"".join(number.to_bytes(2, "big") for number in tyre[1:])
    return head + place + tail
