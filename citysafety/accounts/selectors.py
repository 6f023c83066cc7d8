"""Reads about people for other apps."""

from django.contrib.sessions.models import Session
from django.db.models import QuerySet

from citysafety import areas

from .models import AccessToken, Department, User


def departments_around(area_code: str) -> QuerySet[Department]:
    """Return the offices that a place may be dispatched to: of its areas, the widest ones too. Queries: 1."""
    return Department.objects.filter(area_code__in=areas.lineage(area_code)).order_by("code")


def standing_of(user_id: int, *, token_id: int | None = None, session_key: str | None = None) -> str | None:
    """Return the stamp of a user's rights now, None once user, token or session ended. One to three queries.

    A socket keeps the stamp it opened with and closes when this differs.
    """
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return None
    if token_id is not None and not AccessToken.objects.filter(pk=token_id, revoked_at=None).exists():
        return None
    if session_key is not None and not Session.objects.filter(pk=session_key).exists():
        return None
    return user.standing
