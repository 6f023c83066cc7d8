"""What templates ask about the reader: theme, menu, signs of states and levels."""

from datetime import timedelta
from typing import Any

from django import template
from django.utils.translation import gettext_lazy as _

from citysafety.accounts.menu import Entry, entries
from citysafety.accounts.models import Theme

register = template.Library()

LEVELS = {
    1: ("I", 18, _("Red")),
    2: ("II", 22.5, _("Orange")),
    3: ("III", 18, _("Yellow")),
    4: ("IV", 18, _("Blue")),
}


@register.simple_tag(takes_context=True)
def theme(context: template.Context, default: str = Theme.LIGHT) -> str:
    """Return the theme the reader chose, the page's own without a choice."""
    request = context.get("request")
    if request is None:
        return default
    chosen = request.COOKIES.get("theme", "")
    return chosen if chosen in Theme.values else default


@register.simple_tag(takes_context=True)
def menu(context: template.Context) -> list[Entry]:
    """Return the reader's menu."""
    user = getattr(context.get("request"), "user", None)
    return entries(user) if user is not None and user.is_authenticated else []


@register.simple_tag(takes_context=True)
def is_in_menu(context: template.Context, path: str) -> bool:
    """Test whether the reader's menu has an entry of a path: pages of rooms above link there only then."""
    return any(entry.path == path for entry in menu(context))


@register.filter
def is_at(path: str, entry: Entry) -> bool:
    """Test whether a page stands under a menu entry."""
    return path.startswith(entry.path)


@register.filter
def in_minutes(span: timedelta | None) -> int:
    """Return a length of time in whole minutes."""
    return round(span.total_seconds() / 60) if span else 0


@register.inclusion_tag("_parts/level.html")
def level(number: int, state: str = "new", *, word: bool = True) -> dict[str, Any]:
    """Draw a level: shape, numeral, word. ``state``: new, acknowledged, returned or shelved."""
    numeral, baseline, name = LEVELS[int(number)]
    return {"number": int(number), "numeral": numeral, "baseline": baseline, "name": name, "state": state, "word": word}


@register.inclusion_tag("_parts/state.html")
def state(label: str, sign: str = "", look: str = "") -> dict[str, str]:
    """Draw a state chip. ``sign``: open, half, clock, tick, pause, warn, no; ``look``: strong, late, restored, ended."""
    return {"label": label, "sign": sign, "look": look}
