"""The first causes of a pause, rules of limits and escalation ladders; people change them in the administration."""

from django.db import transaction

from citysafety.notices.models import Ladder, Rung

from .models import LimitRule, PauseCause
from .public.models import PublicRule

OWN_RULE = "本市规则（示例）"
HANDBOOK = "《数字化城市管理信息系统 第8部分：立案、处置和结案》（GB/T 30428.8-2020）"
PARKED, DEFERRED = PauseCause.Kind.PARKED, PauseCause.Kind.DEFERRED
CAUSES = (  # code, kind, days at once, times and days in all in one case, decided by a supervisor, names
    ("weather", DEFERRED, 15, 3, 30, False, "恶劣天气无法施工", "Weather that allows no work"),
    ("season", DEFERRED, 120, 1, 120, True, "季节性作业（绿化、供暖等）", "Seasonal work such as planting or heating"),
    ("material", DEFERRED, 20, 2, 30, False, "材料、设备采购周期", "Material or equipment on order"),
    ("owner", PARKED, 60, 2, 120, True, "权属不清，待认定", "Ownership to be settled"),
    ("funds", PARKED, 180, 1, 180, True, "资金待落实", "Funds to be found"),
    ("law", PARKED, 180, 2, 360, True, "诉讼或行政执法程序中", "Before a court or in an enforcement procedure"),
    ("other", DEFERRED, 7, 1, 7, False, "其他", "Other"),
)
RULES = (
    {"severity": "general", "most_extensions": 2, "most_percent": 100, "pin_amount": 24, "most_plan_days": 90},
    {"severity": "major", "most_extensions": 1, "most_percent": 50, "pin_amount": 12, "most_plan_days": 180},
)


def seed_limits() -> None:
    """Make the causes and rules where they are missing. Queries: 2 a row."""
    for position, (code, kind, days, times, in_all, by_supervisor, zh, en) in enumerate(CAUSES):
        values = {"kind": kind, "most_days": days, "most_times": times, "most_days_in_all": in_all}
        named = {"by_supervisor": by_supervisor, "name_zh": zh, "name_en": en, "basis": HANDBOOK}
        PauseCause.objects.get_or_create(
            code=code, defaults={**values, **named, "limits_source": OWN_RULE, "position": position}
        )
    for rule in RULES:
        more = {"pin_unit": "urgent_hours", "basis": OWN_RULE}
        LimitRule.objects.get_or_create(severity=rule["severity"], defaults={**rule, **more})
    PublicRule.objects.get_or_create(pk=1, defaults={"basis": OWN_RULE})


# After which percent of the limit (or hours over it), who is told, at which of the four levels, robots too, again every … hours.
LADDERS = {
    "general": (
        {"percent": 80, "target": "handlers", "level": 4},
        {"percent": 100, "target": "dispatchers", "level": 3},
        {"percent": 125, "target": "head", "level": 3},
        {"percent": 150, "target": "supervisors", "level": 3, "robots": True},
        {"percent": 200, "target": "leaders", "level": 2, "robots": True, "repeat_hours": 24, "repeat_most": 3},
    ),
    "major": (
        {"percent": 50, "target": "handlers", "level": 3},
        {"percent": 75, "target": "head", "level": 3},
        {"percent": 90, "target": "dispatchers", "level": 2},
        {"percent": 100, "target": "operators", "level": 2, "robots": True},
        {"percent": 110, "target": "supervisors", "level": 2, "robots": True},
        {"percent": 150, "target": "leaders", "level": 1, "robots": True, "repeat_hours": 8, "repeat_most": 5},
    ),
}


@transaction.atomic
def seed_ladders() -> None:
    """Make the ladders of the two severities where there is none. Queries: 1, and 3 a ladder that is made."""
    known = set(Ladder.objects.filter(kind="hazard").values_list("severity", flat=True))
    for severity in LADDERS.keys() - known:
        ladder = Ladder.objects.create(kind="hazard", severity=severity, basis=OWN_RULE)
        Rung.objects.bulk_create(
            Rung(ladder=ladder, order=order, **rung) for order, rung in enumerate(LADDERS[severity], start=1)
        )
