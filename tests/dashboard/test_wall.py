"""What the wall reads: one look, wall-safe, of one area, at a fixed number of queries."""

import json
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from citysafety.dashboard import selectors
from citysafety.dashboard.templatetags import wall as writing
from citysafety.tallies import selectors as tallies
from hazards.models import Hazard
from tests.factories import AWAY, HOME

SNAPSHOT, ITEMS = "/api/v1/wall/", "/api/v1/wall/items/"
TOWN = f"{HOME}001"
VILLAGE = f"{TOWN}001"
CELL = f"{VILLAGE}001"


@pytest.fixture(autouse=True)
def _warm(happen):
    """A city to which nothing has happened yet has no head of news."""
    happen(0)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(("area", "queries"), [("3705", 7), (HOME, 7), (TOWN, 8), (VILLAGE, 14), (CELL, 16)])
def test_a_look_costs_the_same_however_much_there_is(happen, django_assert_num_queries, area, queries, count):
    happen(count)
    with django_assert_num_queries(queries):
        look = selectors.wall(area)
    assert len(look["newest"]) == count


def test_the_newest_of_a_city_are_read_in_the_order_of_an_index(happen):
    happen(3)
    with connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_incremental_sort = off"
        )
    plan = Hazard.objects.within("3705").order_by("-changed_at", "id")[:40].explain()
    assert "hazard_last_changed" in plan
    assert "Sort" not in plan


@pytest.mark.parametrize(
    ("value", "grouped", "percent"),
    [(None, "–", "–"), (0, "0", "0.0"), (1, "1", "100"), (13 / 16, "0.8", "81.3"), (15 / 19, "0.8", "78.9"),
     (1234.02, "1,234", "123402.0"), (1234.25, "1,234.3", "123425.0"), (700_000, "700,000", "70000000.0")],
)  # fmt: skip
def test_figures_are_written_as_the_script_writes_them(value, grouped, percent):
    """Halves go upwards, so that a page says the same before and after its script has written its figures."""
    assert (writing.grouped(value), writing.percent(value)) == (grouped, percent)


@pytest.mark.parametrize("count", [1, 3])
def test_rows_of_hazards_cost_three_queries(happen, django_assert_num_queries, count):
    ids = [hazard.pk for hazard in happen(count)]
    with django_assert_num_queries(3):
        rows = selectors.items(ids, "3705")
    assert {row["id"] for row in rows} == {str(pk) for pk in ids}


def test_the_frame_of_an_area_costs_four_queries_and_then_three(city, django_assert_num_queries):
    with django_assert_num_queries(4):
        frame = selectors.map_of(HOME)["bounds"]
    with django_assert_num_queries(3):
        assert selectors.map_of(HOME)["bounds"] == frame
    assert frame == [[118.5, 37.4], [118.6, 37.5]]


def test_figures_and_lists_of_a_look_belong_together(happen):
    happen(3, at=timezone.now())
    look = selectors.wall("3705")
    figures = {row["key"]: row["value"] for row in look["figures"]}
    assert (figures["hazards.open"], figures["hazards.found_today"]) == (3, 3)
    assert look["position"] == tallies.standing().position
    assert look["days"][-1] == {"day": look["day"], "found": 3, "cleared": 0}
    assert [row["found"] for row in look["categories"] if row["code"] == "XF"] == [3]
    assert {part["code"]: part["open"] for part in look["parts"]} == {HOME: 3, AWAY: 0}


def test_parts_add_up_to_the_whole_at_every_level(happen):
    happen(2)
    happen(1, lon=118.58)
    happen(1, lon=118.72)
    for area, parts in (("3705", {HOME: 3, AWAY: 1}), (HOME, {TOWN: 3}), (TOWN, {VILLAGE: 3})):
        look = selectors.wall(area)
        assert {part["code"]: part["open"] for part in look["parts"]} == parts
        assert sum(parts.values()) == next(row["value"] for row in look["figures"] if row["key"] == "hazards.open")
    cells = {part["code"]: part["open"] for part in selectors.wall(VILLAGE)["parts"]}
    assert (cells[f"{VILLAGE}001"], cells[f"{VILLAGE}002"]) == (2, 1)


def test_newest_come_first_and_the_longest_overdue_first(happen):
    first, second, third = happen(3)
    now = timezone.now()
    for hazard, hours in ((first, 3), (third, 9)):
        Hazard.objects.filter(pk=hazard.pk).update(overdue=True, due_at=now - timedelta(hours=hours))
    Hazard.objects.filter(pk=second.pk).update(changed_at=now)
    look = selectors.wall("3705")
    assert look["newest"][0]["id"] == str(second.pk)
    assert [row["id"] for row in look["overdue"]] == [str(third.pk), str(first.pk)]


def test_a_look_says_nothing_of_persons_or_in_their_words(happen, watcher):
    happen(2)
    for answer in (watcher().get(SNAPSHOT), watcher("kiosk").get("/wall/")):
        text = answer.content.decode()
        for secret in ("赵铁柱", "Zhao", "13912345678", "机密", "王小明"):
            assert secret not in text
            assert json.dumps(secret)[1:-1] not in text


