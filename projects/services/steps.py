"""Take a step in the life of an overdue notice."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from citysafety import worktime
from citysafety.accounts.rights import may
from citysafety.accounts.roles import Role
from citysafety.calendars.services import calendar
from citysafety.documents import services as documents
from citysafety.evidence import services as evidence
from citysafety.lifecycle import Step, StepNotAllowed
from citysafety.outbox.services import announce
from hazards.services.given import EvidenceMissing, FieldsMissing, NotAllowed, StaleVersion

from ..lifecycle import LIFECYCLE, NoticeState
from ..models import NoticeStep, OverdueNotice
from ..standing import record_standing
from .drafting import stepped


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeInput:
    """What a person brings to a step; ``sha256`` names the bytes that a signer saw."""

    id: UUID
    version: int | None
    words: str = ""
    sha256: str = ""


def permitted(user: Any, action: str, notice: OverdueNotice) -> None:
    """Let pass who may take some row of an action on this notice. :raises NotAllowed: everybody else."""
    verdicts = [may(user, step, notice) for step in LIFECYCLE.steps_named(action) if step.source == notice.state]
    verdicts = verdicts or [may(user, step, notice) for step in LIFECYCLE.steps_named(action)]
    if not any(verdict.allowed for verdict in verdicts):
        raise NotAllowed(verdicts[0].rule if verdicts else "denied.action")


def steps_open_to(user: Any, notice: OverdueNotice) -> list[Step]:
    """Return the rows a person may take now: the buttons of a page."""
    return [
        step for step in LIFECYCLE.steps_from(notice.state) if _fits(step, notice) and may(user, step, notice).allowed
    ]


def _fits(step: Step, notice: OverdueNotice) -> bool:
    """Test whether a row holds for a notice: a second signature is asked of some only."""
    if step.source != NoticeState.DRAFT:
        return True
    return {"submit": notice.needs_second, "issue": not notice.needs_second}.get(step.action, True)


@transaction.atomic
def take_step(*, notice_id: UUID, action: str, given: NoticeInput, actor: Any, at: datetime) -> OverdueNotice:
    """Take one step: lock, ask the table, check, write, announce.

    :raises NotAllowed: wrong role or area, or one's own signature; StepNotAllowed: not open from the present state.
    :raises StaleVersion: ``given.version`` is not the present one; FieldsMissing, EvidenceMissing: what is missing.
    :raises documents.OtherBytes, documents.WrongState: what would be signed is not what was seen.
    """
    rows = OverdueNotice.objects.select_related("document__kind", "department", "rule", "hazard").select_for_update(
        of=("self",)
    )
    notice = rows.get(pk=notice_id)
    permitted(actor, action, notice)
    step = LIFECYCLE.step(notice.state, action)
    if not _fits(step, notice):
        raise StepNotAllowed(action)
    if given.version is not None and given.version != notice.version:
        raise StaleVersion(f"{given.version} is not {notice.version}")
    _check(step, given, notice, actor)
    source = notice.state
    notice.state, notice.version, notice.changed_at = step.target, notice.version + 1, at
    _act(notice, action, given, actor=actor, at=at)
    NoticeStep.objects.create(
        id=given.id, notice=notice, action=action, source=source, target=notice.state, version=notice.version,
        actor=actor, at=at, words=given.words.strip(), basis=step.basis,
    )  # fmt: skip
    entry = announce(stepped(notice, action=action, actor_id=actor.pk, step=str(given.id)), at=at)
    notice.period = record_standing(notice, entry, action=action)
    notice.save()
    return notice


def _check(step: Step, given: NoticeInput, notice: OverdueNotice, actor: Any) -> None:
    errors: dict[str, str] = {}
    for name in ("reason", "words"):
        if name in step.requires and not given.words.strip():
            errors[name] = _("This step needs words.")
    if given.version is None:
        errors["version"] = _("A step carries the version that its sender saw.")
    if step.action == "issue" and not given.sha256:
        errors["sha256"] = _("Who signs names the bytes that were seen.")
    if errors:
        raise FieldsMissing(errors)
    if "photo:answer" in step.requires:
        photos = photos_for_answer(notice, actor, given.id)
        if not photos:
            raise EvidenceMissing("photo:answer", _("An answer needs a photo that shows what was done."))
        evidence.use(photos, step_id=given.id)


def photos_for_answer(notice: OverdueNotice, actor: Any, step_id: UUID | None = None) -> list[int]:
    """Return the photos that may serve an answer now: of the unit, sent since the notice was issued or its last answer rejected. Queries: 2."""
    asked = notice.steps.filter(action__in=("issue", "reject_answer")).order_by("-version").values_list("at", flat=True)
    return evidence.unused(
        kind="supervision", subject_id=str(notice.pk), role="answer", step_id=step_id,
        since=asked.first() or notice.changed_at, actor=actor,
    )  # fmt: skip


def _act(notice: OverdueNotice, action: str, given: NoticeInput, *, actor: Any, at: datetime) -> None:
    """Do what an action does besides moving the notice on."""
    match action:
        case "submit":
            notice.first_signer = actor
        case "send_back":
            notice.first_signer = None
            documents.put_back_if_prepared(notice.document_id, reason=given.words.strip(), at=at)
        case "issue":
            documents.sign(notice.document_id, sha256=given.sha256, by=actor, at=at)
            notice.issued_at = at
            _ask_for_reply(notice, at)
        case "discard":
            documents.put_back_if_prepared(notice.document_id, reason=given.words.strip(), at=at)
            documents.discard(notice.document_id, at=at)
        case "answer":
            notice.reply_due_at, notice.reply_due_reason, notice.unanswered, notice.climbed = None, "", False, False
        case "reject_answer":
            _ask_for_reply(notice, at)
        case "accept_answer":
            notice.reply_due_at = None
        case "withdraw":
            documents.withdraw(notice.document_id, reason=given.words.strip(), at=at)
            notice.reply_due_at, notice.unanswered = None, False


def _ask_for_reply(notice: OverdueNotice, at: datetime) -> None:
    """Start the unit's time to answer; a missing calendar year is said, never guessed."""
    due = worktime.due(at, notice.rule.reply_amount, notice.rule.reply_unit, calendar())
    notice.reply_due_at, notice.reply_due_reason = due.at, due.reason or ""


def opened(notice: OverdueNotice, *, by: Any, at: datetime) -> OverdueNotice:
    """Keep when somebody of the unit first looked at what was issued to it, and who. Queries: 1 the first time, else 0.

    Not a step: it changes neither state nor version, and asks nobody's leave.
    """
    theirs = by.department_id == notice.department_id and by.role == Role.DEPARTMENT_HANDLER
    if theirs and notice.issued_at and not notice.opened_at:
        first = OverdueNotice.objects.filter(pk=notice.pk, opened_at=None).update(opened_at=at, opened_by=by)
        if first:
            notice.opened_at, notice.opened_by = at, by
    return notice
