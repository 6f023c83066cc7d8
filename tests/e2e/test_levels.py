"""W8: the four levels are told apart without colour, by template match of their shapes in greyscale."""

import io
from collections.abc import Iterator

import numpy as np
import pytest
from django.template import Context, Template
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.running import ROOT

from .browsers import launch

pytestmark = pytest.mark.e2e

LEVELS = (1, 2, 3, 4)
MARK = Template("{% load people %}{% level number state word=False %}")
SIDE = 32  # of the pictures compared


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


def shapes(browser: Browser, theme: str, state: str, side: int) -> dict[int, np.ndarray]:
    """Draw the marks and return their shapes from a greyscale picture, SIDE × SIDE, 0 or 1."""
    css = "".join((ROOT / "static" / "css" / name).read_text() for name in ("tokens.css", "parts.css"))
    marks = "".join(f"<p>{MARK.render(Context({'number': level, 'state': state}))}</p>" for level in LEVELS)
    page = browser.new_page(reduced_motion="reduce")
    page.set_content(
        f'<html data-theme="{theme}"><style>{css} p {{ padding: 8px }} svg.mark {{ width: {side}px; height: {side}px }}</style>{marks}'
    )
    found = {}
    for level, place in zip(LEVELS, page.locator("p").all(), strict=True):
        grey = np.asarray(Image.open(io.BytesIO(place.screenshot())).convert("L"), dtype=int)
        found[level] = silhouette(grey)
    page.close()
    return found


def silhouette(grey: np.ndarray) -> np.ndarray:
    """Return what differs from the ground, filled: hollow marks are convex too."""
    differs = abs(grey - grey[0, 0]) > 24
    rows, columns = np.where(differs.any(1))[0], np.where(differs.any(0))[0]
    assert len(rows), "nothing to be seen"
    cut = differs[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    filled = (np.maximum.accumulate(cut, 1) & np.maximum.accumulate(cut[:, ::-1], 1)[:, ::-1]).astype(np.uint8)
    return np.asarray(Image.fromarray(filled * 255).resize((SIDE, SIDE))) > 127


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Return the share of the picture in which two shapes agree, of what either covers."""
    return float((one & other).sum() / (one | other).sum())


def test_every_level_is_known_by_its_shape_in_both_themes(chromium, capsys):
    templates = shapes(chromium, "light", "new", 96)
    sure, nearest_other = [], []
    for theme in ("light", "dark"):
        for state in ("new", "acknowledged"):
            for side in (27, 54):  # as in a row of the desk, and of the wall
                for level, shape in shapes(chromium, theme, state, side).items():
                    scores = {one: likeness(shape, template) for one, template in templates.items()}
                    best = max(scores, key=scores.__getitem__)
                    assert best == level, (theme, state, side, level, scores)
                    sure.append(scores[level])
                    nearest_other.append(max(score for one, score in scores.items() if one != level))
    with capsys.disabled():
        print(f"\nlevels in greyscale: own shape ≥ {min(sure):.2f}, any other ≤ {max(nearest_other):.2f}")
    assert min(sure) > max(nearest_other) + 0.05
