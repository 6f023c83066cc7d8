"""In which figures an alarm counts: the one place where the figures of monitoring are defined."""

from citysafety.outbox.models import OutboxEntry
from citysafety.tallies.models import Period
from citysafety.tallies.services import period_of
from citysafety.workdays import CITY_TIME

from .models import Alarm

OPEN_BY_LEVEL = {1: "alarms.open_i", 2: "alarms.open_ii", 3: "alarms.open_iii", 4: "alarms.open_iv"}
RAISED_TODAY = "alarms.raised_today"


def counts_now(alarm: Alarm) -> list[str]:
    """Return the figures an alarm counts in as long as it stands like this: open and not kept quiet."""
    return [OPEN_BY_LEVEL[alarm.level]] if alarm.is_open and not alarm.quiet else []


def standing_of(alarm: Alarm, entry: OutboxEntry, *, raised: bool) -> Period:
    """Return the row that says what the change announced by an entry does to the figures, unsaved."""
    return period_of(
        entry,
        kind="alarm",
        subject_id=str(alarm.pk),
        area=alarm.area_code,
        state=alarm.state,
        now=counts_now(alarm),
        today=[RAISED_TODAY] if raised and not alarm.quiet else [],
        day=entry.at.astimezone(CITY_TIME).date(),
        previous=alarm.period_id,
    )
