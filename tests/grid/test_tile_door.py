"""Tiles in front of the pages: rights are asked at every request, in groups; what is refused is refused by the pages."""

import asyncio
import gzip

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone

from citysafety.accounts import tokens
from citysafety.accounts.models import AccessToken, User
from citysafety.pgline import Line
from grid import tiles
from grid.models import GridVersion
from grid.services import load_city
from grid.tile_door import TileDoor, granted, in_thread, wish_of

from .conftest import HOME, NOON, person, relay

pytestmark = pytest.mark.django_db(transaction=True)  # the door has a connection of its own
TILE = "/tiles/1/cells/8/212/99.mvt"


@pytest.fixture(autouse=True)
def _city(folder):
    load_city(folder, at=NOON)
    relay()


def scope(path=TILE, *, method="GET", query=b"", **headers):
    given = {"host": "127.0.0.1:8000", **headers}
    spelled = [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()]
    return {"type": "http", "method": method, "path": path, "query_string": query, "headers": spelled}


def answered(*scopes):
    """Return the bodies the door gives; None where it hands on."""
    wishes = [wish_of(one, dict(one["headers"])) for one in scopes]
    bodies = iter(asyncio.run(of_group([wish for wish in wishes if wish is not None])))
    return [next(bodies) if wish is not None else None for wish in wishes]


async def of_group(wishes):
    line = Line(tiles.BEGIN)
    try:
        return await granted(wishes, line)
    finally:
        line.close()
        await in_thread(lambda: connection.close())  # of the thread that looked for sessions


def somebody(role, area):
    return User.objects.filter(role=role, area_code=area).first() or person(role, area)


def key(role="operator", area="3705"):
    return f"Token {tokens.issue(somebody(role, area), 'test')}"


def cookie(role="operator", area="3705"):
    client = Client()
    client.force_login(somebody(role, area), backend="django.contrib.auth.backends.ModelBackend")
    return (
        client,
        f"a=b; {django_settings.SESSION_COOKIE_NAME}={client.cookies[django_settings.SESSION_COOKIE_NAME].value}",
    )


def test_a_token_and_a_session_get_what_the_pages_give():
    token, (client, session) = key(), cookie()
    page = client.get(TILE, HTTP_ACCEPT_ENCODING="")
    plain, packed, by_session = answered(
        scope(authorization=token), scope(authorization=token, accept_encoding="gzip"), scope(cookie=session)
    )

    assert plain == page.content == gzip.decompress(packed) == by_session
    assert f"{HOME}001".encode() in plain


def test_a_group_asks_once_whether_it_was_made_before_or_not(monkeypatch):
    token, other = key(), key("grid_worker", HOME)
    answered(scope(authorization=token))
    asked, ask = [], Line.ask
    monkeypatch.setattr(Line, "ask", lambda line, *given: asked.append(given) or ask(line, *given))
    for times in (1, 2):
        found = answered(
            scope(authorization=token),
            scope(authorization=other),
            scope("/tiles/1/cells/9/424/198.mvt", authorization=other),
        )
        assert all(found)
        assert len(asked) == times


def test_a_page_asks_once_for_a_tile(django_assert_num_queries):
    tiles.tile_now(tiles.Asked(1, 8, 212, 99))
    with django_assert_num_queries(1):
        assert tiles.tile_now(tiles.Asked(1, 8, 212, 99))


def test_who_asks_while_a_group_is_at_work_makes_up_the_next(monkeypatch):
    token, groups, real = key(), [], granted

    async def noted(wishes, line):
        groups.append(len(wishes))
        return await real(wishes, line)

    monkeypatch.setattr("grid.tile_door.granted", noted)
    asked = [scope(authorization=token) for _ in range(6)]

    async def ask():
        door, sent = TileDoor(None), []

        async def send(message):
            sent.append(message)

        await asyncio.gather(*(door(one, None, send) for one in asked))
        await asyncio.gather(*(door(one, None, send) for one in asked[:1]))  # after a rest it begins again
        for line in door._lines:
            line.close()
        return sent

    assert len(asyncio.run(ask())) == 2 * 7
    assert groups in ([1, 5, 1], [6, 1])


def test_a_lost_connection_is_handed_to_the_pages_and_the_next_group_has_a_new_one(caplog):
    token = scope(authorization=key())

    async def ask():
        line = Line(tiles.BEGIN)
        wishes = [wish_of(token, dict(token["headers"]))]
        found = [await granted(wishes, line)]
        pid = line._connection.info.backend_pid
        await in_thread(ended, pid)
        found += [await granted(wishes, line), await granted(wishes, line)]
        line.close()
        return [bool(body) for [body] in found]

    assert asyncio.run(ask()) == [True, False, True]
    assert "tiles:" in caplog.text


def ended(pid):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    connection.close()


def test_a_revoked_token_gets_nothing_at_the_very_next_request():
    token = key()
    assert answered(scope(authorization=token))[0]
    AccessToken.objects.update(revoked_at=timezone.now())
    assert answered(scope(authorization=token), scope(authorization=key("leader")))[0] is None


