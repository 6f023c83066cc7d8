"""The first page of everybody, whatever role and level, is one that opens."""

import pytest
from django.test import Client

from citysafety.accounts.menu import ADMIN, home_of
from citysafety.accounts.models import Role
from tests.factories import HOME, make_city, person

pytestmark = pytest.mark.django_db
LEVELS = {"city": HOME[:4], "county": HOME, "township": f"{HOME}001"}


def begun(user, language="en"):
    client = Client()
    client.force_login(user)
    client.cookies["django_language"] = language
    return client.get("/", follow=True)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("role", Role.values)
def test_the_first_page_opens_for_every_role_at_every_level(role, level):
    department = make_city().departments["fire-02"] if role == "department_handler" else make_city() and None
    user = person(role, area=LEVELS[level], department=department)
    answer = begun(user)

    assert answer.status_code == 200, answer.redirect_chain
    assert home_of(user) in [path for path, _status in answer.redirect_chain], "not the way to sign in"
    assert not answer.request["PATH_INFO"].startswith("/login/")


@pytest.mark.parametrize(("role", "path"), [("administrator", "/grid/"), ("security_officer", "/account/")])
def test_whose_admin_is_closed_begins_elsewhere_and_is_told_why(role, path):
    make_city()
    whole, part = person(role, area=LEVELS["city"]), person(role, area=LEVELS["county"])
    assert (home_of(whole), home_of(part)) == (ADMIN, path)

    client = Client()
    client.force_login(part)
    client.cookies["django_language"] = "en"
    assert "The administration keeps the whole city" in client.get("/account/").content.decode()
    client.force_login(whole)
    client.cookies["django_language"] = "en"
    assert "The administration keeps the whole city" not in client.get("/account/").content.decode()
