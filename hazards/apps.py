from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class HazardsConfig(AppConfig):
    name = "hazards"
    verbose_name = _("hazards")

    def ready(self) -> None:
        from hazards import registry  # noqa: PLC0415  figures and visibility are registered when models are loaded

        registry.register()
