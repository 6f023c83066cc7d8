"""The people who take part in a case, as the tests of the phone know them; and those of the public, who asked nothing yet."""

import pytest
from django.core.cache import cache

from tests.factories import person
from tests.field.conftest import cast

__all__ = ["cast", "nobody_asked_yet", "supervisor"]


@pytest.fixture
def nobody_asked_yet():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def supervisor(cast):
    return person("supervisor")
