"""What the public has reported in the demo: a case at every stop of its life, some contested; by the services of the public pages."""

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from citysafety.accounts.demo import LABEL
from citysafety.accounts.models import Role, User
from citysafety.evidence import services as evidence
from hazards.lifecycle import IN_WORK, LIFECYCLE, PhotoRole
from hazards.models import Hazard
from hazards.public import codes, services
from hazards.public.models import PublicReport
from hazards.services import take_step
from hazards.services.given import StepInput
from hazards.services.steps import requirements

from .pictures import SCENES, picture

HANDLED = ("accept", "dispatch", "take", "rectify")
SOLVED = (*HANDLED, "verify", "write_off")
AGAIN = ("dispatch", "take", "rectify", "verify", "write_off")
# What happens to each report, in the words of the table of steps, and how satisfied its reporter is in the end.
LIVES: tuple[tuple[tuple[str, ...], int], ...] = (
    ((), 0),
    (("accept",), 0),
    (("accept", "dispatch"), 0),
    (("accept", "dispatch", "take"), 0),
    (HANDLED, 0),
    ((*HANDLED, "verify"), 0),
    ((*SOLVED, "show_photos"), 5),
    (SOLVED, 0),
    ((*SOLVED, "contest"), 0),
    ((*SOLVED, "contest", *AGAIN, "contest"), 0),
    ((*SOLVED, "contest", *AGAIN, "contest", "deny_reopening"), 2),
    (("refuse",), 0),
)
SEEN = (
    "路过时发现，已经好几天了，请尽快处理。", "老人孩子经常从这里经过，担心出事。", "晚上看不清，容易出事。",
    "周围住户都很担心，希望有人来看看。", "昨天刚下过雨，情况更明显。", "一直没人管，附近的人都知道。",
)  # fmt: skip
WORDS = {
    "refuse": "现场核查未发现所述情况，如仍存在请补充照片。",
    "rectify": "已现场处置完毕，自查合格。",
    "deny_reopening": "现场复核，原隐患已消除；新反映的是邻近另一处，已另行立案。",
}
NOT_SOLVED = "处理后没几天又出现了，请再看看。"
CALLERS = (("热心市民", "13900000001"), ("", "13900000002"), ("附近住户", ""))  # invented
BEGUN, APART = timedelta(hours=26), timedelta(minutes=20)


@dataclass(frozen=True, slots=True)
class Desk:
    """Those of the city who work on the reports."""

    dispatcher: User
    supervisor: User
    handler: User


def speak(at: datetime) -> int:
    """Let the public report and answer; return how many reports there are."""
    people = {
        role: user
        for role in (Role.SUPERVISOR, Role.DISPATCHER)
        for user in User.objects.filter(role=role, access_tokens__label=LABEL, area_code=settings.CITY_CODE)[:1]
    }
    if len(people) < 2:
        return 0
    for n, (like, life) in enumerate(zip(_places(), LIVES, strict=False)):
        handler = User.objects.filter(role=Role.DEPARTMENT_HANDLER, is_active=True, department=like.department_id)
        desk = Desk(people[Role.DISPATCHER], people[Role.SUPERVISOR], handler.order_by("pk")[0])
        _live(n, like, life, desk, at - BEGUN + n * APART)
    return PublicReport.objects.count()


def _places() -> Iterator[Hazard]:
    """Yield cases, one of each matter, whose matter, place and department reports of the public take over."""
    handlers = User.objects.filter(role=Role.DEPARTMENT_HANDLER, is_active=True)
    rows = Hazard.objects.filter(
        state__in=IN_WORK, severity="general", matter__severity="general", matter__active=True,
        department__in=handlers.values("department"),
    ).exclude(cell=None)  # fmt: skip
    rows = rows.select_related("matter__matter_class", "department").order_by("-received_at", "number")[:2000]
    yield from {row.matter_id: row for row in reversed(rows)}.values()


def _live(n: int, like: Hazard, life: tuple[tuple[str, ...], int], desk: Desk, begun: datetime) -> None:
    """Report like a case that is there, a few houses away, and take the steps of a life."""
    actions, satisfaction = life
    category = like.matter.matter_class.code
    name, phone = CALLERS[n % len(CALLERS)] if n % 2 else ("", "")
    secret = uuid.uuid5(codes.NAMESPACE, f"demo {like.pk}")
    given = services.Given(
        secret=secret,
        fields={
            "service_code": like.matter.code, "lat": f"{like.location.y + 0.0006:.6f}",
            "long": f"{like.location.x + 0.0004:.6f}", "description": f"{like.matter.name_zh}：{SEEN[n % len(SEEN)]}",
        },
        pictures=[picture(category, 900 + n, mended=False, view=0)] if category in SCENES and n % 3 else [],
        name=name,
        phone=phone,
    )  # fmt: skip
    services.report(given=given, at=begun)
    report = PublicReport.objects.select_related("hazard").get(pk=codes.hazard_id(secret))
    for k, action in enumerate(actions, start=1):
        moment = begun + k * APART
        if action == "contest":
            services.contest(report=report, claimed=uuid.uuid4(), words=NOT_SOLVED, pictures=[], at=moment)
        else:
            _step(report.hazard_id, action, like, desk, n, moment)
    if satisfaction:
        services.rate(report=report, satisfaction=satisfaction, at=begun + (len(actions) + 1) * APART)


def _step(pk: uuid.UUID, action: str, like: Hazard, desk: Desk, n: int, at: datetime) -> None:
    hazard = Hazard.objects.select_related("matter__matter_class").get(pk=pk)
    by = {"take": desk.handler, "rectify": desk.handler, "deny_reopening": desk.supervisor}.get(action, desk.dispatcher)
    more: dict[str, Any] = {"department": like.department.code} if action == "dispatch" else {}
    if action == "rectify":
        _photograph(hazard, by, n, at)
    step = StepInput(
        id=uuid.uuid4(), version=hazard.version, words=WORDS.get(action, ""), lon=hazard.location.x, lat=hazard.location.y, **more
    )  # fmt: skip
    take_step(hazard_id=pk, action=action, given=step, actor=by, at=at)


def _photograph(hazard: Hazard, by: User, n: int, at: datetime) -> None:
    """Attach the photos that a rectification asks of its matter; each time others."""
    most = requirements(LIFECYCLE.steps_named("rectify")[0], hazard).get(PhotoRole.AFTER, 1)
    category = hazard.matter.matter_class.code
    for shot in range(most):
        data = picture(
            category if category in SCENES else next(iter(SCENES)),
            900 + n + 50 * (hazard.version + shot),
            mended=True,
            view=1,
        )
        evidence.attach(
            kind="hazard", subject_id=str(hazard.pk), role=PhotoRole.AFTER, sha256=hashlib.sha256(data).hexdigest(), data=data,
            by_id=by.pk, at=at, step_id=None,
        )  # fmt: skip
