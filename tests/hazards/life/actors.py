"""Who plays, and what each brings to a step: all that it asks, an old version, too much, or nothing at all."""

import uuid
from datetime import timedelta
from random import Random
from typing import Any

from citysafety.evidence.models import Attachment, Photo
from grid.models import Matter
from hazards.public import services as public
from tests.factories import AWAY, person

from ..test_majors import PLAN
from .limits import EXTENSIONS, PINNED_H
from .oracle import ASKS_NOTHING, City
from .records import CELLS, Case, Recheck, Shown

TOO_MUCH = 999
HERE = {"lon": 118.53, "lat": 37.45}


def city_of_people() -> City:
    """Make everybody who tries steps, some of them of another county."""
    fire = Matter.objects.get(code="XF-001").department
    people = {
        "worker": person("grid_worker"), "neighbour": person("grid_worker"), "third": person("grid_worker"),
        "far_worker": person("grid_worker", area=AWAY),
        "handler": person("department_handler", department=fire),
        "far_handler": person("department_handler", area=AWAY), "dispatcher": person("dispatcher"),
        "second": person("dispatcher"), "far_dispatcher": person("dispatcher", area=AWAY),
        "supervisor": person("supervisor"), "far_supervisor": person("supervisor", area=AWAY), "leader": person("leader"),
        "operator": person("operator"), "auditor": person("auditor"), "administrator": person("administrator"),
        "public": public.account(),
    }  # fmt: skip
    return City(people, fire, people["public"])


def brought(
    city: City, case: Case, action: str, user: Any, other: Case, chance: Random, *, nothing: bool
) -> tuple[dict[str, Any], str]:
    """Return what a person brings to a step, and what of it is missing or wrong; empty where nothing is."""
    if nothing and action not in ASKS_NOTHING:
        return {}, "everything"
    given, wrong = _fields(city, case, action, user, other, chance)
    return {"words": "有原因", **given}, wrong


def _fields(city: City, case: Case, action: str, user: Any, other: Case, chance: Random) -> tuple[dict[str, Any], str]:
    match action:
        case "dispatch":
            return {"department": "fire-02"}, ""
        case "verify":
            return HERE, ""
        case "pass_by_sample":
            return {}, "" if city.rule_of(case) else "matter"
        case "ask_extension":
            amount = chance.choice([2, 2, 2, TOO_MUCH])
            return {"amount": amount}, "" if amount == 2 and case.extended < EXTENSIONS[case.major] else "amount"
        case "grant_extension":
            amount = chance.choice([None, None, 1, TOO_MUCH])
            return {"amount": amount}, "amount" if amount == TOO_MUCH else ""
        case "ask_pause":
            cause = chance.choice(["weather", "season"])
            return {"cause": cause}, "" if city.left_to_stand(case, cause) else "cause"
        case "pause":
            cause = chance.choice(["", "weather", "weather", "season"])
            return {"cause": cause}, "" if city.pause_until(case, cause, user) else "cause"
        case "deny_pause":
            return {}, "" if city.decides_on(case.asked_cause or "other", user) else "cause"
        case "approve_plan":
            return {}, "" if city.is_day_of_plan(case, case.plan_day) else "finish_on"
        case "pin":
            amount = chance.choice([None, None, 5, TOO_MUCH])
            return {"amount": amount}, "" if (amount or 0) <= PINNED_H[case.major] else "amount"
        case "change_matter":
            return {"matter": "XF-002" if case.matter == "XF-001" else "XF-001"}, ""
        case "correct_cell":
            return {"cell": CELLS[1] if case.cell == CELLS[0] else CELLS[0]}, ""
        case "merge":
            return {"into": str(other.pk)}, "" if city.takes(other, case) else "into"
        case "raise":
            return {"criterion": "other: 判定标准第五条第一款"}, ""
        case "plan":
            day = city.today + timedelta(days=chance.choice([10, 10, 40]))
            return {**PLAN, "finish_on": day}, "" if city.is_day_of_plan(case, day) else "finish_on"
        case "stop_work":
            return {"scope": "二层营业区", "basis": "《安全生产法》第六十五条"}, ""
    return {}, ""


def brought_to_recheck(
    city: City, one: Recheck, action: str, chance: Random, *, nothing: bool
) -> tuple[dict[str, Any], str]:
    """Return what somebody brings to a step of a re-check, and what of it is missing or wrong."""
    if nothing:
        return {}, "everything"
    if action != "assign":
        return {"words": "纸箱又堆回来了", **HERE}, ""
    fit = city.fit(one.case) - {one.checker}
    chosen = chance.choice(sorted(fit if fit and chance.random() < 0.7 else city.people.values(), key=lambda u: u.pk))
    return {"checker": chosen.username}, "" if chosen in fit else "checker"


def show(city: City, kind: str, pk: Any, role: str, by: Any) -> Shown:
    """Let somebody attach a photo of something; which bytes it has is not looked at here."""
    sha256 = uuid.uuid4().hex * 2
    Photo.objects.create(
        sha256=sha256, size=9, mime="image/jpeg", width=16, height=16, received_at=city.now, derived_at=city.now
    )
    Attachment.objects.create(photo_id=sha256, kind=kind, subject_id=str(pk), role=role, by=by, at=city.now)
    return Shown(role, by, city.now)
