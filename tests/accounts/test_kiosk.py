"""Wall screens: the token leaves the address, the session only reads and ends with the token."""

import pytest
from django.utils import timezone

from citysafety.accounts import tokens
from citysafety.accounts.models import AccessToken

from .people import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def screen():
    return person("kiosk", area="3705")


@pytest.fixture
def plain(screen):
    return tokens.issue(screen, "hall")


def test_the_token_is_traded_for_a_session_and_leaves_the_address(client, screen, plain):
    answer = client.get("/wall/", {"kiosk": plain, "area": "3705"})
    assert answer.status_code == 302
    assert answer.url == "/wall/?area=3705"
    assert answer["Cache-Control"] == "no-store"
    assert plain not in str(answer.headers)
    assert client.session["_auth_user_id"] == str(screen.pk)
    assert client.session.get_expiry_age() > 365 * 24 * 3600, "a screen is not asked again after a shift"
    assert AccessToken.objects.get().last_used_at


def test_revoking_the_token_ends_the_session_at_once(client, plain):
    client.get("/wall/", {"kiosk": plain})
    assert client.get("/api/v1/notices/").status_code == 200
    tokens.revoke(AccessToken.objects.get(), at=timezone.now())
    assert client.get("/api/v1/notices/").status_code == 401
    assert "_auth_user_id" not in client.session


def test_a_screen_may_not_write(client, plain):
    client.get("/wall/", {"kiosk": plain})
    assert client.post("/notices/read-all/").status_code == 403
    assert client.post("/account/", {"label": "more rights"}).status_code == 403
    assert AccessToken.objects.count() == 1
    assert client.post("/theme/", {"theme": "light"}).status_code == 302


def test_only_a_screen_token_opens_it_and_only_at_the_screen_pages(client, plain):
    person_token = tokens.issue(person("dispatcher"), "phone")
    assert client.get("/wall/", {"kiosk": person_token}).status_code == 403
    assert client.get("/wall/", {"kiosk": "nonsense"}).status_code == 403
    client.get("/account/", {"kiosk": plain})
    assert "_auth_user_id" not in client.session


def test_a_screen_takes_over_the_browser_of_whoever_sat_there(client, screen, plain):
    client.force_login(person("administrator", area="3705"))
    client.get("/wall/", {"kiosk": plain})
    assert client.session["_auth_user_id"] == str(screen.pk)


def test_one_token_revoked_leaves_the_other_screens_alone(client, screen, plain):
    other = tokens.issue(screen, "second hall")
    client.get("/wall/", {"kiosk": other})
    tokens.revoke(AccessToken.objects.get(label="hall"), at=timezone.now())
    assert client.get("/api/v1/notices/").status_code == 200
