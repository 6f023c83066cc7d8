"""Wordings with places to fill: checked when they are kept, filled when a document is drafted (no database)."""

from collections.abc import Iterable, Mapping
from string import Formatter


class BadWording(ValueError):
    """A wording names a place that nothing fills, or is not closed."""


def places(text: str) -> list[str]:
    """Return the names in braces, in order. :raises BadWording: for a brace that is not closed, or more than a name."""
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise BadWording(str(error)) from error
    names = [name for _text, name, _spec, _conversion in parts if name is not None]
    for _text, name, spec, conversion in parts:
        if name is not None and (not name.isidentifier() or spec or conversion):
            raise BadWording(f"{{{name}}}: expected a plain name")
    return names


def check(text: str, known: Iterable[str]) -> None:
    """Test that a wording names only known places. :raises BadWording: naming the others."""
    if unknown := sorted(set(places(text)) - set(known)):
        raise BadWording(", ".join(unknown))


def fill(text: str, words: Mapping[str, str]) -> str:
    """Fill the places of a wording. :raises BadWording: for a place without words."""
    check(text, words)
    return text.format_map({name: str(value) for name, value in words.items()})
