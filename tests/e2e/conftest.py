"""The running instance that browser journeys and tests of reliability share."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import Instance

AT_THE_DESK = {"test_centre", "test_desk", "test_levels", "test_life", "test_supervision"}


@pytest.fixture(scope="session")
def site() -> Iterator[Instance]:
    """One new instance a worker of xdist: whoever breaks something in it mends it again."""
    instance = Instance(Path(os.environ["CITYSAFETY_VAR"]) / f"site-{os.environ.get('PYTEST_XDIST_WORKER', 'gw0')}")
    instance.services("down")  # of a run that was killed
    shutil.rmtree(instance.var)  # its tables may be those of an older state of the code
    instance.var.mkdir()
    instance.start()
    yield instance
    instance.stop()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Part what uses an instance into two halves of like length, each kept on one worker of xdist."""
    if "site" in getattr(item, "fixturenames", ()):
        half = "desk" if item.path.stem in AT_THE_DESK else "site"
        item.add_marker(pytest.mark.xdist_group(half))
