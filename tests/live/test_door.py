"""S4 and S5: who gets a line, from where, and for how long."""

import time

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from websockets.exceptions import InvalidStatus

from citysafety.accounts.kiosk import SESSION_KEY
from citysafety.accounts.models import AccessToken, User
from citysafety.accounts.tokens import issue, revoke
from citysafety.live.door import Guest, gone, is_ours

from .conftest import close_code, frame, screen, someone


@pytest.fixture
def user(transactional_db) -> User:
    return someone("dispatcher", area="370502", role="dispatcher")


def signed_in(user: User) -> tuple[Client, str]:
    browser = Client()
    browser.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[-1])
    return browser, f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"


def ours(site) -> str:
    return f"http://127.0.0.1:{site.port}"


def test_a_signed_in_page_of_ours_gets_a_line_to_its_own_area(site, user):
    _, cookie = signed_in(user)
    with screen(site, cookie=cookie, origin=ours(site)) as socket:
        frame(socket, "heartbeat")
        [client] = site.hub.clients
        assert client.area == "370502"


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1", "null", "", "http://[", None])
def test_a_cookie_from_a_foreign_page_or_from_no_page_gets_none(site, user, origin):
    _, cookie = signed_in(user)
    headers = {"cookie": cookie} if origin is None else {"cookie": cookie, "origin": origin}
    with pytest.raises(InvalidStatus, match="403"), screen(site, **headers):
        pass


def test_a_host_that_is_not_ours_is_refused_whatever_the_origin():
    assert is_ours("http://localhost:8000", "localhost:8000")
    assert not is_ours("http://evil.example", "evil.example")
    assert not is_ours("", "")


def test_an_origin_named_in_the_settings_is_ours(settings):
    assert not is_ours("https://safety.example", "localhost")
    settings.CSRF_TRUSTED_ORIGINS = ["https://safety.example"]
    assert is_ours("https://safety.example", "localhost")


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Token nonsense"}, {"authorization": "Token"}, {"authorization": "Basic x"},
     {"cookie": "session=nonsense", "origin": "ours"}, {"cookie": "other=1"}, {"cookie": ";;=\"", "origin": "ours"}],
)  # fmt: skip
def test_who_is_not_signed_in_is_told_4401(site, headers):
    headers = {name: ours(site) if value == "ours" else value for name, value in headers.items()}
    with screen(site, **headers) as socket:
        assert close_code(socket) == 4401


def test_a_revoked_token_or_one_of_a_former_user_opens_nothing(site, user):
    plain = issue(user, "test")
    User.objects.update(is_active=False)
    with screen(site, plain) as socket:
        assert close_code(socket) == 4401
    User.objects.update(is_active=True)
    revoke(AccessToken.objects.get(), at=timezone.now())
    with screen(site, plain) as socket:
        assert close_code(socket) == 4401


@pytest.mark.parametrize("area", ["3705", "370503", "37", "x", "370502001001001999"])
def test_a_foreign_wider_or_unknown_area_is_told_4403(site, user, area):
    with screen(site, issue(user, "test"), f"?area={area}") as socket:
        assert close_code(socket) == 4403


def test_who_has_no_area_is_told_4403(site, transactional_db):
    with screen(site, issue(someone(area=""), "test")) as socket:
        assert close_code(socket) == 4403


def test_a_city_code_of_six_digits_is_its_city(site, transactional_db):
    with screen(site, issue(someone(), "test"), "?area=370500") as socket:
        frame(socket, "heartbeat")


def changed(user: User, **fields) -> None:
    User.objects.filter(pk=user.pk).update(**fields)


CHANGES = {
    "role": lambda user, browser: changed(user, role="auditor"),
    "area": lambda user, browser: changed(user, area_code="370503"),
    "deactivated": lambda user, browser: changed(user, is_active=False),
    "password": lambda user, browser: (user.set_password("another long one"), user.save()),
    "signed out": lambda user, browser: browser.logout(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_socket_follows_a_change_of_rights_within_five_seconds(site, user, change, capsys):
    browser, cookie = signed_in(user)
    bystander = issue(someone(), "test")
    with screen(site, cookie=cookie, origin=ours(site)) as socket, screen(site, bystander) as other:
        frame(socket, "heartbeat")
        since = time.monotonic()
        CHANGES[change](user, browser)
        assert close_code(socket) == 4408
        took = time.monotonic() - since
        assert other.state.name == "OPEN"
    with capsys.disabled():
        print(f"\nS4: {change}: closed after {took:.1f} s")
    assert took < 5


def test_a_socket_ends_with_its_token_and_the_others_of_the_user_stay(site, user):
    first, second = issue(user, "one"), issue(user, "two")
    with screen(site, first) as ending, screen(site, second) as staying:
        frame(ending, "heartbeat")
        revoke(AccessToken.objects.get(label="one"), at=timezone.now())
        assert close_code(ending) == 4408
        assert staying.state.name == "OPEN"


def test_a_wall_screens_socket_ends_with_its_device_token(site, transactional_db):
    kiosk = someone("wall", role="kiosk")
    plain = issue(kiosk, "wall")
    browser, cookie = signed_in(kiosk)
    session = browser.session
    session[SESSION_KEY] = AccessToken.objects.get().pk
    session.save()
    assert plain
    with screen(site, cookie=cookie, origin=ours(site)) as socket:
        frame(socket, "heartbeat")
        revoke(AccessToken.objects.get(), at=timezone.now())
        assert close_code(socket) == 4408
    with screen(site, cookie=cookie, origin=ours(site)) as socket:
        assert close_code(socket) == 4401


def test_following_rights_costs_three_queries_however_many_sockets(transactional_db, django_assert_num_queries):
    users = [someone(f"u{n}") for n in range(5)]
    guests = [Guest(u.pk, u.standing, "3705", None, session_key="gone", token_id=1) for u in users]
    with django_assert_num_queries(3):
        assert gone(guests) == set(guests)
    alive = [Guest(u.pk, u.standing, "3705", None) for u in users]
    assert gone(alive) == set()
