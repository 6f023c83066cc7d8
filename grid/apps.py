"""The grid: who answers for which piece of the city, and for what."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GridConfig(AppConfig):
    name = "grid"
    label = "grid"
    verbose_name = _("Grid")

    def ready(self) -> None:
        from . import figures  # noqa: PLC0415 - figures may be registered only once the apps stand

        figures.register()
