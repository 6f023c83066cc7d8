"""S5: no other site acts in the name of somebody who is signed in here, and none shows our pages in a frame."""

import json
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import resolve

from citysafety.accounts.models import AccessToken, User
from citysafety.accounts.roles import Role
from citysafety.live.door import Strange, welcome
from hazards.models import Step
from tests.accounts.people import PASSWORD

from .routes import CALLS, Call, admin_calls
from .world import CITY, ROLES, Side, World, everyone

pytestmark = pytest.mark.django_db

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
OUTSIDE = "https://evil.example"
DRESSES: dict[str, dict[str, str]] = {  # what a foreign page can make a browser send, and what it might pretend to be
    "form": {},
    "foreign origin": {"HTTP_ORIGIN": OUTSIDE, "HTTP_REFERER": f"{OUTSIDE}/page"},
    "null origin": {"HTTP_ORIGIN": "null"},
    "htmx": {
        "HTTP_HX_REQUEST": "true",
        "HTTP_HX_CURRENT_URL": "http://testserver/hazards/",
        "HTTP_HX_TARGET": "div#list",
    },
    "script": {"HTTP_X_REQUESTED_WITH": "XMLHttpRequest", "HTTP_SEC_FETCH_SITE": "same-origin"},
    "guessed token": {"HTTP_X_CSRFTOKEN": "a" * 64},
    "method override": {"HTTP_X_HTTP_METHOD_OVERRIDE": "GET"},
}


def unsafe_calls() -> list[tuple[str, Call]]:
    """Return every call that may change something."""
    return [(route, call) for route, calls in CALLS.items() for call in calls if call.method in UNSAFE]


def forged(client: Client, call: Call, side: Side, dress: dict[str, str]) -> Any:
    """Send what a page of another site can: the browser adds the session's cookie, a token of ours is not there."""
    path = call.path(side)
    if isinstance(call.body, bytes):
        return client.generic(call.method, path, call.body, content_type=call.content_type, **dress)
    if call.content_type == "application/json":
        return client.generic(call.method, path, json.dumps(call.body), content_type="text/plain", **dress)
    return client.post(path, call.body, **dress)


def rows_of() -> tuple[Any, ...]:
    """Return what a forged request might have changed."""
    people = list(User.objects.order_by("pk").values_list("pk", "language", "theme", "password", "role"))
    tokens = list(AccessToken.objects.order_by("pk").values_list("pk", "revoked_at"))
    return people, tokens, Step.objects.count()


def test_s5_no_unsafe_route_takes_a_request_from_another_site(world: World, say) -> None:
    cells, accepted = 0, []
    people = everyone(world.city, CITY)
    before = rows_of()
    for role in ROLES:
        for name, dress in DRESSES.items():
            client = Client(enforce_csrf_checks=True)
            client.force_login(people[role])
            for _route, call in unsafe_calls():
                cells += 1
                answer = forged(client, call, world.own, dress)
                if answer.status_code != 403:
                    accepted.append(f"{role} {name} {call.method} {call.path(world.own)}: {answer.status_code}")
    for role in (Role.ADMINISTRATOR, Role.SECURITY_OFFICER):
        client = Client(enforce_csrf_checks=True)
        client.force_login(people[role])
        for _perm, method, path in admin_calls():
            if method == "POST":
                cells += 1
                if client.post(path, {}, **DRESSES["foreign origin"]).status_code != 403:
                    accepted.append(f"{role} {path}")
    say(
        f"S5: unsafe routes {len(unsafe_calls())}, roles {len(ROLES)}, ways {len(DRESSES)}: cells {cells}, accepted {len(accepted)}"
    )
    assert accepted == []
    assert rows_of()[1:] == before[1:]
    assert [row[1:] for row in rows_of()[0]] == [row[1:] for row in before[0]]


def test_nobody_is_signed_in_from_another_site(world: World) -> None:
    person = everyone(world.city, CITY)[Role.OPERATOR]
    person.set_password(PASSWORD)
    person.save()
    given = {"username": person.username, "password": PASSWORD}
    for dress in DRESSES.values():
        client = Client(enforce_csrf_checks=True)
        assert client.post("/login/", given, **dress).status_code == 403
        assert settings.SESSION_COOKIE_NAME not in client.cookies
    client = Client(enforce_csrf_checks=True)
    client.get("/login/")
    given["csrfmiddlewaretoken"] = client.cookies["csrftoken"].value
    assert client.post("/login/", given, HTTP_ORIGIN=OUTSIDE).status_code == 403, "with a token, but from elsewhere"
    assert client.post("/login/", given, HTTP_ORIGIN="http://testserver").status_code == 302


def test_every_page_forbids_frames_and_guessing_of_types(world: World) -> None:
    person = everyone(world.city, CITY)[Role.OPERATOR]
    client = Client()
    client.force_login(person)
    asked = 0
    for calls in CALLS.values():
        for call in calls:
            if call.method != "GET":
                continue
            answer = client.get(call.path(world.own))
            asked += 1
            policy = answer.headers.get("Content-Security-Policy", "")
            frames = "frame-ancestors 'none'" in policy or "sandbox" in policy
            assert frames or answer.headers.get("X-Frame-Options") == "DENY", call.path(world.own)
            assert answer.headers.get("X-Content-Type-Options") == "nosniff", call.path(world.own)
            assert "unsafe-" not in policy.replace("style-src 'self' 'unsafe-inline'", "") or "docs" in call.path(
                world.own
            )
    assert asked > 60


def test_cookies_are_for_this_site_only(world: World) -> None:
    person = everyone(world.city, CITY)[Role.OPERATOR]
    person.set_password(PASSWORD)
    person.save()
    client = Client()
    client.post("/login/", {"username": person.username, "password": PASSWORD})
    session = client.cookies[settings.SESSION_COOKIE_NAME]
    assert (session["httponly"], session["samesite"], session["domain"]) == (True, "Lax", "")


def test_an_api_token_needs_no_csrf_token_and_a_cookie_beside_it_gives_nothing_more(world: World) -> None:
    """With both, the token decides: a stolen cookie does not ride on it, nor the other way round."""
    people = everyone(world.city, CITY)
    client = Client(enforce_csrf_checks=True)
    client.force_login(people[Role.DISPATCHER])
    path = f"/api/v1/hazards/{world.own.hazard.pk}/accept/"
    assert (
        client.post(path, "{}", content_type="application/json", HTTP_AUTHORIZATION="Token nonsense").status_code == 401
    )
    assert resolve(path).kwargs["verb"] == "accept"


ORIGINS = [
    None,
    OUTSIDE,
    "null",
    "",
    "http://testserver.evil.example",
    "http://evil.example#testserver",
    "ftp://testserver",
]


@pytest.mark.parametrize("role", ROLES)
def test_the_door_of_the_sockets_takes_a_cookie_only_from_our_own_pages(world: World, role: str) -> None:
    client = Client()
    client.force_login(everyone(world.city, CITY)[role])
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}".encode()
    headers = [(b"cookie", cookie), (b"host", b"testserver")]
    for origin in ORIGINS:
        given = headers if origin is None else [*headers, (b"origin", origin.encode())]
        with pytest.raises(Strange):
            welcome(given, b"")
    assert welcome([*headers, (b"origin", b"http://testserver")], b"").area == CITY
