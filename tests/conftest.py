"""What every test may use: a small city, people of each role, and the relay on a leash."""

import pytest


@pytest.fixture(autouse=True)
def _own_media(settings, tmp_path):
    """Keep photos of tests out of the instance's folder."""
    settings.MEDIA_ROOT = tmp_path / "media"
