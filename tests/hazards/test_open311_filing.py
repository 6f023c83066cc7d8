"""GeoReport v2, reporting: who may, what a form must say, what is kept of it, and that a repeat makes no second hazard."""

import re
import threading
import uuid
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections
from django.test import Client

from citysafety.calendars import services as calendars
from citysafety.outbox.models import Receipt
from grid import locate
from grid.models import Matter
from hazards.lifecycle import FILERS
from hazards.models import Hazard, Step
from hazards.open311 import access, filing
from tests.factories import HOME, file_hazard, make_city, person

from .test_open311 import key_of

pytestmark = pytest.mark.django_db
WHERE = "/open311/v2/requests"
PERSON = {
    "first_name": "Jiayi", "last_name": "Nangong", "email": "nangong@mail.example", "phone": "13677778888",
    "device_id": "tt222111-device", "account_id": "acc-987654",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _nobody_asked_yet():
    cache.clear()


@pytest.fixture
def city():
    return make_city()


@pytest.fixture
def worker(city):
    return person("grid_worker")


def form(**more):
    given = {"service_code": "XF-001", "lat": "37.45", "long": "118.53", "description": "纸箱堵住楼道", **more}
    return {name: value for name, value in given.items() if value is not None}


def post(fields, *, kind="json", as_form=True, **more):
    client, path = Client(), f"{WHERE}.{kind}"
    if not as_form:
        return client.post(path, fields, **more)  # Django's client sends multipart
    return client.post(path, urlencode(fields), content_type="application/x-www-form-urlencoded; charset=utf-8", **more)


def said(answer):
    return [error["description"] for error in answer.json()]


@pytest.mark.parametrize("urlencoded", [True, False], ids=["urlencoded", "multipart"])
def test_a_report_becomes_a_hazard_of_the_keys_account(worker, urlencoded):
    answer = post(form(api_key=key_of(worker)), as_form=urlencoded)
    [row] = answer.json()
    hazard = Hazard.objects.get()

    assert (answer.status_code, set(row)) == (201, {"service_request_id", "service_notice", "account_id"})
    assert row["service_request_id"] == hazard.number
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d", row["service_notice"])
    assert (hazard.reporter, hazard.description, hazard.area_code) == (worker, "纸箱堵住楼道", f"{HOME}001001001")
    assert (hazard.state, hazard.matter.code, hazard.due_stage) == ("reported", "XF-001", "accept")
    assert list(Step.objects.values_list("action", flat=True)) == ["report"]


def test_the_answer_in_xml_has_the_standards_elements(worker):
    answer = post(form(api_key=key_of(worker)), kind="xml")
    root = ElementTree.fromstring(answer.content)

    assert (answer.status_code, answer["Content-Type"]) == (201, "text/xml; charset=utf-8")
    assert (root.tag, root[0].tag) == ("service_requests", "request")
    assert [child.tag for child in root[0]] == ["service_request_id", "service_notice", "account_id"]
    assert root.findtext("request/service_request_id") == Hazard.objects.get().number


def test_without_a_good_key_nothing_is_filed(worker):
    for fields in (form(), form(api_key="cs_wrong"), form(api_key="")):
        answer = post(fields, kind="xml")
        root = ElementTree.fromstring(answer.content)
        assert (answer.status_code, root.tag, root.findtext("error/code")) == (403, "errors", "403")
    client = Client()
    client.force_login(worker)
    assert client.post(f"{WHERE}.json", form()).status_code == 403  # a cookie is no key
    assert not Hazard.objects.exists()


@pytest.mark.parametrize("role", ["grid_worker", "department_handler", "dispatcher", "operator", "supervisor", "leader",
                                  "auditor", "security_officer", "administrator", "kiosk"])  # fmt: skip
def test_those_report_here_who_report_elsewhere(city, role):
    answer = post(form(api_key=key_of(person(role))))
    assert answer.status_code == (201 if role in FILERS else 403)
    assert Hazard.objects.count() == (role in FILERS)


def test_persons_are_not_kept_anywhere(worker):
    answer = post(form(api_key=key_of(worker), **PERSON))
    assert answer.status_code == 201

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" AS t WHERE t::text ILIKE ANY (%s)', [
                [f"%{value}%" for value in PERSON.values()],
            ])  # fmt: skip
            assert cursor.fetchone() == (0,), table
    # A repeat is one whoever is named: the persons are no part of what is compared.
    again = post(form(api_key=key_of(worker), **{**PERSON, "first_name": "Other"}))
    assert (again.status_code, again.json()) == (200, answer.json())


