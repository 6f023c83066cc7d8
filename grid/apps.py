"""The grid: who answers for which piece of the city, and for what."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GridConfig(AppConfig):
    name = "grid"
    label = "grid"
    verbose_name = _("Grid")

    def ready(self) -> None:
        from citysafety.accounts.duty import areas_exist_by  # noqa: PLC0415 - models may be read only once the apps stand

        from . import figures, selectors  # noqa: PLC0415

        figures.register()
        areas_exist_by(selectors.area_exists)
