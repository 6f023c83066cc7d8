from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProjectsConfig(AppConfig):
    name = "projects"
    verbose_name = _("supervision")

    def ready(self) -> None:
        from projects import registry  # noqa: PLC0415  figures and topics are registered when models are loaded

        registry.register()
