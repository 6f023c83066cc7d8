"""The world of the rights tests; passwords are hashed cheaply here."""

import pytest

from tests.grid.conftest import _no_old_index  # noqa: F401

from .world import World, make_world


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["tests.accounts.people.QuickArgon2"]


@pytest.fixture
def world(db) -> World:
    return make_world()
