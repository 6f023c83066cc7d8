"""Somebody without an account reports from a phone: the place is chosen on a map, by hand and by keys."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from .browsers import PHONE, opened

pytestmark = pytest.mark.e2e


def test_a_place_is_chosen_on_the_map_without_an_account_and_reported(chromium: Browser, site: Any) -> None:
    page = opened(chromium, site, "", viewport=PHONE, has_touch=True)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(site.url)))
    page.goto(f"{site.url}/public/report/")
    page.locator("[data-on-map]").click()
    take, at, words = (
        page.locator("[data-take]"),
        page.locator("[data-at]"),
        re.compile(r"^(.*?)(-?\d+\.\d+), (\d+\.\d+)"),
    )
    expect(take).to_be_visible(timeout=60_000)
    expect(page.locator("#map-dialog [data-map=ready]")).to_be_visible(timeout=60_000)

    def place() -> tuple[float, float]:
        found = words.match(at.inner_text())
        assert found, at.inner_text()
        return float(found[2]), float(found[3])

    before = place()
    page.locator("[data-move=south]").press("Enter")
    page.locator("[data-move=west]").press("Enter")
    expect(at).not_to_contain_text(f"{before[1]:.5f}")
    assert place()[0] < before[0] and place()[1] < before[1]
    canvas = page.locator("#map-dialog canvas")
    before = place()
    canvas.focus()
    canvas.press("ArrowUp")
    expect(at).not_to_contain_text(f"{before[0]:.5f}")
    assert place()[0] > before[0], "the map listens to the keys itself"
    box = canvas.bounding_box()
    assert box
    page.locator("[data-move=out]").click()
    page.touchscreen.tap(box["x"] + 4, box["y"] + box["height"] / 2)
    expect(at).to_contain_text("lies outside the city")
    take.click()
    expect(page.locator("#map-dialog")).to_be_visible()
    right, middle = box["x"] + box["width"] - 10, box["y"] + box["height"] / 2
    page.mouse.move(right, middle)
    page.mouse.down()
    page.mouse.move(right - box["width"] / 2, middle, steps=6)
    page.mouse.up()
    expect(at).to_contain_text(re.compile(r"(District|County) · "))
    chosen = place()
    take.click()
    expect(page.locator("#map-dialog")).to_be_hidden()
    assert float(page.locator("#id_lat").input_value()) == pytest.approx(chosen[0], abs=1e-5)
    assert float(page.locator("#id_lon").input_value()) == pytest.approx(chosen[1], abs=1e-5)
    page.locator("#id_matter").select_option("XF-001")
    page.get_by_role("button", name="Go on").click()
    page.locator("#id_description").fill("楼道堆满纸箱")
    page.get_by_role("button", name="Send the report").click()
    expect(page.get_by_text("Your report has been received")).to_be_visible()
    page.locator("[data-places]").scroll_into_view_if_needed()
    expect(page.locator("[data-places] [data-map=ready]")).to_be_visible(timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert any(path.startswith("/public/map/") for path in asked)
    assert [path for path in asked if path.startswith(("/tiles/", "/api/"))] == []
    assert page.complaints == []
    page.context.close()


def test_without_javascript_the_place_is_typed(chromium: Browser, site: Any) -> None:
    page = opened(chromium, site, "", viewport=PHONE, java_script_enabled=False)
    page.goto(f"{site.url}/public/report/")
    assert page.locator("[data-on-map]").is_hidden() and page.locator("[data-position]").is_hidden()
    page.locator("#id_matter").select_option("XF-001")
    page.locator("#id_lat").fill("37.45")
    page.locator("#id_lon").fill("118.53")
    page.get_by_role("button", name="Go on").click()
    assert page.locator("#id_description").is_visible()
    page.context.close()
