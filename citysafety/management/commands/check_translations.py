"""Hold the catalogues against the code: nothing missing, nothing fuzzy, no word of the code without its Chinese."""

import subprocess
import tempfile
from pathlib import Path
from typing import Any

import polib
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

LANGUAGE = "zh_Hans"
SOURCES = ["citysafety", "grid", "hazards", "projects", "templates", "static/js"]


def wanted(domain: str) -> set[str]:
    """Return every msgid that the code asks for, as makemessages finds them, in a copy of the tree."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in [*SOURCES, "manage.py", "VERSION"]:
            source = settings.BASE_DIR / name
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "-r", str(source), str(target)], check=True)
        (root / "locale" / LANGUAGE / "LC_MESSAGES").mkdir(parents=True)
        command = ["makemessages", "-l", LANGUAGE, "-d", domain, "--no-obsolete", "-v0"]
        script = "import sys; from django.core.management import execute_from_command_line as run; run(sys.argv)"
        subprocess.run(
            [str(settings.BASE_DIR / ".venv/bin/python"), "-c", script, *command],
            cwd=root,
            check=True,
            capture_output=True,
        )
        found = root / "locale" / LANGUAGE / "LC_MESSAGES" / f"{domain}.po"
        return {entry.msgid for entry in polib.pofile(str(found))} if found.exists() else set()


class Command(BaseCommand):
    help = "Fail when a text of the code has no Chinese, or a fuzzy one."

    def handle(self, *args: Any, **options: Any) -> None:
        bad = []
        for domain in ("django", "djangojs"):
            path = settings.BASE_DIR / "locale" / LANGUAGE / "LC_MESSAGES" / f"{domain}.po"
            have = polib.pofile(str(path)) if path.exists() else polib.POFile()
            bad += [f"{domain}: fuzzy: {entry.msgid}" for entry in have if entry.fuzzy]
            translated = {entry.msgid for entry in have if entry.translated()}
            bad += [f"{domain}: missing: {text}" for text in sorted(wanted(domain) - translated)]
        if bad:
            raise CommandError(f"{len(bad)} texts\n" + "\n".join(bad))
        self.stdout.write("translations complete")
