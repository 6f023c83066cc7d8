"""Chromium for the journeys: signed in once a role, at the sizes that the pages are made for."""

import shutil
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Playwright

ARGS = [
    "--no-sandbox", "--disable-background-networking", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]  # fmt: skip
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
KEPT = ("session", "__Host-session", "csrftoken")
SESSIONS: dict[tuple[str, str, int], list[Any]] = {}


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGS)


def opened(browser: Browser, site: Any, role: str, number: int = 0, *, language: str = "en", **more: Any) -> Page:
    """Return a page of somebody who is signed in; ``page.complaints`` gathers what the console says."""
    context = browser.new_context(**{"viewport": DESK, **more})
    page = listening(context)
    if role:
        key = (site.url, role, number)
        if key not in SESSIONS:
            site.login(page, role, number)
            SESSIONS[key] = [cookie for cookie in context.cookies() if cookie["name"] in KEPT]
        context.add_cookies(SESSIONS[key])
    context.add_cookies([{"name": "django_language", "value": language, "url": site.url}])
    return page


def listening(context: BrowserContext) -> Page:
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda said: page.complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    return page
