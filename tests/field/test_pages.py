"""Who gets in, what a page says, and what the phone asks before it sends."""

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from citysafety.accounts.models import Role
from hazards.lifecycle import LIFECYCLE
from tests.factories import AWAY, file_hazard, person

pytestmark = pytest.mark.django_db
PAGES = ["home", "report", "queue", "cases"]


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("role", Role.values)
def test_the_phone_is_for_those_whom_the_table_of_steps_names(cast, name, role):
    department = cast.city.departments["fire-02"] if role == "department_handler" else None
    answer = signed_in(person(role, department=department)).get(reverse(f"field:{name}"))

    allowed = role in ("grid_worker", "department_handler", "dispatcher")
    assert answer.status_code == (200 if allowed else 403)


@pytest.mark.parametrize("name", PAGES)
def test_strangers_are_led_to_the_door_and_back(client, name):
    path = reverse(f"field:{name}")
    answer = client.get(path)

    assert answer.status_code == 302
    assert answer["Location"].endswith(f"?next={path}")


@pytest.mark.parametrize("action", [None, *LIFECYCLE.actions])
def test_a_case_of_elsewhere_is_not_found(cast, action):
    hazard = file_hazard(cast.neighbour)
    path = reverse("field:step", args=[hazard.pk, action]) if action else reverse("field:case", args=[hazard.pk])

    assert signed_in(cast.worker).get(path).status_code == 200
    assert signed_in(person("grid_worker", area=AWAY)).get(path).status_code == 404


def test_there_is_no_page_for_an_unknown_step_or_case(cast):
    hazard = file_hazard(cast.neighbour)
    client = signed_in(cast.worker)

    assert client.get(reverse("field:step", args=[hazard.pk, "abolish"])).status_code == 404
    assert client.get(reverse("field:case", args=[uuid.uuid4()])).status_code == 404


@pytest.mark.parametrize("name", [*PAGES, "case", "step"])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_no_page_has_a_script_or_style_of_its_own(cast, name, language):
    hazard = cast.rectified()
    args = {"case": [hazard.pk], "step": [hazard.pk, "verify"]}.get(name, [])
    client = signed_in(cast.worker)
    client.cookies["django_language"] = language

    page = client.get(reverse(f"field:{name}", args=args)).content.decode()

    assert " style=" not in page
    assert " onclick=" not in page
    for script in page.split("<script")[1:]:
        assert " src=" in script.split(">")[0] or "application/json" in script.split(">")[0]


def test_pages_only_show_and_take_nothing(cast):
    client = signed_in(cast.worker)

    assert client.post(reverse("field:report"), {"matter": "XF-001"}).status_code == 405


def test_a_case_shows_what_the_person_may_do_and_nothing_more(cast):
    hazard = cast.rectified()
    verify = reverse("field:step", args=[hazard.pk, "verify"])
    path = reverse("field:case", args=[hazard.pk])

    assert verify in signed_in(cast.worker).get(path).content.decode()
    assert verify not in signed_in(cast.handler).get(path).content.decode()


def test_the_ping_names_the_user_the_time_and_a_token_that_dies_with_the_session(cast):
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.worker)
    first = client.get(reverse("field:ping")).json()
    client.post("/login/", {})  # refused or not, nobody new has come in
    body = {"id": str(uuid.uuid4())}

    def filing(token):
        return client.post("/api/v1/hazards/", body, content_type="application/json", headers={"X-CSRFToken": token})

    assert first["user"] == str(cast.worker.pk)
    assert filing(first["csrf"]).status_code == 400  # let in; the fields are missing
    neighbour = cast.neighbour
    neighbour.set_password("a-long-password-1")
    neighbour.save()
    token = client.get("/login/").cookies.get("csrftoken")
    client.logout()
    page = client.get("/login/")
    client.post(
        "/login/",
        {
            "username": neighbour.username,
            "password": "a-long-password-1",
            "csrfmiddlewaretoken": page.cookies["csrftoken"].value,
        },
    )
    assert token is None or token.value
    assert client.get(reverse("field:ping")).json()["user"] == str(neighbour.pk)
    assert filing(first["csrf"]).status_code == 403  # what the first one still holds cannot be sent as the other


def test_the_ping_of_a_stranger_is_401_so_that_the_queue_waits_for_a_sign_in(client):
    assert client.get(reverse("field:ping")).status_code == 401


def test_the_reader_chooses_light_or_dark(cast):
    client = signed_in(cast.worker)
    client.cookies["theme"] = "dark"

    assert 'data-theme="dark"' in client.get(reverse("field:home")).content.decode()
    client.cookies["theme"] = '"><script>'
    assert 'data-theme="light"' in client.get(reverse("field:home")).content.decode()
