"""The criterion that makes a hazard a major one: one of the catalogue, or words of one's own."""

from ..models import Criterion


def worded(given: str) -> str:
    """Return a criterion as a case keeps it: a known code with its words, anything else as it stands. Queries: 1."""
    given = given.strip()
    known = Criterion.objects.filter(code=given.split(" ", 1)[0], active=True).first() if given else None
    return known.as_filed if known and given in (known.code, known.as_filed) else given
