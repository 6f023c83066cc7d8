"""Pages of long lists by a mark, not an offset: the newest first, so that far pages cost what the first does."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import Http404

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def after(rows: QuerySet, moment: str, before: str) -> QuerySet:
    """Return the rows that follow a mark, newest first by a column of moments and then by id; all of them without one.

    :raises Http404: the mark is none.
    """
    if not before:
        return rows
    at, last = _read(before)
    same = Q(**{moment: at, "id__gt": last})
    return rows.filter(**{f"{moment}__lte": at}).filter(Q(**{f"{moment}__lt": at}) | same)


def mark_of(row: Any, moment: str) -> str:
    """Return the mark behind which the next page begins: microseconds since 1970 and the id of its last row."""
    return f"{(getattr(row, moment) - EPOCH) // timedelta(microseconds=1)}.{row.pk}"


def _read(text: str) -> tuple[datetime, UUID]:
    micros, _dot, last = text.partition(".")
    try:
        return EPOCH + timedelta(microseconds=int(micros)), UUID(last)
    except (ValueError, OverflowError) as error:
        raise Http404 from error
