"""Error pages: what happened, what to do, the request's number. The same facts as JSON under ``/api/``.

None of them asks the database, which may be what is broken.
"""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Page:
    """One error in words."""

    code: str
    title: Any
    happened: Any
    todo: Any


PAGES = {
    400: Page(
        "bad_request", _("The request could not be read"), _("The browser sent something this site does not understand."),
        _("Go back, reload the page and try again."),
    ),
    403: Page(
        "permission_denied", _("You may not do this"), _("Your role has no part in this page or step."),
        _("Ask the security officer to look up why, with the request number."),
    ),
    404: Page(
        "not_found", _("There is no such page"),
        _("The address is wrong, the record does not exist, or it lies outside what you may see."),
        _("Check the address, or search for the number in the list."),
    ),
    409: Page(
        "conflict", _("Somebody was faster"), _("The record changed since you opened it; nothing was overwritten."),
        _("Go back, reload to see the present state, then decide again. Your text is still in the form."),
    ),
    413: Page(
        "too_large", _("Too large"), _("What was sent is larger than this site accepts: 10 MB for a photo."),
        _("Go back and choose a smaller file. Your text is still in the form."),
    ),
    429: Page(
        "throttled", _("Too many requests"), _("This site received more from you than it accepts in a short time."),
        _("Wait a minute, then try again."),
    ),
    500: Page(
        "error", _("Something broke on our side"), _("Nothing of what you sent was lost on your side; it may not be stored yet."),
        _("Go back and try again. If it happens again, tell the administrator the request number."),
    ),
}  # fmt: skip


def error_page(request: HttpRequest, status: int) -> HttpResponse:
    """Answer with one of the pages, as JSON to programs."""
    page = PAGES[status]
    request_id = getattr(request, "request_id", "")
    if request.path.startswith("/api/"):
        kind = "server_error" if status >= 500 else "client_error"
        body = {"type": kind, "errors": [{"code": page.code, "detail": str(page.happened), "attr": None}]}
        return JsonResponse(body, status=status)
    context = {"status": status, "page": page, "request_id": request_id, "request": request}
    return HttpResponse(render_to_string("errors/error.html", context), status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(request, 413 if isinstance(exception, RequestDataTooBig | TooManyFilesSent) else 400)


def denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(request, 403)


def missing(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(request, 404)


def broken(request: HttpRequest) -> HttpResponse:
    return error_page(request, 500)
