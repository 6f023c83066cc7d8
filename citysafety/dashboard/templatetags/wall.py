"""Figures as the wall writes them; static/js/words.js writes them the same way, halves upwards."""

from decimal import ROUND_HALF_UP, Decimal
from math import floor
from typing import Any

from django import template

register = template.Library()


@register.filter
def grouped(value: float | None) -> str:
    """Group from a thousand on; one decimal at most; a dash for what there is not."""
    if value is None:
        return "–"
    tenths = floor(value * 10 + 0.5)
    return f"{tenths / 10:,.1f}" if tenths % 10 else f"{tenths // 10:,}"


@register.filter
def percent(value: float | None) -> str:
    """Return a share of 0…1 in percent, without its sign."""
    if value is None:
        return "–"
    return "100" if value == 1 else str(Decimal(value * 100).quantize(Decimal("0.1"), ROUND_HALF_UP))


@register.inclusion_tag("wall/_figure.html", takes_context=True)
def figure(context: template.Context, key: str, look: str = "") -> dict[str, Any]:
    """Draw a figure as a link to the list that makes it; plain where the reader has no lists.

    A ratio leads to the list of its denominator, of which it is a share.
    """
    rows = context["figures"]
    one = rows[key]
    return {
        "key": key,
        "text": percent(one["value"]) if one["kind"] == "ratio" else grouped(one["value"]),
        "definition": one["definition"],
        "page": page(rows, key) if context["opens_lists"] else "",
        "look": look if one["value"] else "",  # nothing overdue is nothing late
    }


@register.filter
def row(rows: dict[str, Any], key: str) -> dict[str, Any]:
    """Return a figure."""
    found: dict[str, Any] = rows[key]
    return found


@register.filter
def page(rows: dict[str, Any], key: str) -> str:
    """Return the page of a figure's list; a ratio's is the list of its denominator."""
    one = rows[key]
    return str(one["page"] or rows.get(one["denominator"], {}).get("page", ""))
