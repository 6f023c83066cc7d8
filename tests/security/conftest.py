"""The world of the rights tests; passwords are hashed cheaply here."""

import pytest
from django.core.cache import cache

from grid import locate

from .world import World, make_world


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["tests.accounts.people.QuickArgon2"]


@pytest.fixture(autouse=True)
def _no_old_index():
    """Drop what earlier tests taught this process."""
    locate.forget()
    cache.clear()
    yield
    locate.forget()


@pytest.fixture
def world(db) -> World:
    return make_world()


@pytest.fixture
def say(capsys):
    """Print a figure past pytest's capture."""

    def printed(line: str) -> None:
        with capsys.disabled():
            print(f"\n{line}")

    return printed
