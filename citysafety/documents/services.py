"""What is done to documents: draft, revise, put before a signer, sign, put back, withdraw.

A number is given when a document is put before its signer, in the transaction that makes its final bytes: what fails
gives no number. The signer names the hash of the bytes that were seen; a refusal voids the number with its reason.
"""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from .models import Document, DocumentKind, Number, Sealed, Template
from .pdf import Sheet, render
from .wording import fill

CITY_TIME = ZoneInfo("Asia/Shanghai")
SIGN_WITHIN = timedelta(minutes=30)  # what lies longer before its signer goes back to the drafts
CODE_LETTERS = "ACDEFGHJKLMNPQRTUVWXY34679"  # none that is taken for another
CODE_LENGTH = 12
NOT_SIGNED_IN_TIME = gettext_noop("not signed in time")


class WrongState(Exception):
    """The document does not stand where this can be done to it; ``state`` says where it stands."""

    def __init__(self, document: Document) -> None:
        super().__init__(_("The document stands at “%(state)s”.") % {"state": document.get_state_display()})
        self.state = document.state


class OtherBytes(Exception):
    """The signer saw other bytes than the ones to be signed."""


class NoWording(Exception):
    """The kind of document has no wording yet."""


def draft(
    *, kind: str, subject: tuple[str, str], area_code: str, words: Mapping[str, str], addressee: str, copies: str = "",
    at: datetime,
) -> Document:  # fmt: skip
    """Draft a document from the newest wording of its kind. Queries: 2.

    :raises NoWording: the kind has none; BadWording: ``words`` leave a place unfilled.
    """
    template = Template.objects.filter(kind=kind, since__lte=at).order_by("-version").first()
    if template is None:
        raise NoWording(kind)
    return Document.objects.create(
        kind_id=kind, template=template, subject_kind=subject[0], subject_id=subject[1], area_code=area_code,
        title=fill(template.title, words), body=fill(template.body, words), addressee=addressee, copies=copies,
        drafted_at=at, changed_at=at,
    )  # fmt: skip


@transaction.atomic
def revise(document_id: UUID, *, title: str, body: str, addressee: str, copies: str, at: datetime) -> Document:
    """Change the words of a draft. :raises WrongState: it is no draft."""
    document = _locked(document_id, Document.State.DRAFT)
    document.title, document.body, document.addressee, document.copies = title, body, addressee, copies
    document.changed_at = at
    document.save()
    return document


def sheet_of(document: Document, *, on: date) -> Sheet:
    """Return what stands on the paper of a document. Queries: 0 with its kind."""
    kind = document.kind
    return Sheet(
        issuer=kind.issuer_zh, name=kind.name_zh, number=document.full_number, title=document.title,
        addressee=document.addressee, body=document.body, copies=document.copies, on=on,
        code=document.code, proof=proof_address(document.code),
    )  # fmt: skip


def proof_address(code: str) -> str:
    """Return the address that proves a document to anybody who holds it."""
    return f"{settings.SITE_URL.rstrip('/')}/verify/{code}/"


def preview(document: Document, *, at: datetime) -> bytes:
    """Return the PDF of a document as it stands: a draft marked as one, or the very bytes that are sealed."""
    if document.sealed_id:
        return bytes(document.sealed.data)
    return render(sheet_of(document, on=at.astimezone(CITY_TIME).date()))


@transaction.atomic
def prepare(document_id: UUID, *, by: Any, at: datetime) -> Document:
    """Give a draft its number, make the bytes to be signed and keep them. Signers of a kind stand in line here.

    :raises WrongState: it is no draft; MissingGlyphs: the fonts lack a character. Then no number was given.
    """
    document = _locked(document_id, Document.State.DRAFT)
    year = at.astimezone(CITY_TIME).year
    number = _next_number(document.kind_id, year)
    document.year, document.number, document.code = year, number, _new_code()
    document.state, document.prepared_at, document.prepared_by = Document.State.PREPARED, at, by
    Number.objects.create(kind_id=document.kind_id, year=year, number=number, document=document, given_at=at)
    data = render(sheet_of(document, on=at.astimezone(CITY_TIME).date()))
    document.sealed = seal(data, at=at)
    document.changed_at = at
    document.save()
    return document


