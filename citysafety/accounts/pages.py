"""Signing in and out, the first page of each role, and the page of the own account."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView, LogoutView, PasswordChangeView, redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST

from .forms import SignInForm, TokenForm
from .menu import exists, home_of, keeps_a_part
from .models import AccessToken, Role, Theme, User
from .tokens import issue, revoke

YEAR_S = 365 * 24 * 3600


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Lead each person to the page to begin with; to the own account as long as that page is not built."""
    path = home_of(request.user)
    return redirect(path if exists(path.partition("?")[0]) else "account")


@method_decorator([ensure_csrf_cookie, never_cache], name="dispatch")
class SignIn(LoginView):
    """The door. Leads on to ``next`` if that is ours, and brings the person's language and theme along."""

    template_name = "registration/login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: SignInForm) -> HttpResponse:
        response = super().form_valid(form)
        user: User = form.get_user()
        if user.language:
            keep(response, settings.LANGUAGE_COOKIE_NAME, user.language)
        if user.theme:
            keep(response, "theme", user.theme)
        return response


def admin_login(request: HttpRequest) -> HttpResponse:
    """The admin has no door of its own: strangers sign in here, people without business there are refused."""
    if request.user.is_authenticated and not request.user.is_staff:
        raise PermissionDenied
    return redirect_to_login(request.GET.get("next", "/admin/"))


class SignOut(LogoutView):
    """Ends the session of this browser."""


class ChangePassword(PasswordChangeView):
    """A new password; every other session of the person ends."""

    template_name = "accounts/password.html"
    success_url = reverse_lazy("account")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if getattr(request.user, "role", "") == Role.KIOSK:
            return redirect("home")
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        messages.success(self.request, _("The password is changed. All other sessions of yours have ended."))
        return response


@never_cache
@login_required
def account(request: HttpRequest) -> HttpResponse:
    """Show the own rights and tokens; POST makes a token, which is shown this once."""
    if request.user.role == Role.KIOSK:
        return redirect("home")
    form = TokenForm(request.POST or None)
    plain = ""
    if request.method == "POST" and form.is_valid():
        plain = issue(request.user, form.cleaned_data["label"], at=timezone.now())
        form = TokenForm()
    tokens = request.user.access_tokens.order_by("revoked_at", "-created_at")
    context = {"tokens": tokens, "form": form, "plain": plain, "keeps_a_part": keeps_a_part(request.user)}
    return render(request, "accounts/account.html", context)


@require_POST
@login_required
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of the own tokens; somebody else's is not found."""
    token = get_object_or_404(AccessToken, pk=pk, user=request.user)
    revoke(token, at=timezone.now())
    messages.success(request, _("The token “%(label)s” is revoked.") % {"label": token.label})
    return redirect("account")


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Speak another language from now on: in this browser, and for the person on every other one."""
    asked = request.POST.get("language", "")
    response = HttpResponseRedirect(safe_next(request))
    if asked in dict(settings.LANGUAGES):
        keep(response, settings.LANGUAGE_COOKIE_NAME, asked)
        if request.user.is_authenticated:
            User.objects.filter(pk=request.user.pk).update(language=asked)
    return response


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Be light or dark from now on, kept like the language."""
    asked = request.POST.get("theme", "")
    response = HttpResponseRedirect(safe_next(request))
    if asked in Theme.values:
        keep(response, "theme", asked)
        if request.user.is_authenticated:
            User.objects.filter(pk=request.user.pk).update(theme=asked)
    return response


def safe_next(request: HttpRequest) -> str:
    """Return where the form wants to go back to, the first page if that is not ours."""
    asked = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure())
    return asked if ours else "/"


def keep(response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(name, value, max_age=YEAR_S, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE)
