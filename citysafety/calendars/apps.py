from django.apps import AppConfig
from django.core.checks import Tags, register
from django.utils.translation import gettext_lazy as _


class CalendarsConfig(AppConfig):
    name = "citysafety.calendars"
    label = "calendars"
    verbose_name = _("calendars")

    def ready(self) -> None:
        from .checks import next_year_is_known  # noqa: PLC0415  needs the models

        register(next_year_is_known, Tags.database)
