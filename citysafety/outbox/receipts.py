"""Answer once: a phone may repeat a request, the city acts on it one time."""

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, connection, transaction

from citysafety.together import Statement, in_one, run

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
    return _repeated(id, account_id, body)


@dataclass(frozen=True, slots=True)
class Laid:
    """A request under the id that its client made, with the answer that is laid out for it already."""

    id: UUID
    account_id: int
    body: Any
    status: int
    answer: Any


def answer_all(laid: Sequence[Laid], act: Callable[[Sequence[int]], Statement]) -> list[Answer | RepeatDiffers]:
    """Answer several requests in one transaction, as :func:`answer_once` answers one.

    ``act`` gets the places of those that are no repeats and returns the statement that does what their answers say. One
    statement for all of it, transaction and all; where one of them is a repeat, or cannot be done, it is tried in vain,
    and there are two in a transaction, and one for each repeat.
    """
    place = {request.id: n for n, request in reversed(list(enumerate(laid)))}  # the first of those with the same id
    if len(place) == len(laid):
        with suppress(IntegrityError), transaction.atomic() if connection.in_atomic_block else nullcontext():
            run(in_one(_kept(laid, place), act(range(len(laid)))))
            return [Answer(one.status, one.answer, repeated=False) for one in laid]
    with transaction.atomic(), connection.cursor() as cursor:
        sql, values = _kept(laid, place)
        cursor.execute(f"{sql} ON CONFLICT (id) DO NOTHING RETURNING id", values)
        first = sorted(place[id] for (id,) in cursor.fetchall())
        if first:
            run(act(first))
    return [Answer(one.status, one.answer, repeated=False) if n in first else _told(one) for n, one in enumerate(laid)]


def _kept(laid: Sequence[Laid], place: dict[UUID, int]) -> Statement:
    """Return what keeps receipts, in the order of their ids: two groups that hold the same ones wait in one direction only."""
    rows = [
        (str(id), laid[n].account_id, fingerprint(laid[n].body), laid[n].status, _json(laid[n].answer))
        for id, n in sorted(place.items())
    ]
    places = ", ".join(["(%s, %s, %s, %s, %s)"] * len(rows))
    sql = f"INSERT INTO outbox_receipt (id, account_id, fingerprint, status, answer) VALUES {places}"
    return sql, [value for row in rows for value in row]


def _json(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder)


def _told(laid: Laid) -> Answer | RepeatDiffers:
    try:
        return _repeated(laid.id, laid.account_id, laid.body)
    except RepeatDiffers as error:
        return error


def _repeated(id: UUID, account_id: int, body: Any) -> Answer:
    known = stored_answer(id=id, account_id=account_id, body=body)
    assert known is not None  # the conflict proved that it exists; receipts are not deleted
    return known
