from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MonitoringConfig(AppConfig):
    name = "monitoring"
    verbose_name = _("monitoring")

    def ready(self) -> None:
        from monitoring import registry  # noqa: PLC0415  figures are registered when models are loaded

        registry.register()
