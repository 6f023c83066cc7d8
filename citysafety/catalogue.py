"""The words of scripts: the catalogue of a language at an address that changes with it, so that it may be kept for ever."""

import hashlib
from functools import lru_cache

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.views.decorators.http import require_safe
from django.views.i18n import JavaScriptCatalog

FOR_EVER = "public, max-age=31536000, immutable"


@lru_cache(maxsize=8)
def _catalogue(language: str) -> tuple[str, bytes]:
    with translation.override(language):
        text: bytes = JavaScriptCatalog().get(None).content
    return hashlib.sha256(text).hexdigest()[:12], text


def address() -> str:
    """Return where the words of the active language are."""
    language = translation.get_language()
    return reverse("jsi18n", args=[language, _catalogue(language)[0]])


@require_safe
def catalogue(request: HttpRequest, language: str, version: str) -> HttpResponse:
    """GET /jsi18n/<language>/<version>.js, for anyone. A page of before an upgrade gets the words of now, for now."""
    if language not in dict(settings.LANGUAGES):
        raise Http404
    now, text = _catalogue(language)
    response = HttpResponse(text, content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = FOR_EVER if version == now else "no-cache"
    return response
