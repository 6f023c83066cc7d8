"""Major hazards of the demo at every stop of their life: planned, stopped, listed, extended, taken off; by their own services."""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils.timezone import localdate

from citysafety.accounts.demo import LABEL
from citysafety.accounts.models import Role, User
from citysafety.evidence.models import Attachment
from hazards.lifecycle import HazardState
from hazards.listings import services as listings
from hazards.models import Hazard, Listing
from hazards.selectors import criteria_for
from hazards.services import take_step
from hazards.services.given import StepInput

PLANNED = ("plan",)
APPROVED = (*PLANNED, "approve_plan")
LISTED = (*APPROVED, "stop_work", "propose", "list_it")
# What is done to each case after it was raised and taken over.
LIVES: tuple[tuple[str, ...], ...] = (
    PLANNED,
    (*PLANNED, "return_plan"),
    (*APPROVED, "stop_work"),
    (*APPROVED, "propose"),
    LISTED,
    (*LISTED, "file", "publish", "ask_extension"),
    (*LISTED, "file", "publish", "ask_extension", "grant_extension"),
    (*LISTED, "file", "publish", "rectify", "verify", "resume_work", "write_off", "clear", "publish_clearing"),
)
HANDLER, SUPERVISOR, LEADER, DISPATCHER = "handler", Role.SUPERVISOR, Role.LEADER, Role.DISPATCHER
WHO = {
    "take": HANDLER,
    "plan": HANDLER,
    "rectify": HANDLER,
    "ask_extension": HANDLER,
    "raise": DISPATCHER,
    "verify": DISPATCHER,
    "write_off": DISPATCHER,
    "list_it": LEADER,
    "grant_extension": LEADER,
    "clear": LEADER,
}  # fmt: skip  whoever is not named is the supervisor
LAW = "《中华人民共和国安全生产法》第六十五条"
WORDS: dict[str, dict[str, Any]] = {
    "return_plan": {"words": "资金来源和完成时限依据不足，请补充后重报。"},
    "stop_work": {"scope": "隐患所在楼层停止营业", "basis": LAW, "words": "整改期间无法保证安全。"},
    "resume_work": {"words": "现场复查合格，同意恢复营业。"},
    "rectify": {"words": "已按方案整改完毕，自查合格。"},
    "ask_extension": {"words": "专用设备生产周期较长，附采购合同。"},
    "grant_extension": {"words": "同意延期一次，期间保持停用。"},
}
REQUIREMENTS = (
    ("立即停止使用隐患部位，按方案整改，完成前派专人值守。", "Stop using the place at once, rectify by the plan, keep a guard until it is done."),
    ("落实临时防护，按期完成改造，整改期间不得恢复营业。", "Protect the place, finish the works in time; no business meanwhile."),
)  # fmt: skip
LISTING_DAYS, PLAN_DAYS, EXTENSION_DAYS = 120, 60, 60
BEGUN, APART = timedelta(minutes=90), timedelta(minutes=5)


def list_majors(at: datetime) -> int:
    """Take cases in work through the lives of major hazards; return how many."""
    people = {
        role: user
        for role in (SUPERVISOR, LEADER, DISPATCHER)
        for user in User.objects.filter(role=role, access_tokens__label=LABEL, area_code=settings.CITY_CODE)[:1]
    }
    if len(people) < 3:
        return 0
    cases = list(_cases(at))
    for n, (hazard, life) in enumerate(zip(cases, LIVES, strict=False)):
        _live(hazard, life, people, n, at)
    return len(cases)


def _cases(at: datetime) -> Iterator[Hazard]:
    """Yield cases in work with a department that has a handler, of classes with criteria: grave matters first."""
    handlers = User.objects.filter(role=Role.DEPARTMENT_HANDLER, is_active=True)
    known = set(handlers.filter(access_tokens__label=LABEL).values_list("department", flat=True))
    classes = {code for one in criteria_for() for code in one.classes}
    plain = Q(extension_asked_at=None, pause_asked_at=None, paused_at=None, pinned_at=None, co_reporters=None)
    rows = Hazard.objects.filter(
        plain, state__in=(HazardState.DISPATCHED, HazardState.TAKEN), overdue=False, severity="general",
        matter__matter_class__code__in=classes, department__in=handlers.values("department"),
        clock_changes=None, due_at__gt=at + timedelta(hours=1),
    ).select_related("matter__matter_class", "department")  # fmt: skip
    rows = rows.order_by("-received_at", "number")[:1000]
    fit = sorted(rows, key=lambda hazard: (hazard.matter.severity != "major", hazard.department_id not in known))
    yield from fit[: len(LIVES)]


