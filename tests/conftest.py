"""What every test stands on: photos in a folder of its own, static files by their plain names."""

import os
import re

import pytest

from tests import trust

# Django truncates all 190 tables, which takes seconds, and makes permissions and kinds of content anew. This deletes what
# is there and keeps these; no trigger is asked, so that rows that stay for ever go too.
EMPTIED = """DO $$ DECLARE name text; BEGIN
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public'
    AND tablename NOT IN ('django_migrations', 'django_content_type', 'auth_permission', 'spatial_ref_sys')
  LOOP EXECUTE format('DELETE FROM %I', name); END LOOP;
END $$"""
SAID = pytest.StashKey[list[str]]()


def pytest_configure() -> None:
    """Give each worker of xdist a cache of its own: what one keeps or clears is not the other's; empty tables quickly."""
    from django.conf import settings  # noqa: PLC0415  ready once pytest-django has read it
    from django.test import TransactionTestCase  # noqa: PLC0415

    from citysafety.settings import redis_url  # noqa: PLC0415

    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    settings.CACHES["default"]["LOCATION"] = redis_url(4 + worker)
    TransactionTestCase._fixture_teardown = _empty_tables


def _empty_tables(_case: object) -> None:
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute(EMPTIED)


@pytest.fixture(autouse=True)
def _own_files(settings, tmp_path):
    """Keep photos of tests out of the instance's folder; tests need no collected static files; no test inherits a calendar or places."""
    from citysafety.calendars.services import forget  # noqa: PLC0415  models may be read only once Django is set up
    from grid.finding import PLACES  # noqa: PLC0415

    forget()
    PLACES.forget()
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture
def say(capsys, request):
    """Print a figure past pytest's capture; one that begins with the name of a promise is kept for docs/trust.md."""
    said = request.node.stash.setdefault(SAID, [])

    def printed(line: str) -> None:
        said.append(line)
        with capsys.disabled():
            print(f"\n{line}")

    return printed


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Keep what a test said of its promise once it has ended."""
    report = yield
    if call.when == "call" and (lines := item.stash.get(SAID, [])):
        trust.keep(lines, passed=report.passed, full=item.get_closest_marker("long") is not None, test=item.nodeid)
    return report


def pytest_collection_modifyitems(items) -> None:
    """Mark the tests of promises by their names."""
    for item in items:
        if re.match(r"test_[dlrsw]\d+_", item.name):
            item.add_marker("trust")
