"""Every open hazard of an area as a point: whole, wall-safe, of one position, in two queries."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from citysafety.dashboard import selectors
from citysafety.tallies import selectors as tallies
from hazards.models import Hazard
from tests.factories import AWAY, HOME

POINTS = "/api/v1/wall/points/"
COLUMNS = {"area", "position", "states", "ids", "lon", "lat", "state", "major", "overdue", "unanswered"}


@pytest.fixture(autouse=True)
def _warm(happen):
    happen(0)


def refused(hazard: Hazard) -> None:
    Hazard.objects.filter(pk=hazard.pk).update(state="refused", due_at=None, overdue=False)


@pytest.mark.parametrize("count", [1, 3])
def test_points_cost_two_queries_however_many(happen, django_assert_num_queries, count):
    happen(count)
    with django_assert_num_queries(2):
        points = selectors.points("3705")
    assert len(points["ids"]) == count


def test_they_are_all_that_is_open_and_no_more(happen):
    first, second, third = happen(3)
    refused(second)
    Hazard.objects.filter(pk=third.pk).update(state="taken", overdue=True)
    points = selectors.points("3705")
    assert set(points["ids"]) == {str(first.pk), str(third.pk)}
    row = points["ids"].index(str(third.pk))
    assert points["overdue"] == [row]
    assert points["states"][points["state"][row]] == "taken"
    assert (points["lon"][row], points["lat"][row]) == (round(third.location.x, 6), round(third.location.y, 6))
    assert points["position"] == tallies.standing().position


def test_a_major_one_waits_until_it_is_accepted_or_refused(happen):
    [plain, waiting, accepted] = happen(3)
    Hazard.objects.exclude(pk=plain.pk).update(severity="major", criterion="第五条")
    Hazard.objects.filter(pk=accepted.pk).update(state="accepted")
    points = selectors.points("3705")
    assert sorted(points["ids"][n] for n in points["major"]) == sorted([str(waiting.pk), str(accepted.pk)])
    assert points["unanswered"] == [{"id": str(waiting.pk), "since": waiting.received_at.isoformat()}]


def test_they_are_those_of_the_area_and_a_foreign_one_is_not_there(happen, watcher):
    [ours], [theirs] = happen(1), happen(1, lon=118.72)
    client = watcher("dispatcher", HOME)
    assert client.get(POINTS).json()["ids"] == [str(ours.pk)]
    assert watcher().get(POINTS, {"area": AWAY}).json()["ids"] == [str(theirs.pk)]
    for area in (AWAY, "3705", "37", "x"):
        assert client.get(POINTS, {"area": area}).status_code == 404


def test_a_dedicated_cell_has_its_own(happen):
    [inside] = happen(1, lon=118.515, lat=37.445)
    happen(1)
    assert selectors.points(inside.dedicated_cell.code)["ids"] == [str(inside.pk)]


def test_kept_points_are_no_older_than_what_was_asked_for(happen, watcher):
    client = watcher()
    happen(1)
    before = client.get(POINTS, {"at_least": 0}).json()
    happen(1)
    assert client.get(POINTS, {"at_least": before["position"]}).json() == before
    assert len(client.get(POINTS, {"at_least": before["position"] + 1}).json()["ids"]) == 2


def test_they_say_nothing_of_persons_or_in_their_words(happen, watcher):
    [hazard] = happen(1)
    Hazard.objects.filter(pk=hazard.pk).update(severity="major", criterion="机密准则")
    answer = watcher("kiosk").get(POINTS)
    assert set(answer.json()) == COLUMNS
    for secret in ("赵铁柱", "Zhao", "13912345678", "机密", hazard.number):
        assert secret not in answer.content.decode()
        assert json.dumps(secret)[1:-1] not in answer.content.decode()


@pytest.mark.parametrize(
    ("role", "status"), [("operator", 200), ("kiosk", 200), ("grid_worker", 200), ("security_officer", 403)]
)
def test_who_may_watch_may_read_them(watcher, client, role, status):
    assert watcher(role).get(POINTS).status_code == status
    assert client.get(POINTS).status_code == 401


@pytest.mark.parametrize(
    ("role", "hears"), [("operator", True), ("kiosk", True), ("dispatcher", True), ("leader", False)]
)
def test_a_wall_sounds_unasked_only_where_somebody_is_on_duty(watcher, role, hears):
    page = watcher(role).get("/wall/").content.decode()
    assert ('"must_hear": true' in page) is hears
    assert ('id="sound-wanted"' in page) is not hears


def test_a_point_of_the_past_is_as_old_as_its_report(happen):
    [hazard] = happen(1, at=timezone.now() - timedelta(hours=2))
    Hazard.objects.filter(pk=hazard.pk).update(severity="major", criterion="第五条", changed_at=timezone.now())
    assert selectors.points("3705")["unanswered"][0]["since"] == hazard.received_at.isoformat()
