"""Doors of the grid: lists with their counts, areas that deny by default, tiles, and pages."""

import gzip
import re
from html import unescape

import pytest
from django.urls import reverse

from citysafety.tallies.selectors import board
from grid.models import Cell, Matter, Premises, Worker
from grid.services import load_city, save_cell, set_worker_state

from .conftest import AWAY, HOME, NOON, person, relay

pytestmark = pytest.mark.django_db
LISTS = ("cells", "workers", "premises")


@pytest.fixture(autouse=True)
def _city(folder):
    load_city(folder, at=NOON)
    relay()


@pytest.fixture
def operator(client):
    client.force_login(person("operator", "3705"), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def neighbour(client):
    client.force_login(person("dispatcher", "370503"), backend="django.contrib.auth.backends.ModelBackend")
    return client


def sign_in(client, user):
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def get(client, path: str, **query):
    client.cookies["django_language"] = "en"
    response = client.get(f"/api/v1/{path}", query)
    return response.status_code, response.json()


@pytest.mark.parametrize(
    "role", ["grid_worker", "department_handler", "leader", "auditor", "security_officer", "administrator", "kiosk"]
)
def test_every_role_reads_the_catalogue(client, role):
    status, page = get(sign_in(client, person(role, "3705")), "matters/", page_size=1000)

    assert status == 200
    first = page["results"][0]
    assert (first["code"], first["name"], first["class"]["code"], first["department"], first["severity"], first["special"]) == (
        "XF-001", "Evacuation route blocked", "XF", "3705-XF", "general", False,
    )  # fmt: skip
    assert first["clocks"]["verify"] == {"amount": 1, "unit": "work_days"}
    assert first["evidence"]["photos_after"] == 1
    assert first["pinyin"] == "zydssstd"


def test_the_catalogue_is_not_for_strangers(client):
    assert client.get("/api/v1/matters/").status_code in (401, 403)


@pytest.mark.parametrize(("words", "found"), [("zydss", 1), ("出口", 1), ("xf-00", 2), ("locked", 1), ("nothing", 0)])
def test_matters_are_found_by_initials_names_and_codes(operator, words, found):
    assert get(operator, "matters/count/", search=words) == (200, {"count": found})


def test_a_phone_that_has_the_catalogue_hears_only_of_changes(operator):
    first = operator.get("/api/v1/matters/?page_size=1000")
    again = operator.get("/api/v1/matters/?page_size=1000", HTTP_IF_NONE_MATCH=first["ETag"])
    Matter.objects.get(code="XF-001").save()
    changed = operator.get("/api/v1/matters/?page_size=1000", HTTP_IF_NONE_MATCH=first["ETag"])

    assert (first.status_code, again.status_code, changed.status_code) == (200, 304, 200)
    assert (again.content, changed.json()["results"]) == (b"", first.json()["results"])


def test_a_matter_added_in_the_admin_is_in_the_next_answer(client):
    sign_in(client, person("administrator", "3705"))
    home = Matter.objects.get(code="XF-001")
    clocks = {
        f"{stage}_{part}": value
        for stage in ("accept", "rectify", "verify")
        for part, value in (("amount", 2), ("unit", "work_days"))
    }
    answer = client.post(
        reverse("admin:grid_matter_add"),
        {"code": "XF-009", "active": "on", "name_zh": "灭火器过期", "name_en": "Extinguisher expired", "matter_class": home.matter_class_id,
         "department": home.department_id, "severity": "general", "photos_before": 0, "photos_after": 1, "near_m": 50, "verify_within_m": 100, **clocks},
    )  # fmt: skip

    assert answer.status_code == 302, answer.context["errors"]
    assert get(client, "matters/count/", search="mhqgq") == (200, {"count": 1})


def test_a_posting_that_cannot_be_is_refused_in_words_in_the_admin(client):
    sign_in(client, person("administrator", "3705"))
    client.cookies["django_language"] = "en"
    first, other = Worker.objects.get(number="DY00001"), Worker.objects.get(number="DY00002")
    cell = Cell.objects.get(code=f"{HOME}001")
    set_worker_state(worker_id=other.pk, state="left", at=NOON)

    def told(worker):
        given = {"worker": worker.pk, "cell": cell.pk, "role": "primary", "since": "2026-11-23"}
        answer = client.post(reverse("admin:grid_posting_add"), given, follow=True)
        return [str(message) for message in answer.context["messages"]]

    assert told(first) == [f"Cell {HOME}001 has somebody responsible from 2026-11-23 on, or this worker already."]
    assert told(other) == ["Worker DY00002 left the service."]
    assert cell.postings.filter(until=None).count() == 1


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("area", ["370502", "4401", "37", "abc"])
def test_a_foreign_or_unknown_area_answers_404(neighbour, name, area):
    assert get(neighbour, f"{name}/", area=area)[0] == 404
    assert get(neighbour, f"{name}/count/", area=area)[0] == 404


@pytest.mark.parametrize(("name", "mine", "all_of_it"), [("cells", 2, 5), ("workers", 1, 3), ("premises", 1, 3)])
def test_lists_hold_the_own_area_alone_and_agree_with_their_counts(client, name, mine, all_of_it):
    for area, expected in (("370503", mine), ("3705", all_of_it)):
        sign_in(client, person("dispatcher", area))
        assert get(client, f"{name}/count/") == (200, {"count": expected})
        assert len(get(client, f"{name}/", page_size=1000)[1]["results"]) == expected
    assert get(client, f"{name}/count/", area="370500") == (200, {"count": all_of_it})


def test_somebody_without_an_area_sees_nothing(client):
    sign_in(client, person("dispatcher", ""))

    assert get(client, "cells/")[0] == 404


@pytest.mark.parametrize("name", ["workers", "premises"])
def test_wall_screens_get_no_lists_with_persons(client, name):
    sign_in(client, person("kiosk", "3705"))

    assert get(client, f"{name}/")[0] == 403
    assert client.get(f"/grid/{name}/").status_code == 403


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("rows", [1, 3])
def test_lists_take_the_same_queries_whatever_their_length(operator, name, rows, django_assert_max_num_queries):
    with django_assert_max_num_queries(4):
        assert len(get(operator, f"{name}/", page_size=rows)[1]["results"]) == rows


def test_a_list_pinned_to_a_position_agrees_with_the_figure_while_the_city_moves(operator):
    old = board("3705")
    set_worker_state(worker_id=Worker.objects.get(number="DY00001").pk, state="ill", at=NOON)
    cell = Cell.objects.get(code=f"{AWAY}001")
    cell.active = False
    save_cell(cell, at=NOON)
    relay()

    for key, name in (("workers.assigned", "workers"), ("cells.active", "cells"), ("premises.total", "premises")):
        then, now = (
            get(operator, f"{name}/count/", figure=key, at=at)[1]["count"]
            for at in (old.position, board("3705").position)
        )
        assert (then, now) == (old.figures[key], board("3705").figures[key]), key
    assert (old.figures["workers.assigned"], board("3705").figures["workers.assigned"]) == (2, 1)
    assert get(operator, "cells/", figure="workers.assigned")[0] == 400


def test_a_point_tells_its_cells_and_who_answers(operator):
    status, answer = get(operator, "cells/locate/", lon=118.515, lat=37.415, accuracy_m=8)

    assert status == 200
    assert (answer["base"]["code"], answer["dedicated"]["code"], answer["sea"]) == (f"{HOME}001", f"{HOME}501", None)
    assert answer["base"]["responsible"] == {
        "role": "primary",
        "name": "Zhang Wei",
        "phone": "13800000001",
        "mine": False,
    }
    assert [one["code"] for one in answer["candidates"]] == [f"{HOME}001"]


def test_strangers_to_the_area_see_a_masked_name_and_no_telephone(neighbour):
    _status, answer = get(neighbour, "cells/locate/", lon=118.515, lat=37.415)

    assert answer["base"]["responsible"] == {"role": "primary", "name": "张*", "phone": "", "mine": False}
    assert get(neighbour, f"cells/{HOME}001/")[0] == 404
    assert get(neighbour, f"cells/{AWAY}001/")[0] == 200


def test_a_shifted_datum_is_converted_before_looking(operator):
    plain = get(operator, "cells/locate/", lon=118.5505, lat=37.42)[1]
    shifted = get(operator, "cells/locate/", lon=118.5505, lat=37.42, datum="gcj02")[1]

    assert (plain["base"]["code"], shifted["base"]["code"]) == (f"{HOME}002", f"{HOME}001")


@pytest.mark.parametrize(
    "query",
    [{"lon": "x", "lat": 37}, {"lat": 37}, {"lon": 2.3, "lat": 48.8}, {"lon": 118.5, "lat": 37.4, "datum": "mars"}],
)
def test_a_wrong_place_is_refused_by_field(operator, query):
    status, answer = get(operator, "cells/locate/", **query)

    assert status == 400
    assert answer["errors"][0]["attr"] in ("lon", "lat", "datum")


def test_premises_are_found_by_kind_words_and_frame(operator):
    assert get(operator, "premises/count/", kind="government") == (200, {"count": 2})
    assert get(operator, "premises/count/", search="福源") == (200, {"count": 1})
    assert get(operator, "premises/count/", bbox="118.5,37.4,118.6,37.5") == (200, {"count": 2})
    assert get(operator, "premises/", bbox="1,2,3")[0] == 400


def test_divisions_and_departments_are_listed(operator):
    assert [row["code"] for row in get(operator, "divisions/", parent="370500")[1]["results"]] == ["370502", "370503"]
    assert get(operator, "departments/count/", area="370502") == (200, {"count": 2})


def test_the_burden_of_cells_stands_at_a_position(operator):
    assert get(operator, "cells/state/", area="3705") == (
        200,
        {"area": "3705", "position": board("3705").position, "cells": {}},
    )


def test_tiles_hold_the_cells_and_may_be_kept_for_ever(operator):
    answer = operator.get("/tiles/1/cells/8/212/99.mvt", HTTP_ACCEPT_ENCODING="gzip")
    plain = operator.get("/tiles/1/cells/8/212/99.mvt", HTTP_ACCEPT_ENCODING="")

    assert answer.status_code == 200
    assert "immutable" in answer["Cache-Control"]
    assert gzip.decompress(answer.content) == plain.content
    assert b"cells" in plain.content
    assert f"{HOME}001".encode() in plain.content


def test_tiles_are_for_people_who_are_signed_in_and_for_the_active_version(client, operator):
    assert operator.get("/tiles/7/cells/8/212/99.mvt").status_code == 404
    assert operator.get("/tiles/1/cells/3/9/9.mvt").status_code == 404
    client.logout()
    assert client.get("/tiles/1/cells/8/212/99.mvt").status_code == 401
    assert client.get("/tiles/1/base/counties.geojson").status_code == 401


def test_base_layers_are_served(operator):
    layer = operator.get("/tiles/1/base/townships.geojson", HTTP_ACCEPT_ENCODING="").json()

    assert [one["properties"]["code"] for one in layer["features"]] == ["370502001", "370503001"]
    assert operator.get("/tiles/1/base/dragons.geojson").status_code == 404


@pytest.mark.parametrize(
    "path", ["/grid/", "/grid/workers/", "/grid/premises/", f"/grid/cells/{AWAY}001/", "/grid/premises/CS3/"]
)
def test_pages_show_the_own_area(neighbour, path):
    page = neighbour.get(path)

    assert page.status_code == 200
    assert "文化馆" not in page.content.decode()
    assert "张伟" not in page.content.decode()


@pytest.mark.parametrize(
    "path", ["/grid/?area=370502", "/grid/premises/?area=370502", f"/grid/cells/{HOME}001/", "/grid/premises/CS1/"]
)
def test_pages_of_foreign_areas_answer_404(neighbour, path):
    assert neighbour.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/grid/?area=3705&staffed=true&search=001", "/grid/premises/?area=3705&search=CS"])
def test_numbers_above_a_filtered_list_open_the_lists_that_make_them(operator, path):
    set_worker_state(worker_id=Worker.objects.get(number="DY00001").pk, state="left", at=NOON)
    Premises.objects.filter(code="CS3").update(active=False)
    said = re.findall(r'<a class="figure" href="([^"]+)">(\d+)</a>', operator.get(path).content.decode())

    assert len(said) >= 3
    for href, number in said:
        listed = operator.get(unescape(href)).context
        assert listed["refusals"] == []
        assert listed["page"].paginator.count == int(number), href


def test_the_page_of_every_figure_of_the_grid_shows_its_list(operator):
    Premises.objects.filter(code="CS1").update(active=False)
    rows = get(operator, "figures/")[1]["figures"]
    pages = {row["key"]: operator.get(row["page"]).context for row in rows if row["page"].startswith("/grid/")}

    assert len(pages) == 4
    assert [page["refusals"] for page in pages.values()] == [[]] * 4
    assert pages["premises.total"]["page"].paginator.count == Premises.objects.filter(active=True).count()


def test_a_list_says_when_filters_leave_nothing(operator):
    page = operator.get(
        "/grid/premises/?search=没有这样的地方", HTTP_HX_REQUEST="true", HTTP_HX_TARGET="div#list"
    ).content.decode()

    assert "<html" not in page
    assert 'href="?"' in page


def test_an_administrator_changes_premises_and_the_figures_follow(client):
    sign_in(client, person("administrator", "3705"))
    place = Premises.objects.get(code="CS3")
    answer = client.post(
        reverse("admin:grid_premises_change", args=[place.pk]),
        {"code": "CS3", "kind": "government", "name_zh": "河口图书馆", "size": 900, "floor_area_m2": 900, "active": "on", "lon": "118.56", "lat": "37.43"},
    )  # fmt: skip
    relay()

    assert answer.status_code == 302
    place.refresh_from_db()
    assert place.cell.code == f"{HOME}002"
    assert (board("370503").figures["premises.area_m2"], board("370502").figures["premises.area_m2"]) == (0, 5900)
