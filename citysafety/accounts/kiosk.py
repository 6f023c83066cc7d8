"""Wall screens sign in with a device token in the address, once, and may then only read."""

from collections.abc import Callable

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils import timezone

from .models import AccessToken, Role
from .tokens import live_token, note_use

PARAMETER = "kiosk"
SESSION_KEY = "kiosk_token"
DOORS = ("/wall/", "/centre/", "/leader/")  # where a screen may sign in
NO_END_S = 10 * 365 * 24 * 3600  # a screen is not asked again after a shift; revoking the token ends it
SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
OWN_CHOICES = ("logout", "language", "theme", "wall-mutes", "wall-mute-end")


def is_alive(token_id: int) -> bool:
    """Test whether the token behind a screen's session may still be used. One query."""
    return AccessToken.objects.filter(pk=token_id, revoked_at=None, user__is_active=True).exists()


class KioskMiddleware:
    """Trade the token in the address for a session; end the session with the token; refuse writes from it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if PARAMETER in request.GET and request.method == "GET" and request.path in DOORS:
            return self.sign_in(request)
        token_id = request.session.get(SESSION_KEY)
        if token_id is not None:
            if not is_alive(token_id):
                auth.logout(request)
            elif request.method not in SAFE and not self.is_own_choice(request):
                return render(request, "errors/kiosk_writes.html", status=403)
        return self.get_response(request)

    def sign_in(self, request: HttpRequest) -> HttpResponse:
        token = live_token(request.GET[PARAMETER])
        if token is None or token.user.role != Role.KIOSK:
            auth.logout(request)
            return no_store(render(request, "errors/kiosk_refused.html", status=403))
        note_use(token, at=timezone.now())
        auth.logout(request)  # whoever used this browser before
        auth.login(request, token.user, backend=settings.AUTHENTICATION_BACKENDS[-1])
        request.session[SESSION_KEY] = token.pk
        request.session.set_expiry(NO_END_S)
        rest = request.GET.copy()
        del rest[PARAMETER]
        return no_store(HttpResponseRedirect(f"{request.path}?{rest.urlencode()}" if rest else request.path))

    @staticmethod
    def is_own_choice(request: HttpRequest) -> bool:
        try:
            return resolve(request.path_info).url_name in OWN_CHOICES
        except Resolver404:
            return False


def no_store(response: HttpResponse) -> HttpResponse:
    """Keep an address that held a key out of every cache and every Referer."""
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response
