"""Bring the Chinese catalogues up to the code: new texts come in empty, those gone are dropped."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from citysafety.management.catalogues import DOMAINS, catalogue_path, regenerate


class Command(BaseCommand):
    help = "Write locale/zh_Hans anew from the texts of the code, keep the Chinese there is, and list what lacks it."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        for domain in DOMAINS:
            texts = regenerate(settings.BASE_DIR, domain)
            empty = [entry.msgid for entry in texts if not entry.translated()]
            self.stdout.write(
                f"{catalogue_path(settings.BASE_DIR, domain).name}: {len(texts)}, to translate {len(empty)}"
            )
            for msgid in empty:
                self.stdout.write(f"  {msgid}")
