"""What browser journeys and tests of reliability share: the running instance, and the wall to hang up in front of it."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.running import Instance

from .browsers import launch
from .walls import Wall, file_hazard, hanging

AT_THE_DESK = {
    "test_bulk",
    "test_centre",
    "test_desk",
    "test_figures",
    "test_levels",
    "test_life",
    "test_limits",
    "test_public",
    "test_supervision",
}


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


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def hang(chromium: Browser, site: Instance) -> Iterator[Callable[..., Wall]]:
    """Hang up a wall: as a role (or the screen's own), at a size, in a language; through a proxy's port."""
    with hanging(chromium, site) as put:
        yield put


@pytest.fixture(scope="module")
def place(site: Instance) -> dict[str, float]:
    """A point well inside a cell of the worker's area."""
    _status, body = site.api("grid_worker").get("/api/v1/cells/?page_size=1&kind=base")
    return body["results"][0]["centre"]


@pytest.fixture
def file_one(site: Instance, place: dict[str, float]) -> Callable[[], str]:
    """File a hazard as the phone does; return its id."""
    return lambda: file_hazard(site, place)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Part what uses an instance into two halves of like length, each kept on one worker of xdist."""
    if "site" in getattr(item, "fixturenames", ()):
        half = "desk" if item.path.stem in AT_THE_DESK else "site"
        item.add_marker(pytest.mark.xdist_group(half))
