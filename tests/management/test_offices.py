"""The demo's offices work what comes due, each step by the account whose it is, at the API's own door."""

import hashlib
import random
from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from citysafety.accounts.models import AccessToken, User
from citysafety.management.offices import LABEL, NEXT, Offices, due_case
from citysafety.management.simulator import small_picture
from hazards.lifecycle import OPEN
from hazards.models import Hazard
from tests.factories import AWAY, HOME, NOON, file_hazard, make_city, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def city():
    made = make_city()
    for county, office in ((HOME, "fire-02"), (AWAY, "fire-03")):
        person("dispatcher", area=county)
        person("department_handler", area=county, department=made.departments[office])
    person("dispatcher", area="3705")
    return made


def test_every_open_state_has_a_next_step():
    assert set(NEXT) == set(OPEN)


def test_the_case_due_first_has_its_turn_but_not_before_it_is_due_soon(city):
    late, soon, slow, far = (file_hazard(person("grid_worker"), at=NOON) for _ in range(4))
    for hazard, number, hours in ((late, "A-1", -5), (soon, "A-2", 2), (slow, "A-7", -6), (far, "A-4", 4)):
        earlier = NOON - timedelta(hours=4)
        Hazard.objects.filter(pk=hazard.pk).update(
            number=number, due_at=NOON + timedelta(hours=hours), received_at=earlier, changed_at=earlier
        )

    assert due_case(NOON, []) == late
    assert due_case(NOON, [str(late.pk)]) == soon
    assert due_case(NOON, [str(late.pk), str(soon.pk)]) is None
    assert due_case(NOON + timedelta(hours=19), [str(late.pk)]) == slow


@pytest.mark.parametrize(("hours", "minutes"), [(2.9, 60), (5, 29)])
def test_a_case_that_is_young_or_at_work_is_left_alone(city, hours, minutes):
    file_hazard(person("grid_worker"))
    Hazard.objects.update(
        number="A-1",
        due_at=NOON,
        received_at=NOON - timedelta(hours=hours),
        changed_at=NOON - timedelta(minutes=minutes),
    )
    assert due_case(NOON, []) is None


def test_a_case_whose_office_has_nobody_left_waits_for_people(city):
    hazard = file_hazard(person("grid_worker"))
    hazard.department = city.departments["fire-02"]
    User.objects.filter(role="department_handler").update(is_active=False)
    assert Offices(NOON).account_for("take", hazard) is None


def test_a_case_comes_to_its_end_by_the_accounts_of_its_county(city):
    hazard = file_hazard(person("grid_worker"))
    offices, door = Offices(NOON), APIClient()
    taken = []
    while hazard.is_open:
        action = NEXT[hazard.state]
        account = offices.account_for(action, hazard)
        door.credentials(HTTP_AUTHORIZATION=f"Token {account['token']}")
        if action == "rectify":
            photo(door, hazard)
        body = {"id": f"00000000-0000-4000-8000-{hazard.version:012d}", "version": hazard.version, "words": "已整改"}
        place = {"lon": 118.53, "lat": 37.45, "datum": "wgs84"}
        body |= {"location": place, "department": account.get("department", "")}
        answer = door.post(f"/api/v1/hazards/{hazard.pk}/{action}/", body, format="json")
        assert answer.status_code == 200, answer.json()
        taken.append(action)
        hazard = Hazard.objects.select_related("matter").get(pk=hazard.pk)
    assert taken == ["accept", "dispatch", "take", "rectify", "verify", "write_off"]
    assert set(hazard.steps.exclude(action="report").values_list("actor__area_code", flat=True)) == {HOME}
    assert AccessToken.objects.filter(label=LABEL).count() == 2

    offices.close()
    assert not AccessToken.objects.filter(label=LABEL).exists()


def photo(door, hazard):
    data = small_picture(random.Random(1))
    path = f"/api/v1/hazards/{hazard.pk}/photos/{hashlib.sha256(data).hexdigest()}/?role=after"
    assert door.put(path, data, content_type="image/jpeg").status_code == 201
