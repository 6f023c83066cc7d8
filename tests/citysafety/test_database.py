"""A kept connection that the server has ended is made anew before it is used; one that stands costs no statement."""

from collections.abc import Iterator

import pytest
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kept() -> Iterator[BaseDatabaseWrapper]:
    """A second connection, as a web process keeps one from request to request."""
    made = connections.create_connection("default")
    made.connect()
    yield made
    made.close()


def who(line: BaseDatabaseWrapper) -> int:
    with line.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def before_a_request(line: BaseDatabaseWrapper) -> None:
    line.close_if_unusable_or_obsolete()
    line.health_check_enabled, line.health_check_done = True, False


def statements_of(backend: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [backend])
        return cursor.fetchone()[0]


def test_a_connection_that_stands_is_used_again_without_asking_it(kept):
    first = who(kept)
    with kept.cursor() as cursor:
        cursor.execute("SELECT 'the last that was said'")
    before_a_request(kept)
    with kept.cursor():
        assert "the last that was said" in statements_of(first)
    assert who(kept) == first


def test_a_connection_that_the_server_ended_is_made_anew(kept):
    first = who(kept)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
        assert cursor.fetchone() == (True,)
    before_a_request(kept)
    assert who(kept) != first


def test_a_connection_that_was_closed_here_is_made_anew(kept):
    first = who(kept)
    kept.connection.close()
    before_a_request(kept)
    assert who(kept) != first
