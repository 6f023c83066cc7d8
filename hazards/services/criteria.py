"""The criterion that makes a hazard a major one: one of the catalogue, or another with its basis in words."""

import re

from django.utils.translation import gettext as _

from ..models import Criterion

LEAST_BASIS, MOST = 10, 200  # characters
OTHER = re.compile(r"(?:other|其他)\s*[:：]\s*(?P<basis>.*)", re.IGNORECASE | re.DOTALL)
KEPT_AS = "其他：{}"  # in the language of the office


class NoCriterion(ValueError):
    """What was given is no criterion of the catalogue in force, nor another with its basis; the message says so to people."""


def worded(given: str, *, is_free: bool = False) -> str:
    """Return a criterion as a case keeps it: a code in force with its words, or another with its basis. Queries: 1.

    ``is_free``: said by who files and may know no catalogue; any words are another one then. Who decides names one.

    :raises NoCriterion: words that name neither.
    """
    given = given.strip()
    known = _named(given)
    if known and known.active and given in (known.code, known.as_filed):
        return known.as_filed
    other = OTHER.fullmatch(given)
    basis = other["basis"].strip() if other else given if is_free else ""
    if len(basis) < (1 if is_free else LEAST_BASIS):
        words = _(
            "“%(seen)s” is no criterion in force. Give its code, or “other:” and the basis in at least %(n)s characters."
        )
        raise NoCriterion(words % {"seen": given[:40], "n": LEAST_BASIS})
    return KEPT_AS.format(basis)[:MOST]


def criterion_of(filed: str) -> Criterion | None:
    """Return the criterion of the catalogue that a case names, in force or not. Queries: 1, none for no words."""
    known = _named(filed)
    return known if known and known.as_filed == filed else None


def _named(given: str) -> Criterion | None:
    return Criterion.objects.filter(code=given.split(" ", 1)[0]).first() if given else None
