"""What all APIs share: cursor pages, how a caller's area and numbers are read, answers given once, errors."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from copy import copy
from typing import Any
from uuid import UUID

from django.core.exceptions import RequestDataTooBig
from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from drf_standardized_errors.handler import exception_handler as standardized
from rest_framework import serializers
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from citysafety import areas
from citysafety.accounts.duty import area_within
from citysafety.convoy import Convoy
from citysafety.outbox import receipts
from citysafety.together import Statement


class CursorPages(CursorPagination):
    """Pages ``{next, previous, results}`` that stay right while rows arrive; ``page_size`` ≤ 1000.

    A view names its order in ``ordering``; it must be unique.
    """

    page_size = 50
    max_page_size = 1000
    page_size_query_param = "page_size"
    ordering = "pk"

    def get_page_size(self, request: Request) -> int | None:
        whole_number(request, self.page_size_query_param)  # what is none is refused, not taken for the usual size
        return super().get_page_size(request)

    def get_ordering(self, request: Request, queryset: QuerySet, view: Any) -> tuple[str, ...]:
        ordering = getattr(view, "ordering", None) or self.ordering
        return (ordering,) if isinstance(ordering, str) else tuple(ordering)

    def get_paginated_response(self, data: list) -> Response:
        return Response(OrderedDict(next=self.get_next_link(), previous=self.get_previous_link(), results=data))


class Light(serializers.Serializer):
    """Fields of a request for hot paths: each time copied as they stand, not built anew with their validators."""

    def get_fields(self) -> dict[str, serializers.Field]:
        return {name: copy(field) for name, field in self._declared_fields.items()}


class Conflict(APIException):
    """409: not open from the present state, or the caller saw an older version; ``present`` is the object as it stands."""

    status_code = 409
    default_code = "conflict"

    def __init__(self, detail: Any = None, *, present: Any = None) -> None:
        super().__init__(detail)
        self.present = present


class Unprocessable(APIException):
    """422: understood, but the request contradicts itself, an earlier one, or lacks evidence."""

    status_code = 422
    default_code = "unprocessable"


class Gone(APIException):
    """410: the position asked for is no longer readable."""

    status_code = 410
    default_code = "gone"


class TooLarge(APIException):
    """413: more bytes than a request may have."""

    status_code = 413
    default_code = "too_large"


def area_asked(request: Request) -> str:
    """Return the area of ``?area=``, the caller's own without one. Foreign or unknown: 404. Queries: 1, none for the own."""
    own = getattr(request.user, "area_code", "")
    asked = request.query_params.get("area", "") if hasattr(request, "query_params") else request.GET.get("area", "")
    if not asked:
        if not own:
            raise Http404
        return own
    try:
        return area_within(request.user, asked)
    except areas.UnknownArea as error:
        raise Http404 from error


def number_in(text: str) -> int | None:
    """Return the whole number that a text is, of no more digits than a database column holds; else None."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def whole_number(request: Request, name: str, default: int | None = None) -> int | None:
    """Return a whole number of the query. :raises ValidationError: 400 naming the field."""
    text = request.query_params.get(name)
    if text in (None, ""):
        return default
    if (number := number_in(text)) is None:
        raise ValidationError(
            {name: _("“%(seen)s” was not understood; expected a whole number.") % {"seen": text[:40]}}
        )
    return number


def uuid_in(data: Any) -> UUID | None:
    """Return the client's id of a body, None where there is none."""
    try:
        return UUID(str(data.get("id")))
    except (AttributeError, ValueError):
        return None


def known_answer(claimed: UUID, request: Request, *, to: str) -> Response | None:
    """Return the stored answer to a repeat, None for a new id. Same id, other body or account: 422 that tells nothing.

    ``to`` is where the body was sent: the same body sent elsewhere is another request.
    """
    body = {"to": to, "body": request.data}
    try:
        answer = receipts.stored_answer(id=claimed, account_id=request.user.pk, body=body)
    except receipts.RepeatDiffers as error:
        raise Unprocessable({"id": _("This id was used for something else.")}) from error
    return None if answer is None else Response(answer.body)


def answer_once(claimed: UUID, request: Request, act: Callable[[], tuple[int, Any]], *, to: str) -> Response:
    """Act once and store the answer; a repeat in flight waits and gets the same answer with 200."""
    body = {"to": to, "body": request.data}
    try:
        answer = receipts.answer_once(id=claimed, account_id=request.user.pk, body=body, act=act)
    except receipts.RepeatDiffers as error:
        raise Unprocessable({"id": _("This id was used for something else.")}) from error
    return Response(answer.body, status=200 if answer.repeated else answer.status)


class Together(Convoy):
    """Requests of one kind that are acted on in groups, one transaction each (citysafety/convoy.py).

    ``act`` gets what those of a group bring that are no repeats, and returns the statement that does all of it or nothing.
    """

    def __init__(self, act: Callable[[Sequence[Any]], Statement]) -> None:
        def carry(loads: Sequence[tuple[receipts.Laid, Any]]) -> list[receipts.Answer | receipts.RepeatDiffers]:
            return receipts.answer_all([laid for laid, _load in loads], lambda first: act([loads[n][1] for n in first]))

        super().__init__(carry)


def answer_together(
    group: Together, claimed: UUID, request: Request, load: Any, answer: tuple[int, Any], *, to: str
) -> Response:
    """Answer as :func:`answer_once` does, in one transaction with the requests of its kind that wait beside it.

    ``answer``: what the first request gets once the group has acted on what it brings, its ``load``.
    """
    body = {"to": to, "body": request.data}
    given = group.ride((receipts.Laid(claimed, request.user.pk, body, *answer), load))
    if isinstance(given, receipts.RepeatDiffers):
        raise Unprocessable({"id": _("This id was used for something else.")}) from given
    return Response(given.body, status=200 if given.repeated else given.status)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer errors in one shape; a conflict also shows the present object as ``present``."""
    if isinstance(error, RequestDataTooBig):
        error = TooLarge(_("What was sent is larger than this site accepts: 10 MB for a photo."))
    elif isinstance(error, UnicodeEncodeError):  # half a character, which JSON can spell and nothing can store
        error = ParseError(_("The text is not valid Unicode."))
    response = standardized(error, context)
    if response is not None and (present := getattr(error, "present", None)) is not None:
        response.data["present"] = present
    return response
