"""Tokens: 401 against 403, revoking, and what is remembered."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from citysafety.accounts import tokens
from citysafety.accounts.models import AccessToken
from citysafety.accounts.selectors import standing_of

from .people import person

pytestmark = pytest.mark.django_db
API = "/api/v1/notices/"


def ask(client, plain, method="get", path=API):
    return getattr(client, method)(path, HTTP_AUTHORIZATION=f"Token {plain}")


def test_a_token_opens_the_api_and_only_its_digest_is_kept(client):
    plain = tokens.issue(person("dispatcher"), "test")
    assert ask(client, plain).status_code == 200
    (row,) = AccessToken.objects.values()
    assert plain not in str(row)
    assert row["digest"] == tokens.digest(plain)


@pytest.mark.parametrize("header", ["", "Token", "Token nonsense", "Token a b", "Token \xff\xfe"])
def test_without_a_good_token_the_answer_is_401_and_says_how(client, header):
    headers = {"HTTP_AUTHORIZATION": header} if header else {}
    answer = client.get(API, **headers)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Token ")


def test_an_anonymous_write_is_401_and_a_forbidden_one_403(client):
    assert client.post(f"{API}1/read/").status_code == 401
    screen = tokens.issue(person("kiosk"), "screen")
    assert ask(client, screen, "post", f"{API}1/read/").status_code == 403


def test_a_revoked_token_and_the_token_of_a_person_switched_off_end_at_once(client):
    user = person("dispatcher")
    first, second = tokens.issue(user, "first"), tokens.issue(user, "second")
    tokens.revoke(AccessToken.objects.get(label="first"), at=timezone.now())
    assert ask(client, first).status_code == 401
    assert ask(client, second).status_code == 200
    user.is_active = False
    user.save()
    assert ask(client, second).status_code == 401


def test_the_last_use_is_written_at_most_once_a_minute(client):
    user = person("dispatcher")
    plain = tokens.issue(user, "test")
    ask(client, plain)
    first = AccessToken.objects.get().last_used_at
    assert first is not None
    with CaptureQueriesContext(
        connection,
    ) as seen:
        ask(client, plain)
    assert not [q for q in seen if q["sql"].startswith("UPDATE")]
    AccessToken.objects.update(last_used_at=first - timedelta(minutes=2))
    ask(client, plain)
    assert AccessToken.objects.get().last_used_at >= first


def test_one_sees_and_revokes_only_the_own_tokens(client):
    own, other = person("dispatcher"), person("dispatcher")
    tokens.issue(own, "my phone")
    tokens.issue(other, "their phone")
    client.force_login(own)
    page = client.get("/account/").content.decode()
    assert "my phone" in page
    assert "their phone" not in page
    foreign = AccessToken.objects.get(label="their phone")
    assert client.post(f"/account/tokens/{foreign.pk}/revoke/").status_code == 404
    mine = AccessToken.objects.get(label="my phone")
    client.post(f"/account/tokens/{mine.pk}/revoke/")
    mine.refresh_from_db()
    foreign.refresh_from_db()
    assert mine.revoked_at
    assert not foreign.revoked_at


def test_a_new_token_is_shown_once(client):
    client.force_login(person("dispatcher"))
    page = client.post("/account/", {"label": "report script"})
    plain = page.context["plain"]
    assert plain in page.content.decode()
    assert ask(client, plain).status_code == 200
    assert plain not in client.get("/account/").content.decode()


def test_the_standing_of_a_user_changes_with_every_right_and_ends_with_token_and_session(client):
    user = person("dispatcher")
    tokens.issue(user, "test")
    token = AccessToken.objects.get()
    client.force_login(user)
    key = client.session.session_key
    before = standing_of(user.pk, token_id=token.pk, session_key=key)
    assert before == user.standing
    user.area_code = "370503"
    user.save()
    assert standing_of(user.pk) not in (None, before)
    tokens.revoke(token, at=timezone.now())
    assert standing_of(user.pk, token_id=token.pk) is None
    client.post("/logout/")
    client.logout()
    assert standing_of(user.pk, session_key=key) is None
