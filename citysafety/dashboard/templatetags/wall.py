"""Figures as the wall writes them; static/js/words.js writes them the same way."""

from typing import Any

from django import template

register = template.Library()


@register.filter
def grouped(value: float | None) -> str:
    """Group from a thousand on; one decimal at most; a dash for what there is not."""
    if value is None:
        return "–"
    return f"{round(value, 1):,}" if value != int(value) else f"{int(value):,}"


@register.filter
def percent(value: float | None) -> str:
    """Return a share of 0…1 in percent, without its sign."""
    if value is None:
        return "–"
    return "100" if value == 1 else f"{value * 100:.1f}"


@register.inclusion_tag("wall/_figure.html", takes_context=True)
def figure(context: template.Context, key: str, look: str = "") -> dict[str, Any]:
    """Draw a figure as a link to the list that makes it; plain where the reader has no lists.

    A ratio leads to the list of its denominator, of which it is a share.
    """
    rows = context["figures"]
    row = rows[key]
    page = row["page"] or rows.get(row["denominator"], {}).get("page", "")
    return {
        "key": key,
        "text": percent(row["value"]) if row["kind"] == "ratio" else grouped(row["value"]),
        "definition": row["definition"],
        "page": page if context["opens_lists"] else "",
        "look": look if row["value"] else "",  # nothing overdue is nothing late
    }


@register.filter
def figure_page(rows: dict[str, Any], key: str) -> str:
    """Return the address of the list behind a figure."""
    return rows[key]["page"]
