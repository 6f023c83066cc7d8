"""Alarms through the API: who sees which, filters, figures with their lists, steps once, the order of refusals."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from citysafety.accounts.tokens import issue
from hazards.models import Hazard
from monitoring import known
from monitoring.models import Alarm, Maintenance, Shelving
from tests.factories import AWAY, person

from .desks import Desk, make_desk, relay
from .worlds import station

pytestmark = pytest.mark.django_db
BASE = "/api/v1/alarms/"
HOUR = timedelta(hours=1)


def client_of(user):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {issue(user, 'test')}")
    return client


@pytest.fixture
def desk() -> Desk:
    return make_desk()


def step(client, alarm, verb, **fields):
    version = Alarm.objects.values_list("version", flat=True).get(pk=alarm.pk)
    body = {"id": str(uuid.uuid4()), "version": version, **fields}
    return client.post(f"{BASE}{alarm.pk}/{verb}/", body, format="json")


def test_an_alarm_from_its_raising_to_its_end(desk):
    alarm, client = desk.raised(), client_of(desk.operator)
    shown = client.get(f"{BASE}{alarm.pk}/").json()
    assert (shown["level"], shown["value"], shown["limit"], shown["state"]) == (3, 12.0, 10.0, "unack")
    assert shown["rule"]["advice"] == "疏散下风向人员"
    actions = [one["action"] for one in client.get(f"{BASE}{alarm.pk}/steps/").json()]
    assert actions == ["acknowledge", "assign", "comment", "shelve", "file_hazard"]
    assert step(client, alarm, "acknowledge").json()["state"] == "acked"
    assert step(client, alarm, "assign", department="roads-02").json()["assigned_to"]["code"] == "roads-02"
    filed = step(client, alarm, "file_hazard", words="请处置").json()
    assert filed["hazard"]["number"] == Hazard.objects.get().number
    desk.measure(1.0)
    assert step(client, alarm, "confirm", words="属实").json()["verdict"] == "real"
    rows = client.get(f"{BASE}{alarm.pk}/history/").json()["results"]
    assert [row["action"] for row in rows] == ["raise", "acknowledge", "assign", "file_hazard", "return", "confirm"]
    assert client.get(f"{BASE}{alarm.pk}/history/count/").json() == {"count": 6}


def test_a_repeat_gets_the_stored_answer_and_another_body_none(desk):
    alarm, client = desk.raised(), client_of(desk.operator)
    body = {"id": str(uuid.uuid4()), "version": 1}
    first, again, other = (
        client.post(f"{BASE}{alarm.pk}/acknowledge/", one, format="json")
        for one in (body, body, {**body, "words": "x"})
    )
    assert (first.status_code, again.status_code, other.status_code) == (200, 200, 422)
    assert first.json() == again.json()
    assert client.get(f"{BASE}{alarm.pk}/history/count/").json() == {"count": 2}


def test_refusals_say_what_is_wrong_with_the_alarm_as_it_stands(desk):
    alarm, client = desk.raised(), client_of(desk.operator)
    stale = client.post(f"{BASE}{alarm.pk}/acknowledge/", {"id": str(uuid.uuid4()), "version": 9}, format="json")
    assert (stale.status_code, stale.json()["present"]["version"]) == (409, 1)
    assert step(client, alarm, "confirm", words="x").status_code == 409
    assert step(client, alarm, "unshelve").status_code == 409
    missing = step(client, alarm, "shelve")
    assert (missing.status_code, {one["attr"] for one in missing.json()["errors"]}) == (400, {"reason"})
    late = step(client, alarm, "shelve", reason="检修", until=(timezone.now() + 99 * HOUR).isoformat())
    assert (late.status_code, late.json()["errors"][0]["attr"]) == (400, "until")
    assert step(client_of(desk.leader), alarm, "acknowledge").status_code == 403
    assert client.post(f"{BASE}{alarm.pk}/raise/", {}, format="json").status_code == 404  # the system's own


@pytest.mark.parametrize(
    ("role", "area", "status"),
    [("operator", AWAY, 404), ("leader", "3705", 200), ("auditor", "370502", 200), ("grid_worker", "370502", 200),
     ("kiosk", "370502", 404), ("department_handler", "370502", 404)],
)  # fmt: skip
def test_who_sees_an_alarm(desk, role, area, status):
    alarm = desk.raised()
    client = client_of(person(role, area=area))
    assert client.get(f"{BASE}{alarm.pk}/").status_code == status
    if status != 403:
        assert client.get(f"{BASE}count/").json() == {"count": 1 if status == 200 else 0}


def test_handlers_see_what_their_department_answers_for_shares_or_was_given(desk):
    alarm = desk.raised()
    roads = client_of(person("department_handler", department=desk.city.departments["roads-02"]))
    assert client_of(desk.handler).get(f"{BASE}{alarm.pk}/").status_code == 200
    assert roads.get(f"{BASE}{alarm.pk}/").status_code == 404
    desk.device.owners.add(desk.city.departments["roads-02"])
    assert roads.get(f"{BASE}{alarm.pk}/").status_code == 200
    assert step(roads, alarm, "acknowledge").status_code == 403  # shared is seen, not answered for
    desk.device.owners.clear()
    desk.step(alarm, "assign", department="roads-02")
    assert roads.get(f"{BASE}{alarm.pk}/").status_code == 200
    assert step(roads, alarm, "assign", department="fire-02").status_code == 200  # out of their sight then


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ("", 1), ("open=true", 1), ("open=false", 0), ("level=3", 1), ("level=1&level=2", 0), ("state=unack", 1),
        ("state=acked", 0), ("quiet=false", 1), ("quiet=true", 0), ("why=shelved", 0), ("rule=h2s", 1), ("rule=x", 0),
        ("kind=gas-station", 1), ("system=toxic-gas", 1), ("system=x", 0), ("device=QT-169DC0", 1), ("area=370502", 1),
        ("raised=today", 1), ("raised=2020-01-01", 0), ("flapping=false", 1), ("flapping=true", 0), ("verdict=none", 1),
        ("verdict=false", 0), ("sounded=true", 1), ("sounded=false", 0), ("stale=true", 0), ("chattered=true", 0),
        ("department=fire-02", 1), ("department=roads-02", 0), ("storm=1", 0), ("search=BJ-", 1), ("search=化工园", 1),
        ("search=没有", 0), ("since=2020-01-01T00:00", 1), ("until=2020-01-01T00:00%2B08:00", 0),
    ],
)  # fmt: skip
def test_lists_and_their_counts_keep_what_the_filters_say(desk, asked, count):
    desk.raised()
    client = client_of(desk.operator)
    assert client.get(f"{BASE}count/?{asked}").json() == {"count": count}
    assert len(client.get(f"{BASE}?{asked}").json()["results"]) == count


@pytest.mark.parametrize("asked", ["colour=red", "open=perhaps", "level=5", "raised=soon", "since=then", "figure=no"])
def test_what_is_not_understood_is_refused(desk, asked):
    assert client_of(desk.operator).get(f"{BASE}?{asked}").status_code in (400, 404)
    assert client_of(desk.operator).get(f"{BASE}?area={AWAY}").status_code == 404


def test_every_figure_has_a_list_as_long_as_it_says_also_at_its_position(desk):
    client = client_of(desk.operator)
    for level, value in ((3, 12.0), (2, 25.0)):
        device = station(f"ANOTHER-STATION-{level}", kind=desk.device.kind, area_code="370502001001001")
        desk.store.renew(known.read())
        place = desk.store.known.by_id[device.pk].channels["a21028-Rtd"].place
        desk.measure(value, place=place)
    relay()
    board = client.get("/api/v1/figures/?area=370502").json()
    figures = {one["key"]: one for one in board["figures"] if one["key"].startswith("alarms.")}
    assert {key: one["value"] for key, one in figures.items()} == {
        "alarms.open_i": 0, "alarms.open_ii": 1, "alarms.open_iii": 1, "alarms.open_iv": 0, "alarms.raised_today": 2,
    }  # fmt: skip
    desk.step(Alarm.objects.get(level=2), "shelve", words="x", until=timezone.now() + HOUR)
    relay()
    for one in figures.values():
        assert len(client.get(one["list"]).json()["results"]) == one["value"]  # pinned to the board's position
    now = {one["key"]: one for one in client.get("/api/v1/figures/?area=370502").json()["figures"]}
    assert (now["alarms.open_ii"]["value"], now["alarms.raised_today"]["value"]) == (0, 2)


def test_lists_cost_the_same_queries_however_long(desk, django_assert_num_queries):
    client = client_of(desk.operator)
    desk.raised()
    client.get(BASE)
    for many in (1, 3):
        while Alarm.objects.count() < many:
            desk.step(Alarm.objects.open().get(), "acknowledge")
            desk.measure(1.0, 12.0)
        with django_assert_num_queries(2):
            assert len(client.get(f"{BASE}?open=true&page_size=5").json()["results"]) == 1
        with django_assert_num_queries(2):
            assert len(client.get(BASE).json()["results"]) == many


def test_maintenance_is_begun_seen_and_ended_once(desk):
    alarm, client, at = desk.raised(), client_of(desk.operator), timezone.now()
    body = {"id": str(uuid.uuid4()), "area": "370502", "begins_at": at.isoformat(), "ends_at": (at + HOUR).isoformat(),
            "reason": "检修"}  # fmt: skip
    first, again = (client.post("/api/v1/maintenance/", body, format="json") for _ in range(2))
    assert (first.status_code, again.status_code, first.json() == again.json()) == (201, 200, True)
    assert client.get(f"{BASE}{alarm.pk}/").json()["quiet"] == "maintenance"
    refused = client_of(desk.leader).post("/api/v1/maintenance/", {**body, "id": str(uuid.uuid4())}, format="json")
    assert refused.status_code == 403
    wrong = client.post("/api/v1/maintenance/", {**body, "id": str(uuid.uuid4()), "kind": "no"}, format="json")
    assert (wrong.status_code, wrong.json()["errors"][0]["attr"]) == (400, "kind")
    pk = Maintenance.objects.get().pk
    assert client.get("/api/v1/maintenance/?in_force=true").json()["results"][0]["id"] == pk
    assert client_of(person("operator", area=AWAY)).get("/api/v1/maintenance/count/").json() == {"count": 0}
    end = f"/api/v1/maintenance/{pk}/end/"
    assert client.post(end, {"id": str(uuid.uuid4())}, format="json").status_code == 200
    assert client.post(end, {"id": str(uuid.uuid4())}, format="json").status_code == 409
    assert client.get(f"{BASE}{alarm.pk}/").json()["quiet"] is None


def test_shelvings_are_seen_and_ended_also_when_their_alarm_is_over(desk):
    alarm, client = desk.raised(), client_of(desk.operator)
    step(client, alarm, "shelve", reason="标定", until=(timezone.now() + HOUR).isoformat())
    step(client, alarm, "acknowledge")
    desk.measure(1.0)
    [row] = client.get("/api/v1/shelvings/?in_force=true").json()["results"]
    assert (row["rule"], row["reason"]) == ("h2s", "标定")
    end = f"/api/v1/shelvings/{row['id']}/end/"
    assert (
        client_of(person("operator", area=AWAY)).post(end, {"id": str(uuid.uuid4())}, format="json").status_code == 404
    )
    assert client_of(desk.leader).post(end, {"id": str(uuid.uuid4())}, format="json").status_code == 403
    assert client.post(end, {"id": str(uuid.uuid4())}, format="json").status_code == 200
    assert client.post(end, {"id": str(uuid.uuid4())}, format="json").status_code == 409
    assert Shelving.objects.get().ended_at is not None
    assert client.get("/api/v1/shelvings/count/?in_force=true").json() == {"count": 0}
