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
from .devices import Datastream, Device, DeviceKind, DeviceStatus, DeviceStep, Quantity
from .intake import GatewayProcess, Protocol, RawMessage, UnknownDevice
from .readings import Fix, Latest, Reading, Rollup, RollupMark
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
    "DeviceStep",
    "Fence",
    "Fix",
    "GatewayProcess",
    "Latest",
    "Level",
    "Maintenance",
    "Protocol",
    "Quantity",
    "RawMessage",
    "Reading",
    "RiskField",
    "Rollup",
    "RollupMark",
    "Rule",
    "Schedule",
    "Shelving",
    "Storm",
    "System",
    "UnknownDevice",
]
