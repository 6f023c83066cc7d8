"""Re-zonings over HTTP: the API's verbs and refusals, the preview, the pages, and what old codes answer."""

import io
import json
import time
import uuid
import zipfile

import pytest
from django.contrib.gis.geos import Point
from django.core.cache import cache
from django.db import InternalError, transaction
from django.test import Client
from django.utils import timezone, translation

from grid import locate
from grid.models import Cell, Premises, Rezoning, RezoningRecord
from hazards.models import Hazard
from tests.factories import AWAY, HOME, file_hazard, person

from .rezoned import FIRST, SECOND, draft, in_force, make_grid, relay, staffed, step
from .test_rezoning import EAST, WEST

pytestmark = pytest.mark.django_db
API, PAGES = "/api/v1/rezonings/", "/grid/rezoning/"
LINE = [[118.525, 37.4], [118.525, 37.5]]


@pytest.fixture(autouse=True)
def _in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def people():
    _city, people = make_grid()
    locate.forget()
    cache.clear()
    yield people
    locate.forget()


def signed_in(user) -> Client:
    client = Client()
    client.cookies["django_language"] = "en"
    client.force_login(user)
    return client


def send(client, path, body):
    return client.post(path, json.dumps(body), content_type="application/json")


def order(**more):
    given = {
        "id": str(uuid.uuid4()),
        "operation": "split",
        "cells": [FIRST],
        "line": LINE,
        "reason": "负荷不均",
        "basis": "GB/T",
    }
    return given | more


def verb(client, rezoning_id, name, version, **more):
    return send(client, f"{API}{rezoning_id}/{name}/", {"id": str(uuid.uuid4()), "version": version} | more)


def test_the_whole_way_over_the_api(people):
    drafter, approver = signed_in(people["drafter"]), signed_in(people["approver"])
    body = order()
    made = send(drafter, API, body)
    assert made.status_code == 201
    told = made.json()
    assert (told["state"], told["ends"], told["begins"]) == ("draft", [FIRST], [WEST, EAST])
    again = send(drafter, API, body)
    assert (again.status_code, again.json()) == (200, told)
    assert send(drafter, API, body | {"reason": "另一个"}).status_code == 422
    assert verb(drafter, told["id"], "check", 1).status_code == 400  # nobody is named for the second half
    cells = [{"code": EAST, "worker": "W2"}, {"code": WEST, "worker": "W1"}]
    assert verb(drafter, told["id"], "settle", 1, cells=cells).json()["cells"][1]["worker"] == "W2"
    assert verb(drafter, told["id"], "check", 2).json()["state"] == "checked"
    assert verb(drafter, told["id"], "approve", 3).status_code == 403
    stale = verb(approver, told["id"], "approve", 2)
    assert (stale.status_code, stale.json()["present"]["version"]) == (409, 3)
    approval = {"id": str(uuid.uuid4()), "version": 3}
    first, second = (send(approver, f"{API}{told['id']}/approve/", approval) for _ in range(2))
    assert (first.json()["state"], first.json()) == ("in_force", second.json())
    assert verb(approver, told["id"], "enter", 5).status_code == 404  # no door leads to what the clock does
    history = approver.get(f"{API}{told['id']}/history/").json()["results"]
    assert [row["action"] for row in history] == ["create", "settle", "check", "approve", "enter"]
    assert approver.get(f"{API}{told['id']}/history/count/").json() == {"count": 5}
    assert verb(approver, told["id"], "roll_back", 5).status_code == 400
    assert verb(approver, told["id"], "roll_back", 5, reason="有异议").json()["state"] == "rolled_back"


@pytest.mark.parametrize(("given", "field"), [
    ({"line": [[118.51, 37.42], [118.52, 37.43]]}, "line"),
    ({"cells": ["370502001001999"]}, "cells"),
    ({"operation": "melt"}, "operation"),
    ({"effective_at": "2020-01-01T08:00:00+08:00"}, "effective_at"),
    ({"operation": "outlines", "geojson": {"type": "FeatureCollection", "features": []}}, "file"),
    ({"line": "south"}, "line"),
])  # fmt: skip
def test_bad_drafts_name_the_field(people, given, field):
    answer = send(signed_in(people["drafter"]), API, order(**given))
    assert answer.status_code == 400
    assert field in {error["attr"].partition(".")[0] for error in answer.json()["errors"]}


