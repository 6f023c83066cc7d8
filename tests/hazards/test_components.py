"""A case may name a component; and its life is read as the seven steps of GB/T 30428.8."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from grid.models import Component, ComponentClass
from hazards.lifecycle import LIFECYCLE, HazardState
from hazards.standard import ORDER, STEP_OF, reached
from tests.factories import HOME, NOON, file_hazard, person

from .test_api import client_of, filing

pytestmark = pytest.mark.django_db
CODE = "3705020107000001"


@pytest.fixture
def lamp(cast):
    ComponentClass.objects.create(code="0107", name_zh="路灯", name_en="Street lamp")
    return lamp_at(cast, 118.5305)


def lamp_at(cast, lon: float, code: str = CODE, area: str = f"{HOME}001001001") -> Component:
    return Component.objects.create(
        code=code, kind_id="0107", name_zh="一号路灯", name_en="Lamp No. 1", department=cast.city.departments["fire-02"],
        location=f"SRID=4326;POINT({lon} 37.45)", area_code=area, cell=cast.city.cells[f"{HOME}001001001"],
        changed_at=NOON,
    )  # fmt: skip


def file(client, **more):
    return client.post("/api/v1/hazards/", filing(**more), format="json", HTTP_ACCEPT_LANGUAGE="en")


def test_a_case_names_a_component_and_its_list_and_pages_show_both(cast, lamp, client):
    body = file(client_of(cast.worker), component=CODE).json()
    other = file(client_of(cast.worker)).json()

    assert (body["component"], other["component"], other["component_name"]) == (CODE, None, None)
    reader = client_of(cast.dispatcher)
    found = reader.get("/api/v1/hazards/", {"component": CODE}).json()["results"]
    assert [(one["id"], one["component"]) for one in found] == [(body["id"], CODE)]
    assert reader.get("/api/v1/hazards/count/", {"component": CODE}).json() == {"count": 1}
    assert reader.get("/api/v1/hazards/", {"component": "1"}).json()["results"] == []
    one = reader.get(f"/api/v1/hazards/{body['id']}/").json()
    assert (one["component"], one["standard_step"]) == (CODE, "collection")

    client.force_login(cast.dispatcher, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(f"/hazards/{body['id']}/").content.decode()
    assert f"/grid/components/{CODE}/" in page
    assert "seven-steps" in page
    assert "seven-steps" not in client.get(f"/hazards/{other['id']}/").content.decode()
    assert body["number"] in client.get(f"/grid/components/{CODE}/").content.decode()
    assert body["number"] in client.get(f"/hazards/?component={CODE}").content.decode()
    assert other["number"] not in client.get(f"/hazards/?component={CODE}").content.decode()


def test_a_component_must_stand_within_reach(cast, lamp, settings):
    client = client_of(cast.worker)
    lamp_at(cast, 118.5325, "3705020107000002")  # 221 m away
    refused = file(client, component="3705020107000002")

    assert refused.status_code == 400
    [error] = refused.json()["errors"]
    assert (error["attr"], "220 m" in error["detail"] or "221 m" in error["detail"], "200 m" in error["detail"]) == (
        "component", True, True,
    )  # fmt: skip
    settings.COMPONENT_REACH_M = 300
    assert file(client, component="3705020107000002").status_code == 201


def test_a_component_that_is_none_or_not_ones_own_is_refused_alike(cast, lamp):
    lamp_at(cast, 118.5301, "3705020107000003", area="370503001001001")
    client = client_of(cast.worker)
    said = [
        file(client, component=code).json()["errors"][0]["detail"] for code in ("3705020107000003", "3705020107999999")
    ]

    assert said == [f"There is no component {code} in your area." for code in ("3705020107000003", "3705020107999999")]


def test_a_filing_without_a_component_asks_nothing_more(cast, lamp):
    client = client_of(cast.worker)
    file(client)
    with CaptureQueriesContext(connection) as without:
        file(client)
    with CaptureQueriesContext(connection) as named:
        file(client, component=CODE)
    assert "grid_component" not in " ".join(
        one["sql"].split(" FROM ")[-1] for one in without if "INSERT" not in one["sql"]
    )
    assert len(named) == len(without) + 1


def test_a_list_of_cases_on_components_costs_what_any_list_costs(cast, lamp):
    reader = client_of(cast.dispatcher)
    for n in range(3):
        file_hazard(cast.worker, component=CODE if n else None)
    reader.get("/api/v1/hazards/")
    with CaptureQueriesContext(connection) as few:
        reader.get("/api/v1/hazards/")
    for _n in range(5):
        file_hazard(cast.worker, component=CODE)
    with CaptureQueriesContext(connection) as many:
        reader.get("/api/v1/hazards/")
    assert len(few) == len(many)


def test_who_may_not_see_a_case_does_not_see_it_on_the_component(cast, lamp, client):
    hazard = file_hazard(cast.worker, component=CODE)
    handler = person("department_handler", department=cast.city.departments["roads-02"])
    client.force_login(handler, backend="django.contrib.auth.backends.ModelBackend")

    page = client.get(f"/grid/components/{CODE}/")
    assert page.status_code == 200
    assert hazard.number not in page.content.decode()


# -- the seven steps -------------------------------------------------------------------------------


def test_every_state_has_its_step_and_no_way_forward_leads_back():
    assert set(STEP_OF) == set(HazardState.values)
    forward = ("accept", "dispatch", "take", "rectify", "verify", "write_off")
    steps = [ORDER.index(STEP_OF[LIFECYCLE.steps_named(action)[0].target]) for action in forward]
    assert steps == [1, 2, 3, 4, 5, 6]


def at(n: int):
    return NOON + timedelta(hours=n)


def times(*states: str) -> dict[str, int]:
    rows = reached((state, at(n)) for n, state in enumerate(states))
    return {one.key: int((one.at - NOON).total_seconds() // 3600) for one in rows if one.at}


def test_each_step_is_reached_once_and_what_is_taken_back_is_not_reached():
    assert times("reported", "accepted", "dispatched", "dispatched", "taken") == {
        "collection": 0, "creation": 1, "dispatch": 2, "handling": 4,
    }  # fmt: skip
    assert times("reported", "accepted", "dispatched", "accepted") == {"collection": 0, "creation": 1}
    assert times("reported", "accepted", "dispatched", "accepted", "dispatched")["dispatch"] == 4
    assert times("reported", "accepted", "dispatched", "taken", "rectified", "taken")["handling"] == 3


def test_what_is_leapt_over_is_passed_without_a_time():
    rows = {one.key: one for one in reached([("reported", NOON), ("rectified", at(1))])}
    assert (rows["dispatch"].is_passed, rows["dispatch"].at, rows["feedback"].is_now) == (True, None, True)
    assert not rows["closing"].is_passed


def test_the_api_reads_a_case_as_the_seven_steps(cast, lamp):
    hazard = file_hazard(cast.worker)
    cast.step(hazard, "accept", cast.dispatcher)
    reader = client_of(cast.dispatcher)
    rows = reader.get(f"/api/v1/hazards/{hazard.pk}/standard/").json()

    assert [one["step"] for one in rows] == list(ORDER)
    assert [one["step"] for one in rows if one["is_now"]] == ["creation"]
    assert [one["step"] for one in rows if one["at"]] == ["collection", "creation"]
    assert (
        client_of(person("dispatcher", area="370503")).get(f"/api/v1/hazards/{hazard.pk}/standard/").status_code == 404
    )
