"""Tiles from memory: only for whoever the view let in, only what it answered, and never for long."""

import asyncio

import pytest

from grid import kept_tiles
from grid.kept_tiles import KeptTiles

TILE = "/tiles/1/cells/10/848/394.mvt"
KEY, OTHER = (b"authorization", b"Token one"), (b"authorization", b"Token two")


class Pages:
    """Stands for the pages: answers every request with a number of its own."""

    def __init__(self, status=200, headers=()):
        self.status, self.headers, self.asked = status, list(headers), 0

    async def __call__(self, scope, receive, send):
        self.asked += 1
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": b"%d" % self.asked})


def get(tiles, *headers, path=TILE, method="GET", query=b""):
    said = []

    async def send(message):
        said.append(message)

    scope = {"type": "http", "method": method, "path": path, "query_string": query, "headers": list(headers)}
    asyncio.run(tiles(scope, None, send))
    return said[0], said[1]["body"]


def test_a_tile_is_made_once_and_given_again_to_the_same_guest():
    pages = Pages(headers=[(b"X-Request-Id", b"7"), (b"cache-control", b"private")])
    tiles = KeptTiles(pages)

    assert [get(tiles, KEY)[1] for _ in range(3)] == [b"1"] * 3
    assert get(tiles, KEY)[0]["headers"] == [(b"cache-control", b"private")]


def test_each_guest_each_encoding_and_each_version_is_asked_for_once():
    tiles = KeptTiles(Pages())

    assert get(tiles, KEY)[1] == b"1"
    assert get(tiles, OTHER)[1] == b"2"
    assert get(tiles, KEY, (b"accept-encoding", b"br"))[1] == b"3"
    assert get(tiles, KEY, path=TILE.replace("/1/", "/2/"))[1] == b"4"


@pytest.mark.parametrize(
    "asked",
    [{"method": "HEAD"}, {"path": "/api/v1/hazards/"}, {"query": b"kiosk=a-key"}],
    ids=["another method", "another page", "let in by the query"],
)
def test_whatever_else_goes_to_the_pages_each_time(asked):
    tiles = KeptTiles(Pages())
    assert [get(tiles, KEY, **asked)[1] for _ in range(2)] == [b"1", b"2"]


def test_nobody_is_known_again_without_a_key_or_cookie():
    tiles = KeptTiles(Pages())
    get(tiles, KEY)
    assert [get(tiles)[1] for _ in range(2)] == [b"2", b"3"]


def test_who_is_refused_gets_nothing_from_memory():
    pages = Pages()
    tiles = KeptTiles(pages)
    get(tiles, KEY)
    pages.status = 401

    assert [get(tiles, OTHER)[0]["status"] for _ in range(2)] == [401, 401]


def test_trust_ends_after_three_seconds_and_at_the_first_refusal(monkeypatch):
    pages, now = Pages(), [100.0]
    monkeypatch.setattr(kept_tiles.time, "monotonic", lambda: now[0])
    tiles = KeptTiles(pages)
    get(tiles, KEY)
    pages.status = 401
    now[0] += kept_tiles.TRUST_S - 0.1
    assert get(tiles, KEY)[0]["status"] == 200
    now[0] += 0.2
    assert [get(tiles, KEY)[0]["status"] for _ in range(2)] == [401, 401]


def test_answers_with_a_cookie_are_not_kept_and_the_oldest_make_room(monkeypatch):
    with_cookie = KeptTiles(Pages(headers=[(b"Set-Cookie", b"session=x")]))
    assert [get(with_cookie, KEY)[1] for _ in range(2)] == [b"1", b"2"]

    monkeypatch.setattr(kept_tiles, "MOST_BYTES", 2)
    tiles = KeptTiles(Pages())
    paths = [f"/tiles/1/cells/10/{x}/0.mvt" for x in range(3)]
    assert [get(tiles, KEY, path=path)[1] for path in (*paths, paths[2], paths[0])] == [b"1", b"2", b"3", b"3", b"4"]
