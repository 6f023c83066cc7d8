"""A dispatcher takes one step with several cases, by keyboard alone: filter, tick, try, confirm, see what became of them."""

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from .browsers import launch, opened

pytestmark = pytest.mark.e2e


@pytest.fixture
def desk(site: Any) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = opened(browser, site, "dispatcher", language="en")
        yield page
        page.context.close()
        browser.close()


def filed(site: Any, words: str, number: int) -> list[str]:
    """File so many cases of the same words at one place; return their numbers."""
    worker = site.api("grid_worker")
    place = worker.get("/api/v1/cells/?page_size=1&kind=base")[1]["results"][0]["centre"]
    matter = worker.get("/api/v1/matters/?page_size=1")[1]["results"][0]["code"]
    numbers = []
    for _n in range(number):
        body = {
            "id": str(uuid.uuid4()), "matter": matter, "severity": "general", "description": words, "cell": None,
            "location": {**place, "accuracy_m": 8, "datum": "wgs84"}, "handled_on_spot": False,
            "occurred_at": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        status, answer = worker.post("/api/v1/hazards/", body)
        assert status == 201, answer
        numbers.append(answer["number"])
    return numbers


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until something has the focus."""
    for _n in range(120):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} is not reached by Tab")


def test_several_cases_are_accepted_by_keyboard_alone(site, desk):
    words = f"bulk {uuid.uuid4().hex[:8]}"
    numbers = filed(site, words, 4)
    desk.goto(f"{site.url}/hazards/")
    desk.keyboard.press("/")
    desk.keyboard.type(words)
    desk.keyboard.press("Enter")
    rows = desk.locator("#list tr[data-href]")
    expect(rows).to_have_count(4)

    tab_to(desk, "#list tr[data-href]")
    desk.keyboard.press("Space")
    desk.keyboard.press("Shift+ArrowDown")
    desk.keyboard.press("Shift+ArrowDown")
    expect(desk.locator("#list input[name=hazard]:checked")).to_have_count(3)
    expect(desk.locator("[data-ticked]")).to_have_text("3 ticked")
    chosen = rows.locator("a").all_text_contents()[:3]
    assert set(chosen) < set(numbers)

    for _n in range(20):  # back to the bar above the rows
        if desk.evaluate("document.activeElement.id") == "bulk-action":
            break
        desk.keyboard.press("Shift+Tab")
    desk.keyboard.type("Accept")
    desk.keyboard.press("Tab")
    desk.keyboard.press("Enter")
    desk.wait_for_url(re.compile(r"/hazards/bulk/[0-9a-f-]{36}/$"))
    expect(desk.locator(".run-sums")).to_contain_text(re.compile(r"3\s+will be done"))

    expect(desk.locator(".run-form button.is-main")).to_be_focused()
    desk.keyboard.press("Enter")
    expect(desk.locator(".run-sums")).to_contain_text(re.compile(r"3\s+done"))
    states = {
        row["number"]: row["state"]
        for row in site.api("dispatcher").get(f"/api/v1/hazards/?search={words.replace(' ', '%20')}")[1]["results"]
    }
    assert states == {number: "accepted" if number in chosen else "reported" for number in numbers}
    assert desk.complaints == []


def test_more_than_fifty_are_done_by_a_worker_while_the_page_shows_how_far_it_is(site, desk):
    words = f"many {uuid.uuid4().hex[:8]}"
    filed(site, words, 55)
    desk.goto(f"{site.url}/hazards/?search={words.replace(' ', '+')}&open=true")
    desk.get_by_label("all 55 that fit the filter").check()
    desk.locator("#bulk-action").select_option("accept")
    desk.get_by_role("button", name="Try first").click()
    expect(desk.locator(".run-sums")).to_contain_text(re.compile(r"55\s+will be done"))
    desk.locator(".run-form button.is-main").click()

    expect(desk.locator(".run-sums")).to_contain_text(re.compile(r"55\s+done"), timeout=60_000)
    expect(desk.locator("#run progress")).to_have_count(0)
    expect(desk.locator("#run h2")).to_have_text(["Done"])
    assert desk.complaints == []
