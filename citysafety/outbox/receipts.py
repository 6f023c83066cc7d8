"""Answer once: a phone may repeat a request, the city acts on it one time."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction

from .models import Receipt


class RepeatDiffers(Exception):
    """The id was used before, with another body or by another account. Says nothing of what it was."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the door sends back. ``repeated``: the act was done by an earlier request."""

    status: int
    body: Any
    repeated: bool


def fingerprint(body: Any) -> str:
    """Return the SHA-256 of a body's canonical JSON: order of keys and blanks do not matter."""
    text = json.dumps(body, cls=DjangoJSONEncoder, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def stored_answer(*, id: UUID, account_id: int, body: Any) -> Answer | None:
    """Return the answer an earlier request got, None for a new id. One query.

    :raises RepeatDiffers: if the id belongs to another body or account.
    """
    receipt = Receipt.objects.filter(pk=id).first()
    if receipt is None:
        return None
    if receipt.account_id != account_id or receipt.fingerprint != fingerprint(body):
        raise RepeatDiffers
    return Answer(receipt.status, receipt.answer, repeated=True)


def answer_once(*, id: UUID, account_id: int, body: Any, act: Callable[[], tuple[int, Any]]) -> Answer:
    """Run ``act`` for the first request with this id, and give its answer to every repeat.

    Act and receipt stand or fall together: what raises leaves no receipt, so a refused
    request may be mended and sent again. A repeat that comes while the first is still at
    work waits for it at the primary key. Two statements beside the act's own; a repeat: two.

    :raises RepeatDiffers: if the id belongs to another body or account.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO outbox_receipt (id, account_id, fingerprint, status, answer)"
                " VALUES (%s, %s, %s, 0, '{}') ON CONFLICT (id) DO NOTHING",
                [str(id), account_id, fingerprint(body)],
            )
            first = cursor.rowcount == 1
        if first:
            status, answer = act()
            receipt = Receipt(pk=id, status=status, answer=answer)
            receipt.save(update_fields=["status", "answer"])
            return Answer(status, answer, repeated=False)
    known = stored_answer(id=id, account_id=account_id, body=body)
    assert known is not None  # the conflict proved that it exists; receipts are not deleted
    return known
