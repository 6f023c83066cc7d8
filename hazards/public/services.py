"""What the public can do to hazards without an account: file, add a voice, say that it is solved or not. One transaction each."""

import hashlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext as _

from citysafety.accounts.models import User
from citysafety.accounts.roles import Role
from citysafety.evidence import services as evidence
from citysafety.evidence.models import Attachment
from citysafety.lifecycle import StepNotAllowed
from citysafety.outbox import receipts

from ..lifecycle import HazardState, PhotoRole
from ..models import Hazard
from ..open311 import filing
from ..services import take_step
from ..services.given import StepInput
from ..services.merging import held
from . import codes
from .models import ACCOUNT, Contact, PublicReport
from .selectors import Closing, closing_of, rule

NAMES = {"name_zh": "公众", "name_en": "The public"}
OWN_REOPENING = {HazardState.WRITTEN_OFF: "reopen", HazardState.REFUSED: "contest"}


class Refused(ValueError):
    """It cannot be done, for a reason that is said to the reporter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What somebody of the public reports: the fields of a GeoReport form, and what is kept apart from them."""

    secret: uuid.UUID
    fields: dict[str, str]
    pictures: Sequence[bytes] = field(default=())
    name: str = ""
    phone: str = ""


def account() -> User:
    """Return the account that reports of the public are filed by.

    The command centre takes such reports, so it is an operator's; without an area it sees nothing but them, and without
    a password nobody signs in with it. Queries: 1, 4 the first time.
    """
    made = {"role": Role.OPERATOR, "area_code": "", "password": "!", **NAMES}
    user, _created = User.objects.get_or_create(username=ACCOUNT, defaults=made)
    return user


@transaction.atomic
def report(*, given: Given, at: datetime) -> tuple[str, bool]:
    """File a hazard by the door of GeoReport; return the code that follows it, and whether it is new.

    :raises rest_framework.exceptions.ValidationError: fields are missing or wrong, named as the standard does; or the
        same secret came with something else.
    :raises evidence.NotAPicture, evidence.TooLarge: nothing is filed.
    """
    public, key = account(), codes.hazard_id(given.secret)
    form = QueryDict(mutable=True)
    form.update({**given.fields, "id": str(key)})
    fields, matter, criterion = filing.request_in(form, None)
    code = codes.code_of(given.secret)
    status, _rows = filing.file_request(fields, matter, criterion, user=public, at=at)
    if status == 200:
        return code, False
    kept = PublicReport.objects.create(hazard_id=key, digest=codes.digest(code))
    if given.name or given.phone:
        Contact.objects.create(report=kept, name=given.name, phone=given.phone)
    _attach(key, given.pictures, public, at)
    return code, True


def _attach(
    hazard_id: uuid.UUID, pictures: Sequence[bytes], by: User, at: datetime, step: uuid.UUID | None = None
) -> None:
    """Attach pictures of the scene, and let them serve the step that they came with."""
    for data in pictures:
        evidence.attach(
            kind="hazard", subject_id=str(hazard_id), role=PhotoRole.SCENE, sha256=hashlib.sha256(data).hexdigest(),
            data=data, by_id=by.pk, at=at, step_id=step,
        )  # fmt: skip
    if step and pictures:
        sent = Attachment.objects.filter(kind="hazard", subject_id=str(hazard_id), step_id=step, used_by=None)
        evidence.use(list(sent.values_list("pk", flat=True)), step_id=step)


def _once(claimed: uuid.UUID, body: dict[str, Any], public: User, act: Callable[[], str]) -> str:
    """Act once for an id that a form carries; a second click gets what the first one got."""
    try:
        answer = receipts.answer_once(
            id=claimed, account_id=public.pk, body=body, act=lambda: (200, {"done": act()})
        )  # fmt: skip
    except (receipts.RepeatDiffers, IntegrityError) as error:
        raise Refused(
            _("This was sent already, with other words. Load the page again to see what became of it.")
        ) from error
    return answer.body["done"]


def contest(*, report: PublicReport, claimed: uuid.UUID, words: str, pictures: Sequence[bytes], at: datetime) -> str:
    """Say that a closed case is not solved; return the step that was taken.

    Within the limit of the rule the case is reopened at once, so often as the rule allows; after that a supervisor is
    asked, once in each closing.

    :raises Refused: it is not closed, too late, asked already or decided.
    :raises evidence.NotAPicture, evidence.TooLarge: nothing is done.
    """
    public, pk = account(), report.hazard.merged_into_id or report.hazard_id

    def act() -> str:
        hazard = held(pk)
        action = _way_back(hazard, closing_of(hazard, public.pk), at)
        _attach(pk, pictures, public, at, claimed)
        step = StepInput(id=claimed, version=hazard.version, words=words)
        try:
            take_step(hazard_id=pk, action=action, given=step, actor=public, at=at)
        except StepNotAllowed as error:
            raise Refused(str(error)) from error
        return action

    body = {"to": f"public/{report.pk}/contest", "words": words, "pictures": [hashlib.sha256(one).hexdigest() for one in pictures]}  # fmt: skip
    return _once(claimed, body, public, act)


def _way_back(hazard: Hazard, closing: Closing | None, at: datetime) -> str:
    """Return the step that is open to the public. :raises Refused: none is."""
    if closing is None:
        raise Refused(_("The case is not closed; what you add now cannot reopen it."))
    if hazard.contested_at:
        raise Refused(_("This was asked already; a supervisor has not decided yet."))
    if closing.is_decided:
        raise Refused(_("A supervisor has decided that the case stays closed."))
    if at > closing.until:
        raise Refused(_("The case was closed more than %(days)s days ago.") % {"days": rule().contest_days})
    return OWN_REOPENING[HazardState(hazard.state)] if closing.own_left else "ask_reopening"


@transaction.atomic
def rate(*, report: PublicReport, satisfaction: int, at: datetime) -> bool:
    """Keep how satisfied the reporter is with a case that was written off; once a closing. Return whether it is new.

    :raises Refused: it is not written off.
    """
    kept = PublicReport.objects.select_for_update().get(pk=report.pk)
    hazard = Hazard.objects.only("state", "written_off_at").get(pk=report.hazard.merged_into_id or report.pk)
    if hazard.state != HazardState.WRITTEN_OFF:
        raise Refused(_("The case is not solved yet."))
    if kept.satisfied_at and kept.satisfied_at >= hazard.written_off_at:
        return False
    kept.satisfaction, kept.satisfied_at = satisfaction, at
    kept.save(update_fields=["satisfaction", "satisfied_at"])
    return True


def say_the_same(*, number: str, claimed: uuid.UUID, at: datetime) -> str:
    """Let a case of the public know that somebody else sees it too; return its number.

    :raises Refused: there is no such open case of the public.
    """
    public = account()

    def act() -> str:
        theirs = Q(reporter=public) | Q(co_reporters__contains=[public.pk])
        rows = Hazard.objects.open().filter(theirs, number=number, matter__active=True)
        pk = rows.values_list("pk", flat=True).first()
        if pk is None:
            raise Refused(_("There is no open case “%(number)s” of the public.") % {"number": number[:24]})
        hazard = held(pk)
        step = StepInput(id=claimed, version=hazard.version, words=_("Somebody else of the public sees it too."))
        try:
            take_step(hazard_id=pk, action="remark", given=step, actor=public, at=at)
        except StepNotAllowed as error:  # closed between two looks
            raise Refused(_("The case has just been closed.")) from error
        return hazard.number

    return _once(claimed, {"to": "public/same", "number": number}, public, act)
