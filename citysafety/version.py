"""Which build a page was made by, so that a wall that is never closed can tell that there is a newer one."""

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage


def version() -> str:
    """Return the version of the code and of the static files it serves."""
    return f"{settings.VERSION}-{getattr(staticfiles_storage, 'manifest_hash', '')}"
