"""Supervision in the browser: several notices signed at once, majors to a second person, an answer given and judged."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.running import Instance, until

from .browsers import launch, opened
from .cases import overdue_cases


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        made = launch(playwright)
        yield made
        made.close()


def notices(site: Instance, cases: list[str]) -> list[dict[str, Any]]:
    """Return the newest notice of each case."""
    found = [site.api("supervisor").get(f"/api/v1/supervision/?hazard={case}")[1]["results"] for case in cases]
    return [rows[0] for rows in found]


def take(page: Page, action: str, **fields: str) -> None:
    """Fill the form of a step and send it."""
    form = page.locator(f"form[data-step={action}]")
    if not form.is_visible():
        page.locator(f"details:has(form[data-step={action}]) > summary").click()
    for name, value in fields.items():
        form.locator(f"[name={name}]").fill(value)
    with page.expect_navigation(timeout=30_000):  # the page loads itself anew when the step was taken
        form.locator("[data-send]").click()


def test_a_supervisor_signs_four_of_six_at_once_and_sends_two_to_a_second_person(site: Instance, browser: Browser):
    cases = overdue_cases(site, 6, major=2)
    page = opened(browser, site, "supervisor")
    page.goto(f"{site.url}/supervision/")
    for case in cases:
        page.check(f"[name=hazard][value='{case}']")
    page.click("[data-try]")
    expect(page.locator("[data-sum]")).to_have_text("4 can be signed, 2 go to a second signature, 0 are not signed")
    page.click("[data-prepare]")
    sign = page.locator("[data-sign]")
    expect(sign).to_have_text("Sign 4, send 2 to a second signature", timeout=60_000)
    sign.click()
    page.wait_for_selector("[data-bulk][data-done=true]", timeout=60_000)
    assert page.complaints == []
    rows = notices(site, cases)
    assert sorted(row["state"] for row in rows) == ["issued"] * 4 + ["review"] * 2
    numbers = [row["number"] for row in rows if row["number"]]
    assert len(set(numbers)) == 4

    gone = next(row for row in rows if row["state"] == "issued")
    page.goto(f"{site.url}/supervision/notices/{gone['id']}/")
    take(page, "withdraw", words="单位已完成整改")
    page.goto(f"{site.url}/supervision/register/")
    row = page.locator("tr", has_text=gone["number"])
    expect(row).to_contain_text("withdrawn")  # the number stays, and says what became of it
    expect(page.locator("main")).to_contain_text("none is missing")

    major = next(row for row in rows if row["state"] == "review")
    page.goto(f"{site.url}/supervision/notices/{major['id']}/")
    assert page.locator("form[data-step=issue]").count() == 0
    assert page.locator("form[data-prepare]").count() == 0  # who signed first does not sign second

    second = opened(browser, site, "supervisor", 1)
    second.goto(f"{site.url}/supervision/notices/{major['id']}/")
    second.click("form[data-prepare] button")
    second.wait_for_selector("form[data-step=issue]", timeout=30_000)
    seen = second.request.get(f"{site.url}/api/v1/supervision/{major['id']}/document.pdf").body()
    second.wait_for_selector("[data-page='1']")
    take(second, "issue")
    done = notices(site, [major["hazard"]["id"]])[0]
    assert (done["state"], done["document"]["sha256"]) == ("issued", hashlib.sha256(seen).hexdigest())
    for one in (page, second):
        one.context.close()


def test_keys_alone_open_a_case_choose_it_and_try_signing(site: Instance, browser: Browser):
    cases = overdue_cases(site, 2, days=30)  # longer over than those of other journeys: the first rows of the list
    page = opened(browser, site, "supervisor")
    page.goto(f"{site.url}/supervision/?search=督办")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("tr.sum dl.sums")).to_be_visible(timeout=10_000)
    expect(page.locator("#case [data-draft], #case [data-only]").first).to_be_visible()
    assert "case=" in page.url
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-chosen]")).to_have_text("2 chosen")
    page.keyboard.press("t")
    expect(page.locator("[data-rows] tr")).to_have_count(2)
    page.keyboard.press("?")
    expect(page.locator("#keys-help")).to_be_visible()
    page.uncheck("[data-keys-on]")
    page.keyboard.press("Escape")
    page.reload()
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert page.locator("[name=hazard]:checked").count() == 0  # switched off, letters are no keys
    assert cases
    assert page.complaints == []
    page.context.close()


def test_an_open_row_has_no_serious_barrier_and_the_desk_fits_its_sizes(site: Instance, browser: Browser):
    overdue_cases(site, 1)
    page = opened(browser, site, "supervisor")
    page.goto(f"{site.url}/supervision/")
    page.locator("tr[data-row]").first.click(position={"x": 200, "y": 8})
    page.wait_for_selector("#case [data-part=paper]")
    for theme in ("light", "dark"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        page.wait_for_timeout(400)  # colours change within a quarter of a second
        found = [row for row in Axe().run(page).response["violations"] if row["impact"] in ("serious", "critical")]
        assert found == [], (theme, [(row["id"], row["nodes"][0]["html"]) for row in found])
    for size in ((1440, 900), (1920, 1080), (390, 844)):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.goto(f"{site.url}/supervision/")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), size
        if size[0] > 1000:
            assert page.evaluate("document.documentElement.scrollHeight <= innerHeight"), size
    page.context.close()


def test_a_unit_answers_late_and_its_answer_is_judged(site: Instance, browser: Browser, tmp_path):
    [case] = overdue_cases(site, 1)
    supervisor = site.api("supervisor")
    page = opened(browser, site, "supervisor")
    page.goto(f"{site.url}/supervision/")
    page.check(f"[name=hazard][value='{case}']")
    page.click("[data-try]")
    page.click("[data-prepare]")
    page.locator("[data-sign]").click(timeout=30_000)
    page.wait_for_selector("[data-bulk][data-done=true]", timeout=30_000)
    notice = notices(site, [case])[0]
    site.query(
        "UPDATE projects_overduenotice SET reply_due_at = now() - interval '1 minute' WHERE id = %s", notice["id"]
    )
    until(lambda: supervisor.get(f"/api/v1/supervision/{notice['id']}/")[1]["unanswered"], 90)
    inbox = "/api/v1/notices/?topic=supervision.reminder"
    until(
        lambda: any(notice["id"] in one["path"] for one in site.api("department_handler").get(inbox)[1]["results"]), 30
    )

    unit = opened(browser, site, "department_handler")
    unit.goto(f"{site.url}/supervision/notices/{notice['id']}/")
    take(unit, "receive")
    picture = tmp_path / "done.png"
    unit.screenshot(path=picture)
    unit.set_input_files("input[id='answer-answer']", picture)
    take(unit, "answer", words="已完成整改并复查")
    assert supervisor.get(f"/api/v1/supervision/{notice['id']}/")[1]["unanswered"] is False

    page.goto(f"{site.url}/supervision/notices/{notice['id']}/")
    assert "已完成整改并复查" in page.inner_text(".chain")
    take(page, "accept_answer")
    assert notices(site, [case])[0]["state"] == "closed"
    assert [*page.complaints, *unit.complaints] == []
    page.goto(f"{site.url}/supervision/register/")
    expect(page.locator("main")).to_contain_text("none is missing")
    for one in (page, unit):
        one.context.close()