@pytest.mark.parametrize(
    ("change", "status", "seen"),
    [
        ({"service_code": None}, 400, "service_code"),
        ({"service_code": "NO-SUCH"}, 404, "NO-SUCH"),
        ({"lat": None, "long": None}, 400, "lat, long"),
        ({"lat": "", "long": " "}, 400, "lat, long"),
        ({"lat": None, "long": None, "address_string": "济南路 100 号"}, 400, "lat, long"),
        ({"lat": None}, 400, "lat, long"),
        ({"lat": "x"}, 400, "lat"),
        ({"lat": "NaN"}, 400, "lat"),
        ({"lat": "48.8", "long": "2.3"}, 400, "lat, long"),
        ({"lat": None, "long": None, "address_id": "370502001001999"}, 400, "address_id"),
        ({"address_id": "370503001001002"}, 400, "address_id"),
        ({"description": "x" * 4001}, 400, "description"),
        ({"description": "a\0b"}, 400, "description"),
        ({"id": "12345"}, 400, "id"),
        ({"attribute[COLOUR]": "red"}, 400, "attribute[COLOUR]"),
        ({"jurisdiction_id": "1101"}, 404, "1101"),
    ],
)
def test_what_cannot_be_filed_is_refused_by_name_and_leaves_no_trace(worker, change, status, seen):
    answer = post(form(api_key=key_of(worker), **change), HTTP_ACCEPT_LANGUAGE="en")

    assert answer.status_code == status
    assert any(seen in words for words in said(answer)), said(answer)
    assert {error["code"] for error in answer.json()} == {status}
    assert not Hazard.objects.exists()
    assert not Receipt.objects.exists()


def test_an_address_id_is_a_cell_and_puts_the_report_into_it(worker):
    school = f"{HOME}001001501"
    answer = post(form(api_key=key_of(worker), lat=None, long=None, address_id=school, jurisdiction_id="3705"))
    hazard = Hazard.objects.get()

    assert answer.status_code == 201
    assert (hazard.dedicated_cell.code, hazard.cell.code) == (school, f"{HOME}001001001")


def test_a_picture_and_an_address_in_words_are_kept_as_words_and_never_fetched(worker):
    address = "http://169.254.169.254/latest/meta-data"
    post(form(api_key=key_of(worker), media_url=address, address_string="济南路 100 号"), HTTP_ACCEPT_LANGUAGE="en")

    assert Hazard.objects.get().description.splitlines() == [
        "纸箱堵住楼道", "Address given: 济南路 100 号", f"Picture named, not fetched: {address}",
    ]  # fmt: skip


def test_a_file_is_refused_with_the_way_for_photos(worker):
    picture = SimpleUploadedFile("a.jpg", b"\xff\xd8", "image/jpeg")
    answer = post({**form(api_key=key_of(worker)), "media": picture}, as_form=False)
    assert (answer.status_code, "/api/v1/hazards/" in said(answer)[0]) == (400, True)
    assert not Hazard.objects.exists()


def test_a_form_larger_than_any_report_is_not_read(worker):
    answer = post(form(api_key=key_of(worker), extra="x" * access.MOST_FORM_BYTES))
    assert (answer.status_code, answer.json()[0]["code"]) == (413, 413)


