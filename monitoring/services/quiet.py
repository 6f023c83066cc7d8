"""What keeps alarms quiet: shelving, maintenance of an area, a device out of service. What ends lets the rest be heard again."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from ..models import Alarm, Device, Maintenance, Shelving
from .moving import Move, write

Key = tuple[int, str]  # rule and subject


class Quiet:
    """Why an alarm would make no noise at a moment: asked once for many. Queries: 2."""

    def __init__(self, keys: Collection[Key], at: datetime) -> None:
        shelved = Shelving.objects.in_force(at).filter(rule__in={rule for rule, _subject in keys})
        self.shelved = set(shelved.values_list("rule_id", "subject")) & set(keys)
        self.works = list(Maintenance.objects.in_force(at).values_list("area_code", "kind_id"))

    def why(self, device: Device, key: Key) -> str:
        """Return why the alarm of a rule and subject is quiet; "" where it is heard. Queries: 0."""
        if device.state == Device.State.OUT_OF_SERVICE:
            return Alarm.Quiet.OUT_OF_SERVICE
        if any(device.area_code.startswith(area) and kind in (None, device.kind_id) for area, kind in self.works):
            return Alarm.Quiet.MAINTENANCE
        return Alarm.Quiet.SHELVED if key in self.shelved else ""


@transaction.atomic
def settle_quiet(*, at: datetime, among: Q | None = None, by: Any = None, reason: str = "") -> int:
    """Let each open alarm be quiet or heard as things stand now; return how many changed. Any number of sweeps do it once.

    ``among`` narrows where one knows which may have changed. Queries: 4, and 8 where some change.
    """
    Shelving.objects.filter(ended_at=None, until__lte=at).update(ended_at=F("until"))
    works = Maintenance.objects.in_force(at)
    asked = ~Q(quiet="") | Q(device__state=Device.State.OUT_OF_SERVICE)
    for area, kind in works.values_list("area_code", "kind_id"):
        asked |= Q(device__area_code__startswith=area) & (Q(device__kind=kind) if kind else Q())
    rows = Alarm.objects.open().filter(asked, among or Q()).select_related("device", "rule").order_by("pk")
    if not (ids := [alarm.pk for alarm, _why in _differing(list(rows), at)]):
        return 0
    held = Alarm.objects.open().filter(pk__in=ids).select_related("device", "rule").order_by("pk")
    moves = []
    for alarm, why in _differing(list(held.select_for_update(of=("self",))), at):
        was, alarm.quiet = alarm.quiet, why
        action = "suppress" if why and why != Alarm.Quiet.SHELVED else "unshelve" if was == "shelved" else "unsuppress"
        moves.append(Move(alarm, action, words=reason, actor=by, said={"quiet": why or was}))
    write(moves, at=at)
    return len(moves)


def _differing(alarms: Sequence[Alarm], at: datetime) -> list[tuple[Alarm, str]]:
    """Return the alarms that are not as quiet as they should be, each with why it is to be quiet. Queries: 2."""
    if not alarms:
        return []
    quiet = Quiet({(alarm.rule_id, alarm.subject) for alarm in alarms}, at)
    found = [(alarm, quiet.why(alarm.device, (alarm.rule_id, alarm.subject))) for alarm in alarms]
    return [(alarm, why) for alarm, why in found if why != alarm.quiet]
