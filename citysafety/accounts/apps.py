"""People, their offices, and what each may do."""

from django.apps import AppConfig, apps
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "citysafety.accounts"
    label = "accounts"
    verbose_name = _("People and rights")

    def ready(self) -> None:
        from . import schema  # noqa: F401, PLC0415  (registers itself; models must be loaded first)

        apps.get_app_config("axes").verbose_name = _("Sign-ins")  # the library has a name in English only
