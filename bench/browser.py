"""Chromium, signed in as somebody of the demo city: for what people see, not only what is sent to them."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

from . import city
from .servers import ROOT

FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
)
SIZE = {"width": 1920, "height": 1080}
PATIENCE_MS = 90_000  # for a map drawn without a graphics card


def cookie(role: str) -> dict[str, str]:
    """Return the cookie of a new session of the first account of a role whose area is the largest."""
    from django.conf import settings  # noqa: PLC0415  read once the bench has started Django
    from django.contrib import auth  # noqa: PLC0415
    from django.contrib.sessions.backends.cached_db import SessionStore  # noqa: PLC0415
    from django.http import HttpRequest  # noqa: PLC0415

    account = min(city.accounts(role), key=lambda row: len(row["area"] or ""))
    user = auth.get_user_model().objects.get(username=account["username"])
    request = HttpRequest()
    request.session = SessionStore()
    auth.login(request, user, backend=settings.AUTHENTICATION_BACKENDS[-1])
    request.session.save()
    return {"name": settings.SESSION_COOKIE_NAME, "value": request.session.session_key}


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """Run a browser, and have ready what pages load beside themselves. :raises RuntimeError: there is none here."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  of the tools for development: two benches need it

    path = shutil.which("chromium")
    if path is None:
        raise RuntimeError("needs chromium")
    subprocess.run([ROOT / "bin" / "setup", "static"], check=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def page(browser: Any, base: str, signed_in: dict[str, str]) -> Iterator[Any]:
    """Open a page of a browser that has seen nothing yet but the cookie."""
    context = browser.new_context(viewport=SIZE, locale="zh-CN")
    context.add_cookies([{**signed_in, "url": base}])
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE_MS)
    try:
        yield opened
    finally:
        context.close()
