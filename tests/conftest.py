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
