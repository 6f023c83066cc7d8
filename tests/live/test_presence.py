"""Who is at which case: consoles of the area see a masked name within two seconds; a wall, a token without it, nobody else."""

import json
import time
import uuid

import pytest
from django.test import Client
from django.utils import timezone

from citysafety.live import presence
from citysafety.outbox.relay import relay_waiting
from citysafety.tallies.services import fold
from tests.factories import AWAY, HOME, file_hazard, person

from .conftest import frame, frames_for, issue, screen

DOOR = "/api/v1/live/presence/"
WITHIN_S = 2.0


@pytest.fixture
def probes():
    """Here the figures of hazards stay registered: cases are filed."""


@pytest.fixture
def hazard(site):
    made = file_hazard(person("grid_worker", name_zh="李四", name_en="Li Si"))
    while relay_waiting(listen={}, project=(fold,)):
        pass
    return made


def at(user):
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def say(client, page, hazard=None, **more):
    body = {"page": str(page), **({"kind": "hazard", "id": str(hazard.pk)} if hazard else {}), **more}
    return client.post(DOOR, body, content_type="application/json")


def people(socket, seconds=1.0):
    return [item for got in frames_for(socket, seconds) if got["type"] == "presence" for item in got["items"]]


def test_others_see_a_masked_name_within_two_seconds_and_see_it_go(site, hazard):
    wang = person("operator", area=HOME, name_zh="王小明", name_en="Wang Xiaoming")
    zhao, page = person("dispatcher", area="3705"), uuid.uuid4()
    with screen(site, issue(zhao, "x"), f"?presence={uuid.uuid4()}") as socket:
        assert frame(socket, "presence")["items"] == []
        begun = time.monotonic()
        assert say(at(wang), page, hazard).json() == {"seen": True, "for_s": presence.LASTS_S}
        [item] = frame(socket, "presence")["items"]
        took = time.monotonic() - begun
        assert (item["who"], item["who_en"], item["id"], item["here"]) == ("王**", "Wang *", str(hazard.pk), True)
        assert took < WITHIN_S
        say(at(wang), page)
        [item] = frame(socket, "presence")["items"]
        assert item["here"] is False
    print(f"presence: {took * 1000:.0f} ms from the request to the frame")


def test_who_comes_later_is_told_who_is_there(site, hazard):
    say(at(person("operator", area=HOME, name_zh="王小明")), uuid.uuid4(), hazard)
    with screen(site, issue(person("supervisor", area=HOME), "x"), f"?presence={uuid.uuid4()}") as socket:
        [item] = frame(socket, "presence")["items"]
    assert item["id"] == str(hazard.pk)


def test_a_wall_and_whoever_is_not_of_the_command_centre_hear_nothing_of_it(site, hazard):
    wang = person("operator", area=HOME, name_zh="王小明", name_en="Wang Xiaoming")
    kiosk, worker, operator = (person(role, area=HOME) for role in ("kiosk", "grid_worker", "operator"))
    with screen(site, issue(kiosk, "x"), f"?presence={uuid.uuid4()}") as wall, screen(site, issue(worker, "x"), f"?presence={uuid.uuid4()}") as phone, \
            screen(site, issue(operator, "x")) as plain, \
            screen(site, issue(person("operator", area=AWAY), "x"), f"?presence={uuid.uuid4()}") as away:  # fmt: skip
        say(at(wang), uuid.uuid4(), hazard)
        text = json.dumps([frames_for(socket, 0.7) for socket in (wall, phone, plain)])
        assert "presence" not in text and "Wang" not in text
        assert people(away) == []


def test_the_whole_name_and_the_account_are_in_no_frame(site, hazard):
    wang = person("operator", area=HOME, name_zh="王小明", name_en="Wang Xiaoming", phone="13900001111")
    with screen(site, issue(person("operator", area=HOME), "x"), f"?presence={uuid.uuid4()}") as socket:
        say(at(wang), uuid.uuid4(), hazard)
        text = json.dumps(frames_for(socket, 1), ensure_ascii=False)
    assert "王**" in text
    for secret in ("王小明", "Xiaoming", wang.username, "13900001111", f'"{wang.pk}"'):
        assert secret not in text


def test_only_cases_of_the_own_area_can_be_named_and_only_by_the_command_centre(site, hazard):
    assert say(at(person("operator", area=AWAY)), uuid.uuid4(), hazard).status_code == 404
    assert say(at(person("operator", area=HOME)), uuid.uuid4(), None, kind="x", id=str(hazard.pk)).status_code == 404
    for role in ("grid_worker", "department_handler", "leader", "auditor"):
        assert say(at(person(role, area=HOME)), uuid.uuid4(), hazard).status_code == 403
    assert say(at(person("operator", area=HOME)), "x", hazard).status_code == 400
    assert presence.here("3705") == []


def test_who_goes_on_to_another_case_is_gone_from_the_first(site, hazard):
    other = file_hazard(person("grid_worker"))
    client, page = at(person("operator", area=HOME)), uuid.uuid4()
    say(client, page, hazard)
    say(client, page, other)
    assert [entry.id for entry in presence.here(HOME)] == [str(other.pk)]
    assert presence.here(AWAY) == []


def test_a_browser_that_was_killed_is_forgotten(site, hazard, monkeypatch):
    monkeypatch.setattr(presence, "LASTS_S", 0.2)
    say(at(person("operator", area=HOME)), uuid.uuid4(), hazard)
    assert len(presence.here(HOME)) == 1
    time.sleep(0.3)
    assert presence.here(HOME) == []


def test_who_loses_the_line_is_gone_at_once(site, hazard):
    wang, page = person("operator", area=HOME), uuid.uuid4()
    with screen(site, issue(person("operator", area=HOME), "x"), f"?presence={uuid.uuid4()}") as socket:
        with screen(site, issue(wang, "x"), f"?presence={page}"):
            say(at(wang), page, hazard)
            assert people(socket)[-1]["here"] is True
        assert people(socket)[-1]["here"] is False
    assert presence.here(HOME) == []


def test_without_redis_the_console_works_and_shows_nobody(site, hazard, redis_server):
    client = at(person("operator", area=HOME))
    redis_server.kill()
    begun = timezone.now()
    answer = say(client, uuid.uuid4(), hazard)
    assert answer.json()["seen"] is False
    assert (timezone.now() - begun).total_seconds() < 5
    redis_server.start()
