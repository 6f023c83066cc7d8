"""The criterion that makes a hazard a major one: one of the catalogue, or words of one's own."""

from ..models import Criterion


def worded(given: str) -> str:
    """Return a criterion as a case keeps it: a known code with its words, anything else as it stands. Queries: 1."""
    given = given.strip()
    known = _named(given)
    return known.as_filed if known and known.active and given in (known.code, known.as_filed) else given


def criterion_of(filed: str) -> Criterion | None:
    """Return the criterion of the catalogue that a case names, in force or not. Queries: 1, none for no words."""
    known = _named(filed)
    return known if known and known.as_filed == filed else None


def _named(given: str) -> Criterion | None:
    return Criterion.objects.filter(code=given.split(" ", 1)[0]).first() if given else None
