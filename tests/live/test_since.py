"""Catching up without a socket."""

import json

import pytest
from rest_framework.test import APIClient

from citysafety.outbox.models import Head, OutboxEntry
from citysafety.outbox.relay import relay_waiting

from .conftest import CELL, happen, someone


@pytest.fixture
def caller(db) -> APIClient:
    client = APIClient()
    client.force_authenticate(someone(area="370502"))
    return client


def test_what_is_new_comes_in_order_and_only_of_the_area(caller):
    happen("a", "b")
    happen("elsewhere", area="370503")
    relay_waiting(listen={})

    page = caller.get("/api/v1/live/since/1/").json()

    assert page["position"] == 3
    assert [item["id"] for item in page["items"]] == ["b"]
    assert set(page["items"][0]) == {"position", "topic", "area", "kind", "id", "state", "level", "lon", "lat", "at"}
    assert page["items"][0]["area"] == CELL
    assert "张三" not in json.dumps(page, ensure_ascii=False)


def test_a_pruned_position_or_one_too_far_back_is_gone(caller):
    happen("a", "b", "c")
    relay_waiting(listen={})
    OutboxEntry.objects.filter(position=1).delete()
    assert caller.get("/api/v1/live/since/0/").status_code == 410
    assert caller.get("/api/v1/live/since/1/").status_code == 200
    Head.objects.update(position=1004)
    assert caller.get("/api/v1/live/since/3/").status_code == 410
    OutboxEntry.objects.all().delete()
    assert caller.get("/api/v1/live/since/1003/").status_code == 410
    assert caller.get("/api/v1/live/since/1004/").json() == {"position": 1004, "items": []}


def test_a_position_ahead_is_refused_and_a_foreign_area_does_not_exist(caller):
    assert caller.get(f"/api/v1/live/since/{10**30}/").status_code == 400
    for area in ("3705", "370503", "x"):
        assert caller.get(f"/api/v1/live/since/0/?area={area}").status_code == 404
    assert APIClient().get("/api/v1/live/since/0/").status_code in (401, 403)