def test_foreign_re_zonings_do_not_exist_and_other_roles_have_no_part(people):
    rezoning = draft(people["drafter"])
    for role, area in (("supervisor", AWAY), ("dispatcher", f"{HOME}002")):
        client = signed_in(person(role, area=area))
        assert client.get(f"{API}{rezoning.pk}/").status_code == 404
        assert client.get(f"{PAGES}{rezoning.pk}/").status_code == 404
        assert verb(client, rezoning.pk, "discard", 1, reason="不").status_code == 404
        assert client.get(f"{API}count/").json() == {"count": 0}
    for role in ("grid_worker", "department_handler", "operator", "kiosk", "security_officer"):
        client = signed_in(person(role))
        assert client.get(API).status_code == 403
        assert client.get(f"{API}{rezoning.pk}/").status_code == 403
        assert client.get(PAGES).status_code == 403
    assert Client().get(API).status_code == 401
    assert signed_in(person("auditor")).get(f"{API}count/").json() == {"count": 1}
    assert verb(signed_in(person("auditor")), rezoning.pk, "discard", 1, reason="不").status_code == 403


def test_the_list_is_filtered_and_its_queries_do_not_grow(people, django_assert_num_queries):
    client = signed_in(people["approver"])
    for _ in range(3):
        draft(people["drafter"])
    client.get(API)
    with django_assert_num_queries(4):  # session and person in one, and three for the list
        assert len(client.get(API).json()["results"]) == 3
    assert client.get(f"{API}count/?state=checked").json() == {"count": 0}
    assert client.get(f"{API}count/?cell={FIRST}").json() == {"count": 3}
    assert client.get(f"{API}count/?area={HOME}").json() == {"count": 3}
    assert client.get(f"{API}?state=molten").status_code == 400
    assert client.get(f"{API}?colour=red").status_code == 400


def test_the_preview_says_what_moves_and_changes_nothing(people):
    west, east, _beside = (file_hazard(person("grid_worker"), lon=lon, lat=37.42) for lon in (118.51, 118.54, 118.56))
    relay()
    rezoning = draft(people["drafter"])
    rows = list(Cell.objects.order_by("pk").values_list("pk", "active", "version_id"))
    found = signed_in(people["approver"]).get(f"{API}{rezoning.pk}/preview/").json()
    hazards, premises = found["moves"]["hazard"], found["moves"]["premises"]
    shapes = {one.code: one.geometry for one in rezoning.draws.all()}
    for hazard, row in zip((west, east), hazards["rows"], strict=True):
        assert (row["page"], row["from"]) == (f"/hazards/{hazard.pk}/", FIRST)
        assert shapes[row["to"]].contains(hazard.location)
    assert (hazards["moved"], premises["moved"], premises["stays"]) == (2, 2, 0)
    assert [(row["from"], row["count"]) for row in hazards["pairs"]] == [(FIRST, 1), (FIRST, 1)]
    assert {row["worker"] for row in found["postings"]} == {"W1", "W2"}
    assert found["measures"] == ["Premises", "Hazards in 90 days"]
    assert [row["counts"] for row in found["before"]] == [[2, 2]]
    assert [row["counts"] for row in found["after"]] == [[1, 1], [1, 1]]
    west.refresh_from_db()
    assert west.cell.code == FIRST
    assert list(Cell.objects.order_by("pk").values_list("pk", "active", "version_id")) == rows


def test_the_preview_foretells_what_happens(people):
    hazards = [file_hazard(person("grid_worker"), lon=118.501 + n * 0.002, lat=37.405 + n * 0.004) for n in range(20)]
    relay()
    rezoning = staffed(draft(people["drafter"]), people)
    told = signed_in(people["approver"]).get(f"{API}{rezoning.pk}/preview/").json()["moves"]["hazard"]["rows"]
    step(rezoning, "check", people["drafter"], at=timezone.now())
    step(rezoning, "approve", people["approver"], at=timezone.now())
    relay()
    came = {}
    for hazard in hazards:
        hazard.refresh_from_db()
        came[f"/hazards/{hazard.pk}/"] = hazard.cell.code
    assert {row["page"]: row["to"] for row in told} == came


