"""Handover at the change of shift (交接班): the outgoing person writes, the incoming one signs; both only once.

Rooms above add figures to a handover by :func:`register_handover_line`, and what a case's number looks like by
:func:`register_case_numbers`; nothing here knows them.
"""

import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from citysafety.accounts.models import User
from citysafety.outbox.services import announce

from .facts import HandoverGiven, HandoverReceived
from .models import Handover, HandoverReceipt, Post, Shift
from .shifts import NotAllowed, Over, Refused

AROUND = timedelta(hours=2)  # who went so long ago may still write, who comes so soon may sign already


@dataclass(frozen=True, slots=True)
class Line:
    """A figure of an area that belongs into a handover: what it counts, how many, and the list of these."""

    key: str
    label: Any
    number: int
    path: str


Lines = Callable[[str], Iterable[Line]]
_lines: list[Lines] = []
_numbers: list[tuple[re.Pattern[str], Callable[[str], str]]] = []


def register_handover_line(lines: Lines) -> None:
    """Register what counts figures of an area for a handover. Called when apps are ready."""
    _lines.append(lines)


def register_case_numbers(pattern: str, path: Callable[[str], str]) -> None:
    """Register what numbers of a kind of case look like, and the page that a number leads to."""
    _numbers.append((re.compile(pattern), path))


def lines_of(area_code: str) -> list[Line]:
    """Return the figures of an area, in the order of their registration. Queries: those of who counts."""
    return [line for count in _lines for line in count(area_code)]


def linked(text: str) -> list[tuple[str, str]]:
    """Return a text in pieces, each with the page it leads to, "" for plain words."""
    found = sorted((hit.start(), hit.group(), path) for pattern, path in _numbers for hit in pattern.finditer(text))
    pieces, done = [], 0
    for start, number, path in found:
        if start < done:
            continue
        if start > done:
            pieces.append((text[done:start], ""))
        pieces.append((number, path(number)))
        done = start + len(number)
    return [*pieces, (text[done:], "")] if done < len(text) else pieces


@dataclass(frozen=True, slots=True)
class HandoverInput:
    """What the outgoing person writes."""

    matters: str
    cases: str = ""
    equipment_ok: bool = True
    equipment: str = ""


@transaction.atomic
def give_handover(*, id: uuid.UUID, post: Post, given: HandoverInput, by: User, at: datetime) -> Handover:
    """Write what the next shift must know, with the figures of this moment. :raises NotAllowed, Refused:"""
    if not may_give(by, post, at):
        raise NotAllowed("denied.role")
    errors = {}
    if not given.matters.strip():
        errors["matters"] = _("Nothing was written; expected the open matters, or that there are none.")
    if not given.equipment_ok and not given.equipment.strip():
        errors["equipment"] = _("Something is not in order; expected what it is.")
    if errors:
        raise Refused(errors)
    handover = Handover.objects.create(
        pk=id, post=post, given_by=by, given_at=at, matters=given.matters.strip(), cases=given.cases.strip(),
        equipment_ok=given.equipment_ok, equipment="" if given.equipment_ok else given.equipment.strip(),
        figures=[_kept(line) for line in lines_of(post.area_code)],
    )  # fmt: skip
    announce(
        HandoverGiven(area_code=post.area_code, subject_id=str(id), state="given", post=post.pk, given_by=by.pk), at=at
    )
    return handover


@transaction.atomic
def receive_handover(*, id: uuid.UUID, handover: Handover, words: str = "", by: User, at: datetime) -> HandoverReceipt:
    """Sign for a handover, once. :raises NotAllowed: not at this post now, or one's own. :raises Over: signed already."""
    if not may_receive(by, handover, at):
        raise NotAllowed("denied.role")
    try:
        with transaction.atomic():
            receipt = HandoverReceipt.objects.create(
                pk=id, handover=handover, received_by=by, received_at=at, words=words.strip()
            )
    except IntegrityError as error:
        raise Over from error
    post = handover.post
    announce(
        HandoverReceived(
            area_code=post.area_code, subject_id=str(handover.pk), state="received", post=post.pk, received_by=by.pk
        ),
        at=at,
    )
    return receipt


def may_give(user: User, post: Post, at: datetime) -> bool:
    """Test whether a person is on a shift of a post, or was two hours ago; deputies, too. Queries: 1."""
    return _stands(user, post, begins_before=at, ends_after=at - AROUND)


def may_receive(user: User, handover: Handover, at: datetime) -> bool:
    """Test whether a person other than the giver is on a shift of the post, or comes within two hours. Queries: 1, or 0."""
    if user.pk == handover.given_by_id:
        return False
    return _stands(user, handover.post, begins_before=at + AROUND, ends_after=at)


def _stands(user: User, post: Post, *, begins_before: datetime, ends_after: datetime) -> bool:
    rows = Shift.objects.standing().filter(post=post, begins__lte=begins_before, ends__gt=ends_after)
    return user.is_active and rows.of(user).exists()


def posts_to_hand_over(user: User, at: datetime) -> QuerySet[Post]:
    """Return the posts whose handover a person may write now. Queries: 1."""
    rows = Shift.objects.standing().filter(post=OuterRef("pk"), begins__lte=at, ends__gt=at - AROUND)
    return Post.objects.active().filter(Exists(rows.of(user)))


def to_sign(user: User, at: datetime) -> QuerySet[Handover]:
    """Return the handovers that await a person's signature now. Queries: 1."""
    rows = Shift.objects.standing().filter(post=OuterRef("post"), begins__lte=at + AROUND, ends__gt=at)
    return unsigned().filter(Exists(rows.of(user))).exclude(given_by=user)


def unsigned() -> QuerySet[Handover]:
    """Return the handovers that nobody has signed for."""
    return Handover.objects.filter(receipt=None).select_related("post", "given_by", "receipt")


def unsigned_of(posts: Iterable[Post]) -> QuerySet[Handover]:
    """Return the unsigned handovers of posts, the newest first. Queries: 1."""
    return unsigned().filter(post__in=posts).order_by("-given_at", "id")


def history_of(post: Post) -> QuerySet[Handover]:
    """Return the handovers of a post with their receipts, the newest first. Queries: 1."""
    rows = Handover.objects.filter(post=post).select_related("post", "given_by", "receipt__received_by")
    return rows.order_by("-given_at", "id")


def is_late(handover: Handover, at: datetime) -> bool:
    """Test whether an unsigned handover waits longer than its post allows."""
    return not hasattr(handover, "receipt") and at - handover.given_at > timedelta(
        minutes=handover.post.receipt_minutes
    )


def figures_since(handover: Handover) -> list[tuple[Line, Line | None]]:
    """Return each figure that was kept with a handover and what it is now, None if nobody counts it any more.

    Only the one of now leads to its list: a list shows what is, not what was. Queries: those of who counts.
    """
    now = {line.key: line for line in lines_of(handover.post.area_code)} if handover.figures else {}
    return [(line, now.get(line.key)) for line in figures_of(handover)]


def figures_of(handover: Handover) -> list[Line]:
    """Return the figures that were kept with a handover, in the reader's language."""
    language = get_language() or settings.LANGUAGE_CODE
    return [
        Line(row["key"], row["label"].get(language) or row["label"][settings.LANGUAGE_CODE], row["number"], row["path"])
        for row in handover.figures
    ]


def _kept(line: Line) -> dict[str, Any]:
    """Return a figure as the handover keeps it: its words in every language, since the row is for ever."""
    label = {}
    for language, _name in settings.LANGUAGES:
        with override(language):
            label[language] = str(line.label)
    return {"key": line.key, "label": label, "number": line.number, "path": line.path}
