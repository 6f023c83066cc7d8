"""Keys for programs, phones and wall screens: made once, shown once, kept as SHA-256."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from .models import AccessToken, Role, User

NOTED_EVERY = timedelta(minutes=1)
KEYWORD = "Token"
TOKEN = [field.attname for field in AccessToken._meta.concrete_fields]
USER = [field.attname for field in User._meta.concrete_fields]
# In plain SQL: every request of a phone asks it, and to spell it takes Django longer than PostgreSQL to answer it.
LIVE = f"""
SELECT {", ".join(f"t.{name}" for name in TOKEN)}, {", ".join(f"u.{name}" for name in USER)}
FROM accounts_accesstoken t JOIN accounts_user u ON u.id = t.user_id
WHERE t.digest = %s AND t.revoked_at IS NULL AND u.is_active"""


def digest(plain: str) -> str:
    return hashlib.sha256(plain.encode()).hexdigest()


def issue(user: User, label: str, *, at: datetime | None = None) -> str:
    """Make a token for a user and return it in clear text, for the only time."""
    plain = f"cs_{secrets.token_urlsafe(32)}"
    AccessToken.objects.create(digest=digest(plain), user=user, label=label, created_at=at or timezone.now())
    return plain


def revoke(token: AccessToken, *, at: datetime) -> None:
    """End a token at once: requests, sockets and kiosk sessions made with it end too. A second time changes nothing."""
    AccessToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=at)


def live_token(plain: str) -> AccessToken | None:
    """Return the token with its user if it may be used now. One query."""
    with connection.cursor() as cursor:
        cursor.execute(LIVE, [digest(plain)])
        row = cursor.fetchone()
    if row is None:
        return None
    token = AccessToken.from_db(connection.alias, TOKEN, row[: len(TOKEN)])
    token.user = User.from_db(connection.alias, USER, row[len(TOKEN) :])
    return token


def note_use(token: AccessToken, *, at: datetime) -> None:
    """Remember when a token was used, at most once a minute, so that reading stays reading."""
    if token.last_used_at and at - token.last_used_at < NOTED_EVERY:
        return
    AccessToken.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=at - NOTED_EVERY), pk=token.pk).update(
        last_used_at=at
    )


def spelled(header: bytes) -> str | None:
    """Return the key of an ``Authorization: Token …`` header; None for another scheme or none."""
    words = header.split()
    if not words or words[0].lower() != KEYWORD.lower().encode():
        return None
    return words[1].decode("latin-1") if len(words) == 2 else ""


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Token …``. Standing first in the list it also makes anonymous requests 401, not 403."""

    def authenticate(self, request: Request) -> tuple[User, AccessToken] | None:
        plain = spelled(get_authorization_header(request))
        if plain is None:
            return None
        token = live_token(plain) if plain else None
        if token is None:
            raise AuthenticationFailed(_("This token is unknown or was revoked."))
        if token.user.role == Role.KIOSK and request.method not in SAFE_METHODS:
            raise PermissionDenied(_("A wall screen may only read."))
        note_use(token, at=timezone.now())
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return f'{KEYWORD} realm="CitySafety"'
