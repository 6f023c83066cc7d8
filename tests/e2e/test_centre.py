"""The console in the browser: the work of a shift by keyboard alone, colleagues at the same case, what goes wrong; the leader's screen."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.running import Instance, until

from .browsers import DESK, PHONE, launch, opened, speaks_of_another_version
from .cases import reported_cases, take_steps
from .test_desk import faults

pytestmark = pytest.mark.e2e
WITHIN_S = 2.0


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        made = launch(playwright)
        yield made
        made.close()


def console(browser: Browser, site: Instance, address: str = "", role: str = "dispatcher", **more: Any) -> Page:
    """Open the console and wait until it is live."""
    page = opened(browser, site, role, **more)
    page.goto(f"{site.url}/centre/{address}")
    page.wait_for_selector("#connection[data-state=live]", timeout=30_000)
    return page


def state(site: Instance, case: str) -> str:
    found: str = site.api("dispatcher").get(f"/api/v1/hazards/{case}/")[1]["state"]
    return found


def row(case: str) -> str:
    return f"#rows li[data-id='{case}']"


def walk_to(page: Page, case: str) -> None:
    """Press J, and at the end K, until the row of a case has the focus."""
    for key in ("j", "k"):
        at = None
        while (now := page.evaluate("document.activeElement.dataset.id")) != at or at is None:
            if now == case:
                return
            at = now
            page.keyboard.press(key)
            at = at or ""
    raise AssertionError(f"{case} was not reached by J and K")


def test_an_operator_works_by_keyboard_only(site: Instance, browser: Browser):
    first, second, third = reported_cases(site, 3)
    for case in (second, third):
        take_steps(site, case["id"], ("accept", {}))
    page = console(browser, site, f"?area={first['cell']}")

    page.keyboard.press("/")
    page.keyboard.type(first["number"])
    expect(page.locator("#found [role=option]").first).to_contain_text(first["number"])
    page.keyboard.press("Enter")
    page.wait_for_selector(f"#case .case[data-hazard='{first['id']}']")
    assert page.evaluate("document.activeElement.tagName") == "H2"
    assert f"case=hazard:{first['id']}" in page.url

    page.keyboard.press("a")
    page.wait_for_selector("#case .case[data-state=accepted]")
    page.keyboard.press("d")
    assert page.evaluate("document.activeElement.name") == "department"
    page.keyboard.press("Enter")
    page.wait_for_selector("#case .case[data-state=dispatched]")
    assert state(site, first["id"]) == "dispatched"
    page.keyboard.press("Escape")  # out of the case, into the list

    for case in (second, third):
        walk_to(page, case["id"])
        page.keyboard.press("x")
        assert page.get_attribute(row(case["id"]), "aria-selected") == "true"
    page.keyboard.press("d")
    send = page.locator("#bulk [data-send]")
    expect(send).to_be_focused()
    expect(send).to_have_text("Dispatch 2")
    page.keyboard.press("Enter")
    expect(page.locator("#going [data-row-state=held]")).to_have_count(2)
    assert page.evaluate("Boolean(document.activeElement.dataset.undo)")  # the focus is where it can be taken back
    undone = page.evaluate("document.activeElement.closest('li').innerText")
    page.keyboard.press("Enter")
    expect(page.locator("#going [data-row-state=undone]")).to_have_count(1)
    expect(page.locator("#going [data-row-state=sent]")).to_have_count(1, timeout=25_000)
    kept, sent = (second, third) if second["number"] in undone else (third, second)
    assert (state(site, kept["id"]), state(site, sent["id"])) == ("accepted", "dispatched")

    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Tab")
    page.locator("#keys-on").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") != "search"  # single letters are off
    page.evaluate("localStorage.clear()")
    assert page.complaints == []
    page.context.close()


def test_a_batch_goes_out_though_the_page_is_closed(site: Instance, browser: Browser):
    [case] = reported_cases(site, 1)
    take_steps(site, case["id"], ("accept", {}))
    page = console(browser, site, f"?area={case['cell']}&filter=dispatch")
    walk_to(page, case["id"])
    page.keyboard.press("x")
    page.keyboard.press("d")
    expect(page.locator("#bulk [data-send]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#going [data-row-state=held]")).to_have_count(1)
    page.context.close()
    until(lambda: state(site, case["id"]) == "dispatched", 25)


def test_two_at_the_same_case_see_each_other_and_see_it_end(site: Instance, browser: Browser, say):
    [case] = reported_cases(site, 1)
    address = f"?area={case['cell']}"
    mine = console(browser, site, address)
    other = console(browser, site, address, role="operator")
    wall = opened(browser, site, "operator")
    heard: list[str] = []
    wall.on("websocket", lambda socket: socket.on("framereceived", lambda text: heard.append(str(text))))
    wall.goto(f"{site.url}/wall/")
    other.evaluate(
        """id => new MutationObserver(() => {
             const at = document.querySelector(`#rows li[data-id="${id}"] .whose b`);
             if (at && !window.seenAt) window.seenAt = Date.now();
           }).observe(document.getElementById('rows'), {subtree: true, childList: true})""",
        case["id"],
    )
    walk_to(mine, case["id"])
    mine.evaluate("window.openedAt = Date.now()")
    mine.keyboard.press("Enter")
    expect(other.locator(f"{row(case['id'])} .whose b")).to_contain_text("* is at it")
    took_s = (other.evaluate("window.seenAt") - mine.evaluate("window.openedAt")) / 1000
    say(f"presence: {took_s:.2f} s from Enter in one browser to the name in the other")
    assert took_s < WITHIN_S

    walk_to(other, case["id"])
    other.keyboard.press("Enter")
    expect(mine.locator("#case [data-with]")).to_contain_text("has this case open too")
    mine.context.close()
    expect(other.locator("#case [data-with]")).to_be_hidden(timeout=10_000)
    assert not [text for text in heard if "presence" in text]
    other.context.close()
    wall.context.close()


def test_news_waits_while_somebody_is_in_the_list_and_a_figure_equals_its_list(site: Instance, browser: Browser):
    [case] = reported_cases(site, 1)
    page = console(browser, site, f"?area={case['cell']}&filter=accept")
    page.keyboard.press("j")
    before = page.locator("#rows li[data-id]").evaluate_all("rows => rows.map(row => row.dataset.id)")
    [fresh] = reported_cases(site, 1)
    chip = page.locator(".frozen .more")
    expect(chip).to_have_text("1 new ▲", timeout=15_000)
    assert page.locator("#rows li[data-id]").evaluate_all("rows => rows.map(row => row.dataset.id)") == before
    page.keyboard.press("n")
    expect(page.locator(row(fresh["id"]))).to_be_visible()
    shown = int(page.inner_text("[data-figure='queue.accept']"))
    expect(page.locator("#rows li[data-id]")).to_have_count(shown)
    page.context.close()


def test_what_another_did_meanwhile_stands_beside_what_was_written(site: Instance, browser: Browser):
    [case] = reported_cases(site, 1)
    page = console(browser, site, f"?case=hazard:{case['id']}")
    page.wait_for_selector("#case .case")
    page.keyboard.press("r")
    page.keyboard.type("不属实，现场无隐患")
    assert page.input_value("#case form[data-step=refuse] textarea") == "不属实，现场无隐患"  # and no “r” before it
    take_steps(site, case["id"], ("accept", {}))
    expect(page.locator("#case [data-said]")).to_contain_text("changed since you opened it", timeout=20_000)
    page.keyboard.press("Tab")
    page.locator("#case form[data-step=refuse] [data-send]").press("Enter")
    versus = page.locator("#case .versus")
    expect(versus).to_contain_text("不属实，现场无隐患")
    expect(versus).to_contain_text("Accepted")
    versus.locator("[data-reload]").press("Enter")
    page.wait_for_selector("#case .case[data-state=accepted]")
    expect(page.locator("#case [data-left-over=refuse]")).to_contain_text("不属实，现场无隐患")
    assert state(site, case["id"]) == "accepted"
    page.context.close()


def test_a_line_that_is_down_is_told_and_what_was_known_stays(site: Instance, browser: Browser):
    [case] = reported_cases(site, 1)
    page = console(browser, site, f"?area={case['cell']}")
    page.context.set_offline(True)
    page.wait_for_selector("#queue.is-stale", timeout=20_000)
    expect(page.locator("#banner")).to_contain_text("Not live")
    assert page.locator(row(case["id"])).count() == 1
    walk_to(page, case["id"])
    page.keyboard.press("Enter")
    expect(page.locator("#case .failed")).to_contain_text("no connection")
    page.context.set_offline(False)
    page.wait_for_selector("#queue:not(.is-stale)", timeout=30_000)
    page.locator("#case .failed button").press("Enter")
    page.wait_for_selector(f"#case .case[data-hazard='{case['id']}']")
    page.context.close()


@pytest.mark.parametrize(
    ("language", "theme", "size"),
    [("zh-hans", "dark", DESK), ("en", "light", DESK), ("en", "dark", {"width": 1920, "height": 1080})],
)
def test_the_console_is_accessible_quiet_and_fits(site: Instance, browser: Browser, language, theme, size):
    [case] = reported_cases(site, 1)
    page = opened(browser, site, "dispatcher", language=language, viewport=size)
    page.context.add_cookies([{"name": "theme", "value": theme, "url": site.url}])
    page.goto(f"{site.url}/centre/?case=hazard:{case['id']}")
    page.wait_for_selector("#case .case")
    page.wait_for_selector("#map[data-map=ready]", timeout=60_000)
    found = faults(page, "centre/")
    tall = page.evaluate("document.documentElement.scrollHeight - document.documentElement.clientHeight")
    widths = page.evaluate(
        "[...document.querySelectorAll('.centre main > .panel')].map(p => p.getBoundingClientRect().width)"
    )
    if size == DESK:
        assert (widths[0], widths[2]) == (26 * 16, 30.5 * 16)
    page.keyboard.press("?")
    found += faults(page, "centre/ help")
    page.context.close()
    assert (found, tall) == ([], 0)


@pytest.mark.parametrize(
    ("language", "theme", "size"), [("zh-hans", "light", PHONE), ("en", "dark", PHONE), ("en", "light", DESK)]
)
def test_the_leaders_screen_is_accessible_quiet_fits_and_follows_the_news(site, browser, language, theme, size):
    page = opened(browser, site, "leader", language=language, viewport=size)
    page.context.add_cookies([{"name": "theme", "value": theme, "url": site.url}])
    page.goto(f"{site.url}/leader/")
    page.wait_for_selector("#connection[data-state=live]", timeout=30_000)
    found = faults(page, "leader/")
    figure = page.locator(".figures-2 [data-figure='hazards.found_today']")
    before = figure.inner_text()
    begun = time.monotonic()
    reported_cases(site, 1)
    expect(figure).not_to_have_text(before, timeout=5_000)
    assert time.monotonic() - begun < 5
    link = page.locator(".figures-2 a").nth(3)
    value = link.locator("[data-figure]").inner_text()
    page.goto(site.url + link.get_attribute("href"))
    shown = page.inner_text(".list-head p")
    assert shown.replace(",", "").split()[0] == value.replace(",", "")
    page.context.close()
    assert found == []


def test_a_newer_version_is_told_and_taken_up_when_the_operator_says_so(site: Instance, browser: Browser):
    """W29."""
    [case] = reported_cases(site, 1)
    page = opened(browser, site, "dispatcher")
    speaks_of_another_version(page)
    page.goto(f"{site.url}/centre/?case=hazard:{case['id']}")
    expect(page.locator("#newer")).to_be_visible(timeout=30_000)
    with page.expect_navigation():
        page.click("#newer button")
    expect(page.locator("#case")).to_contain_text(case["number"])
    assert f"case=hazard:{case['id']}" in page.url


def test_a_page_of_this_version_tells_of_no_newer_one(site: Instance, browser: Browser):
    page = console(browser, site)
    time.sleep(1)
    expect(page.locator("#newer")).to_be_hidden()
