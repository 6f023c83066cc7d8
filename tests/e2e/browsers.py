"""Chromium for the journeys: signed in once a role, at the sizes that the pages are made for."""

import json
import shutil
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, WebSocketRoute

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
    page.on("response", lambda answer: page.complaints.append(answer.url) if answer.status >= 500 else None)
    return page


def speaks_of_another_version(page: Page) -> None:
    """Let every heartbeat name another version than the one the page came from, as after an upgrade."""

    def through(line: WebSocketRoute) -> None:
        server = line.connect_to_server()

        def hear(text: str | bytes) -> None:
            frame = json.loads(text)
            line.send(json.dumps({**frame, "version": "newer"} if frame["type"] == "heartbeat" else frame))

        server.on_message(hear)

    page.route_web_socket("**/ws/live/**", through)
