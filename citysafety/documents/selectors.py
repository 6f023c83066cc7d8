"""Reads of documents: the register of numbers, and what proves a document."""

from django.db.models import QuerySet

from .models import Document, Number


def register(kind: str, year: int) -> QuerySet[Number]:
    """Return every number of a kind and year, the newest first, with what became of it. Queries: 1."""
    return Number.objects.filter(kind=kind, year=year).select_related("kind", "document").order_by("-number")


def gaps(kind: str, year: int) -> list[int]:
    """Return the numbers that are in nobody's register: there must be none. Queries: 1."""
    given = set(Number.objects.filter(kind=kind, year=year).values_list("number", flat=True))
    return [number for number in range(1, max(given, default=0) + 1) if number not in given]


def proven(code: str) -> Document | None:
    """Return the document of a verification code, issued or withdrawn; None for any other code. Queries: 1."""
    states = [Document.State.ISSUED, Document.State.WITHDRAWN]
    rows = Document.objects.select_related("kind").filter(state__in=states)
    return rows.filter(code=code.strip().upper()).exclude(code="").first()