def _live(hazard: Hazard, life: tuple[str, ...], people: dict[str, User], n: int, at: datetime) -> None:
    """Raise a case, let it be taken over, and take the steps of its life a few minutes apart, none after ``at``."""
    handlers = User.objects.filter(role=Role.DEPARTMENT_HANDLER, is_active=True, department=hazard.department_id)
    people = {**people, HANDLER: handlers.order_by("pk")[0]}
    moment = max(at - BEGUN, hazard.changed_at)
    first = ("raise", "take") if hazard.state == HazardState.DISPATCHED else ("raise",)
    for action in (*first, *life):
        by = people[WHO.get(action, SUPERVISOR)]
        given = {**WORDS.get(action, {}), **_fields(action, hazard, n, moment, by)}
        if action == "propose":
            proposal = listings.Proposal(**given)
            listings.propose(hazard_id=hazard.pk, proposal=proposal, by=by, at=moment)
        elif action in {step.action for step in listings.LIFECYCLE.steps}:
            _step_listing(hazard, action, by, moment, given)
        else:
            hazard.refresh_from_db(fields=["version"])
            step = StepInput(id=uuid.uuid4(), version=hazard.version, **given)
            take_step(hazard_id=hazard.pk, action=action, given=step, actor=by, at=moment)
        moment = min(moment + APART, at)


def _fields(action: str, hazard: Hazard, n: int, at: datetime, by: User) -> dict[str, Any]:
    """Return what a step of a case brings besides words."""
    day = localdate(at)
    match action:
        case "raise":
            fitting = list(criteria_for(hazard.matter.matter_class.code))
            return {"criterion": fitting[n % len(fitting)].code, "words": "现场核实，符合重大隐患判定标准。"}
        case "plan":
            return {
                "unit": f"{hazard.matter.name_zh}所在单位", "person": "单位主要负责人",
                "measures": "停用隐患部位，委托有资质单位按方案改造，完成后自查并申请复查。",
                "funds": "none" if n % 3 == 1 else str(35_000 + 12_500 * n), "finish_on": day + timedelta(days=PLAN_DAYS),
                "contingency": "整改期间专人值守，备足器材，异常立即撤离并报告。",
            }  # fmt: skip
        case "propose":
            zh, en = REQUIREMENTS[n % len(REQUIREMENTS)]
            return {
                "level": "city" if n % 4 == 3 else "county", "leader": "分管副区长", "requirement_zh": zh,
                "requirement_en": en, "finish_by": day + timedelta(days=LISTING_DAYS),
            }  # fmt: skip
        case "ask_extension":
            return {"until_day": day + timedelta(days=LISTING_DAYS + EXTENSION_DAYS)}
        case "verify":
            return {"lon": hazard.location.x, "lat": hazard.location.y}
        case "rectify":
            _show(hazard, by, at)
    return {}


def _step_listing(hazard: Hazard, action: str, by: User, at: datetime, given: dict[str, Any]) -> None:
    listing = Listing.objects.live().get(hazard=hazard)
    if action in listings.SIGNS:
        given["sha256"] = listings.prepare(listing_id=listing.pk, by=by, at=at).sealed_id
    step = listings.ListingInput(id=uuid.uuid4(), version=listing.version, **given)
    if action == "file" and listing.rule.file_days is None:  # nobody asks it at this level
        return
    listings.take_step(listing_id=listing.pk, action=action, given=step, actor=by, at=at)


def _show(hazard: Hazard, by: User, at: datetime) -> None:
    """Attach photos of the demo's album to a case, as many as its matter asks."""
    seen = Attachment.objects.filter(kind="hazard", role="after").order_by("-pk").values_list("photo_id", flat=True)
    for photo_id in list(dict.fromkeys(seen[:200]))[: max(1, hazard.matter.photos_after or 1)]:
        Attachment.objects.get_or_create(
            kind="hazard", subject_id=str(hazard.pk), role="after", photo_id=photo_id, defaults={"by": by, "at": at}
        )
