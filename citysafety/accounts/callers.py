"""Who stands behind many requests at once, asked of the database each time: for doors that answer in groups."""

from collections.abc import Iterable
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from . import kiosk, tokens
from .models import AccessToken, User

LIVE_TOKENS = """
SELECT t.digest FROM accounts_accesstoken t JOIN accounts_user u ON u.id = t.user_id
WHERE t.digest = ANY (%s) AND t.revoked_at IS NULL AND u.is_active"""


class Caller(NamedTuple):
    """What a request shows: the digest of its token, or the key of its session."""

    digest: str = ""
    session_key: str = ""


def caller_of(authorization: str, session_key: str) -> Caller | None:
    """Return what a request shows to be let in by; None where it shows nothing that could."""
    if authorization:
        plain = tokens.spelled(authorization.encode("latin-1"))
        return Caller(digest=tokens.digest(plain)) if plain else None
    return Caller(session_key=session_key) if session_key else None


def live_sessions(callers: Iterable[Caller]) -> set[Caller]:
    """Return those who come with a session that is as old as the rights it rests on. Queries: 2, 3 where a wall screen is
    among them, none where nobody comes with one. Who comes with a token is asked for by LIVE_TOKENS.
    """
    keys = {caller.session_key for caller in callers if caller.session_key}
    return {Caller(session_key=key) for key in _live(keys)} if keys else set()


def _live(keys: set[str]) -> list[str]:
    rows = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    said = {key: _said(data) for key, data in rows.values_list("session_key", "session_data")}
    users = {
        str(user.pk): user for user in User.objects.filter(pk__in={s[0] for s in said.values() if s}, is_active=True)
    }
    screens = {s[3] for s in said.values() if s} - {None}
    alive = (
        set(
            AccessToken.objects.filter(pk__in=screens, revoked_at=None, user__is_active=True).values_list(
                "pk", flat=True
            )
        )
        if screens
        else set()
    )
    live = []
    for key, session in said.items():
        if session is None:
            continue
        user_id, signed, backend, screen = session
        user = users.get(user_id)
        if (
            user is None
            or backend not in settings.AUTHENTICATION_BACKENDS
            or (screen is not None and screen not in alive)
        ):
            continue
        if constant_time_compare(signed, user.get_session_auth_hash()):
            live.append(key)
    return live


@lru_cache(maxsize=4096)
def _said(session_data: str) -> tuple[str, str, str, Any] | None:
    """Return what a session's data say: user, stamp of the rights, backend, token of a wall screen. Pure, so remembered."""
    data = import_module(settings.SESSION_ENGINE).SessionStore().decode(session_data)
    if SESSION_KEY not in data:
        return None
    return (
        str(data[SESSION_KEY]),
        data.get(HASH_SESSION_KEY, ""),
        data.get(BACKEND_SESSION_KEY, ""),
        data.get(kiosk.SESSION_KEY),
    )
