"""The catalogue of matters in the admin: checked, remembered, and with the phones at their next sync."""

import pytest
from django.urls import reverse

from grid.models import Matter
from grid.services import load_city

from .conftest import NOON, person, relay

pytestmark = pytest.mark.django_db
CATALOGUE = "/api/v1/matters/?page_size=1000"


@pytest.fixture(autouse=True)
def _city(folder):
    load_city(folder, at=NOON)
    relay()


@pytest.fixture
def keeper(client):
    client.force_login(person("administrator", "3705"), backend="django.contrib.auth.backends.ModelBackend")
    return client


def change(client, code="XF-001", **given):
    """Send the form of a matter as the page shows it, with some fields changed; return the answer."""
    page = reverse("admin:grid_matter_change", args=[Matter.objects.get(code=code).pk])
    form = client.get(page).context["adminform"].form
    shown = {name: form[name].value() for name in form.fields}
    sent = {
        name: "on" if value is True else value
        for name, value in shown.items()
        if value is not None and value is not False
    }
    return client.post(page, {**sent, **given})


@pytest.mark.parametrize("field", ["accept_amount", "rectify_amount", "verify_amount"])
@pytest.mark.parametrize("amount", ["0", "-1", "soon"])
def test_a_clock_of_nothing_is_refused_beside_its_field(keeper, field, amount):
    answer = change(keeper, **{field: amount})

    assert answer.status_code == 200
    assert list(answer.context["adminform"].form.errors) == [field]


@pytest.mark.parametrize(
    ("field", "value"),
    [("department", "987654"), ("accept_unit", "moons"), ("matter_class", ""), ("severity", "awful")],
)
def test_an_unknown_department_unit_class_or_severity_is_refused(keeper, field, value):
    answer = change(keeper, **{field: value})

    assert answer.status_code == 200
    assert list(answer.context["adminform"].form.errors) == [field]


def test_a_change_is_in_the_history_with_who_made_it(keeper):
    assert change(keeper, rectify_amount="7", name_en="Evacuation route blocked with goods").status_code == 302

    rows = Matter.pgh_event_model.objects.filter(code="XF-001").order_by("pgh_id")
    assert [(row.pgh_label, row.rectify_amount) for row in rows] == [("insert", 4), ("update", 7)]
    assert rows.last().pgh_context.metadata["user"] == int(keeper.session["_auth_user_id"])


def test_the_phones_hear_of_a_change_at_their_next_sync(keeper):
    first = keeper.get(CATALOGUE)
    change(keeper, verify_amount="3")
    second = keeper.get(CATALOGUE, headers={"If-None-Match": first["ETag"]})

    assert second.status_code == 200
    assert second.json()["results"][0]["clocks"]["verify"] == {"amount": 3, "unit": "work_days"}
    assert keeper.get(CATALOGUE, headers={"If-None-Match": second["ETag"]}).status_code == 304


def test_a_renamed_class_is_heard_of_too(keeper):
    first = keeper.get(CATALOGUE)
    row = Matter.objects.get(code="XF-001").matter_class
    page = reverse("admin:grid_matterclass_change", args=[row.pk])
    assert keeper.post(page, {"code": "XF", "name_zh": "消防", "name_en": "Fire", "icon": "fire"}).status_code == 302

    assert keeper.get(CATALOGUE, headers={"If-None-Match": first["ETag"]}).status_code == 200


@pytest.mark.parametrize(("role", "status"), [("administrator", 200), ("auditor", 200), ("security_officer", 403)])
def test_the_history_is_for_those_who_answer_for_it_and_nobody_edits_it(client, role, status):
    client.force_login(person(role, "3705"), backend="django.contrib.auth.backends.ModelBackend")
    row = Matter.pgh_event_model.objects.first()

    assert client.get(reverse("admin:grid_matterhistory_changelist")).status_code == status
    assert client.post(reverse("admin:grid_matterhistory_change", args=[row.pk]), {"code": "X"}).status_code == 403


def test_that_a_matter_is_verified_from_anywhere_is_chosen_and_not_forgotten(keeper):
    forgotten = change(keeper, verify_within_m="", anywhere="")
    assert list(forgotten.context["adminform"].form.errors) == ["verify_within_m"]
    both = change(keeper, verify_within_m="100", anywhere="on")
    assert list(both.context["adminform"].form.errors) == ["anywhere"]

    assert change(keeper, verify_within_m="", anywhere="on").status_code == 302
    assert Matter.objects.get(code="XF-001").verify_within_m is None
    assert change(keeper).status_code == 302  # the choice stands
    assert change(keeper, verify_within_m="250", anywhere="").status_code == 302
    assert Matter.objects.get(code="XF-001").verify_within_m == 250
