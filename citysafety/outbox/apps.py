"""The outbox: facts on their way to those who listen."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OutboxConfig(AppConfig):
    name = "citysafety.outbox"
    label = "outbox"
    verbose_name = _("News of the city")
