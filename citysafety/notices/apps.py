"""News for one person: the inbox, and the ways it also goes out."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NoticesConfig(AppConfig):
    name = "citysafety.notices"
    label = "notices"
    verbose_name = _("Notices")
