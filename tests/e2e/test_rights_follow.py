"""S4 and S5 on the running site: an open socket follows a change of rights within five seconds, and hears nothing after."""

import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from http.cookiejar import CookieJar
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.running import Instance, scales

from .test_reliability import FILING, filing

RIGHTS_CHANGED = 4408
LIMIT_S = 5.0


class Browser:
    """What a browser is to our forms: cookies, and the token of the form sent back."""

    def __init__(self, site: Instance) -> None:
        self.site, self.jar = site, CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def cookie(self, name: str) -> str:
        return next((cookie.value or "" for cookie in self.jar if cookie.name == name), "")

    def post(self, path: str, **fields: str) -> int:
        """Send a form from its own page; return the last status."""
        if not self.cookie("csrftoken"):
            self.opener.open(f"{self.site.url}/login/", timeout=60).read()
        fields["csrfmiddlewaretoken"] = self.cookie("csrftoken")
        request = urllib.request.Request(
            self.site.url + path, urllib.parse.urlencode(fields).encode(), {"Origin": self.site.url}
        )
        with self.opener.open(request, timeout=60) as answer:
            answer.read()
            return answer.status

    def sign_in(self, username: str, password: str) -> None:
        self.post("/login/", username=username, password=password)
        assert self.cookie("session"), "not signed in"


class Person:
    """An account of the test's own on the site, put back as it was after each change."""

    def __init__(self, site: Instance) -> None:
        self.site = site
        self.given = site.account("operator", 1)
        self.browser = Browser(site)
        self.row = site.query(
            "SELECT id, role, area_code, is_active, password FROM accounts_user WHERE username = %s",
            self.given["username"],
        )[0]
        self.browser.sign_in(self.given["username"], self.given["password"])
        self.token = ""

    def change(self, column: str, value: Any) -> None:
        self.site.query(f"UPDATE accounts_user SET {column} = %s WHERE id = %s", value, self.row[0])

    def put_back(self) -> None:
        self.site.query(
            "UPDATE accounts_user SET role = %s, area_code = %s, is_active = %s, password = %s WHERE id = %s",
            *self.row[1:], self.row[0],
        )  # fmt: skip
        self.site.query("DELETE FROM accounts_accesstoken WHERE user_id = %s AND label = 'S4'", self.row[0])

    def new_token(self) -> str:
        """Make a token as a person does, on the page of the own account."""
        request = {"label": "S4", "csrfmiddlewaretoken": self.browser.cookie("csrftoken")}
        data = urllib.parse.urlencode(request).encode()
        headers = {"Origin": self.site.url}
        page = self.browser.opener.open(urllib.request.Request(f"{self.site.url}/account/", data, headers), timeout=60)
        text = page.read().decode()
        self.token = text[text.index("cs_") :].split("<")[0].split('"')[0].strip()
        return self.token

    def revoke(self) -> None:
        [(pk,)] = self.site.query(
            "SELECT max(id) FROM accounts_accesstoken WHERE user_id = %s AND label = 'S4'", self.row[0]
        )
        self.browser.post(f"/account/tokens/{pk}/revoke/")

    def new_password(self) -> None:
        fresh = "Quite-another-4711-word"
        old = self.given["password"]
        self.browser.post("/account/password/", old_password=old, new_password1=fresh, new_password2=fresh)


CHANGES: dict[str, Callable[[Person], Any]] = {
    "role": lambda who: who.change("role", "auditor"),
    "area": lambda who: who.change("area_code", "370503"),
    "switched off": lambda who: who.change("is_active", False),
    "password": Person.new_password,
    "signed out": lambda who: who.browser.post("/logout/"),
    "token revoked": Person.revoke,
}


def line_of(site: Instance, who: Person, by_token: bool) -> ClientConnection:
    headers = {"Authorization": f"Token {who.new_token()}"} if by_token else {
        "Cookie": f"session={who.browser.cookie('session')}", "Origin": site.url,
    }  # fmt: skip
    address = f"ws://127.0.0.1:{site.port}/ws/live/"
    return connect(address, additional_headers=headers, compression=None, max_size=None, open_timeout=30)


def last_heard(line: ClientConnection) -> tuple[int, float]:
    """Read until the line is closed; return the code and when the last frame came."""
    heard = 0.0
    try:
        while True:
            line.recv(30)
            heard = time.monotonic()
    except ConnectionClosed as closed:
        return (closed.rcvd.code if closed.rcvd else 0), heard


@scales(short=1, long=10)
def test_s4_a_socket_follows_rights_and_hears_nothing_after(site: Instance, scale: int, say) -> None:
    _status, body = site.api("grid_worker").get("/api/v1/cells/?page_size=1&kind=base")
    place, over = body["results"][0]["centre"], threading.Event()

    def go_on() -> None:
        while not over.is_set():
            site.api("grid_worker").post(FILING, filing(place, "S4"))
            time.sleep(0.3)

    news = threading.Thread(target=go_on)
    news.start()
    took: dict[str, list[float]] = {name: [] for name in CHANGES}
    late = 0
    try:
        for _ in range(scale):
            for name, change in CHANGES.items():
                who = Person(site)
                try:
                    with line_of(site, who, by_token=name == "token revoked") as line:
                        line.recv(30)
                        change(who)
                        changed_at = time.monotonic()
                        code, heard = last_heard(line)
                        closed_at = time.monotonic()
                    assert code == RIGHTS_CHANGED, f"{name}: {code}"
                    took[name].append(closed_at - changed_at)
                    late += heard - changed_at > LIMIT_S
                finally:
                    who.put_back()
    finally:
        over.set()
        news.join(60)
    slowest = max(max(times) for times in took.values())
    each = ", ".join(f"{name} {max(times):.1f} s" for name, times in took.items())
    say(
        f"S4: changes {sum(map(len, took.values()))}, closed with 4408 after at most {slowest:.1f} s ({each}); frames later than 5 s {late}"
    )
    assert slowest <= LIMIT_S
    assert late == 0


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "", None])
def test_a_socket_with_a_cookie_opens_only_to_pages_of_the_site(site: Instance, origin: str | None) -> None:
    who = Person(site)
    headers = {"Cookie": f"session={who.browser.cookie('session')}"} | ({} if origin is None else {"Origin": origin})
    with pytest.raises(InvalidStatus, match="403"):
        connect(f"ws://127.0.0.1:{site.port}/ws/live/", additional_headers=headers)


def test_a_form_from_another_site_is_refused_by_the_running_site(site: Instance) -> None:
    who = Person(site)
    hazard = uuid.uuid4()
    for path in ("/logout/", "/account/", f"/api/v1/hazards/{hazard}/accept/"):
        request = urllib.request.Request(site.url + path, b"x=1", {"Origin": "http://evil.example"})
        with pytest.raises(urllib.error.HTTPError, match="403"):
            who.browser.opener.open(request, timeout=60)
    assert who.browser.opener.open(f"{site.url}/account/", timeout=60).geturl().endswith("/account/"), "still signed in"
