"""What pages and API of rosters read from a request alike: moments, people, patterns."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from citysafety import areas
from citysafety.accounts.models import User
from citysafety.accounts.rights import area_q
from citysafety.workdays import CITY_TIME

from .models import Post
from .patterns import Pattern, slots_in
from .presence import midnight
from .shifts import Refused

YEARS = range(2000, 2101)


def moment_in(text: str) -> datetime:
    """Return the moment that a text says: ISO 8601, by the city's clock without a zone; a day alone is its first moment.

    :raises ValueError: it says none, or one out of all proportion.
    """
    found = parse_datetime(text) if len(text) > len("2026-11-23") else None
    if found is None:
        day = parse_date(text)
        if day is None:
            raise ValueError(text)
        found = midnight(day, CITY_TIME)
    if found.year not in YEARS:
        raise ValueError(text)
    return timezone.make_aware(found, CITY_TIME) if timezone.is_naive(found) else found


def person_named(username: str, *, by: User, post: Post | None = None) -> User | None:
    """Return the person of a user name in the asker's area, or around a post; None for others as for nobody. Queries: 1."""
    seen = area_q(by)
    if post is not None:
        seen |= Q(area_code__in=areas.lineage(post.area_code))
    return User.objects.filter(seen, username=username).first()


def nobody_named(username: str) -> str:
    """Say that a user name is nobody's here."""
    return _("There is nobody here with the user name “%(seen)s”.") % {"seen": username[:40]}


def pattern_of(slots: str, teams: Sequence[Sequence[Any]], first: date, last: date, start: int = 0) -> Pattern:
    """Return a pattern. :raises Refused: naming the field that does not fit, what was seen and what is expected."""
    try:
        hours = slots_in(slots)
    except ValueError as error:
        words = _("“%(seen)s” is no pair of times; expected such as 08:00-20:00 20:00-08:00.") % {
            "seen": str(error)[:40]
        }
        raise Refused({"slots": words}) from error
    if not hours or len(hours) > 6:
        raise Refused({"slots": _("%(n)s slots a day; expected 1 to 6.") % {"n": len(hours)}})
    if len(teams) < len(hours) or not all(teams):
        words = _(
            "%(teams)s teams for %(slots)s slots a day; expected at least as many teams as slots, nobody left out."
        )
        raise Refused({"teams": words % {"teams": len([team for team in teams if team]), "slots": len(hours)}})
    if not timedelta() <= last - first <= timedelta(days=62):
        words = _("%(first)s to %(last)s; expected 1 to 63 days, the first one first.") % {"first": first, "last": last}
        raise Refused({"last": words})
    return Pattern(hours, tuple(tuple(team) for team in teams), first, last, start)
