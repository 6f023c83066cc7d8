"""Signing in: the door, lock-out, CSRF, the way on, and what ends a session."""

import pytest
from django.test import Client

from citysafety.accounts.menu import HOME, exists
from citysafety.accounts.models import Role, User

from .people import PASSWORD, person

pytestmark = pytest.mark.django_db


def sign_in(client: Client, user: User, password: str = PASSWORD, **more: str):
    return client.post("/login/", {"username": user.username, "password": password, **more})


def test_the_password_is_kept_as_argon2():
    assert person("dispatcher", password=PASSWORD).password.startswith("argon2$")


def test_a_page_sends_a_stranger_to_the_door_and_the_door_leads_on(client):
    user = person("dispatcher", password=PASSWORD)
    assert client.get("/account/").url == "/login/?next=/account/"
    assert sign_in(client, user, next="/account/").url == "/account/"
    assert client.get("/account/").status_code == 200


@pytest.mark.parametrize(("area", "status"), [("3705", 200), ("370502", 403)])
def test_the_menu_holds_the_administration_where_it_is_open(client, area, status):
    """It knows no areas: an auditor of a county reads the county's cases, and is not led to a page that refuses."""
    client.force_login(person("auditor", area=area))
    assert client.get("/admin/", follow=True).status_code == status
    assert (b'href="/admin/"' in client.get("/account/").content) == (status == 200)


@pytest.mark.parametrize("foreign", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_the_door_does_not_lead_to_other_sites(client, foreign):
    assert sign_in(client, person("dispatcher", password=PASSWORD), next=foreign).url == "/"


def test_a_wrong_password_is_answered_with_a_summary_and_without_saying_which_half_was_wrong(client):
    user = person("dispatcher", password=PASSWORD)
    known = sign_in(client, user, "wrong")
    unknown = client.post("/login/", {"username": "nobody-here", "password": "wrong"})
    said = [list(answer.context["form"].non_field_errors()) for answer in (known, unknown)]
    assert said[0] == said[1]
    assert len(said[0]) == 1
    assert 'role="alert"' in known.content.decode()


def test_five_wrong_passwords_lock_this_person_at_this_address_only(client, settings):
    user, other = person("dispatcher", password=PASSWORD), person("leader", password=PASSWORD)
    for _try in range(settings.AXES_FAILURE_LIMIT):
        locked = sign_in(client, user, "wrong")
    assert locked.status_code == 429
    assert user.username in locked.content.decode()
    assert " 15 " in locked.content.decode(), "it says for how long"
    assert sign_in(client, user).status_code == 429, "the right password does not open a locked door"
    assert Client().get("/account/").status_code == 302
    assert sign_in(Client(), other).status_code == 302, "another person at the same address"
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert sign_in(elsewhere, user).status_code == 302, "the same person elsewhere: nobody locks the duty officer out"


def test_forged_forwarding_headers_do_not_lift_a_lock(client, settings):
    user = person("dispatcher", password=PASSWORD)
    for n in range(settings.AXES_FAILURE_LIMIT):
        client.post("/login/", {"username": user.username, "password": "wrong"}, HTTP_X_FORWARDED_FOR=f"198.51.100.{n}")
    assert sign_in(client, user).status_code == 429


def test_signing_in_and_every_other_write_needs_the_csrf_token():
    strict = Client(enforce_csrf_checks=True)
    user = person("dispatcher", password=PASSWORD)
    assert sign_in(strict, user).status_code == 403
    strict.force_login(user)
    for path in ("/logout/", "/language/", "/theme/", "/account/", "/account/password/", "/notices/read-all/"):
        assert strict.post(path).status_code == 403, path


def test_leaving_needs_a_post_and_ends_the_session(client):
    client.force_login(person("dispatcher"))
    assert client.get("/logout/").status_code == 405
    client.post("/logout/")
    assert client.get("/account/").status_code == 302


def test_the_session_gets_a_new_name_at_signing_in(client):
    client.get("/login/")
    session = client.session
    session["before"] = 1
    session.save()
    before = session.session_key
    sign_in(client, person("dispatcher", password=PASSWORD))
    assert client.session.session_key != before


@pytest.mark.parametrize(
    "change", [{"role": "leader"}, {"area_code": "370503"}, {"is_active": False}, {"password": "!"}], ids=str
)
def test_a_session_ends_with_the_rights_it_was_opened_with(client, change):
    user = person("dispatcher")
    client.force_login(user)
    assert client.get("/account/").status_code == 200
    User.objects.filter(pk=user.pk).update(**change)
    assert client.get("/account/").status_code == 302


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(client):
    user = person("dispatcher", password=PASSWORD)
    other = Client()
    other.force_login(user)
    client.force_login(user)
    new = "another-horse-battery-7"
    client.post("/account/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
    assert client.get("/account/").status_code == 200
    assert other.get("/account/").status_code == 302


def test_each_role_begins_with_its_page_or_its_account_while_that_is_not_built(client):
    assert set(HOME) == set(Role)
    for role, path in HOME.items():
        client.force_login(person(role, area="3705"))
        expected = path if exists(path.partition("?")[0]) else "/account/"
        assert client.get("/").url == expected, role
