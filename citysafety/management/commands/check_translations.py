"""Hold the catalogues and the city's tables against the code: every text in both languages."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from citysafety.management.catalogues import problems


class Command(BaseCommand):
    help = "Fail when a text is missing, fuzzy, stale or broken in Chinese, or a row of a city lacks a language."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        if found := problems(settings.BASE_DIR):
            raise CommandError("\n".join([f"{len(found)} problems; bin/manage messages brings in what is new", *found]))
        self.stdout.write("translations complete")
