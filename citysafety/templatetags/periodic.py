"""What an administrator reads on every page while beat or the workers are silent."""

from typing import Any

from django import template
from django.utils import timezone

from citysafety.accounts.roles import Role
from citysafety.outbox.selectors import head

register = template.Library()


@register.inclusion_tag("_parts/idle.html", takes_context=True)
def idle(context: dict[str, Any]) -> dict[str, Any]:
    """Say since when no periodic work is done, to administrators alone. Queries: 1, for others none."""
    if getattr(getattr(context.get("request"), "user", None), "role", "") != Role.ADMINISTRATOR:
        return {}
    return {"since": head().idle_since(timezone.now())}
