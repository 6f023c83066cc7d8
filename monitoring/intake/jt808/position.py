"""The position of message 0x0200, alone and in batches: JT/T 808-2019 clauses 8.12 and 8.49, tables 23 to 28."""

from collections.abc import Iterable
from datetime import datetime
from struct import Struct
from typing import Any, NamedTuple

from monitoring.intake.jt808 import fields, safety
from monitoring.intake.jt808.fields import Reader
from monitoring.intake.wire import Malformed

BASE = Struct(">IIIIHHH6s")
SOUTH, WEST, SHIFTED, LOCATED = 1 << 2, 1 << 3, 1 << 5, 1 << 1  # of the status
MICRO = 1_000_000  # parts of a degree
NEGATIVE = 1 << 31
ALARMS = (
    "emergency",
    "overspeed",
    "fatigue",
    "danger_warning",
    "gnss_fault",
    "antenna_cut",
    "antenna_short",
    "power_low",
    "power_off",
    "display_fault",
    "tts_fault",
    "camera_fault",
    "ic_card_fault",
    "overspeed_warning",
    "fatigue_warning",
    "illegal_driving",  # this one and the next two since 2019
    "tyre_pressure",
    "right_turn_blind_spot",
    "driving_time_exceeded",
    "overtime_parking",
    "area",
    "route",
    "section_time",
    "route_deviation",
    "vss_fault",
    "fuel_abnormal",
    "stolen",
    "illegal_ignition",
    "illegal_displacement",
    "collision_warning",
    "rollover_warning",
    "illegal_door_opening",
)
STATES = (
    "acc_on",
    "located",
    "south",
    "west",
    "out_of_service",
    "coordinates_encrypted",
    "forward_collision_warning",  # this one and the next since 2019
    "lane_departure_warning",
    None,  # 8 and 9 are the load
    None,
    "fuel_cut",
    "circuit_cut",
    "doors_locked",
    "front_door_open",
    "middle_door_open",
    "rear_door_open",
    "driver_door_open",
    "door_5_open",
    "gps",
    "beidou",
    "glonass",
    "galileo",
    "moving",  # since 2019
)
LOADS = ("empty", "half", None, "full")
SIZES = {  # of items whose value is one number: its bytes
    0x01: 4,
    0x02: 2,
    0x03: 2,
    0x04: 2,
    0x06: 2,
    0x25: 4,
    0x2A: 2,
    0x2B: 4,
    0x30: 1,
    0x31: 1,
}
NAMES = {
    0x01: "mileage",  # 0.1 km
    0x02: "fuel",  # 0.1 L
    0x03: "recorder_speed",  # 0.1 km/h
    0x04: "alarm_to_confirm",
    0x06: "cabin_temperature",  # °C; bit 15 is the sign
    0x25: "signals",
    0x2A: "io",
    0x2B: "analog",  # AD0 in the low word, AD1 in the high one
    0x30: "signal_strength",
    0x31: "satellites",
}
NO_TYRE = 0xFF  # of item 0x05: not installed or not read


class Items(NamedTuple):
    """The additional items of a position in their order, and bytes behind them that are no item."""

    pairs: tuple[tuple[int, bytes], ...]
    rest: bytes


class Position(NamedTuple):
    """One position, as it was sent: integers in the units of the standard. What is made of them is made when asked for."""

    alarm: int
    status: int
    latitude: int  # 1e-6 degree, the sign is in the status
    longitude: int
    altitude: int  # m
    speed: int  # 0.1 km/h
    course: int  # degrees from north, clockwise
    stamp: bytes  # BCD[6], GMT+8
    tail: bytes = b""  # the items

    @property
    def time(self) -> datetime | None:
        """Return when it was; None where the terminal gave no time."""
        return fields.moment(self.stamp)

    @property
    def lat(self) -> float | None:
        """Return the latitude in degrees, south negative; None where it is none. WGS-84, unless `shifted`."""
        return _degrees(self.latitude, self.status & SOUTH, 90)

    @property
    def lon(self) -> float | None:
        """Return the longitude in degrees, west negative; None where it is none."""
        return _degrees(self.longitude, self.status & WEST, 180)

    @property
    def located(self) -> bool:
        return bool(self.status & LOCATED)

    @property
    def shifted(self) -> bool:
        """Test whether a plugin encrypted the coordinates: they are GCJ-02 then, not WGS-84."""
        return bool(self.status & SHIFTED)

    @property
    def load(self) -> str | None:
        """Return how full the vehicle is: empty, half, full.

        Bits 8 and 9 are read as the table of the standard prints them, bit 9 first: 00 empty, 01 half (bit 8 alone), 10
        reserved (None), 11 full. Programs that read the pair the other way round agree on empty and full.
        """
        return LOADS[self.status >> 8 & 3]

    @property
    def alarms(self) -> list[str]:
        return fields.named(self.alarm, ALARMS)

    @property
    def states(self) -> list[str]:
        return fields.named(self.status, STATES)

    @property
    def items(self) -> Items:
        """Return the items; one that is cut off is no item but rest."""
        return split(self.tail)

    def item(self, wanted: int) -> bytes | None:
        """Return the value of one item, the last where it is there twice."""
        found = None
        for key, value in self.items.pairs:
            if key == wanted:
                found = value
        return found

    def safety(self) -> list[safety.Safety]:
        """Return the alarms of active safety that can be read."""
        alarms = (safety.decode(key, value) for key, value in self.items.pairs if key in safety.SYSTEMS)
        return [alarm for alarm in alarms if alarm]

    def tell(self) -> dict[str, Any]:
        """Return the position as plain values: numbers as sent, and what they mean."""
        items = self.items
        told: dict[str, Any] = {
            "alarm": self.alarm,
            "status": self.status,
            "latitude": self.latitude,
            "longitude": self.longitude,
            "altitude": self.altitude,
            "speed": self.speed,
            "course": self.course,
            "time": fields.told_moment(self.time),
            "items": {f"0x{key:02X}": value.hex() for key, value in items.pairs},
            "lat": self.lat,
            "lon": self.lon,
            "alarms": self.alarms,
            "states": self.states,
            "load": self.load,
        }
        for key, value in items.pairs:
            meaning = read(key, value)
            if meaning is not None:
                told.setdefault("values", {})[NAMES.get(key) or f"0x{key:02X}"] = meaning
        if alarms := self.safety():
            told["safety"] = [alarm.tell() for alarm in alarms]
        if items.rest:
            told["rest"] = items.rest.hex()
        return told