def test_the_words_of_a_row_are_its_matter_and_its_place(happen, watcher):
    happen(1)
    [row] = watcher(language="en").get(SNAPSHOT).json()["newest"]
    assert set(row) == {
        "id", "number", "matter", "severity", "state", "area", "place", "lon", "lat", "at", "overdue", "due_at",
    }  # fmt: skip
    assert (row["matter"], row["place"]) == ("Blocked escape route", f"{HOME} Subdistrict {HOME} Cell 1")


def test_a_look_that_is_new_enough_is_kept_for_the_other_screens(happen, django_assert_num_queries):
    happen(1)
    first = selectors.recent_wall("3705")
    with django_assert_num_queries(0):
        assert selectors.recent_wall("3705", first["position"]) == first
    happen(1)
    later = selectors.recent_wall("3705", first["position"] + 1)
    assert later["position"] > first["position"]
    assert len(later["newest"]) == 2


def test_a_look_without_a_position_is_always_a_fresh_one(happen, watcher):
    client = watcher()
    happen(1)
    assert len(client.get(SNAPSHOT).json()["newest"]) == 1
    happen(1)
    assert len(client.get(SNAPSHOT).json()["newest"]) == 2


def test_a_kept_look_is_of_one_area_and_one_language(happen, watcher):
    happen(1)
    english, chinese = (
        watcher(language=language).get(SNAPSHOT, {"at_least": 0}).json() for language in ("en", "zh-hans")
    )
    other = watcher(language="en").get(SNAPSHOT, {"at_least": 0, "area": AWAY}).json()
    assert (english["newest"][0]["matter"], chinese["newest"][0]["matter"]) == ("Blocked escape route", "疏散通道堵塞")
    assert other["newest"] == []


@pytest.mark.parametrize("at_least", ["x", "-1", "1.5", "٣", "9" * 19])
def test_a_position_that_is_none_is_named(watcher, at_least):
    answer = watcher().get(SNAPSHOT, {"at_least": at_least})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "at_least"


@pytest.mark.parametrize("area", [AWAY, "3705", "37", "x", "370502999", f"{HOME}001001999"])
@pytest.mark.parametrize("address", [SNAPSHOT, "/wall/"])
def test_a_foreign_a_wider_and_an_unknown_area_are_not_there(watcher, address, area):
    assert watcher(area=HOME).get(address, {"area": area}).status_code == 404


def test_rows_of_another_area_are_left_out(happen, watcher):
    [ours], [theirs] = happen(1), happen(1, lon=118.72)
    answer = watcher("dispatcher", HOME).get(ITEMS, {"ids": f"{ours.pk},{theirs.pk}"})
    assert [row["id"] for row in answer.json()["items"]] == [str(ours.pk)]


def test_too_many_ids_and_what_is_none_are_refused(watcher):
    client = watcher()
    assert client.get(ITEMS, {"ids": "x"}).status_code == 400
    assert client.get(ITEMS, {"ids": ",".join(["018f0000-0000-7000-8000-000000000000"] * 101)}).status_code == 400
    assert client.get(ITEMS).json() == {"items": []}


@pytest.mark.parametrize(
    ("role", "status"), [("operator", 200), ("kiosk", 200), ("grid_worker", 200), ("security_officer", 403)]
)
def test_who_works_in_an_area_may_watch_it(watcher, role, status):
    for address in (SNAPSHOT, ITEMS, "/wall/"):
        assert watcher(role).get(address).status_code == status


def test_nobody_watches_without_signing_in(client, city):
    assert client.get(SNAPSHOT).status_code == 401
    assert client.get("/wall/").status_code == 302


@pytest.mark.parametrize(
    ("role", "opens"), [("operator", True), ("leader", True), ("kiosk", False), ("department_handler", False)]
)
def test_figures_are_links_for_those_whose_list_is_the_whole_of_them(happen, watcher, role, opens):
    happen(1)
    page = watcher(role).get("/wall/").content.decode()
    assert ('<a class="figure" href="/hazards/?open=true' in page) is opens
    assert ('<a class="figure' in page) is opens or 'id="notices"' in page


def test_a_screen_is_offered_no_notices(watcher):
    assert 'id="notices"' not in watcher("kiosk").get("/wall/").content.decode()
    assert 'id="notices"' in watcher().get("/wall/").content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_costs_the_same_however_much_there_is(happen, watcher, django_assert_num_queries, count):
    happen(count)
    client = watcher()
    client.get("/wall/")
    with django_assert_num_queries(13):
        client.get("/wall/")


def test_the_way_up_ends_with_the_readers_own_area(city, watcher):
    """What lies above is named and no link: it would lead to no page."""
    ways = r'<a class="figure" href="(/wall/\?area=\d+)" data-code'
    client = watcher("dispatcher", area=HOME)
    assert re.findall(ways, client.get("/wall/").content.decode()) == []
    page = client.get(f"/wall/?area={VILLAGE}").content.decode()
    assert re.findall(ways, page) == [f"/wall/?area={area}" for area in (HOME, TOWN)]
    assert {client.get(way).status_code for way in re.findall(ways, page)} == {200}
