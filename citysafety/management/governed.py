"""What was asked and decided of the demo's open cases: extensions, pauses, a leader's limits, duplicates, a limit of the whole case; by its own services."""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from citysafety.accounts.demo import LABEL
from citysafety.accounts.models import Role, User
from grid.models import Matter
from hazards.lifecycle import HazardState
from hazards.listings.seeds import seed_majors
from hazards.models import Hazard
from hazards.seeds import seed_ladders, seed_limits
from hazards.services import report_hazard, take_step
from hazards.services.given import StepInput
from hazards.services.reporting import Filing

IN_WORK = (HazardState.DISPATCHED, HazardState.TAKEN)
# What is done to cases in work: each row a case, each step by whom, with what.
LIVES: tuple[tuple[tuple[str, str, dict[str, Any]], ...], ...] = (
    (("ask_extension", "handler", {"amount": 1, "words": "配件缺货，厂家明日送达。"}),),
    (("ask_extension", "handler", {"amount": 1, "words": "需夜间断电施工，已与供电所约定时间。"}),),
    (
        ("ask_extension", "handler", {"amount": 1, "words": "责任单位正在招标采购。"}),
        ("grant_extension", "dispatcher", {"words": "同意，期间落实临时防护。"}),
    ),
    (
        ("ask_extension", "handler", {"amount": 1, "words": "人手不足。"}),
        ("deny_extension", "dispatcher", {"words": "不属于延期理由，请按期完成。"}),
    ),
    (("pause", "dispatcher", {"cause": "weather", "words": "大风黄色预警，高处作业暂停。"}),),
    (("pause", "dispatcher", {"cause": "material", "words": "井盖定制，供货周期十日。"}),),
    (
        ("ask_pause", "handler", {"cause": "owner", "words": "小区分界管段权属存在争议。"}),
        ("pause", "supervisor", {"words": "同意挂账，由住建局牵头认定权属。"}),
    ),
    (("ask_pause", "handler", {"cause": "funds", "words": "改造资金已列入下季度预算。"}),),
    (("pin", "leader", {"words": "群众反映集中，请今日办结并报结果。"}),),
    (("pin", "leader", {"amount": 8, "words": "学校门口，放学前处置到位。"}),),
)
TWICE = 6  # cases that somebody else reports too; of half of them it is found out
WHOLE = "两栋厂房之间新搭彩钢棚，占用防火间距，须协调多方拆除。"
AGAIN = ("路过看到，还没有人处理。", "同一处，今天更严重了。", "居民再次反映。")


def govern(at: datetime) -> int:
    """Take steps beside the way at open cases of the demo's departments; return how many cases."""
    seed_limits()
    seed_ladders()
    seed_majors(at=at - timedelta(days=365))
    people = {
        role: user
        for role in (Role.SUPERVISOR, Role.LEADER, Role.DISPATCHER)
        for user in User.objects.filter(role=role, access_tokens__label=LABEL, area_code=settings.CITY_CODE)[:1]
    }
    if len(people) < 3:
        return 0
    cases = list(_in_time(at))
    for hazard, steps in zip(cases, LIVES, strict=False):
        for n, (action, who, given) in enumerate(steps):
            moment = at - timedelta(minutes=20 - 5 * n)
            by = _handler(hazard) if who == "handler" else people[Role(who)]
            _step(hazard, action, by, max(moment, hazard.changed_at), **given)
    dispatcher = people[Role.DISPATCHER]
    return min(len(cases), len(LIVES)) + _report_twice(dispatcher, at) + _limit_whole(dispatcher, at)


def _in_time(at: datetime) -> Iterator[Hazard]:
    """Yield cases in work of departments that have a handler, half a day before they are due, one of each matter; those of demo accounts first."""
    handlers = User.objects.filter(role=Role.DEPARTMENT_HANDLER, is_active=True)
    known = set(handlers.filter(access_tokens__label=LABEL).values_list("department", flat=True))
    rows = Hazard.objects.filter(
        state__in=IN_WORK, overdue=False, severity="general", due_at__gt=at + timedelta(hours=1),
        department__in=handlers.values("department"),
    )  # fmt: skip
    rows = rows.order_by("received_at", "number")[:3000]
    by_matter = {hazard.matter_id: hazard for hazard in sorted(rows, key=lambda one: one.department_id in known)}
    yield from sorted(by_matter.values(), key=lambda hazard: hazard.department_id not in known)[: len(LIVES)]


def _handler(hazard: Hazard) -> User:
    handlers = User.objects.filter(role=Role.DEPARTMENT_HANDLER, is_active=True, department=hazard.department_id)
    return handlers.order_by("pk")[0]


def _limit_whole(dispatcher: User, at: datetime) -> int:
    """Let a dispatcher file and accept a case of a matter that limits the whole case, where cases are open; return whether there is one."""
    matter = Matter.objects.filter(active=True, total_amount__isnull=False).order_by("code").first()
    near = Hazard.objects.open().exclude(cell=None).order_by("-received_at", "number").first()
    if matter is None or near is None:
        return 0
    filing = Filing(
        id=uuid.uuid4(), matter=matter.code, severity="general", description=WHOLE, lon=near.location.x, lat=near.location.y,
        accuracy_m=15, occurred_at=at - timedelta(minutes=40),
    )  # fmt: skip
    hazard, _cells = report_hazard(filing=filing, reporter=dispatcher, at=at - timedelta(minutes=35))
    _step(hazard, "accept", dispatcher, at - timedelta(minutes=30))
    return 1


def _report_twice(dispatcher: User, at: datetime) -> int:
    """Let others report cases of the last hours again, a few metres away, and merge some of them."""
    open_now = Hazard.objects.filter(state__in=(HazardState.REPORTED, HazardState.ACCEPTED), severity="general")
    cases = list(open_now.exclude(cell=None).select_related("matter").order_by("-received_at", "number")[:TWICE])
    for n, hazard in enumerate(cases):
        others = User.objects.filter(role=Role.GRID_WORKER, is_active=True, area_code=hazard.area_code[:6])
        reporter = others.exclude(pk=hazard.reporter_id).order_by("pk").first() or dispatcher
        filing = Filing(
            id=uuid.uuid4(), matter=hazard.matter.code, severity=hazard.severity, description=AGAIN[n % len(AGAIN)],
            lon=hazard.location.x + 0.00008, lat=hazard.location.y + 0.00005, accuracy_m=12, occurred_at=at - timedelta(minutes=9),
        )  # fmt: skip
        duplicate, _cells = report_hazard(filing=filing, reporter=reporter, at=at - timedelta(minutes=8))
        if n % 2 == 0:
            _step(duplicate, "merge", dispatcher, at - timedelta(minutes=4), into=hazard.number)
    return len(cases)


def _step(hazard: Hazard, action: str, by: User, at: datetime, **given: Any) -> None:
    hazard.refresh_from_db(fields=["version"])
    step = StepInput(id=uuid.uuid4(), version=hazard.version, **given)
    take_step(hazard_id=hazard.pk, action=action, given=step, actor=by, at=at)
