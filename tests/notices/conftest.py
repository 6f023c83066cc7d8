"""Passwords are hashed cheaply here; the cost itself is a setting of the product."""

import pytest


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["tests.accounts.people.QuickArgon2"]
