"""What supervision has done in the demo's last days: notices at every stop of their life, by its own services."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from citysafety import worktime
from citysafety.accounts.demo import LABEL
from citysafety.accounts.models import Role, User
from citysafety.calendars.services import calendar
from citysafety.documents import services as documents
from citysafety.evidence.models import Attachment
from projects import services
from projects.models import OverdueNotice, SupervisionRule
from projects.selectors import overdue_hazards, overrun

# The steps of each notice after its issue, oldest notice first; the newest ones are left as drafts.
LIVES = (
    ("receive", "answer", "accept_answer"),
    ("receive", "answer", "accept_answer"),
    ("withdraw",),
    ("receive", "answer", "reject_answer"),
    ("receive", "answer"),
    ("receive", "answer"),
    ("receive",),
    ("receive",),
    (),
    (),
)
WORDS = {
    "answer": "已责成责任人整改，隐患点已封闭，整改完成并自查合格，附现场照片。",
    "reject_answer": "照片看不出整改部位，请补拍并说明整改措施。",
    "withdraw": "该隐患已由辖区另案处理，本单撤回。",
}
OFFICE_HOURS = (2, 3, 5)  # working hours between the steps of a notice
DRAFTS = 4


def supervise(at: datetime) -> int:
    """Draft, issue, answer and judge notices about the cases that are late the longest; return how many there are."""
    signers = User.objects.filter(role=Role.SUPERVISOR, access_tokens__label=LABEL).order_by("pk")
    signer = next((user for user in signers if len(user.area_code) == 4), None)
    rules = {rule.severity: rule for rule in SupervisionRule.objects.all()}
    if signer is None:
        return 0
    late = [
        hazard for hazard in overdue_hazards().order_by("due_at")[:200] if overrun(hazard, at)[0] > worktime.WORK_DAY_S
    ]
    chosen = late[: len(LIVES) + DRAFTS]
    plans = [*LIVES[len(LIVES) - max(0, len(chosen) - DRAFTS) :], *[None] * DRAFTS]
    for n, (hazard, steps) in enumerate(zip(chosen, plans, strict=False)):
        # An hour of work after its end: an hour of the evening would not make it overdue.
        begun = max(_worked(at, days=max(1, 7 - n // 2)), _later(hazard.due_at, 1, at))
        notice = services.draft_notice(hazard=hazard, rule=rules[hazard.severity], by=None, at=begun)
        if steps is not None:
            _live(notice, steps, signer, second=signers.exclude(pk=signer.pk).first(), at=notice.drafted_at, until=at)
    return OverdueNotice.objects.count()


def _worked(at: datetime, *, days: int) -> datetime:
    """Return a moment of office hours some days ago."""
    day = at.astimezone(worktime.CITY_TIME).replace(hour=9, minute=12, second=0, microsecond=0)
    return day - timedelta(days=days)


def _live(
    notice: OverdueNotice, steps: tuple[str, ...], signer: User, *, second: User | None, at: datetime, until: datetime
) -> None:
    """Sign a notice and take its steps, a few working hours apart, none after ``until``."""
    at = _later(at, 1, until)
    if notice.needs_second:
        _step(notice, "submit", signer, at)
        if second is None or not second.covers(notice.area_code):
            return
        signer, at = second, _later(at, 1, until)
    document = documents.prepare(notice.document_id, by=signer, at=at)
    _step(notice, "issue", signer, at, sha256=document.sealed_id)
    handler = User.objects.filter(role=Role.DEPARTMENT_HANDLER, department=notice.department_id, is_active=True).first()
    for action, hours in zip(steps, OFFICE_HOURS, strict=False):
        at = _later(at, hours, until)
        by = handler if action in ("receive", "answer") else signer
        if by is None:
            return
        if action == "answer":
            _show(notice, by, at)
        _step(notice, action, by, at, words=WORDS.get(action, ""))


def _later(at: datetime, hours: int, until: datetime) -> datetime:
    due = worktime.due(at, hours, "work_hours", calendar()).at
    return min(due or until, until)


def _step(notice: OverdueNotice, action: str, by: User, at: datetime, **given: Any) -> None:
    notice.refresh_from_db()
    step = services.NoticeInput(id=uuid.uuid4(), version=notice.version, **given)
    services.take_step(notice_id=notice.pk, action=action, given=step, actor=by, at=at)


def _show(notice: OverdueNotice, by: User, at: datetime) -> None:
    """Attach a photo of the demo's album to an answer."""
    seen = Attachment.objects.filter(kind="hazard", role="after").order_by("pk").first()
    if seen is not None:
        Attachment.objects.create(
            kind="supervision", subject_id=str(notice.pk), role="answer", photo_id=seen.photo_id, by=by, at=at
        )
