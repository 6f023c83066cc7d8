"""Who asks, and how often."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from rest_framework.throttling import SimpleRateThrottle

from .forms import MOST_PHOTOS

MOST_BYTES = MOST_PHOTOS * settings.PHOTO_MAX_BYTES + 200_000  # three photos and the words around them


class Limit(SimpleRateThrottle):
    """So often from one address, or with one code. With the cache away nothing is counted."""

    def __init__(self, scope: str, rate: str, ident: str) -> None:
        self.scope, self.rate, self.ident = f"public-{scope}", rate, ident
        super().__init__()

    def get_cache_key(self, request: Any, view: Any) -> str:
        return self.cache_format % {"scope": self.scope, "ident": self.ident}


LOOKS, FILINGS, GUESSES, ANSWERS, VOICES = "120/min", "30/hour", "20/min", "12/hour", "1/day"


def wait_of(request: HttpRequest, scope: str, rate: str, ident: str = "") -> int:
    """Count a request; return the seconds to wait where it comes too often, 0 where it may go on."""
    limit = Limit(scope, rate, ident or request.META.get("REMOTE_ADDR", ""))
    return 0 if limit.allow_request(request, None) else int(limit.wait() or 0) + 1


def too_often(request: HttpRequest, wait: int) -> HttpResponse:
    answer = render(request, "hazards/public/too_often.html", {"minutes": -(-wait // 60)}, status=429)
    answer["Retry-After"] = str(wait)
    return answer


def counted(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Open a door to everybody, so often from one address. How long its answers are kept the view says."""

    @wraps(view)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if wait := wait_of(request, "looks", LOOKS):
            return too_often(request, wait)
        return view(request, *args, **kwargs)

    return door


def public_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Open a page to everybody: so often from one address, no larger than a report is, kept by no cache, found by no search engine.

    The size is looked at before the check against forged forms, which reads all of a form; what is forged is not counted.
    """

    checked = csrf_protect(counted(view))

    @wraps(view)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length) > MOST_BYTES:
            answer = render(request, "hazards/public/too_large.html", {"most": MOST_BYTES // 1024**2}, status=413)
        else:
            answer = checked(request, *args, **kwargs)
        answer["X-Robots-Tag"] = "noindex"
        add_never_cache_headers(answer)
        return answer

    return csrf_exempt(door)
