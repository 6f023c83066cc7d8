"""S6, S12: whatever is asked, the answer is never a fault of ours. A table of nonsense over every route of the API."""

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from citysafety.accounts.roles import Role
from citysafety.accounts.tokens import issue
from tests.running import scales

from .routes import CALLS
from .world import CITY, World, everyone

pytestmark = pytest.mark.django_db

NONSENSE = [
    "", "0", "-1", "-999999999999", "1000000000", "9" * 40, "1e400", "NaN", "Infinity", "true", "null", "[]", "{}", "\x00",
    "a\x00b", "'", "' OR 1=1 --", "\" ; DROP TABLE hazards_hazard; --", "%", "_%", "{{7*7}}", "<script>", "../../etc/passwd",
    "\ud83d\ude00", "\u202e", "\uffff", "٣", "1" * 5000, "2026-13-45", "0000-00-00", "9999-12-31", "3705\n", "370502,370503",
]  # fmt: skip
PARAMETERS = [
    "page_size", "cursor", "page", "area", "at", "figure", "days", "search", "state", "severity", "category", "matter",
    "department", "cell", "open", "overdue", "mine", "late", "received", "received_after", "received_before", "cleared",
    "refused", "settled", "kind", "active", "staffed", "assigned", "centre", "parent", "level", "ids", "at_least", "lon",
    "lat", "accuracy_m", "datum", "unread", "topic", "ordering", "format", "bbox", "before", "role", "step", "list", "n",
    "where", "user", "record", "next", "columns", "view", "from", "to", "post", "person", "week", "day", "unsigned", "cancelled",
]  # fmt: skip
DEEP = "[" * 100_000 + "]" * 100_000
BODIES: dict[str, bytes] = {
    "nothing": b"",
    "null": b"null",
    "a list": b"[]",
    "a word": b'"x"',
    "a number": b"1e999",
    "NaN": b'{"id": NaN, "location": {"lon": NaN, "lat": Infinity}}',
    "no JSON": b"{'id': 1}",
    "half": b'{"id": "',
    "not UTF-8": b'{"id": "\xff\xfe"}',
    "UTF-16": '{"id": "x"}'.encode("utf-16"),
    "a zero byte": b'{"description": "\\u0000", "id": "\\u0000"}',
    "a lone surrogate": b'{"id": "01890000-0000-7000-8000-000000000001", "description": "\\ud800"}',
    "deep": DEEP.encode(),
    "deep objects": (b'{"a":' * 50_000) + b"1" + b"}" * 50_000,
    "a number of many digits": b'{"version": ' + b"9" * 5000 + b"}",
    "long": b'{"description": "' + b"x" * 2_000_000 + b'"}',
    "huge": b'{"description": "' + b"x" * 13_000_000 + b'"}',
    "many keys": json.dumps({f"k{n}": n for n in range(20_000)}).encode(),
}
UUID = "01890000-0000-7000-8000-00000000000"
GOOD = {
    "id": f"{UUID}9", "matter": "XF-001", "description": "x", "occurred_at": "2026-11-23T04:00:00Z",
    "location": {"lon": 118.53, "lat": 37.45, "datum": "wgs84", "accuracy_m": 8}, "version": 1,
}  # fmt: skip
VALUES: list[Any] = [
    None,
    True,
    -1,
    1e308,
    10**30,
    "",
    "x" * 3000,
    "\x00",
    "\ud800",
    [],
    {},
    [[]],
    {"lon": "x"},
    float("nan"),
    float("inf"),
]


def bodies() -> Iterator[tuple[str, bytes]]:
    """Yield spoiled bodies: nonsense as a whole, and a good filing with one field spoiled."""
    yield from BODIES.items()
    for name in GOOD:
        for value in VALUES:
            yield f"{name}={value!r:.20}", json.dumps({**GOOD, name: value}).encode()
    for name in GOOD["location"]:
        for value in VALUES:
            place = {**GOOD["location"], name: value}
            yield f"location.{name}={value!r:.20}", json.dumps({**GOOD, "location": place}).encode()