def test_a_switched_off_account_gets_nothing_by_token_or_session():
    token, (_client, session) = key(), cookie("leader")
    assert all(answered(scope(authorization=token), scope(cookie=session)))
    for user in (AccessToken.objects.get().user, User.objects.get(role="leader")):
        user.is_active = False
        user.save()
    assert answered(scope(authorization=token), scope(cookie=session)) == [None, None]


@pytest.mark.parametrize("change", ["area_code", "password", "role"])
def test_a_session_ends_with_the_rights_it_was_opened_with(change):
    _client, session = cookie("leader")
    user = User.objects.get(role="leader")
    assert answered(scope(cookie=session))[0]
    setattr(user, change, {"area_code": "370502", "password": "x", "role": "auditor"}[change])
    user.save()
    assert answered(scope(cookie=session)) == [None]


def test_who_has_signed_out_or_whose_session_has_run_out_gets_nothing():
    client, session = cookie()
    _other, late = cookie("leader")
    assert all(answered(scope(cookie=session), scope(cookie=late)))
    client.logout()
    Session.objects.update(expire_date=timezone.now())
    assert answered(scope(cookie=session), scope(cookie=late)) == [None, None]


def test_a_screen_whose_token_was_revoked_gets_nothing():
    plain = tokens.issue(person("kiosk", "3705"), "screen")
    client = Client()
    client.get("/wall/", {"kiosk": plain})
    session = f"{django_settings.SESSION_COOKIE_NAME}={client.cookies[django_settings.SESSION_COOKIE_NAME].value}"
    assert answered(scope(cookie=session))[0]
    AccessToken.objects.update(revoked_at=timezone.now())
    assert answered(scope(cookie=session)) == [None]


@pytest.mark.parametrize(
    "one",
    [
        scope(), scope(authorization="Token x y"), scope(authorization="Basic x"), scope(cookie="session="),
        scope(method="HEAD", authorization="Token x"), scope(query=b"a=1", authorization="Token x"),
        scope(authorization="Token x", host="evil.example"), scope("/tiles/1/cells/8/212/99.png", authorization="Token x"),
        scope("/tiles/1/cells/8/212/99.mvt/", authorization="Token x"), scope("/tiles/1/cells/٣/1/1.mvt", authorization="Token x"),
    ],
)  # fmt: skip
def test_what_is_not_plainly_a_tile_for_somebody_goes_to_the_pages(one):
    assert answered(one) == [None]


def test_another_version_or_a_place_that_is_none_goes_to_the_pages():
    token = key()
    for path in ("/tiles/7/cells/8/212/99.mvt", "/tiles/1/cells/3/9/9.mvt", "/tiles/1/cells/19/0/0.mvt"):
        assert answered(scope(path, authorization=token)) == [None]


def test_the_next_version_is_served_as_soon_as_it_is_active():
    token = key()
    assert answered(scope(authorization=token))[0]
    GridVersion.objects.create(number=2, activated_at=timezone.now())
    new = scope("/tiles/2/cells/8/212/99.mvt", authorization=token)
    assert answered(scope(authorization=token), new)[0] is None
    assert answered(new)[0]


def test_memory_is_bounded_and_forgets_what_was_asked_for_least():
    memory = tiles.Memory(10)
    memory.keep("a", b"xxxx")
    memory.keep("b", b"xxxx")
    assert memory.get("a")
    memory.keep("c", b"xxxx")
    assert (memory.get("a"), memory.get("b"), memory.get("c")) == (b"xxxx", None, b"xxxx")


def test_an_answer_says_of_itself_what_every_page_of_ours_says(monkeypatch):
    sent, handed_on = [], []

    async def granted(wishes, line):
        return [b"tile" if wish.tile.z == 8 else None for wish in wishes]

    monkeypatch.setattr("grid.tile_door.granted", granted)

    async def send(message):
        sent.append(message)

    async def behind(scope, receive, send):
        handed_on.append(scope["path"])

    async def ask():
        door = TileDoor(behind)
        await asyncio.gather(
            door(scope(authorization="Token x", x_request_id="abcdefgh-1"), None, send),
            door(scope("/tiles/1/cells/9/1/1.mvt", authorization="Token x"), None, send),
            door(scope("/wall/", authorization="Token x"), None, send),
        )

    asyncio.run(ask())
    start, body = sent
    said = {name.decode(): value.decode() for name, value in start["headers"]}
    page = Client().get("/livez")
    for name in ("X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Cross-Origin-Opener-Policy"):
        assert said[name.lower()] == page[name]
    assert "default-src 'none'" in said["content-security-policy"]
    assert (said["x-request-id"], said["content-length"], body["body"]) == ("abcdefgh-1", "4", b"tile")
    assert "immutable" in said["cache-control"]
    assert "private" in said["cache-control"]
    assert sorted(handed_on) == ["/tiles/1/cells/9/1/1.mvt", "/wall/"]
