"""One hazard from the phone to its write-off, through the pages that people use."""

import io
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from .browsers import PHONE, launch, opened

pytestmark = pytest.mark.e2e
FIGURES = ("hazards.found_today", "hazards.cleared_today", "hazards.open", "hazards.refused_today")


def figures(site: Any) -> dict[str, int]:
    _status, body = site.api("dispatcher").get("/api/v1/figures/?area=3705")
    return {row["key"]: row["value"] for row in body["figures"] if row["key"] in FIGURES}


def settled(site: Any, expected: dict[str, int]) -> dict[str, int]:
    """Wait until the relay has dealt what happened; return the figures as they then stand."""
    until = time.monotonic() + 30
    while figures(site) != expected and time.monotonic() < until:
        time.sleep(0.2)
    return figures(site)


def picture(folder: Path, seed: int) -> str:
    path = folder / f"{seed}.jpg"
    Image.linear_gradient("L").resize((1600, 1200)).rotate(seed * 41).convert("RGB").save(path, "JPEG")
    return str(path)


def take(page: Page, action: str, state: str) -> None:
    """Press the button of a step and wait for the page to say where the case now stands."""
    form = page.locator(f"form[data-step={action}]")
    expect(form).to_have_attribute("data-ready", "yes")
    form.locator("[data-send]").click()
    expect(page.locator("[data-said]")).to_contain_text(state, timeout=20_000)


def test_a_hazard_lives_from_the_phone_to_its_write_off(site, tmp_path):
    words = f"楼道堆物 {uuid.uuid4()}"
    before = figures(site)
    _status, cells = site.api("grid_worker").get("/api/v1/cells/?page_size=1&kind=base")
    place = cells["results"][0]["centre"]
    _status, matters = site.api("grid_worker").get("/api/v1/matters/?page_size=1000&special=false&severity=general")
    matter = next(row for row in matters["results"] if row["evidence"]["photos_after"] == 1)
    standing = {"longitude": place["lon"], "latitude": place["lat"], "accuracy": 8}
    phone = {"viewport": PHONE, "has_touch": True, "geolocation": standing, "permissions": ["geolocation"]}
    with sync_playwright() as playwright:
        browser = launch(playwright)

        # a worker files it on the phone, with a photo
        worker = opened(browser, site, "grid_worker", 0, **phone)
        worker.goto(f"{site.url}/field/report/")
        worker.wait_for_selector("form[data-ready]")
        with worker.expect_file_chooser() as chooser:
            worker.click("[data-strip=scene] [data-from=camera]")
        chooser.value.set_files(picture(tmp_path, 1))
        worker.locator("[data-strip=scene] [data-photo]").wait_for()
        worker.click("[data-matter-open]")
        worker.fill("[data-matter-search]", matter["code"])
        worker.click("[data-matter-list] button >> nth=0")
        worker.fill("#words", words)
        worker.click("button[form=report]")
        hazard = worker.wait_for_selector("[data-delivered]", timeout=30_000).get_attribute("data-delivered")
        case = f"{site.url}/hazards/{hazard}/"
        filed = {
            **before,
            "hazards.found_today": before["hazards.found_today"] + 1,
            "hazards.open": before["hazards.open"] + 1,
        }
        assert settled(site, filed) == filed

        # the dispatcher finds it in the queue, accepts and dispatches it
        dispatcher = opened(browser, site, "dispatcher")
        dispatcher.goto(f"{site.url}/hazards/")
        dispatcher.get_by_role("link", name="To accept").click()
        dispatcher.fill("#search", words)
        dispatcher.press("#search", "Enter")
        expect(dispatcher.locator("#list tbody tr")).to_have_count(1)
        dispatcher.click("#list tbody td.matter")
        dispatcher.wait_for_url(case)
        take(dispatcher, "accept", "Accepted")
        dispatcher.select_option("select[name=department]", site.account("department_handler")["department"])
        take(dispatcher, "dispatch", "Dispatched")

        # the handler takes it; without words and photo the rectification is not sent, with them it is
        handler = opened(browser, site, "department_handler")
        handler.goto(case)
        take(handler, "take", "Being rectified")
        form = handler.locator("form[data-step=rectify]")
        form.locator("[data-send]").click()
        expect(form.locator("[data-summary]")).to_be_focused()
        expect(form.locator("[data-field='photo:after'] .wrong")).to_have_text("Photos still missing: 1")
        expect(form.locator("[data-field=words] .wrong")).to_have_text("This step needs words.")
        form.locator("input[type=file]").set_input_files(picture(tmp_path, 2))
        form.locator("textarea").fill("已清理")
        take(handler, "rectify", "Awaiting verification")

        # who rectified does not verify: not offered, and refused by the API
        assert handler.locator("form[data-step]").count() == 0
        body = {"id": str(uuid.uuid4()), "version": 5, "location": {**place, "accuracy_m": 8, "datum": "wgs84"}}
        assert site.api("department_handler").post(f"/api/v1/hazards/{hazard}/verify/", body)[0] == 403

        # a second worker verifies it on the phone
        second = opened(browser, site, "grid_worker", 1, **phone)
        second.goto(f"{site.url}/field/cases/{hazard}/verify/")
        second.wait_for_selector("form[data-ready]")
        second.click(".thumb-bar .act-main")
        second.wait_for_selector("[data-delivered]", timeout=30_000)

        # the dispatcher writes it off; the page tells the whole story
        dispatcher.goto(case)
        take(dispatcher, "write_off", "Written off")
        story = dispatcher.locator(".chain .is-done .step").all_inner_texts()
        clocks = dispatcher.locator(".clock")
        sums = clocks.locator(".sums").evaluate_all("boxes => boxes.map(box => box.textContent)")
        photos = dispatcher.locator("#photos-title ~ * img, [aria-labelledby=photos-title] img")
        shown = [
            photos.nth(n).evaluate("async image => { await image.decode(); return image.naturalWidth }")
            for n in range(photos.count())
        ]
        complaints = [*worker.complaints, *dispatcher.complaints, *handler.complaints, *second.complaints]
        browser.close()

    assert story == [
        "Reported", "Accept", "Dispatch", "Take over", "Rectified", "Verification passed", "Write off",
    ]  # fmt: skip
    assert len(sums) == 3
    assert all("Limit" in text and "Counts" in text and "Due" in text for text in sums)
    assert len(shown) == 2 and all(shown)
    assert complaints == []
    ended = {
        **before,
        "hazards.found_today": before["hazards.found_today"] + 1,
        "hazards.cleared_today": before["hazards.cleared_today"] + 1,
    }
    assert settled(site, ended) == ended
    assert io.StringIO(site.manage("reconcile").stdout).read().strip()
