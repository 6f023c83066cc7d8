"""Who made a wall silent is written down, for how long, and read by whoever watches the same area (W19)."""

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from citysafety.accounts import tokens
from citysafety.dashboard.models import Mute
from tests.factories import person

MUTES = "/api/v1/wall/mutes/"
HOME_COUNTY, OTHER_COUNTY = "370502", "370503"

pytestmark = pytest.mark.usefixtures("city")


def muted(client: Client, minutes: int = 15, area: str = "3705", **more: str):
    body = {"id": str(uuid.uuid4()), "minutes": minutes, **more}
    return client.post(f"{MUTES}?area={area}", body, content_type="application/json")


def told(client: Client, area: str = "3705") -> list[dict]:
    return client.get(MUTES, {"area": area}).json()["results"]


def test_a_mute_is_told_with_its_end_and_a_masked_name(watcher):
    before = timezone.now()
    answer = muted(watcher(name_zh="王小明", name_en="Wang Xiaoming"), 30)
    assert answer.status_code == 201
    [row] = told(watcher("auditor"))
    assert row["who"] == "王**"
    [kept] = Mute.objects.all()
    assert kept.until - kept.begun_at == timedelta(minutes=30) and kept.begun_at >= before


def test_a_screen_is_told_by_its_own_name_though_it_may_write_nothing_else():
    plain = tokens.issue(person("kiosk", area="3705"), "大厅")
    screen = Client()
    screen.get("/wall/", {"kiosk": plain})
    answer = muted(screen)
    assert answer.status_code == 201 and answer.json()["who"] == "大厅"
    assert screen.post(f"{MUTES}{answer.json()['id']}/end/").status_code == 204
    assert screen.post("/api/v1/live/presence/", {"page": str(uuid.uuid4())}).status_code == 403


def test_sound_again_before_its_time_is_written_down_once(watcher):
    client = watcher()
    made = muted(client, 60).json()
    assert client.post(f"{MUTES}{made['id']}/end/").status_code == 204
    ended = Mute.objects.get().ended_at
    assert ended is not None
    assert client.post(f"{MUTES}{made['id']}/end/").status_code == 204
    assert Mute.objects.get().ended_at == ended
    assert told(client)[0]["until"] < made["until"]


def test_one_that_ran_out_keeps_its_end(watcher):
    client = watcher()
    made = muted(client).json()
    Mute.objects.update(begun_at=timezone.now() - timedelta(hours=2), until=timezone.now() - timedelta(hours=1))
    client.post(f"{MUTES}{made['id']}/end/")
    assert Mute.objects.get().ended_at is None


def test_a_repeat_changes_nothing(watcher):
    client, claimed = watcher(), str(uuid.uuid4())
    assert [muted(client, id=claimed).status_code for _ in range(2)] == [201, 200]
    assert Mute.objects.count() == 1


def test_another_s_mute_is_not_ended(watcher):
    made = muted(watcher()).json()
    assert watcher("dispatcher").post(f"{MUTES}{made['id']}/end/").status_code == 404


@pytest.mark.parametrize("minutes", [0, 14, 61, 600, "ever", None])
def test_only_lengths_that_end_soon_are_taken(watcher, minutes):
    answer = muted(watcher(), minutes)
    assert answer.status_code == 400 and "minutes" in answer.content.decode()
    assert not Mute.objects.exists()


def test_they_are_told_in_the_area_of_the_wall_and_above_and_for_a_day(watcher):
    muted(watcher(), area=HOME_COUNTY)
    assert len(told(watcher("leader"))) == 1
    assert told(watcher("leader"), OTHER_COUNTY) == []
    assert muted(watcher("dispatcher", area=HOME_COUNTY), area=OTHER_COUNTY).status_code == 404
    Mute.objects.update(begun_at=timezone.now() - timedelta(hours=25))
    assert told(watcher("leader")) == []