def seal(data: bytes, *, at: datetime) -> Sealed:
    """Keep bytes under their hash."""
    sha256 = hashlib.sha256(data).hexdigest()
    sealed, _created = Sealed.objects.get_or_create(sha256=sha256, defaults={"data": data, "size": len(data), "at": at})
    return sealed


@transaction.atomic
def sign(document_id: UUID, *, sha256: str, by: Any, at: datetime) -> Document:
    """Issue a document: these bytes, this number, from now on.

    :raises WrongState: it is not before a signer; OtherBytes: what was seen is not what would be signed.
    """
    document = _locked(document_id, Document.State.PREPARED)
    if sha256 != document.sealed_id:
        raise OtherBytes(sha256)
    document.state, document.issued_at, document.signed_by, document.changed_at = Document.State.ISSUED, at, by, at
    document.save()
    _settle(document, Number.State.USED, at)
    return document


@transaction.atomic
def put_back(document_id: UUID, *, reason: str, at: datetime) -> Document:
    """Make a document that was not signed a draft again; its number is void for the reason. :raises WrongState: …"""
    document = _locked(document_id, Document.State.PREPARED)
    _settle(document, Number.State.VOID, at, reason)
    document.state, document.changed_at = Document.State.DRAFT, at
    document.year = document.number = document.sealed = document.prepared_at = document.prepared_by = None
    document.code = ""
    document.save()
    return document


def put_back_if_prepared(document_id: UUID, *, reason: str, at: datetime) -> None:
    """Put a document back where it lies before a signer; a draft stays one."""
    if Document.objects.filter(pk=document_id, state=Document.State.PREPARED).exists():
        put_back(document_id, reason=reason, at=at)


def put_back_unsigned(*, at: datetime) -> int:
    """Put back what its signer left lying; return how many."""
    late = Document.objects.filter(state=Document.State.PREPARED, prepared_at__lt=at - SIGN_WITHIN)
    number = 0
    for document_id in late.values_list("pk", flat=True):
        try:
            put_back(document_id, reason=NOT_SIGNED_IN_TIME, at=at)
            number += 1
        except WrongState:  # signed in this very moment
            continue
    return number


@transaction.atomic
def withdraw(document_id: UUID, *, reason: str, at: datetime) -> Document:
    """Withdraw an issued document: it keeps its number, its bytes and its place in the register."""
    document = _locked(document_id, Document.State.ISSUED)
    document.state, document.withdrawn_at, document.withdrawn_why = Document.State.WITHDRAWN, at, reason
    document.changed_at = at
    document.save()
    return document


@transaction.atomic
def discard(document_id: UUID, *, at: datetime) -> Document:
    """Put a draft away. :raises WrongState: it is no draft."""
    document = _locked(document_id, Document.State.DRAFT)
    document.state, document.changed_at = Document.State.DISCARDED, at
    document.save()
    return document


def _locked(document_id: UUID, state: str) -> Document:
    rows = Document.objects.select_for_update(of=("self",)).select_related("kind", "sealed")
    document = rows.get(pk=document_id)
    if document.state != state:
        raise WrongState(document)
    return document


def _settle(document: Document, state: str, at: datetime, reason: str = "") -> None:
    Number.objects.filter(
        kind_id=document.kind_id, year=document.year, number=document.number, state=Number.State.RESERVED
    ).update(state=state, settled_at=at, reason=reason)


def _next_number(kind: str, year: int) -> int:
    """Return the next number of a kind and year; whoever asks meanwhile waits until this transaction has ended."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO documents_series (kind_id, year, last) VALUES (%s, %s, 1) "
            "ON CONFLICT (kind_id, year) DO UPDATE SET last = documents_series.last + 1 RETURNING last",
            [kind, year],
        )
        return cursor.fetchone()[0]


def _new_code() -> str:
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))


def ensure_kind(code: str, *, at: datetime, title: str, body: str, **names: str) -> DocumentKind:
    """Make a kind of document with its first wording where it is missing; what people changed is left alone."""
    kind, _created = DocumentKind.objects.get_or_create(code=code, defaults=names)
    Template.objects.get_or_create(kind=kind, version=1, defaults={"title": title, "body": body, "since": at})
    return kind
