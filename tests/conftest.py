"""What every test stands on: photos in a folder of its own, static files by their plain names."""

import pytest


@pytest.fixture(autouse=True)
def _own_files(settings, tmp_path):
    """Keep photos of tests out of the instance's folder; tests need no collected static files."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


# Rooms still being built: their tests join with them (docs/plan.md).
collect_ignore_glob = ["accounts/*", "notices/*", "field/*", "live/*", "dashboard/*", "e2e/*", "setup/*", "grid/*"]
collect_ignore = [
    "outbox/test_order.py",
    "citysafety/test_calendars.py",
    "citysafety/test_worktime.py",
    "hazards/test_pages.py",
]
