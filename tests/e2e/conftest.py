"""The running instance that browser journeys and tests of reliability share."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import Instance


@pytest.fixture(scope="session")
def site() -> Iterator[Instance]:
    """One new instance for all: whoever breaks something in it mends it again."""
    instance = Instance(Path(os.environ["CITYSAFETY_VAR"]) / "site")
    instance.services("down")  # of a run that was killed
    shutil.rmtree(instance.var)  # its tables may be those of an older state of the code
    instance.var.mkdir()
    instance.start()
    yield instance
    instance.stop()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Keep everything that uses the instance on one worker of xdist."""
    if "site" in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.xdist_group("site"))
