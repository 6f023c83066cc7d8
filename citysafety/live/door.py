"""Who may open a line to which area, and whether they still may."""

from collections.abc import Iterable
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.models import Session
from django.http.request import split_domain_port, validate_host
from django.utils import timezone

from citysafety import areas
from citysafety.accounts import duty, kiosk, tokens
from citysafety.accounts.models import AccessToken, User
from citysafety.accounts.roles import CONSOLE
from citysafety.api import number_in

NOT_SIGNED_IN, NOT_YOUR_AREA, RIGHTS_CHANGED, TOO_SLOW = 4401, 4403, 4408, 1013


class Refused(Exception):
    """The line is opened and closed with a code, since a browser sees none before."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Strange(Exception):
    """Not one of our pages, or no browser of ours: no handshake at all."""


@dataclass(frozen=True, slots=True)
class Guest:
    """Who sits at a socket, and what that rests on."""

    user_id: int
    standing: str  # of the rights at the time of opening
    area: str
    after: int | None
    session_key: str | None = None
    token_id: int | None = None
    page: UUID | None = None  # of a console, which hears who is at which case


def welcome(headers: Iterable[tuple[bytes, bytes]], query: bytes) -> Guest:
    """Return the guest for a request's headers and query. At most four queries.

    A token needs no Origin, since no foreign page can send one; a cookie does.

    :raises Refused: 4401 or 4403.
    :raises Strange: a cookie without an Origin of ours.
    """
    given = {name.lower(): value for name, value in headers}
    if b"authorization" in given:
        user, session_key, token_id = _by_token(given[b"authorization"])
    else:
        user, session_key, token_id = _by_cookie(given)
    asked = parse_qs(query.decode("latin-1"))
    try:
        area = duty.area_within(user, asked.get("area", [user.area_code])[0])
    except areas.UnknownArea:
        raise Refused(NOT_YOUR_AREA) from None
    page = _page(asked.get("presence", [""])[0]) if user.role in CONSOLE else None
    after = _position(asked.get("after", [""])[0])
    return Guest(user.pk, user.standing, area, after, session_key, token_id, page)


def _page(text: str) -> UUID | None:
    """Return the id of a console's page; None for anything else, which then hears of nobody."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _position(text: str) -> int | None:
    """Return a position; None without one; −1, which nobody can resume from, for anything else."""
    if not text:
        return None
    number = number_in(text)
    return -1 if number is None else number


def _by_token(header: bytes) -> tuple[User, None, int]:
    plain = tokens.spelled(header)
    token = tokens.live_token(plain) if plain else None
    if token is None:
        raise Refused(NOT_SIGNED_IN)
    return token.user, None, token.pk


def _by_cookie(headers: dict[bytes, bytes]) -> tuple[User, str, int | None]:
    try:
        cookies = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        cookies = SimpleCookie()
    if settings.SESSION_COOKIE_NAME not in cookies:
        raise Refused(NOT_SIGNED_IN)
    if not is_ours(headers.get(b"origin", b"").decode("latin-1"), headers.get(b"host", b"").decode("latin-1")):
        raise Strange
    key = cookies[settings.SESSION_COOKIE_NAME].value
    session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    user = get_user(SimpleNamespace(session=session))  # also checks that the session is as old as the rights
    token_id = session.get(kiosk.SESSION_KEY)
    if not (user.is_authenticated and user.is_active) or (token_id is not None and not kiosk.is_alive(token_id)):
        raise Refused(NOT_SIGNED_IN)
    return user, key, token_id


def is_ours(origin: str, host: str) -> bool:
    """Test whether a page of ours opens the line: same host and port, or an origin named in the settings."""
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        return False
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc == host


def gone(guests: Iterable[Guest]) -> set[Guest]:
    """Return the guests whose rights, token or session are no longer what they came with. Three queries for all."""
    guests = set(guests)
    standing = {user.pk: user.standing for user in User.objects.filter(pk__in={g.user_id for g in guests})}
    wanted = {g.token_id for g in guests} - {None}
    alive = set(AccessToken.objects.filter(pk__in=wanted, revoked_at=None).values_list("pk", flat=True))
    keys = {g.session_key for g in guests} - {None}
    open_keys = set(
        Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now()).values_list(
            "session_key", flat=True
        )
    )
    return {
        guest
        for guest in guests
        if standing.get(guest.user_id) != guest.standing
        or (guest.token_id is not None and guest.token_id not in alive)
        or (guest.session_key is not None and guest.session_key not in open_keys)
    }
