"""Words and numbers of monitoring in templates."""

from typing import Any

from django import template

from ..models import DeviceKind
from ..models.readings import Quality

register = template.Library()


@register.filter
def quality(code: str) -> Any:
    """Say the quality of a value."""
    return Quality(code).label


@register.filter
def for_protocol(kinds: dict[str, list[DeviceKind]], protocol: str) -> list[DeviceKind]:
    """Return the kinds that speak a protocol; all of them where none is known to."""
    return kinds.get(protocol) or kinds[""]


@register.filter
def trimmed(value: float) -> str:
    """Write a mark of an axis without needless digits."""
    return f"{value:g}"


@register.filter
def percent_of(percent: float, whole: float) -> str:
    """Return a part of a length as SVG writes it, whatever the language."""
    return f"{percent * whole / 100:.1f}"