def test_a_body_of_another_kind_is_refused(worker):
    for body, kind in (
        ("{}", "application/json"),
        ("x", "text/plain"),
        ("x", "multipart/form-data; boundary=y"),
        ("", ""),
    ):
        answer = Client().post(f"{WHERE}.json?api_key={key_of(worker)}", body, content_type=kind)
        assert (answer.status_code, answer.json()[0]["code"]) == (400, 400), kind
    many = "&".join(f"k{n}=1" for n in range(2000))
    answer = Client().post(
        f"{WHERE}.json?api_key={key_of(worker)}", many, content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 400
    assert not Hazard.objects.exists()


def test_a_major_matter_needs_its_criterion(worker):
    Matter.objects.filter(code="XF-001").update(severity="major")
    key = key_of(worker)

    for value in (None, "", "x" * 201):
        answer = post(form(api_key=key, **{"attribute[CRITERION]": value}))
        assert (answer.status_code, "attribute[CRITERION]" in said(answer)[0]) == (400, True)
    assert post(form(api_key=key, **{"attribute[CRITERION]": "第五条第二款"})).status_code == 201
    hazard = Hazard.objects.get()
    assert (hazard.severity, hazard.criterion) == ("major", "其他：第五条第二款")


# -- once ------------------------------------------------------------------------------------
def test_a_repeat_with_an_id_is_answered_once_for_ever(worker):
    claimed, key = str(uuid.uuid4()), key_of(worker)
    first = post(form(api_key=key, id=claimed))
    again = post(form(api_key=key, id=claimed), kind="xml")
    other = post(form(api_key=key, id=claimed, description="另一件事"))
    foreign = post(form(api_key=key_of(person("grid_worker")), id=claimed))

    assert (first.status_code, again.status_code, other.status_code, foreign.status_code) == (201, 200, 400, 400)
    assert (
        ElementTree.fromstring(again.content).findtext("request/service_request_id")
        == first.json()[0]["service_request_id"]
    )
    assert Hazard.objects.values_list("pk", flat=True).get() == uuid.UUID(claimed)


def test_an_id_that_imported_history_used_is_refused(worker):
    hazard = file_hazard(worker)  # as an import does: no receipt
    answer = post(form(api_key=key_of(worker), id=str(hazard.pk)))
    assert (answer.status_code, hazard.number in answer.content.decode()) == (400, False)


def test_the_same_form_within_a_minute_is_one_report(worker):
    key = key_of(worker)
    first, again = post(form(api_key=key)), post(form(api_key=key), as_form=False)
    assert (first.status_code, again.status_code, first.json()) == (201, 200, again.json())
    assert post(form(api_key=key, lat="37.4501")).status_code == 201
    assert post(form(api_key=key_of(person("grid_worker")))).status_code == 201
    assert Hazard.objects.count() == 3


@pytest.mark.parametrize(("seconds", "hazards"), [(59, 1), (61, 2)])
def test_a_minute_is_a_minute_wherever_the_clock_stands(worker, seconds, hazards):
    for start in (0, 30, 59):
        at = datetime(2026, 11, 23, 4, start, start, tzinfo=UTC)
        before = Hazard.objects.count()
        for moment in (at, at + timedelta(seconds=seconds)):
            fields, matter, criterion = filing.request_in(form(), {})
            filing.file_request(fields, matter, criterion, user=worker, at=moment)
        assert Hazard.objects.count() - before == hazards, start


@pytest.mark.django_db(transaction=True)
def test_forms_in_flight_from_six_threads_make_one_hazard_each():
    make_city()
    key = key_of(person("grid_worker"))
    jobs, answers, lock = [form(api_key=key, description=f"第 {n} 处") for n in range(8)] * 3, [], threading.Lock()

    def work():
        while True:
            with lock:
                if not jobs:
                    break
                fields = jobs.pop()
            answer = post(fields)
            answers.append((answer.status_code, answer.content))
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert Hazard.objects.count() == 8
    assert sorted(code for code, _body in answers) == [200] * 16 + [201] * 8
    assert len({body for _code, body in answers}) == 8


def test_a_report_costs_a_fixed_number_of_statements(worker, django_assert_num_queries, monkeypatch):
    monkeypatch.setattr(locate, "CHECK_EVERY_S", 3600)
    monkeypatch.setattr(calendars, "KEPT_FOR_S", 3600)
    key = key_of(worker)
    post(form(api_key=key))
    # the key, the service; savepoint, receipt, matter with cells and numbers, all that is written, receipt, release
    with django_assert_num_queries(8):
        assert post(form(api_key=key, id=str(uuid.uuid4()))).status_code == 201
    # without an id: a savepoint around all, the lock, the last minute, its release
    with django_assert_num_queries(12):
        assert post(form(api_key=key, description="别处")).status_code == 201
