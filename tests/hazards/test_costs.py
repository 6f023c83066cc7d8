"""What filing and steps cost, in queries: the hot path of a busy morning."""

import re
import uuid
from datetime import timedelta

import pytest
from django.contrib.gis.geos import Point
from django.db import connection
from django.test.utils import CaptureQueriesContext

from citysafety.calendars import services as calendars
from grid import locate
from hazards.models import Hazard
from hazards.services.reporting import number_of
from tests.factories import HOME, NOON, file_hazard, make_city, person

from .test_api import client_of, filing

pytestmark = pytest.mark.django_db


@pytest.fixture
def city(monkeypatch):
    made = make_city()
    # Every two seconds the grid and the calendar are looked at besides; not here, where queries are counted.
    monkeypatch.setattr(locate, "CHECK_EVERY_S", 3600)
    monkeypatch.setattr(calendars, "KEPT_FOR_S", 3600)
    locate.locate(118.53, 37.45)
    calendars.calendar()
    return made


@pytest.mark.parametrize("lon", [118.53, 118.515], ids=["in a base cell", "in a school"])
def test_a_filing_costs_three_statements(city, django_assert_num_queries, lon):
    client = client_of(person("grid_worker"))
    first = client.post("/api/v1/hazards/", filing(), format="json")
    body = filing(location={"lon": lon, "lat": 37.445, "accuracy_m": 8, "datum": "wgs84"})
    # token; matter, cells and numbers; everything that is written, and here a savepoint of a test's transaction around it
    with django_assert_num_queries(3 + 2):
        answer = client.post("/api/v1/hazards/", body, format="json")

    assert (first.status_code, answer.status_code) == (201, 201)
    # token, matter and cells, all of it in vain between savepoint, rollback and release; savepoint, receipt, release, receipt
    with django_assert_num_queries(10):
        assert client.post("/api/v1/hazards/", body, format="json").json() == answer.json()


def test_a_step_costs_a_fixed_number_of_statements(city, django_assert_num_queries):
    hazard = file_hazard(person("grid_worker"))
    client = client_of(person("dispatcher"))
    client.get(f"/api/v1/hazards/{hazard.pk}/")
    body = {"id": str(uuid.uuid4()), "version": 1}
    # token, the hazard, receipt; savepoint, receipt, savepoint, the hazard locked, fact, bell, period, step, hazard,
    # release, receipt, release: acceptance goes on with the same clock
    with django_assert_num_queries(15):
        answer = client.post(f"/api/v1/hazards/{hazard.pk}/accept/", body, format="json")
    assert (answer.status_code, answer.json()["state"]) == (200, "accepted")


def test_a_list_costs_the_same_whatever_its_length_and_leaves_outlines_alone(city, django_assert_num_queries):
    worker = person("grid_worker")
    client = client_of(worker)
    for number in (1, 3):
        while Hazard.objects.count() < number:
            file_hazard(worker)
        client.get("/api/v1/hazards/")
        with django_assert_num_queries(3) as asked:  # token, the rows, what they name
            assert len(client.get("/api/v1/hazards/").json()["results"]) == number
        rows, names = (query["sql"] for query in asked.captured_queries[1:])
        assert " JOIN " not in rows  # planning six tables takes longer than reading a page
        assert not any(column in rows + names for column in ("geometry", "accept_amount", "pinyin"))


def test_a_list_by_state_reads_a_page_and_never_its_own_table_twice(city, django_assert_num_queries):
    worker = person("grid_worker")
    client = client_of(worker)
    first, second = file_hazard(worker), file_hazard(worker)
    Hazard.objects.filter(pk=second.pk).update(merged_into=first, state="merged", due_stage="", due_at=None)
    client.get("/api/v1/hazards/")
    with django_assert_num_queries(3) as asked:
        rows = client.get("/api/v1/hazards/?state=reported&state=merged").json()["results"]

    assert {row["id"]: row["merged_into"] for row in rows} == {str(first.pk): None, str(second.pk): str(first.pk)}
    sql = asked.captured_queries[1]["sql"]
    assert "DISTINCT" not in sql
    assert sql.count('"hazards_hazard" ') == 1  # its columns are followed by a dot


SCHOOL, AROUND = f"{HOME}001001501", f"{HOME}001001001"  # a dedicated cell, and the base cell it lies in


def past(reporter, city, count):
    """Return hazards of as many hours, most of them written off long ago; no row of a list's index is all of them."""
    matters, cells, school = list(city.matters.values()), [*city.cells.values()], city.cells[SCHOOL]
    for n in range(count):
        at, is_open, is_major = NOON - timedelta(hours=n), n % 25 == 0, n % 40 == 0
        cell = cells[0] if n % 20 == 0 else cells[1]
        yield Hazard(
            id=uuid.uuid4(), number=f"YH-PAST-{n}", matter=matters[n % 3], cell=cell,
            dedicated_cell=school if n % 10 == 0 else None, area_code=cell.code, reporter=reporter,
            location=Point(118.53, 37.45), occurred_at=at, received_at=at, changed_at=at, late=n % 30 == 0,
            severity="major" if is_major else "general", criterion="1" if is_major else "",
            state="reported" if is_open else "written_off", written_off_at=None if is_open else at,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ("", "hazard_newest"),
        ("?state=reported", "hazard_open"),
        ("?open=true", "hazard_open"),
        ("?severity=major", "hazard_major"),
        ("?late=true", "hazard_late"),
        ("?matter=XF-001", "hazard_matter"),
        (f"?cell={AROUND}", "hazard_cell"),
        (f"?cell={SCHOOL}", "hazard_dedicated"),
        (f"?area={SCHOOL}", "hazard_dedicated"),
        (f"?area={AROUND}", "hazard_area"),
    ],
)
def test_the_newest_of_a_list_are_read_in_the_order_of_an_index(city, asked, index):
    """A page costs the same after years: it is read from its index and ends, nothing is sorted."""
    user = person("dispatcher")
    Hazard.objects.bulk_create(past(user, city, 2000))
    client = client_of(user)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE hazards_hazard")
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        with CaptureQueriesContext(connection) as seen:
            assert client.get(f"/api/v1/hazards/{asked}").status_code == 200
        [page] = [query["sql"] for query in seen.captured_queries if 'FROM "hazards_hazard"' in query["sql"]]
        cursor.execute(f"EXPLAIN {page}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert f"using {index}" in plan, plan
    assert not re.search(r"(?<!Incremental )Sort  \(", plan), plan


def test_an_id_that_imported_history_used_is_refused_without_a_word_of_it(city):
    worker = person("grid_worker")
    hazard = file_hazard(worker)  # as an import does: no receipt
    answer = client_of(person("grid_worker")).post("/api/v1/hazards/", filing(id=str(hazard.pk)), format="json")

    assert answer.status_code == 422
    assert hazard.number not in answer.content.decode()


def test_numbers_stay_apart_across_a_night(city):
    midnight = NOON.replace(hour=16)  # in the city
    moments = [midnight + timedelta(milliseconds=n * 250) for n in range(-6, 6)]
    numbers = [number_of(at, running) for running, at in enumerate(moments)]

    assert len(set(numbers)) == len(moments)
    assert [number[3:11] for number in numbers] == ["20261123"] * 6 + ["20261124"] * 6