class Fuzz:
    """Asks, and notes what broke and what took long."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.client = Client(raise_request_exception=False)
        user = everyone(world.city, CITY)[Role.DISPATCHER]
        self.client.force_login(user)
        self.headers = {"HTTP_AUTHORIZATION": f"Token {issue(user, 'fuzz')}"}
        self.asked, self.slowest_s, self.broke = 0, 0.0, []

    def note(self, what: str, answer: Any, started: float) -> None:
        self.asked += 1
        self.slowest_s = max(self.slowest_s, time.monotonic() - started)
        if answer.status_code >= 500:
            self.broke.append(f"{what}: {answer.status_code}")

    def get(self, path: str) -> None:
        started = time.monotonic()
        self.note(f"GET {path[:160]}", self.client.get(path, **self._token(path)), started)

    def send(self, method: str, path: str, body: bytes, kind: str, what: str) -> None:
        started = time.monotonic()
        answer = self.client.generic(method, path, body, content_type=kind, **self._token(path))
        self.note(f"{method} {path[:120]} {what}", answer, started)

    def _token(self, path: str) -> dict[str, str]:
        return self.headers if path.startswith("/api/") else {}

    def paths(self, method: str) -> list[str]:
        found = [call.path(self.world.own) for calls in CALLS.values() for call in calls if call.method == method]
        return sorted({path.partition("?")[0] for path in found})


PATHS = [
    "/api/v1/live/since/{}/", "/api/v1/hazards/{}/", "/api/v1/hazards/{}/history/", "/api/v1/cells/{}/",
    "/api/v1/matters/{}/", "/api/v1/notices/{}/", "/hazards/{}/", "/field/cases/{}/", "/grid/cells/{}/",
    "/grid/premises/{}/", "/evidence/{}/view.jpg", "/evidence/1/{}.jpg", "/evidence/{}/original",
    "/tiles/{}/cells/0/0/0.mvt", "/tiles/1/cells/{}/0/0.mvt", "/tiles/1/cells/1/{}/0.mvt", "/tiles/1/base/{}.geojson", "/public/map/{}/sea.geojson", "/public/map/1/{}.geojson",
    "/open311/v2/services/{}.xml", "/open311/v2/requests/{}.json", "/open311/v2/tokens/{}.xml", "/open311/v2/{}",
    "/admin/grid/matter/{}/change/", "/notices/{}/open/", "/account/tokens/{}/revoke/",
]  # fmt: skip


@scales(short=320, long=6)
def test_s6_no_nonsense_makes_the_server_fail(world: World, scale: int, say) -> None:
    """``scale``: of all routes × parameters × values one in so many is asked."""
    fuzz, turn = Fuzz(world), 0
    for path in fuzz.paths("GET"):
        for parameter in PARAMETERS:
            for value in NONSENSE:
                turn += 1
                if turn % scale == 0:
                    fuzz.get(f"{path}?{parameter}={quote(value, errors='surrogatepass')}")
    for template in PATHS:
        for value in NONSENSE:
            fuzz.get(template.format(quote(value, safe="", errors="surrogatepass")))
    for method in ("POST", "PUT"):
        for path in fuzz.paths(method):
            if not path.startswith("/api/"):
                continue
            whole = scale < 100 or path == "/api/v1/hazards/"
            for number, (what, body) in enumerate(bodies()):
                if whole or number % 16 == 0 or what == "deep":
                    fuzz.send(method, path, body, "application/json", what)
            for kind in (
                "text/plain",
                "application/x-www-form-urlencoded",
                "multipart/form-data; boundary=x",
                "",
                "x/y;;=",
            ):
                fuzz.send(method, path, b"a=1&b=%00", kind, kind)
    for path in (*fuzz.paths("GET"), *fuzz.paths("POST")):
        for method in ("DELETE", "PATCH", "PUT", "TRACE", "BREW"):
            fuzz.send(method, path, b"{}", "application/json", "another method")
    say(f"S6: requests {fuzz.asked}, answers of 500 and more {len(fuzz.broke)}, slowest {fuzz.slowest_s:.2f} s")
    assert fuzz.broke == [], "\n".join(fuzz.broke[:60])


@pytest.mark.parametrize("size", ["1000000000", "1001", "0"])
def test_a_page_holds_a_thousand_rows_at_most(world: World, size: str) -> None:
    fuzz = Fuzz(world)
    for path in ("/api/v1/hazards/", "/api/v1/cells/", "/api/v1/matters/", "/api/v1/workers/", "/api/v1/premises/"):
        answer = fuzz.client.get(f"{path}?page_size={size}", **fuzz.headers)
        assert answer.status_code == 200
        assert len(answer.json()["results"]) <= 1000


@pytest.mark.parametrize("size", ["-5", "x", "1e3"])
def test_a_size_of_a_page_that_is_none_is_refused_by_name(world: World, size: str) -> None:
    fuzz = Fuzz(world)
    answer = fuzz.client.get(f"/api/v1/hazards/?page_size={size}", **fuzz.headers)
    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "page_size")


def test_a_place_that_is_no_number_is_refused_with_its_field(world: World) -> None:
    fuzz = Fuzz(world)
    for value in ("NaN", "Infinity", "-Infinity", "1e999"):
        raw = json.dumps(GOOD).replace("118.53", value).encode()
        answer = fuzz.client.generic("POST", "/api/v1/hazards/", raw, content_type="application/json", **fuzz.headers)
        assert answer.status_code == 400, value
