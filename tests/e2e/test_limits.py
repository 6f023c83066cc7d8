"""Limits and duplicates as their people change them: at the desk, by keyboard alone, in both languages."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.running import Instance

from .browsers import PHONE, opened
from .cases import reported_cases, take_steps

pytestmark = pytest.mark.e2e


def case_of(site: Instance, pk: str) -> Any:
    return site.api("dispatcher").get(f"/api/v1/hazards/{pk}/")[1]


def by_keys(page: Page, action: str, said: str, **fields: str) -> None:
    """Open a step's form, fill it and send it without a pointer."""
    form = page.locator(f"form[data-step={action}]")
    expect(form).to_have_attribute("data-ready", "yes")
    for box in ("details.beside-steps", f"details:has(> form[data-step={action}])"):
        found = page.locator(box)
        if found.count() and not found.evaluate("box => box.open"):
            found.locator("> summary").focus()
            page.keyboard.press("Enter")
    for name, value in fields.items():
        field = form.locator(f"[name={name}]")
        field.focus()
        if field.evaluate("input => input.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.press("Control+a")
            page.keyboard.type(value)
    form.locator("[data-send]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-said]")).to_contain_text(said, timeout=20_000)


def test_more_time_is_asked_granted_paused_and_cut_short_each_by_whose_it_is(site: Instance, chromium: Browser):
    [case] = [one["id"] for one in reported_cases(site, 1)]
    office = site.account("department_handler")["department"]
    take_steps(site, case, ("accept", {}), ("dispatch", {"department": office}))
    pages = {
        role: opened(chromium, site, role, language="zh-hans" if role == "department_handler" else "en")
        for role in ("department_handler", "dispatcher", "supervisor", "leader")
    }
    for page in pages.values():
        page.goto(f"{site.url}/hazards/{case}/")
    handler, dispatcher, supervisor, leader = pages.values()
    first = case_of(site, case)["due"]["at"]

    by_keys(handler, "ask_extension", "已办理：申请延期", amount="1", words="配件明日到货")
    expect(handler.locator(".case-top")).to_contain_text("申请延期")
    dispatcher.reload()
    assert "配件明日到货" in dispatcher.inner_text("form[data-step=grant_extension]")
    by_keys(dispatcher, "grant_extension", "Done: Grant the extension", words="同意")
    longer = case_of(site, case)["due"]["at"]
    assert longer > first

    supervisor.reload()
    by_keys(supervisor, "pause", "Done: Pause", cause="weather", words="暴雨")
    assert case_of(site, case)["due"] == {"stage": "rectify", "at": None, "reason": "paused"}
    expect(supervisor.locator(".case-top")).to_contain_text("Paused")
    handler.reload()
    assert handler.locator("form[data-step]").evaluate_all("forms => forms.map(form => form.dataset.step)") == [
        "resume"
    ]
    by_keys(handler, "resume", "已办理：恢复计时")
    leader.reload()
    by_keys(leader, "pin", "Done: Make it mine", amount="4", words="今天办结")
    assert case_of(site, case)["due"]["at"] < first

    dispatcher.reload()
    dispatcher.locator(".clock-changes summary").click()
    told = dispatcher.locator(".clock-changes li").all_inner_texts()
    assert [line.split(" · ")[0].split(" until ")[0] for line in told] == [
        "Extension of 1 working day", "Pause for “Weather that allows no work”", "Limit of 4 urgent hours set by a leader",
    ] or told[0].startswith("Extension of 1")  # fmt: skip
    found = [row for row in Axe().run(dispatcher).response["violations"] if row["impact"] in ("serious", "critical")]
    assert found == [], [(row["id"], row["nodes"][0]["html"]) for row in found]
    assert [said for page in pages.values() for said in page.complaints] == []
    for page in pages.values():
        page.context.close()


def test_two_reports_of_one_hazard_become_one_case_and_two_again(site: Instance, chromium: Browser):
    first, second = reported_cases(site, 2)
    page = opened(chromium, site, "dispatcher")
    page.goto(f"{site.url}/hazards/{second['id']}/")
    page.locator("details.bound summary").click()
    assert first["number"] in page.inner_text("ul.near")
    by_keys(page, "merge", "now stands at: Merged", into=first["number"])
    assert case_of(site, second["id"])["merged_into"] == first["id"]
    assert page.locator("form[data-step]").evaluate_all("forms => forms.map(form => form.dataset.step)") == ["unmerge"]

    phone = opened(chromium, site, "grid_worker", viewport=PHONE, has_touch=True)
    phone.goto(f"{site.url}/field/cases/{second['id']}/")
    expect(phone.locator("main")).to_contain_text("Merged")
    page.goto(f"{site.url}/hazards/{first['id']}/")
    assert second["number"] in page.inner_text(".bound")
    page.goto(f"{site.url}/hazards/{second['id']}/")
    by_keys(page, "unmerge", "now stands at: Reported", words="两处")
    assert case_of(site, second["id"])["merged_into"] is None
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
    assert page.complaints == [] and phone.complaints == []
    for one in (page, phone):
        one.context.close()
