"""Figures over HTTP: whose, at which position, with which lists."""

import pytest
from rest_framework.test import APIClient

from citysafety.accounts.models import User
from citysafety.tallies.models import Fold
from tests.factories import make_city

from .test_positions import CELL, moved


@pytest.fixture
def caller(db, probes):
    user = User.objects.create(username="operator", role="operator", area_code="3705")
    client = APIClient()
    client.force_authenticate(user)
    return client


def rows(answer) -> dict:
    return {row["key"]: row for row in answer.json()["figures"]}


def test_every_figure_comes_with_its_list_at_the_same_position(caller):
    moved("a", now=["probes.open"], today=["probes.found_today"], amounts={"probes.size": 12.5})
    answer = caller.get("/api/v1/figures/?area=370500")

    assert answer.status_code == 200
    assert answer.json()["position"] == 1
    board = rows(answer)
    assert board["probes.open"]["value"] == 1
    assert board["probes.open"]["list"] == "/api/v1/probes/?figure=probes.open&area=3705&at=1"
    assert board["probes.found_today"]["list"] == "/api/v1/probes/?area=3705&at=1"
    assert (board["probes.size"]["value"], board["probes.size"]["field"]) == (12.5, "size")
    assert board["probes.loud_ratio"]["numerator"] == "probes.loud"
    assert board["probes.loud_ratio"]["value"] == 0.0


@pytest.mark.parametrize(("role", "whole"), [("operator", True), ("department_handler", False), ("kiosk", False)])
def test_a_figure_leads_nobody_to_a_list_that_is_a_part_of_it(db, probes, role, whole):
    moved("a", now=["probes.open"])
    client = APIClient()
    client.force_authenticate(User.objects.create(username=role, role=role, area_code="3705"))
    row = rows(client.get("/api/v1/figures/"))["probes.open"]
    assert row["value"] == 1
    assert (bool(row["list"]), bool(row["page"])) == (whole, whole)


def test_an_earlier_position_shows_what_was_then(caller):
    first = moved("a", now=["probes.open"])
    moved("a", previous=first)
    assert rows(caller.get("/api/v1/figures/?at=1"))["probes.open"]["value"] == 1
    assert rows(caller.get("/api/v1/figures/"))["probes.open"]["value"] == 0


@pytest.mark.parametrize("area", ["370600", "3706", "37", "x", "370502001001001999"])
@pytest.mark.parametrize(
    "path", ["figures/", "figures/series/?figure=probes.found_today", "figures/by-category/?figure=probes.open"]
)
def test_a_foreign_or_unknown_area_does_not_exist(caller, path, area):
    assert caller.get(f"/api/v1/{path}{'&' if '?' in path else '?'}area={area}").status_code == 404


def test_a_county_sees_its_own_and_not_the_city(caller, db):
    moved("a", now=["probes.open"])
    county = APIClient()
    county.force_authenticate(User.objects.create(username="c", role="operator", area_code="370503"))
    assert rows(county.get("/api/v1/figures/"))["probes.open"]["value"] == 0
    assert county.get("/api/v1/figures/?area=3705").status_code == 404


def test_who_has_no_area_sees_nothing(db, probes):
    client = APIClient()
    assert client.get("/api/v1/figures/").status_code in (401, 403)
    client.force_authenticate(User.objects.create(username="nobody", role="operator", area_code=""))
    assert client.get("/api/v1/figures/").status_code == 404


@pytest.mark.parametrize(
    ("at", "status"), [("2", 400), ("x", 400), ("-1", 400), ("9" * 30, 400), ("1", 200), ("", 200)]
)
def test_a_position_that_is_none_is_refused_by_name(caller, at, status):
    moved("a", now=["probes.open"])
    answer = caller.get(f"/api/v1/figures/?at={at}")
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["errors"][0]["attr"] == "at"


def test_a_pruned_position_is_gone(caller):
    first = moved("a", now=["probes.open"])
    moved("a", previous=first)
    Fold.objects.filter(position__lt=2).delete()
    for path in (
        "figures/?at=1",
        "figures/series/?figure=probes.found_today&at=1",
        "figures/by-category/?figure=probes.open&at=1",
    ):
        assert caller.get(f"/api/v1/{path}").status_code == 410


def test_the_series_ends_today_and_shows_days_without_any(caller):
    moved("a", today=["probes.found_today"])
    days = caller.get("/api/v1/figures/series/?figure=probes.found_today&days=30&area=3705").json()["days"]
    assert [day["value"] for day in days] == [0] * 29 + [1]
    for query in ("figure=probes.open", "figure=probes.found_today&days=0", "figure=probes.found_today&days=401"):
        assert caller.get(f"/api/v1/figures/series/?{query}").status_code == 400
    assert caller.get("/api/v1/figures/series/?figure=nothing").status_code == 404


def test_categories_are_counted(caller):
    make_city()
    moved("a", now=["probes.open"], category="gas")
    moved("b", now=["probes.open"], category="fire")
    moved("c", now=["probes.open"], category="fire")
    for area in ("3705", CELL):
        answer = caller.get(f"/api/v1/figures/by-category/?figure=probes.open&area={area}").json()
        assert answer["categories"] == {"gas": 1, "fire": 2}