def test_three_thousand_premises_are_previewed_within_two_seconds(people, django_assert_max_num_queries, say):
    cell = Cell.objects.get(code=FIRST)
    Premises.objects.bulk_create(
        Premises(
            code=f"M{n}", kind_id="shop", cell=cell, area_code=FIRST, name_zh=f"店{n}",
            location=Point(118.5 + (n % 50) / 1001, 37.4 + (n // 50) / 700, srid=4326),
        )
        for n in range(3000)
    )  # fmt: skip
    rezoning = draft(people["drafter"])
    client = signed_in(people["approver"])
    client.get(API)
    with django_assert_max_num_queries(18):
        begun = time.monotonic()
        found = client.get(f"{API}{rezoning.pk}/preview/").json()
        took = time.monotonic() - begun
    say(f"preview of a split with 3,002 premises: {took:.2f} s")
    assert found["moves"]["premises"]["moved"] == 3002
    assert took < 2


def test_an_old_code_answers_with_its_end_and_its_successors(people):
    hazard = file_hazard(person("grid_worker"), lon=118.54, lat=37.42)
    client = signed_in(people["approver"])
    before = client.get(f"/api/v1/cells/{FIRST}/").json()
    assert (before["ended_at"], before["successors"]) == (None, [])
    rezoning = in_force(people)
    told = client.get(f"/api/v1/cells/{FIRST}/").json()
    assert (told["active"], told["ended_at"] is not None) == (False, True)
    assert told["successors"] == [{"code": WEST, "share": 0.5}, {"code": EAST, "share": 0.5}]
    page = client.get(f"/grid/cells/{FIRST}/").content.decode()
    assert "Ended by a re-zoning" in page and f"/grid/cells/{EAST}/" in page
    assert client.get(f"/api/v1/hazards/?area={FIRST}").status_code == 200
    relay()
    new = Cell.objects.get(pk=type(hazard).objects.get(pk=hazard.pk).cell_id).code
    assert client.get(f"/api/v1/hazards/count/?area={new}").json() == {"count": 1}
    step(rezoning, "roll_back", people["approver"], words="有异议")
    assert client.get(f"/api/v1/cells/{FIRST}/").json()["successors"] == []
    assert [row["code"] for row in client.get(f"/api/v1/cells/{EAST}/").json()["successors"]] == [FIRST]


def test_tiles_of_the_new_version_hold_the_new_cells(people):
    client = signed_in(people["approver"])
    was = client.get("/api/v1/grid/").json()["version"]
    in_force(people)
    now = client.get("/api/v1/grid/").json()["version"]
    assert now == was + 1
    address = "/tiles/{}/cells/10/849/396.mvt"
    tile = client.get(address.format(now))
    assert tile.status_code == 200 and WEST.encode() in tile.content and FIRST.encode() not in tile.content
    assert client.get(address.format(was)).status_code == 404


# -- pages ----------------------------------------------------------------------------------------


def fields(**more):
    given = {
        "id": str(uuid.uuid4()),
        "operation": "split",
        "cell": FIRST,
        "other": "",
        "reason": "负荷不均",
        "basis": "GB/T",
    }
    return given | {"line": "118.525, 37.4\n118.525 37.5", "effective_at": ""} | more


def test_the_whole_way_over_the_pages(people):
    drafter, approver = signed_in(people["drafter"]), signed_in(people["approver"])
    form = fields()
    made = drafter.post(f"{PAGES}new/", form)
    address = f"{PAGES}{form['id']}/"
    assert (made.status_code, made["location"]) == (302, address)
    assert drafter.post(f"{PAGES}new/", form)["location"] == address
    assert Rezoning.objects.count() == 1
    page = drafter.get(address).content.decode()
    assert f"Nobody is named for cell {EAST}" in page and "Load before and after" in page and "<svg" in page
    settled = {"id": str(uuid.uuid4()), "version": 1, "reason": "均衡负荷", "basis": "GB/T", "effective_at": ""}
    for code, number in ((WEST, "W1"), (EAST, "W9")):
        settled |= {f"name_zh-{code}": f"片{code[-1]}", f"name_en-{code}": "", f"worker-{code}": number}
    wrong = drafter.post(f"{address}settle/", settled)
    assert wrong.status_code == 400 and "“W9” is no grid worker" in wrong.content.decode()
    assert drafter.post(f"{address}settle/", settled | {f"worker-{EAST}": "W2"}).status_code == 302
    assert drafter.post(f"{address}check/", {"id": str(uuid.uuid4()), "version": 2}).status_code == 302
    own = drafter.post(f"{address}approve/", {"id": str(uuid.uuid4()), "version": 3}, follow=True)
    assert "Four eyes" in own.content.decode() or "no part" in own.content.decode()
    assert "Approve" in approver.get(address).content.decode()
    approver.post(f"{address}approve/", {"id": str(uuid.uuid4()), "version": 3})
    assert Rezoning.objects.get().state == "in_force"
    assert "片4" in approver.get(address).content.decode()


def test_a_draft_from_a_zipped_shapefile_or_a_geojson_file(people):
    ring = [[118.5, 37.4], [118.52, 37.4], [118.52, 37.5], [118.5, 37.5], [118.5, 37.4]]
    rest = [[118.52, 37.4], [118.55, 37.4], [118.55, 37.5], [118.52, 37.5], [118.52, 37.4]]
    features = [
        {"type": "Feature", "properties": {"code": code}, "geometry": {"type": "Polygon", "coordinates": [outline]}}
        for code, outline in ((FIRST, ring), ("", rest))
    ]
    layer = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    client = signed_in(people["drafter"])
    file = io.BytesIO(layer)
    file.name = "cells.json"
    form = fields(operation="outlines", cell="", line="", file=file)
    assert client.post(f"{PAGES}new/", form).status_code == 302
    assert Rezoning.objects.get(pk=form["id"]).draws.count() == 2
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("notes.txt", "nothing")
    packed.seek(0)
    packed.name = "cells.zip"
    refused = client.post(f"{PAGES}new/", fields(operation="outlines", cell="", line="", file=packed))
    assert refused.status_code == 400 and "cannot be read" in refused.content.decode()
    text = io.BytesIO(b"x")
    text.name = "cells.docx"
    refused = client.post(f"{PAGES}new/", fields(operation="outlines", cell="", line="", file=text))
    assert "cells.docx” is no layer" in refused.content.decode()


def test_a_wrong_line_stands_at_its_field(people):
    client = signed_in(people["drafter"])
    for line, words in (("south", "expected a longitude and a latitude"), ("118.51, 37.42\n118.52, 37.43", "1 parts")):
        page = client.post(f"{PAGES}new/", fields(line=line))
        assert page.status_code == 400 and words in page.content.decode()


def test_pages_ask_a_fixed_number_of_queries(people, django_assert_max_num_queries):
    rezoning = draft(people["drafter"])
    for _ in range(3):
        file_hazard(person("grid_worker"), lon=118.51, lat=37.42)
    client = signed_in(people["drafter"])
    client.get(PAGES)
    with django_assert_max_num_queries(9):
        assert client.get(PAGES).status_code == 200
    with django_assert_max_num_queries(36):
        assert client.get(f"{PAGES}{rezoning.pk}/").status_code == 200


def test_a_draft_is_drawn_anew_and_its_codes_are_free_again(people):
    rezoning = draft(people["drafter"])
    client = signed_in(people["drafter"])
    form = {"id": str(uuid.uuid4()), "operation": "join", "cell": FIRST, "other": SECOND, "line": ""}
    assert client.get(f"{PAGES}{rezoning.pk}/draw/").status_code == 200
    assert client.post(f"{PAGES}{rezoning.pk}/draw/", form).status_code == 302
    assert [one.code for one in rezoning.draws.all()] == [WEST]


def test_what_was_foretold_and_what_moved_is_kept_and_shown(people):
    west, east = (file_hazard(person("grid_worker"), lon=lon, lat=37.42) for lon in (118.51, 118.54))
    relay()
    rezoning = in_force(people)
    relay()
    client = signed_in(people["approver"])
    records = client.get(f"{API}{rezoning.pk}/").json()["records"]
    kept = {(row["moment"], row["kind"]): row for row in records}

    for key in (("approved", "hazard"), ("in_force", "hazard")):
        assert kept[key]["moved"] == 2
        assert {(row["page"], row["from"], row["to"]) for row in kept[key]["rows"]} == {
            (f"/hazards/{west.pk}/", FIRST, WEST), (f"/hazards/{east.pk}/", FIRST, EAST)
        }  # fmt: skip
    for key in (("approved", "premises"), ("in_force", "premises")):
        assert kept[key]["pairs"] == [{"from": FIRST, "to": WEST, "count": 1}, {"from": FIRST, "to": EAST, "count": 1}]
    Hazard.objects.filter(pk=west.pk).update(cell=None)  # what happens later changes nothing of it
    page = client.get(f"{PAGES}{rezoning.pk}/").content.decode()
    assert "Moved when it came into force" in page
    assert f"/hazards/{west.pk}/" in page
    assert "/grid/premises/CS0/" in page
    for change in (
        lambda: RezoningRecord.objects.update(moved=0), lambda: RezoningRecord.objects.all().delete()
    ):  # fmt: skip
        with pytest.raises(InternalError), transaction.atomic():
            change()


def test_what_moved_back_is_kept_too(people):
    hazard = file_hazard(person("grid_worker"), lon=118.51, lat=37.42)
    relay()
    rezoning = in_force(people)
    relay()
    step(rezoning, "roll_back", people["approver"], at=timezone.now(), words="有误")
    relay()
    kept = RezoningRecord.objects.get(moment="rolled_back", kind="hazard")
    assert (kept.moved, kept.rows[0]["href"], kept.pairs) == (1, f"/hazards/{hazard.pk}/", [[WEST, FIRST, 1]])
