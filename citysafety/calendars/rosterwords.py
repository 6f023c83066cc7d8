"""Rosters in the reader's words, and as programs get them. Phones are of posts; nobody's own is told."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from citysafety.accounts.models import User
from citysafety.accounts.roles import Role

from . import handovers
from .models import Handover, Leave, Post, Shift, Swap
from .presence import (
    BACKUP,
    DEPUTY,
    NO_CALENDAR,
    NO_POST,
    NO_SHIFT,
    OFF_HOURS,
    ON_LEAVE,
    PRIMARY,
    TOO_FEW,
    Gap,
)
from .rosters import Duty, Level, OnDuty
from .shifts import CONFLICTS, Trial

REASONS: Mapping[str, Any] = {
    NO_POST: gettext_lazy("no post for this role"),
    NO_SHIFT: gettext_lazy("nobody planned"),
    ON_LEAVE: gettext_lazy("on leave, no deputy"),
    OFF_HOURS: gettext_lazy("not staffed at this time"),
    TOO_FEW: gettext_lazy("too few people"),
    NO_CALENDAR: gettext_lazy("working days not known yet"),
}
WAYS: Mapping[str, Any] = {
    PRIMARY: gettext_lazy("on duty"),
    DEPUTY: gettext_lazy("deputy"),
    BACKUP: gettext_lazy("on call"),
}
VIEWERS = frozenset(
    {Role.OPERATOR, Role.DISPATCHER, Role.SUPERVISOR, Role.LEADER, Role.DEPARTMENT_HANDLER, Role.AUDITOR}
)


def conflict_words(row: Trial) -> str:
    """Return what stands against a draft, "" for nothing."""
    return _(CONFLICTS[row.conflict]) if row.conflict else ""


def person_answer(person: User | None) -> dict[str, Any] | None:
    return {"username": person.username, "name": person.name} if person else None


def post_answer(post: Post) -> dict[str, Any]:
    return {
        "id": post.pk,
        "name": post.name,
        "role": post.role,
        "area": post.area_code,
        "department": post.department.code if post.department else None,
        "phone": post.phone,
        "minimum": post.minimum,
        "staffed": post.staffed,
        "begins": post.begins,
        "ends": post.ends,
        "active": post.active,
    }


def shift_answer(shift: Shift) -> dict[str, Any]:
    return {
        "id": str(shift.pk),
        "post": shift.post_id,
        "person": person_answer(shift.person),
        "deputy": person_answer(shift.deputy),
        "begins": shift.begins,
        "ends": shift.ends,
        "kind": shift.kind,
        "note": shift.note,
        "cancelled_at": shift.cancelled_at,
    }


def trial_answer(row: Trial) -> dict[str, Any]:
    draft = row.draft
    return {
        "person": person_answer(draft.person),
        "deputy": person_answer(draft.deputy),
        "begins": draft.begins,
        "ends": draft.ends,
        "kind": draft.kind,
        "conflict": row.conflict,
        "written": row.is_written,
    }


def on_duty_answer(one: OnDuty) -> dict[str, Any]:
    return {
        "person": person_answer(one.person),
        "post": one.post.pk,
        "post_name": one.post.name,
        "phone": one.post.phone,
        "way": one.way,
        "until": one.until,
    }


def level_answer(level: Level) -> dict[str, Any]:
    return {
        "area": level.area_code,
        "posts": [post.pk for post in level.posts],
        "people": [on_duty_answer(one) for one in level.people],
        "reason": level.reason,
    }


def duty_answer(duty: Duty) -> dict[str, Any]:
    following = duty.next_level
    return {
        "role": duty.role,
        "area": duty.area_code,
        "at": duty.at,
        "nobody": duty.nobody,
        "reason": duty.reason,
        "people": [on_duty_answer(one) for one in duty.people],
        "next_level": level_answer(following) if following else None,
        "others": [person_answer(one) for one in duty.others],
        "levels": [level_answer(level) for level in duty.levels],
    }


def gap_answer(post: Post, gap: Gap) -> dict[str, Any]:
    return {
        "post": post.pk,
        "area": post.area_code,
        "begins": gap.begins,
        "ends": gap.ends,
        "missing": gap.missing,
        "reason": gap.reason,
    }


def leave_answer(leave: Leave) -> dict[str, Any]:
    return {
        "id": str(leave.pk),
        "person": person_answer(leave.person),
        "begins": leave.begins,
        "ends": leave.ends,
        "reason": leave.reason,
        "cancelled_at": leave.cancelled_at,
    }


def swap_answer(swap: Swap) -> dict[str, Any]:
    return {
        "id": str(swap.pk),
        "first": str(swap.first_id),
        "second": str(swap.second_id),
        "first_person": person_answer(swap.first_person),
        "second_person": person_answer(swap.second_person),
        "words": swap.words,
        "state": swap.state,
        "proposed_by": person_answer(swap.proposed_by),
        "proposed_at": swap.proposed_at,
        "first_agreed_at": swap.first_agreed_at,
        "second_agreed_at": swap.second_agreed_at,
        "ended_at": swap.ended_at,
    }


def handover_answer(handover: Handover, at: datetime) -> dict[str, Any]:
    receipt = getattr(handover, "receipt", None)
    return {
        "id": str(handover.pk),
        "post": handover.post_id,
        "given_by": person_answer(handover.given_by),
        "given_at": handover.given_at,
        "matters": handover.matters,
        "cases": handover.cases,
        "equipment_ok": handover.equipment_ok,
        "equipment": handover.equipment,
        "figures": [
            {"key": line.key, "label": str(line.label), "number": line.number, "path": line.path}
            for line in handovers.figures_of(handover)
        ],
        "late": handovers.is_late(handover, at),
        "received_by": person_answer(receipt.received_by) if receipt else None,
        "received_at": receipt.received_at if receipt else None,
        "remark": receipt.words if receipt else "",
    }
