"""What a gateway knows by heart: devices by their address, channels, and the rules that watch them; one statement each.

A snapshot is never changed; who needs a newer one reads it anew and takes the states of its rules over.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import engine, rules
from .models import Alarm, Datastream, Device, Rule

logger = logging.getLogger(__name__)
CHANGED = "monitoring"  # the channel on which a change of devices, channels or rules is told
RESET = "reset"  # begins what is told there when somebody resets a latched alarm: "reset 17 datastream:4"


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """A device as the gateway needs it."""

    id: int
    protocol: str
    address: str
    kind: str
    options: dict[str, Any]
    area_code: str
    channels: dict[str, "Channel"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Channel:
    """A datastream of a device: its place in the columns of a snapshot, and how what is sent becomes a value."""

    id: int
    place: int
    factor: float
    offset: float


@dataclass(frozen=True, slots=True)
class Watch:
    """A rule on a datastream: what a slot stands for."""

    rule: int
    device: int
    datastream: int
    kind: str
    settings: rules.Settings
    doubtful_too: bool

    @property
    def subject(self) -> str:
        return f"datastream:{self.datastream}"


class Known:
    """A snapshot of devices, channels and watches."""

    def __init__(self) -> None:
        self.devices: dict[tuple[str, str], KnownDevice] = {}
        self.by_id: dict[int, KnownDevice] = {}
        self.watches: list[Watch] = []
        self.stream_ids = np.empty(0, dtype=np.int64)  # by place
        self.device_ids = np.empty(0, dtype=np.int64)  # of each place
        # The slots of the channel at a place are those from starts[place] to starts[place + 1].
        self.starts = np.zeros(1, dtype=np.int64)
        self.takes_doubtful = np.empty(0, dtype=bool)
        self.slots = engine.Slots(0)

    def find(self, protocol: str, address: str) -> KnownDevice | None:
        return self.devices.get((protocol, address))

    def reset(self, told: str) -> None:
        """Let a latched rule on a subject begin anew, as :data:`RESET` tells it; what is not watched here is passed over."""
        _reset, rule, subject = told.split(" ", 2)
        self.slots.reset([n for n, one in enumerate(self.watches) if (str(one.rule), one.subject) == (rule, subject)])

    def carry_over(self, older: "Known") -> None:
        """Take the states of the rules that an older snapshot watched too: delays under way go on."""
        places = {(watch.rule, watch.datastream): n for n, watch in enumerate(older.watches)}
        pairs = [
            (n, places[key])
            for n, watch in enumerate(self.watches)
            if (key := (watch.rule, watch.datastream)) in places
        ]
        if pairs:
            here, there = np.array(pairs).T
            for name in engine.STATES:
                getattr(self.slots, name)[here] = getattr(older.slots, name)[there]


def read() -> Known:
    """Read everything that is in service. Queries: 4."""
    known = Known()
    rows = Device.objects.exclude(state=Device.State.RETIRED).values_list(
        "id", "protocol", "address", "kind_id", "options", "area_code"
    )
    for row in rows:
        device = KnownDevice(*row)
        known.by_id[device.id] = known.devices[device.protocol, device.address] = device
    streams = [
        row
        for row in Datastream.objects.order_by("pk").values_list(
            "pk", "device_id", "channel", "quantity_id", "factor", "offset"
        )
        if row[1] in known.by_id
    ]
    known.stream_ids = np.array([row[0] for row in streams], dtype=np.int64)
    known.device_ids = np.array([row[1] for row in streams], dtype=np.int64)
    for place, (pk, device_id, channel, _quantity, factor, offset) in enumerate(streams):
        known.by_id[device_id].channels[channel] = Channel(pk, place, factor, offset)
    _watch(known, streams)
    return known


def _watch(known: Known, streams: list[tuple]) -> None:
    """Lay the rules on the datastreams that they watch."""
    kinds = (Rule.Kind.LIMIT, Rule.Kind.BITS, Rule.Kind.RATE)
    by_kind: dict[str, list[Rule]] = defaultdict(list)
    said: dict[int, rules.Settings] = {}
    for rule in Rule.objects.filter(active=True, kind__in=kinds).order_by("pk"):
        try:
            said[rule.pk] = rules.read(rule.kind, rule.settings)
        except rules.WrongSettings as error:  # one rule must not keep devices from being heard
            logger.error("rule %s is not followed: %s", rule.code, error)
        else:
            by_kind[rule.device_kind_id].append(rule)
    starts, watches, found = [0], known.watches, []
    for pk, device_id, channel, quantity, _factor, _offset in streams:
        for rule in _fitting(by_kind[known.by_id[device_id].kind], device_id, quantity, channel):
            watches.append(Watch(rule.pk, device_id, pk, rule.kind, said[rule.pk], rule.doubtful_too))
            found.append(rule)
        starts.append(len(watches))
    known.starts = np.array(starts, dtype=np.int64)
    known.takes_doubtful = np.array([watch.doubtful_too for watch in watches], dtype=bool)
    known.slots = slots_of(watches, found)
    _restore(known)


def _fitting(some: list[Rule], device_id: int, quantity: str, channel: str) -> Iterator[Rule]:
    """Yield the rules of a kind of device that watch a channel; one of the device alone replaces its like."""
    fit = [
        rule
        for rule in some
        if rule.device_id in (None, device_id)
        and (rule.quantity_id is None or rule.quantity_id == quantity)
        and channel.startswith(rule.channel)
    ]
    own = {(rule.kind, rule.quantity_id) for rule in fit if rule.device_id}
    return (rule for rule in fit if rule.device_id or (rule.kind, rule.quantity_id) not in own)


def slots_of(watches: list[Watch], found: list[Rule]) -> engine.Slots:
    """Return the columns of so many rules on datastreams."""
    slots = engine.Slots(len(watches))
    for n, (watch, rule) in enumerate(zip(watches, found, strict=True)):
        slots.on_s[n], slots.off_s[n], slots.latching[n] = rule.on_delay_s, rule.off_delay_s, rule.latching
        match watch.settings:
            case rules.Limit() as limit:
                for name in ("low_low", "low", "high", "high_high"):
                    if (bound := getattr(limit, name)) is not None:
                        getattr(slots, name)[n] = bound
                slots.band[n] = limit.dead_band
            case rules.Bits() as bits:
                slots.how[n], slots.mask[n], slots.inverted[n] = engine.BITS, bits.mask, bits.when_clear
            case rules.Rate() as rate:
                slots.how[n] = engine.RATE
                slots.high[n] = np.nan if rate.rise_per_min is None else rate.rise_per_min
                slots.low[n] = np.nan if rate.fall_per_min is None else rate.fall_per_min
    return slots


def _restore(known: Known) -> None:
    """Put the slots where their open alarms say that they stand. Queries: 1."""
    standing = Alarm.objects.standing().filter(datastream__isnull=False).values_list("rule_id", "datastream_id", "zone")
    zones = {(rule, stream): zone for rule, stream, zone in standing}
    for n, watch in enumerate(known.watches):
        known.slots.zone[n] = zones.get((watch.rule, watch.datastream), engine.NORMAL)
