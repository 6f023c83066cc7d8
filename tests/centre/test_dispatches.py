"""Several cases dispatched at once: refusals a row, ten seconds to undo, and nothing that hangs on the browser."""

import threading
import uuid
from datetime import timedelta

import pytest
import time_machine
from django.db import connections, transaction
from django.utils import timezone

from citysafety.centre import services
from citysafety.centre.models import HeldDispatch
from citysafety.centre.tasks import send_due
from hazards.models import Hazard, Step
from tests.factories import AWAY, HOME, NOON, file_hazard, person

BASE = "/api/v1/centre/dispatches/"
State = HeldDispatch.State


@pytest.fixture
def accepted(city, take):
    """Three accepted cases."""
    worker = person("grid_worker")
    made = [file_hazard(worker) for _ in range(3)]
    for hazard in made:
        take(hazard, "accept")
        hazard.refresh_from_db()
    return made


@pytest.fixture
def client(at_desk, dispatcher):
    return at_desk(who=dispatcher)


def item(hazard, **more):
    return {
        "id": str(uuid.uuid4()), "hazard": str(hazard.pk), "version": hazard.version, "department": "fire-02", **more,
    }  # fmt: skip


def send(client, items, batch=None, path=BASE):
    body = {"id": str(batch or uuid.uuid4()), "items": items}
    return client.post(path, body, content_type="application/json")


def undo(client, items):
    return client.post(f"{BASE}undo/", {"ids": [one["id"] for one in items]}, content_type="application/json")


def states():
    return sorted(HeldDispatch.objects.values_list("state", flat=True))


def test_the_nearest_office_is_proposed_and_each_refusal_says_why(accepted, client, at_desk, take):
    reported = file_hazard(person("grid_worker"))
    away = file_hazard(person("grid_worker", area=AWAY), lon=118.73)
    ids = [str(one.pk) for one in (accepted[0], reported, away)]
    rows = client.post(f"{BASE}trial/", {"hazards": ids}, content_type="application/json").json()["results"]

    assert [(row["proposed"], row["refusal"]) for row in rows] == [("fire-02", ""), ("", "not_open"), ("", "gone")]
    assert {"code": "fire-02", "name": "fire-02"} in rows[0]["offices"]
    assert all(row["words"] for row in rows[1:])
    assert rows[2]["number"] == ""  # nothing of what is not there
    mine = at_desk("operator", HOME).post(f"{BASE}trial/", {"hazards": ids[:1]}, content_type="application/json").json()
    assert mine["results"][0]["refusal"] == "denied.role"
    assert not HeldDispatch.objects.exists()


def test_two_of_three_go_out_after_ten_seconds_and_the_one_undone_does_not(accepted, client):
    with time_machine.travel(NOON, tick=False) as clock:
        items = [item(one) for one in accepted]
        answer = send(client, items).json()
        assert [row["state"] for row in answer["results"]] == ["held"] * 3
        undone = undo(client, items[:1]).json()["results"]
        assert [row["state"] for row in undone] == ["undone"]
        clock.shift(timedelta(seconds=9))
        send_due()
        assert states() == ["held", "held", "undone"]
        clock.shift(timedelta(seconds=1))
        send_due()

    assert states() == ["sent", "sent", "undone"]
    assert [Hazard.objects.get(pk=one.pk).state for one in accepted] == ["accepted", "dispatched", "dispatched"]
    step = Step.objects.get(hazard=accepted[1], action="dispatch")
    assert (str(step.pk), step.at - NOON) == (items[1]["id"], services.HOLD)  # the unit's time runs from the sending


def test_what_has_gone_out_is_told_by_the_undo_and_stays(accepted, client):
    with time_machine.travel(NOON, tick=False) as clock:
        items = [item(accepted[0])]
        send(client, items)
        clock.shift(services.HOLD)
        send_due()
        assert [row["state"] for row in undo(client, items).json()["results"]] == ["sent"]
    assert Hazard.objects.get(pk=accepted[0].pk).state == "dispatched"


