"""Words of the phone's templates: symbols of the sprite, and time told as what is left."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django import template
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from grid.models import Matter

register = template.Library()
CITY_TIME = ZoneInfo("Asia/Shanghai")
SOON = timedelta(hours=2)
# Symbols that the sprite draws for matters and their classes; any other matter shows the shield.
MATTER_SYMBOLS = frozenset(
    {
        "ebike", "exit", "extinguisher", "manhole", "hose", "bed", "bars", "plug",
        "fire", "gas", "crane", "car", "city", "school", "water", "shop",
    }
)  # fmt: skip


@register.simple_tag
def icon(name: str, css: str = "icon") -> SafeString:
    """Draw a symbol of ``field/_icons.html``."""
    symbol = name if name.startswith("s-") else f"i-{name}"
    return format_html('<svg class="{}" aria-hidden="true"><use href="#{}"/></svg>', css, symbol)


@register.filter
def matter_symbol(matter: Matter) -> str:
    """Return the symbol of a matter: its own, else its class's, else the shield."""
    for name in (matter.icon, matter.matter_class.icon):
        if name in MATTER_SYMBOLS:
            return f"m-{name}"
    return "m-shield"


@register.filter
def moment(when: datetime | None) -> str:
    """Say a moment as people do: the hour today, day and hour otherwise; city time."""
    if when is None:
        return ""
    local = when.astimezone(CITY_TIME)
    if local.date() == timezone.now().astimezone(CITY_TIME).date():
        return local.strftime("%H:%M")
    return f"{formats.date_format(local, 'MONTH_DAY_FORMAT')} {local:%H:%M}"


@register.filter(name="span")
def span_words(span: timedelta) -> str:
    """Say a length of time in its two largest useful units."""
    minutes = int(abs(span.total_seconds()) // 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return _("%(n)s days") % {"n": hours // 24}
    if hours:
        return _("%(h)s h %(m)s min") % {"h": hours, "m": minutes}
    return _("%(n)s min") % {"n": minutes}


@register.filter
def time_left(due_at: datetime | None) -> str:
    """Say what is left until a deadline, or by how much it has passed."""
    if due_at is None:
        return ""
    span = due_at - timezone.now()
    form = _("%(span)s overdue") if span < timedelta() else _("%(span)s left")
    return form % {"span": span_words(span)}


@register.filter
def is_soon(due_at: datetime | None) -> bool:
    """Test whether a deadline is less than two hours away, or gone."""
    return due_at is not None and due_at - timezone.now() < SOON


@register.filter
def masked(name: str) -> str:
    """Show a person to those outside the case: the family name only (赵*, Z*)."""
    return f"{name[:1]}*" if name else ""
