"""The admin by role: who keeps master data does not keep people, and the auditor changes nothing."""

import pytest
from axes.models import AccessAttempt
from django.test import Client
from django.urls import reverse

from citysafety.accounts import tokens
from citysafety.accounts.models import AccessToken, User, UserHistory

from .people import PASSWORD, person

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("role", "page", "status"),
    [
        ("administrator", "admin:index", 200),
        ("administrator", "admin:accounts_department_changelist", 200),
        ("administrator", "admin:accounts_department_add", 200),
        ("administrator", "admin:accounts_user_changelist", 403),
        ("administrator", "admin:notices_delivery_changelist", 200),
        ("security_officer", "admin:accounts_user_changelist", 200),
        ("security_officer", "admin:accounts_user_add", 200),
        ("security_officer", "admin:accounts_accesstoken_changelist", 200),
        ("security_officer", "admin:axes_accessattempt_changelist", 200),
        ("security_officer", "admin:accounts_department_add", 403),
        ("auditor", "admin:accounts_user_changelist", 200),
        ("auditor", "admin:accounts_userhistory_changelist", 200),
        ("auditor", "admin:accounts_departmenthistory_changelist", 200),
        ("auditor", "admin:accounts_user_add", 403),
    ],
)
def test_the_admin_opens_by_role(client, role, page, status):
    client.force_login(person(role, area="3705"))
    assert client.get(reverse(page)).status_code == status


def test_others_are_refused_and_strangers_sent_to_our_door(client):
    assert client.get("/admin/", follow=True).redirect_chain[-1][0].startswith("/login/")
    client.force_login(person("dispatcher", area="3705"))
    assert client.get("/admin/", follow=True).status_code == 403


def test_the_auditor_looks_at_a_user_and_cannot_change_it(client):
    user = person("dispatcher")
    client.force_login(person("auditor", area="3705"))
    page = reverse("admin:accounts_user_change", args=[user.pk])
    assert client.get(page).status_code == 200
    assert client.post(page, {"username": "renamed", "role": "leader"}).status_code == 403


def test_the_officer_makes_a_user_and_every_change_is_in_the_history(client):
    client.force_login(person("security_officer", area="3705"))
    client.post(
        reverse("admin:accounts_user_add"),
        {"username": "new-one", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD,
         "role": "dispatcher", "area_code": "370502"},
    )  # fmt: skip
    made = User.objects.get(username="new-one")
    made.area_code = "370503"
    made.save()
    assert list(UserHistory.objects.filter(pgh_obj=made).order_by("pgh_id").values_list("area_code", flat=True)) == [
        "370502", "370503",
    ]  # fmt: skip


def test_the_officer_issues_tokens_for_screens_and_not_in_the_name_of_people(client):
    screen, human = person("kiosk", area="3705"), person("dispatcher")
    client.force_login(person("security_officer", area="3705"))
    client.post(
        reverse("admin:accounts_user_changelist"),
        {"action": "issue_screen_token", "_selected_action": [screen.pk, human.pk]},
    )
    assert list(AccessToken.objects.values_list("user", flat=True)) == [screen.pk]


def test_revoking_in_the_admin_ends_a_token(client):
    plain = tokens.issue(person("dispatcher"), "phone")
    officer = person("security_officer", area="3705")
    client.force_login(officer)
    client.post(
        reverse("admin:accounts_accesstoken_changelist"),
        {"action": "revoke", "_selected_action": [AccessToken.objects.get().pk]},
    )
    client.logout()
    assert client.get("/api/v1/notices/", HTTP_AUTHORIZATION=f"Token {plain}").status_code == 401


def test_deleting_a_count_of_wrong_passwords_ends_the_lock(client, settings):
    user = person("dispatcher", password=PASSWORD)
    for _try in range(settings.AXES_FAILURE_LIMIT):
        client.post("/login/", {"username": user.username, "password": "wrong"})
    officer = Client()
    officer.force_login(person("security_officer", area="3705"))
    attempt = AccessAttempt.objects.get(username=user.username)
    officer.post(reverse("admin:axes_accessattempt_delete", args=[attempt.pk]), {"post": "yes"})
    assert client.post("/login/", {"username": user.username, "password": PASSWORD}).status_code == 302
