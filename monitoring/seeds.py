"""The first policy of alarms and its escalation ladder; people change them in the administration."""

from django.db import transaction

from citysafety.notices.models import Ladder, Rung

from .ladders import KIND
from .models import AlarmPolicy

OWN_RULE = "本市规则（示例）"
# After which percent of the time in which an alarm of its level is to be acknowledged, who is told, at which level.
RUNGS = {
    "": (
        {"percent": 100, "target": "operators", "level": 3},
        {"percent": 150, "target": "dispatchers", "level": 3},
        {"percent": 200, "target": "supervisors", "level": 2},
    ),
    "1": (
        {"percent": 100, "target": "dispatchers", "level": 1},
        {"percent": 150, "target": "supervisors", "level": 1, "robots": True},
        {"percent": 200, "target": "leaders", "level": 1, "robots": True},
    ),
}


@transaction.atomic
def seed_alarm_ladders() -> None:
    """Make the policy and the ladders where they are missing. Queries: 2, and 3 a ladder that is made."""
    AlarmPolicy.present()
    known = set(Ladder.objects.filter(kind=KIND).values_list("severity", flat=True))
    for severity in sorted(RUNGS.keys() - known):
        ladder = Ladder.objects.create(kind=KIND, severity=severity, basis=OWN_RULE)
        Rung.objects.bulk_create(
            Rung(ladder=ladder, order=order, **rung) for order, rung in enumerate(RUNGS[severity], start=1)
        )
