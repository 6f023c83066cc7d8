"""Pages render in both languages and themes; errors say what happened and what to do."""

import re

import pytest
from django.test import Client, RequestFactory
from django.utils import translation

from citysafety.accounts import errors
from citysafety.accounts.models import User
from citysafety.accounts.tokens import issue

from .people import PASSWORD, person

PAGES = ["/account/", "/account/password/", "/notices/", "/notices/?unread=1", "/notices/channels/"]
INLINE = re.compile(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\bsrc=)(?![^>]*application/json)|hx-on|javascript:")


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/login/", *PAGES])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_pages_render_in_both_languages_without_anything_inline(client, path, language):
    if path != "/login/":
        client.force_login(person("dispatcher"))
    client.cookies["django_language"] = language
    answer = client.get(path)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert f'<html lang="{language}"' in page
    assert not INLINE.search(page)


@pytest.mark.django_db
def test_chinese_is_spoken_whatever_the_browser_says(client):
    assert '<html lang="zh-hans"' in client.get("/login/", HTTP_ACCEPT_LANGUAGE="en,de").content.decode()


@pytest.mark.django_db
def test_scripts_hear_the_language_of_their_page_and_programs_the_one_they_name(client):
    user = person("operator", password=PASSWORD)
    token = issue(user, "test")
    client.force_login(user)
    asked = {"path": "/api/v1/figures/?at=noon", "HTTP_ACCEPT_LANGUAGE": "en"}
    page, program = client.get(**asked), Client().get(**asked, HTTP_AUTHORIZATION=f"Token {token}")

    assert (page["Content-Language"], program["Content-Language"]) == ("zh-hans", "en")
    assert "was not understood" in program.json()["errors"][0]["detail"]
    assert "was not understood" not in page.json()["errors"][0]["detail"]


@pytest.mark.django_db
def test_language_and_theme_are_kept_for_the_person_on_every_browser(client):
    user = person("dispatcher", password=PASSWORD)
    client.force_login(user)
    assert client.post("/language/", {"language": "en", "next": "/account/"}).url == "/account/"
    client.post("/theme/", {"theme": "dark"})
    page = client.get("/account/").content.decode()
    assert '<html lang="en" data-theme="dark"' in page
    client.post("/logout/")
    for name in ("django_language", "theme"):
        del client.cookies[name]
    client.post("/login/", {"username": user.username, "password": PASSWORD})
    assert '<html lang="en" data-theme="dark"' in client.get("/account/").content.decode()


@pytest.mark.django_db
def test_an_unknown_language_or_theme_and_a_foreign_way_back_change_nothing(client):
    user = person("dispatcher")
    client.force_login(user)
    assert client.post("/language/", {"language": "xx", "next": "//evil.example/"}).url == "/"
    client.post("/theme/", {"theme": "pink"})
    assert User.objects.filter(pk=user.pk, language="", theme="").exists()


@pytest.mark.parametrize("status", sorted(errors.PAGES))
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_error_pages_tell_what_happened_what_to_do_and_the_request(status, language, django_assert_num_queries):
    request = RequestFactory().get("/somewhere/")
    request.request_id = "abc-123-request"
    with translation.override(language):
        answer = errors.error_page(request, status)
        page = answer.content.decode()
        assert answer.status_code == status
        assert str(errors.PAGES[status].title) in page
        assert str(errors.PAGES[status].todo) in page
    assert "abc-123-request" in page
    assert not INLINE.search(page)


def test_programs_get_errors_as_json():
    answer = errors.missing(RequestFactory().get("/api/v1/nothing/"), None)
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/json"
    assert b'"not_found"' in answer.content