def _degrees(raw: int, negative: int, limit: int) -> float | None:
    # Some terminals write the sign into the number, as a two's complement, with the bit of the status or without it.
    value = raw - (NEGATIVE << 1) if raw >= NEGATIVE else raw
    degrees = (-abs(value) if negative else value) / MICRO
    return degrees if -limit <= degrees <= limit else None


def decode(body: bytes) -> Position:
    """Return the position that a body holds. :raises Malformed: it is too short."""
    if len(body) < BASE.size:
        raise Malformed(f"a position of {len(body)} bytes, it has at least {BASE.size}")
    return Position._make((*BASE.unpack_from(body), body[BASE.size :]))


def encode(position: Position) -> bytes:
    return BASE.pack(*position[:8]) + position.tail


def make(
    lat: float,
    lon: float,
    at: datetime,
    *,
    speed_kmh: float = 0,
    course: int = 0,
    altitude: int = 0,
    alarm: int = 0,
    status: int = LOCATED,
    items: Iterable[tuple[int, bytes]] = (),
) -> Position:
    """Return the position that a terminal sends; the signs go into the status. :raises ValueError: no field holds it."""
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise ValueError(f"latitude {lat}, longitude {lon}")
    if not (0 <= altitude <= 0xFFFF and 0 <= speed_kmh * 10 <= 0xFFFF):
        raise ValueError(f"altitude {altitude} m, speed {speed_kmh} km/h: a word of 16 bits, from 0, holds each")
    status |= (SOUTH if lat < 0 else 0) | (WEST if lon < 0 else 0)
    latitude, longitude, speed = round(abs(lat) * MICRO), round(abs(lon) * MICRO), round(speed_kmh * 10)
    return Position(alarm, status, latitude, longitude, altitude, speed, course % 360, fields.bcd(at), join(items))


def join(items: Iterable[tuple[int, bytes]]) -> bytes:
    """Return items as they are sent. :raises ValueError: one is longer than its byte of length can say."""
    tail = b""
    for key, value in items:
        if len(value) > 0xFF:
            raise ValueError(f"item 0x{key:02X} of {len(value)} bytes; a byte counts to 255")
        tail += bytes([key, len(value)]) + value
    return tail


def split(tail: bytes) -> Items:
    """Undo `join`, whatever the bytes are."""
    pairs, at, end = [], 0, len(tail)
    while at + 2 <= end and at + 2 + tail[at + 1] <= end:
        after = at + 2 + tail[at + 1]
        pairs.append((tail[at], tail[at + 2 : after]))
        at = after
    return Items(tuple(pairs), tail[at:])


def read(key: int, value: bytes) -> Any:
    """Return what an item means as a plain value; None where its id or its length is not of the standard.

    Makers use the same ids for values of their own, of other lengths: those stay bytes.
    """
    if SIZES.get(key) == len(value):
        number = int.from_bytes(value, "big")
        return _signed(number) if key == 0x06 else number
    reader = Reader(value)
    if key == 0x05 and len(value) == 30:
        return [pressure if pressure != NO_TYRE else None for pressure in value]
    if key == 0x11 and len(value) in (1, 5):
        kind = reader.byte()
        return {"overspeed": kind, "area": reader.dword() if len(reader) else None}
    if key == 0x12 and len(value) == 6:
        return {"place": reader.byte(), "id": reader.dword(), "direction": ("in", "out")[reader.byte() & 1]}
    if key == 0x13 and len(value) == 7:
        return {"section": reader.dword(), "seconds": reader.word(), "result": ("short", "long")[reader.byte() & 1]}
    return None


def _signed(word: int) -> int:
    return -(word & 0x7FFF) if word & 0x8000 else word
