"""Who asks, how often, in which language; and how a refusal is told."""

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest
from django.utils import timezone
from django.utils.translation import get_supported_language_variant
from django.utils.translation import gettext as _
from django.utils.translation.trans_real import parse_accept_lang_header
from rest_framework import status
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import APIException, NotFound, ParseError, PermissionDenied, Throttled, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle

from citysafety.accounts import tokens
from citysafety.api import TooLarge

MOST_FORM_BYTES = 100_000  # 4,000 characters of Chinese, percent-encoded, are 36,000
# The standard knows 400, 403 and 404; these are HTTP's own business. Everything else is told as 400.
KEPT = (
    status.HTTP_403_FORBIDDEN,
    status.HTTP_404_NOT_FOUND,
    status.HTTP_405_METHOD_NOT_ALLOWED,
    status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
    status.HTTP_429_TOO_MANY_REQUESTS,
)


class InvalidKey(PermissionDenied):
    """403: no key where one is needed, or one that is none (the standard, "General Errors")."""


class KeyAuthentication(BaseAuthentication):
    """``api_key`` in the address or the form, or ``Authorization: Token …``: the same tokens as the API's. No cookies."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        key = request.query_params.get("api_key") or tokens.spelled(get_authorization_header(request))
        if not key and request.method == "POST":
            key = request.data.get("api_key")
        if not key:
            return None
        token = tokens.live_token(key)
        if token is None:
            raise InvalidKey(_("This api_key is unknown or was revoked."))
        tokens.note_use(token, at=timezone.now())
        return token.user, token


def check_size(request: Request) -> None:
    """Refuse a form that is larger than any report before it is read. :raises TooLarge: it is."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_FORM_BYTES:
        raise too_large()


def too_large() -> TooLarge:
    return TooLarge(_("The form is larger than %(most)s bytes.") % {"most": MOST_FORM_BYTES})


class PublicThrottle(SimpleRateThrottle):
    """Who asks without a key may ask so often from one address. Who has one is known, and not counted.

    The address is the connection's, as uvicorn and the proxies it trusts tell it; a header that anybody can send does
    not count. With the cache away nothing is counted.
    """

    scope = "open311"
    rate = "120/min"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        if request.user.is_authenticated:
            return None
        return self.cache_format % {"scope": self.scope, "ident": request.META.get("REMOTE_ADDR", "")}


def language_of(request: HttpRequest) -> str:
    """Return the language of ``locale=`` or ``Accept-Language`` that we speak; the city's where we speak none of them."""
    asked = request.GET.get("locale") or request.headers.get("Accept-Language", "")
    for code, _weight in parse_accept_lang_header(asked.lower().replace("_", "-")):
        try:
            return get_supported_language_variant(code)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE


def refusal(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer an error in the standard's shape: rows of ``code`` and ``description``."""
    error = _known(error)
    if not isinstance(error, APIException):
        return None
    code = error.status_code if error.status_code in KEPT else status.HTTP_400_BAD_REQUEST
    headers = {}
    if isinstance(error, Throttled) and error.wait:
        headers["Retry-After"] = str(int(error.wait) + 1)
    rows = [{"code": code, "description": words} for words in _sentences(error)]
    return Response(rows, status=code, headers=headers)


def _known(error: Exception) -> Exception:
    """Return what Django raises as what the REST framework would."""
    if isinstance(error, Http404):
        return NotFound()
    if isinstance(error, RequestDataTooBig):
        return too_large()
    if isinstance(error, SuspiciousOperation):  # more fields or files than any form has
        return ParseError(_("The form could not be read."))
    return error


def _sentences(error: APIException) -> list[str]:
    """Return what an error says, a sentence for each fault; those of a field begin with its name."""
    if isinstance(error, ValidationError) and isinstance(error.detail, dict):
        return [f"{field}: {words}" for field, faults in error.detail.items() for words in faults]
    return [str(words) for words in (error.detail if isinstance(error.detail, list) else [error.detail])]
