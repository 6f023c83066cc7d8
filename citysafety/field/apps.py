"""The face for phones: report, verify, handle."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FieldConfig(AppConfig):
    name = "citysafety.field"
    label = "field"
    verbose_name = _("Pages for the phone")
