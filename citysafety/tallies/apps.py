"""Tallies: the figures of the city, kept by position."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TalliesConfig(AppConfig):
    name = "citysafety.tallies"
    label = "tallies"
    verbose_name = _("Figures")
