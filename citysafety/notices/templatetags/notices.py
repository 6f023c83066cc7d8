"""What templates ask about the reader's notices."""

from django import template

from citysafety.notices.models import Notice
from citysafety.notices.topics import Words, words

register = template.Library()


@register.simple_tag(takes_context=True)
def unread(context: template.Context) -> int:
    """Return how many notices the reader has not read. One query, on a partial index."""
    return Notice.objects.unread().filter(recipient=context["request"].user).count()


@register.filter
def in_words(notice: Notice) -> Words:
    """Put a notice into words in the active language."""
    return words(notice)
