"""Doors that pages share."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from .roles import Role


def asks_for(request: HttpRequest, part: str) -> bool:
    """Test whether htmx asks for the element of an id alone. It names its target with the tag: ``div#list``."""
    return bool(request.htmx and not request.htmx.boosted and (request.htmx.target or "").rpartition("#")[2] == part)


def people_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Open a door to people who are signed in; wall screens show no words of reporters and no names, so not to them."""

    @wraps(view)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.role == Role.KIOSK:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return never_cache(login_required(door))


def desk_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Open a page to people, for looking."""
    return people_only(require_safe(view))
