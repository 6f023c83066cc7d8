"""What templates ask about the reader's notices."""

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from citysafety.notices.models import Delivery, Notice
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


@register.filter
def state_words(delivery: Delivery) -> str:
    """Say how far a delivery has come, each stage with its time."""
    stages = (
        (_("sent"), delivery.sent_at),
        (_("delivered"), delivery.delivered_at),
        (_("opened"), delivery.opened_at if delivery.sent_at else None),
        (_("signed for"), delivery.receipt_at if delivery.sent_at else None),
        (_("could not be delivered"), delivery.parked_at),
    )
    said = [f"{word} {date_format(timezone.localtime(at), 'm-d H:i')}" for word, at in stages if at]
    if not said:
        again = date_format(timezone.localtime(delivery.next_try_at), "m-d H:i")
        said = [_("tried %(n)s times, again at %(when)s") % {"n": delivery.attempts, "when": again}]
    return f"{delivery.channel.get_kind_display()}: {' · '.join(said)}"
