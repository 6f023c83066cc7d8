"""Reads of evidence that feed a screen."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from . import cases, telling
from .models import Attachment, Trust
from .telling import Told

Mark = tuple[datetime, int]  # when a photo was sent, and its attachment: where a page ends
ROWS = 50


@dataclass(frozen=True, slots=True)
class Row:
    """A photo that something speaks against, with its case."""

    attachment: Attachment
    case: cases.Case
    kind: str  # of case, in words
    role: str
    reasons: list[Told]


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Row]
    older: Mark | None


def doubted(reader: Any, *, area: str, reason: str = "", before: Mark | None = None) -> Page:
    """Return photos of an area that something speaks against, the newest first, of cases that the reader may see.

    Queries: 1, and 2 a kind of case among them.
    """
    rows = Trust.objects.doubted().filter(area_code__startswith=area)
    if reason:
        rows = rows.filter(doubts__contains=[reason])
    if before:
        at, last = before
        rows = rows.filter(at__lte=at).filter(Q(at__lt=at) | Q(pk__lt=last))
    found = list(rows.select_related("attachment__by").order_by("-at", "-pk")[: ROWS + 1])
    page = found[:ROWS]
    attachments = [trust.attachment for trust in page]
    seen = cases.find({(one.kind, one.subject_id) for one in attachments}, reader)
    judged = telling.judged(attachments, reader)
    shown = [
        Row(
            one,
            case,
            str(cases.kind_of(one.kind).label),
            str(cases.kind_of(one.kind).roles.get(one.role, one.role)),
            [told for told in judged[one.pk].reasons if told.side == "against"],
        )
        for one in attachments
        if (case := seen.get((one.kind, one.subject_id)))
    ]
    return Page(shown, (page[-1].at, page[-1].pk) if len(found) > ROWS else None)
