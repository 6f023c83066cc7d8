"""The page that explains why somebody can or can't see a record."""

import pytest

from citysafety.accounts import rights
from citysafety.areas import covers
from citysafety.lifecycle import Step

from .people import Record, person

STEPS = (
    Step("reported", "accept", "accepted", basis="test", roles=("dispatcher:area",), label="Accept it"),
    Step("rectified", "verify", "verified", basis="test", roles=("grid_worker:area,not_rectifier",), label="Verify it"),
)


@pytest.fixture
def _a_kind_of_record(monkeypatch):
    """A record that its area and its reporter may see, as an app above would register it."""
    monkeypatch.setattr(rights, "KINDS", {})
    record = Record(pk=42, reporter_id=0)

    def explain(user, subject_id):
        return [
            ("area", covers(user.area_code, record.area_code), "the area covers it"),
            ("reporter", user.pk == record.reporter_id, "reported by this person"),
        ]

    rights.register_visibility(
        "record", explain, label="Record", find=lambda given: record if given == "NO-42" else None, steps=STEPS
    )


@pytest.mark.django_db
@pytest.mark.usefixtures("_a_kind_of_record")
def test_it_shows_every_rule_and_the_one_that_decided(client):
    client.force_login(person("security_officer", area="3705"))
    near, far = person("dispatcher", area="370502"), person("dispatcher", area="370503")

    def ask(user):
        answer = client.get("/admin/accounts/why/", {"user": user.username, "kind": "record", "record": "NO-42"})
        assert answer.status_code == 200
        return answer.content.decode()

    client.cookies["django_language"] = "en"
    page = ask(near)
    assert "Yes. Decided by: the area covers it" in page
    assert "allowed.dispatcher.area" in page
    page = ask(far)
    assert "No. No rule lets this person see it" in page
    assert "the area covers it" in page
    assert "denied.area" in page
    assert "denied.role" in page  # verify is for grid workers


@pytest.mark.django_db
@pytest.mark.usefixtures("_a_kind_of_record")
def test_unknown_people_and_records_are_told_beside_their_fields(client):
    client.force_login(person("auditor", area="3705"))
    answer = client.get("/admin/accounts/why/", {"user": "nobody", "kind": "record", "record": "NO-43"})
    assert set(answer.context["form"].errors) == {"user", "record"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "status"),
    [("administrator", 200), ("security_officer", 200), ("auditor", 200), ("dispatcher", 403), ("grid_worker", 403)],
)
def test_only_those_who_keep_rights_may_ask(client, role, status):
    client.force_login(person(role, area="3705"))
    assert client.get("/admin/accounts/why/").status_code == status


@pytest.mark.django_db
def test_strangers_are_sent_to_the_door(client):
    assert client.get("/admin/accounts/why/").url.startswith("/login/?next=")
