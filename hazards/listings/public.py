"""What everybody may read of listed hazards, without signing in: as a page and as JSON, and nothing personal in either."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from rest_framework.throttling import SimpleRateThrottle

from citysafety.api import number_in

from . import selectors
from .present import public_answer

ROWS = 100
FRESH_S = 300  # an answer may be kept so long by whoever stands between


class PublicThrottle(SimpleRateThrottle):
    """Everybody may ask so often from one address, the connection's. With the cache away nothing is counted."""

    scope = "public-listed"
    rate = "120/min"

    def get_cache_key(self, request: Any, view: Any) -> str:
        return self.cache_format % {"scope": self.scope, "ident": request.META.get("REMOTE_ADDR", "")}


@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /public/listed/: the published listings, the newest first. Queries: 3."""
    if (refusal := _too_often(request)) is not None:
        return refusal
    page, rows = _page(request)
    context = {"rows": [(row, public_answer(row)) for row in rows], "page": page, "json": reverse("public-listed-json")}
    return _kept(render(request, "hazards/public_listed.html", context))


@require_safe
def listed_json(request: HttpRequest) -> HttpResponse:
    """GET /public/listed.json: the same rows. Queries: 3."""
    if (refusal := _too_often(request)) is not None:
        return refusal
    page, rows = _page(request)
    following = f"{request.path}?page={page.next_page_number()}" if page.has_next() else None
    answer = {"count": page.paginator.count, "next": following, "results": [public_answer(row) for row in rows]}
    return _kept(JsonResponse(answer, json_dumps_params={"ensure_ascii": False}))


def _page(request: HttpRequest) -> tuple[Any, list[selectors.PublicRow]]:
    page = Paginator(selectors.published(), ROWS).get_page(number_in(request.GET.get("page", "")) or 1)
    return page, selectors.public_rows(page.object_list)


def _too_often(request: HttpRequest) -> HttpResponse | None:
    """Return the refusal of who asks too often, None for everybody else."""
    throttle = PublicThrottle()
    if throttle.allow_request(request, None):
        return None
    words = _("Too many requests from this address; try again in a minute.")
    wait = int(throttle.wait() or 0) + 1
    return HttpResponse(words, status=429, content_type="text/plain; charset=utf-8", headers={"Retry-After": str(wait)})


def _kept(answer: HttpResponse) -> HttpResponse:
    """Let an answer be kept for a while, one for each language."""
    patch_cache_control(answer, public=True, max_age=FRESH_S)
    patch_vary_headers(answer, ["Accept-Language", "Cookie"])
    return answer