def test_each_case_is_refused_for_itself_and_keeps_no_other_back(accepted, client, take):
    other = file_hazard(person("grid_worker"))
    items = [
        item(accepted[0]), item(accepted[1], version=1), item(accepted[2], department="fire-03"), item(other),
    ]  # fmt: skip
    rows = send(client, items).json()["results"]

    assert [(row["state"], row["refusal"]) for row in rows] == [
        ("held", ""), ("refused", "stale"), ("refused", "department"), ("refused", "not_open"),
    ]  # fmt: skip
    assert states() == ["held"]


def test_who_was_faster_has_the_case_and_the_held_one_is_refused_when_it_goes_out(accepted, client, take):
    with time_machine.travel(NOON, tick=False) as clock:
        batch = uuid.uuid4()
        send(client, [item(accepted[0])], batch)
        take(accepted[0], "dispatch", by=person("dispatcher"), department="roads-02")
        clock.shift(services.HOLD)
        send_due()
        [row] = client.get(f"{BASE}?batch={batch}").json()["results"]

    assert (row["state"], row["refusal"]) == ("refused", "stale")
    assert row["words"] == "It changed meanwhile."
    assert Hazard.objects.get(pk=accepted[0].pk).department.code == "roads-02"


def test_who_lost_the_right_meanwhile_dispatches_nothing(accepted, client, dispatcher):
    with time_machine.travel(NOON, tick=False) as clock:
        send(client, [item(accepted[0])])
        dispatcher.area_code = AWAY
        dispatcher.save()
        clock.shift(services.HOLD)
        send_due()
    row = HeldDispatch.objects.get()
    assert (row.state, row.refusal) == ("refused", "denied.area")


def test_a_case_is_held_once_whoever_asks(accepted, client, at_desk):
    second = at_desk("dispatcher", HOME)
    send(client, [item(accepted[0])])
    [row] = send(second, [item(accepted[0])]).json()["results"]
    assert (row["state"], row["refusal"]) == ("refused", "held")


def test_a_repeat_gets_the_same_answer_and_another_body_is_refused(accepted, client):
    batch, items = uuid.uuid4(), [item(accepted[0])]
    first, again = send(client, items, batch), send(client, items, batch)
    assert (again.status_code, again.json()) == (200, first.json())
    assert HeldDispatch.objects.count() == 1
    assert send(client, [item(accepted[1])], batch).status_code == 422


def test_nobody_undoes_or_sees_what_another_gave(accepted, client, at_desk):
    items = [item(accepted[0])]
    send(client, items)
    other = at_desk("dispatcher", HOME)
    assert undo(other, items).status_code == 404
    assert other.get(BASE).json()["results"] == []
    assert states() == ["held"]


def test_nonsense_is_refused_in_words(client, accepted):
    same = item(accepted[0])
    for body in ([], [same, same], [{**same, "version": 0}], [{**same, "id": "x"}]):
        assert send(client, body).status_code == 400
    assert client.get(f"{BASE}?batch=x").status_code == 400
    assert not HeldDispatch.objects.exists()


def test_a_dispatch_goes_out_once_however_many_workers_sweep(accepted, client):
    with time_machine.travel(NOON, tick=False) as clock:
        send(client, [item(one) for one in accepted])
        clock.shift(services.HOLD)
        assert [services.send_due(at=timezone.now()) for _ in range(3)] == [3, 0, 0]
    assert Step.objects.filter(action="dispatch").count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_row_that_is_being_undone_is_left_to_the_undo(accepted, client):
    """The sweep passes over a locked row instead of waiting for it."""
    items = [item(accepted[0])]
    send(client, items)
    sent = []

    def sweep():
        sent.append(services.send_due(at=timezone.now() + services.HOLD))
        connections.close_all()

    with transaction.atomic():
        HeldDispatch.objects.select_for_update().get()
        thread = threading.Thread(target=sweep)
        thread.start()
        thread.join(10)
    assert (thread.is_alive(), sent) == (False, [0])
    assert states() == ["held"]
