"""Reads about people for other apps."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet

from citysafety import areas

from .models import AccessToken, Department, User
from .rights import area_q


@dataclass(frozen=True, slots=True)
class OfficeChoice:
    """The offices a dispatcher chooses from: those around the place first, and the one proposed, where there is one."""

    around: list[Department]
    elsewhere: list[Department]
    proposed: str


def offices_open_to(user: User, area_code: str) -> QuerySet[Department]:
    """Return the offices a person may dispatch a place's case to: of the place's areas, and of the own area of duty."""
    return Department.objects.filter(Q(area_code__in=areas.lineage(area_code)) | area_q(user)).order_by("code")


def offices_around(user: User, area_codes: Iterable[str]) -> list[Department]:
    """Return every office that a case of some of these places may be dispatched to by a person. Queries: 1."""
    around = {code for area_code in area_codes for code in areas.lineage(area_code)}
    return list(Department.objects.filter(Q(area_code__in=around) | area_q(user)).order_by("code"))


def office_choice(user: User, area_code: str, home_id: int) -> OfficeChoice:
    """Return the offices to choose from for a case whose matter is a home office's.

    Proposed is the branch of the home office nearest to the place, else that office itself. Queries: 1.
    """
    return choose_office(list(offices_open_to(user, area_code)), area_code, home_id)


def choose_for(user: User, offices: Iterable[Department], area_code: str, home_id: int) -> OfficeChoice:
    """Return what :func:`office_choice` does, of offices that were read for several places. Queries: 0."""
    lineage = areas.lineage(area_code)
    open_to = [o for o in offices if o.area_code in lineage or areas.covers(user.area_code, o.area_code)]
    return choose_office(open_to, area_code, home_id)


def choose_office(offices: Iterable[Department], area_code: str, home_id: int) -> OfficeChoice:
    """Sort offices by whether they answer for a place, and propose one. Queries: 0."""
    around: list[Department] = []
    elsewhere: list[Department] = []
    for office in offices:
        (around if areas.covers(office.area_code, area_code) else elsewhere).append(office)
    line, proposed = {home_id}, ""
    for office in sorted(around, key=lambda one: len(one.area_code)):  # from the city down to the place
        if office.pk == home_id or office.parent_id in line:
            line.add(office.pk)
            proposed = office.code
    return OfficeChoice(around, elsewhere, proposed)


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
