"""An alarm of a small city, and the people who have to do with it."""

import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from citysafety.accounts.models import User
from citysafety.outbox.relay import relay_waiting
from citysafety.subscriptions import LISTENERS, PROJECTIONS
from monitoring import known
from monitoring.models import Alarm, Device, Rule
from monitoring.services.steps import AlarmInput, take_step
from monitoring.storing import Batch, Store
from tests.factories import HOME, SmallCity, make_city, person

from .worlds import limits, station


def relay() -> None:
    while relay_waiting(listen=LISTENERS, project=PROJECTIONS):
        pass


@dataclass
class Desk:
    """A gas station of the fire brigade with its rule, and words to let things happen there."""

    city: SmallCity
    device: Device
    rule: Rule
    operator: User
    dispatcher: User
    supervisor: User
    leader: User
    handler: User
    store: Store = field(init=False)
    ms: int = field(default_factory=lambda: int(time.time() * 1000))

    def __post_init__(self) -> None:
        self.store = Store(known.read())

    def measure(self, *values: float, place: int = 0) -> None:
        """Take values of a channel, a second apart."""
        for value in values:
            batch = Batch()
            batch.read(place, self.ms, value, self.ms)
            self.store.take(batch)
            self.ms += 1000

    def raised(self, value: float = 12.0) -> Alarm:
        self.measure(value)
        return Alarm.objects.order_by("-raised_at").first()

    def step(
        self, alarm: Alarm, action: str, who: User | None = None, at: datetime | None = None, **given: Any
    ) -> Alarm:
        version = Alarm.objects.values_list("version", flat=True).get(pk=alarm.pk)
        return take_step(
            alarm_id=alarm.pk, action=action, given=AlarmInput(id=uuid.uuid4(), version=version, **given),
            actor=who or self.operator, at=at or timezone.now(),
        )  # fmt: skip


def make_desk(*, channels: tuple[str, ...] = ("a21028-Rtd",), **more: Any) -> Desk:
    """Make a city with one watched station; ``more`` is of its rule."""
    city = make_city()
    fire = city.departments["fire-02"]
    cell = city.cells["370502001001001"]
    device = station(channels=channels, department=fire, cell=cell, area_code=cell.code)
    given = {"matter": city.matters["XF-001"], "notify": ["operator", "leader"], "advice_zh": "疏散下风向人员", **more}
    rule = limits(device, **given)
    return Desk(
        city, device, rule, operator=person("operator"), dispatcher=person("dispatcher"),
        supervisor=person("supervisor"), leader=person("leader"),
        handler=person("department_handler", department=fire),
    )  # fmt: skip


__all__ = ["HOME", "Desk", "make_desk", "relay"]
