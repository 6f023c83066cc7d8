"""The tables of monitoring, split by noun."""

from .alarms import (
    READERS,
    Alarm,
    AlarmClimb,
    AlarmClimbed,
    AlarmPolicy,
    AlarmStep,
    Level,
    Maintenance,
    Shelving,
    Storm,
)
from .devices import Datastream, Device, DeviceKind, DeviceStatus, Quantity
from .intake import Protocol, RawMessage, UnknownDevice
from .readings import Fix, Latest, Reading, Rollup
from .rules import Fence, Rule, Schedule
from .systems import Connection, ConnectionStep, RiskField, System

__all__ = [
    "READERS",
    "Alarm",
    "AlarmClimb",
    "AlarmClimbed",
    "AlarmPolicy",
    "AlarmStep",
    "Connection",
    "ConnectionStep",
    "Datastream",
    "Device",
    "DeviceKind",
    "DeviceStatus",
    "Fence",
    "Fix",
    "Latest",
    "Level",
    "Maintenance",
    "Protocol",
    "Quantity",
    "RawMessage",
    "Reading",
    "RiskField",
    "Rollup",
    "Rule",
    "Schedule",
    "Shelving",
    "Storm",
    "System",
    "UnknownDevice",
]
