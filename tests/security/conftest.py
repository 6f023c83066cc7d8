"""The world of the rights tests, made once a module; passwords are hashed cheaply here."""

import copy
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import transaction
from django.test import override_settings

from citysafety.calendars.services import forget
from grid.finding import PLACES
from tests.grid.conftest import _no_old_index  # noqa: F401

from .world import World, make_world

CHEAP = ["tests.accounts.people.QuickArgon2"]


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    settings.PASSWORD_HASHERS = CHEAP


@pytest.fixture(scope="module")
def made(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[tuple[World, Path]]:
    """The world's rows, which each test finds as they were made, and the folder of its photos and sheets.

    Sealing its sheets takes seconds. A test's own transaction is a part of this one.
    """
    media = tmp_path_factory.mktemp("media")
    with django_db_blocker.unblock(), transaction.atomic():
        forget()
        PLACES.forget()
        with override_settings(MEDIA_ROOT=media, PASSWORD_HASHERS=CHEAP):
            world = make_world()
        yield world, media
        transaction.set_rollback(True)


@pytest.fixture
def world(made, db, settings) -> World:
    world, media = made
    shutil.copytree(media, settings.MEDIA_ROOT)
    return copy.deepcopy(world)
