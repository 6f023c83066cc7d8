"""Where the files of photos lie."""

from pathlib import Path

from django.conf import settings


def folder(sha256: str) -> Path:
    """Return where the files of a photo lie."""
    return Path(settings.MEDIA_ROOT) / "evidence" / sha256[:2] / sha256
