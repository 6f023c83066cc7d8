"""GeoReport v2, reading: both formats, what everybody sees and what not, filters, bounds, errors, how often."""

import io
import json
import re
import uuid
from datetime import timedelta
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from citysafety import worktime
from citysafety.accounts import tokens
from citysafety.calendars import services as calendars
from citysafety.calendars.models import CalendarYear
from citysafety.calendars.services import calendar
from grid.models import Matter
from hazards.models import Hazard
from hazards.open311.access import PublicThrottle
from hazards.open311.asking import EXTENSIONS, FILTERS
from hazards.services import take_step
from hazards.services.steps import StepInput
from tests.factories import AWAY, HOME, attach_to, file_hazard, make_city, person
from tests.security.test_garbage import NONSENSE

from .test_costs import past

pytestmark = pytest.mark.django_db
ROOT = "/open311/v2"


@pytest.fixture(autouse=True)
def _nobody_asked_yet():
    cache.clear()


@pytest.fixture
def city(monkeypatch):
    made = make_city()
    monkeypatch.setattr(calendars, "KEPT_FOR_S", 3600)  # where queries are counted, the calendar was just looked at
    calendar()
    return made


def key_of(user):
    key = tokens.issue(user, "open311")
    tokens.note_use(tokens.live_token(key), at=timezone.now())
    return key


def ask(path, status=200, **more):
    """Return the JSON of an answer."""
    answer = Client().get(f"{ROOT}/{path}", **more)
    assert answer.status_code == status, answer.content.decode()
    assert answer["Content-Type"] == "application/json; charset=utf-8"
    return json.loads(answer.content)


def ask_xml(path, status=200, **more):
    """Return the root of an answer in XML."""
    answer = Client().get(f"{ROOT}/{path}", **more)
    assert answer.status_code == status, answer.content.decode()
    assert answer["Content-Type"] == "text/xml; charset=utf-8"
    assert answer.content.startswith(b"<?xml version='1.0' encoding='utf-8'?>")
    return ElementTree.fromstring(answer.content)


def texts(element):
    return {child.tag: child.text for child in element}


def picture(seed=0):
    out = io.BytesIO()
    Image.effect_noise((32, 32), 40 + seed).save(out, "PNG")
    return out.getvalue()


def step(hazard, action, actor, **more):
    version = Hazard.objects.values_list("version", flat=True).get(pk=hazard.pk)
    given = StepInput(id=uuid.uuid4(), version=version, **more)
    return take_step(hazard_id=hazard.pk, action=action, given=given, actor=actor, at=timezone.now())


# -- services --------------------------------------------------------------------------------
def test_discovery_names_the_address_and_both_formats(city):
    told = ask("discovery.json")
    [endpoint] = told["endpoints"]

    assert set(told) == {"changeset", "contact", "key_service", "endpoints"}
    assert endpoint["specification"] == "http://wiki.open311.org/GeoReport_v2"
    assert endpoint["url"] == "http://testserver/open311/v2"
    assert endpoint["formats"] == ["text/xml", "application/json"]
    in_xml = ask_xml("discovery.xml")
    assert in_xml.tag == "discovery"
    assert [one.text for one in in_xml.findall("endpoints/endpoint/formats/format")] == endpoint["formats"]


def test_services_are_the_active_matters_in_the_readers_language(city):
    Matter.objects.filter(code="SZ-001").update(active=False)
    rows = ask("services.json", HTTP_ACCEPT_LANGUAGE="en-GB,en;q=0.8")

    assert [row["service_code"] for row in rows] == ["XF-001", "XF-002"]
    first = rows[0]
    assert (first["service_name"], first["group"]) == ("Blocked escape route", "Fire safety")
    assert (first["type"], first["metadata"]) == ("realtime", False)
    assert first["keywords"] == "疏散通道堵塞, Blocked escape route, 消防安全, Fire safety"
    assert "fire-02" in first["description"]
    assert ask("services.json?locale=zh-CN", HTTP_ACCEPT_LANGUAGE="en")[0]["service_name"] == "疏散通道堵塞"
    assert ask("services.json", HTTP_ACCEPT_LANGUAGE="fr")[0]["service_name"] == "疏散通道堵塞"


def test_the_same_services_stand_in_the_xml(city):
    root, rows = ask_xml("services.xml"), ask("services.json")

    assert (root.tag, {child.tag for child in root}) == ("services", {"service"})
    as_text = [
        {name: str(value).lower() if value in (True, False) else value for name, value in r.items()} for r in rows
    ]
    assert [texts(child) for child in root] == as_text


def test_a_major_matter_asks_its_criterion(city):
    Matter.objects.filter(code="XF-002").update(severity="major")

    asked = {row["service_code"]: row["metadata"] for row in ask("services.json")}
    assert asked == {"SZ-001": False, "XF-001": False, "XF-002": True}
    [attribute] = ask("services/XF-002.json")["attributes"]
    assert (attribute["code"], attribute["required"], attribute["datatype"]) == ("CRITERION", True, "string")
    root = ask_xml("services/XF-002.xml")
    assert (root.tag, root.findtext("service_code")) == ("service_definition", "XF-002")
    assert texts(root.find("attributes/attribute"))["variable"] == "true"
    assert ask("services/XF-001.json") == {"service_code": "XF-001", "attributes": []}


def test_a_service_that_is_none_answers_404_in_the_shape_of_errors(city):
    [error] = ask("services/NO-SUCH.json", status=404, HTTP_ACCEPT_LANGUAGE="en")
    assert error == {"code": 404, "description": "There is no service NO-SUCH."}
    root = ask_xml("services/NO-SUCH.xml", status=404)
    assert (root.tag, [child.tag for child in root]) == ("errors", ["error"])
    assert root.findtext("error/code") == "404"


@pytest.mark.parametrize(
    ("asked", "status"), [("3705", 200), ("370500", 200), ("", 200), ("1101", 404), ("x.gov", 404)]
)
@pytest.mark.parametrize("what", ["services", "services/XF-001", "requests"])
def test_the_jurisdiction_is_the_citys_code_or_left_out(city, what, asked, status):
    ask(f"{what}.json?jurisdiction_id={asked}", status=status)


@pytest.mark.parametrize("path", ["nothing", "requests", "services.yaml", "tokens/", ""])
def test_an_address_that_the_standard_has_not_is_refused_in_its_shape(path):
    assert ask_xml(path, status=404).tag == "errors"


def test_a_wrong_method_is_refused_in_its_shape(city):
    answer = Client().delete(f"{ROOT}/requests.json")
    assert (answer.status_code, answer.json()[0]["code"]) == (405, 405)


# -- what is seen ----------------------------------------------------------------------------
PERSONAL = {"name_zh": "欧阳秘密", "name_en": "Secret Ouyang", "phone": "13900007777"}


@pytest.fixture
def case(city):
    """A case with everything about it that is nobody else's business."""
    reporter = person("grid_worker", **PERSONAL)
    hazard = file_hazard(
        reporter, at=timezone.now(), description="王五家门口堆满纸箱，电话13811112222", lon=118.515432, lat=37.445678
    )
    boss = person("dispatcher", name_zh="调度甲", name_en="Boss")
    attach_to(hazard, "scene", picture(), reporter)
    step(hazard, "accept", boss)
    step(hazard, "dispatch", boss, department="fire-02")
    handler = person("department_handler", department=city.departments["fire-02"])
    step(hazard, "return", handler, words="王五不在家")
    hazard.refresh_from_db()
    return hazard


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize("path", ["requests.{form}", "requests/{number}.{form}", "requests/{pk}.{form}"])
@pytest.mark.parametrize("extensions", ["", "?extensions=true"])
def test_nobody_learns_of_persons_without_a_key(case, form, path, extensions):
    answer = Client().get(f"{ROOT}/{path.format(form=form, number=case.number, pk=case.pk)}{extensions}")
    body = answer.content.decode()

    assert (answer.status_code, case.number in body) == (200, True)
    for secret in (
        "欧阳",
        "Ouyang",
        "13900007777",
        "王五",
        "13811112222",
        "纸箱",
        "调度甲",
        "Boss",
        "第一小学",
        "evidence",
    ):
        assert secret not in body
    for exact in ("118.5154", "37.4456", "37.4457", str(case.pk)):
        assert exact not in body


def test_everybody_sees_what_roughly_where_and_how_it_stands(case):
    [row] = ask("requests.json", HTTP_ACCEPT_LANGUAGE="en")

    assert {name: row[name] for name in ("service_request_id", "status", "service_code", "service_name")} == {
        "service_request_id": case.number, "status": "open", "service_code": "XF-001",
        "service_name": "Blocked escape route",
    }  # fmt: skip
    assert (row["lat"], row["long"]) == (37.446, 118.515)
    assert row["address"] == "370502 Cell 1, 370502 Community, 370502 Subdistrict, 370502, Dongying"
    assert (row["status_notes"], row["description"], row["media_url"]) == ("Accepted", None, None)
    assert row["requested_datetime"].endswith("+08:00")
    assert set(row) <= {
        "service_request_id", "status", "status_notes", "service_name", "service_code", "description", "agency_responsible",
        "service_notice", "requested_datetime", "updated_datetime", "expected_datetime", "address", "address_id", "zipcode",
        "lat", "long", "media_url",
    }  # fmt: skip


def test_a_key_shows_the_rest_to_those_who_may_see_the_case(case):
    for seer in (case.reporter, person("dispatcher"), person("leader", area="3705")):
        [row] = ask(f"requests/{case.number}.json?extensions=true&api_key={key_of(seer)}")
        assert row["description"] == case.description
        assert (row["lat"], row["long"], row["address_id"]) == (37.445678, 118.515432, f"{HOME}001001001")
        assert re.fullmatch(r"http://testserver/evidence/\d+/view\.jpg", row["media_url"])
        assert row["address"].endswith("第一小学")
        assert row["notes"][-1]["description"].endswith("王五不在家")
    for stranger in (person("dispatcher", area=AWAY), person("kiosk", area="3705"), person("grid_worker", area=AWAY)):
        [row] = ask(f"requests/{case.number}.json?extensions=true&api_key={key_of(stranger)}")
        assert (row["description"], row["media_url"], row["lat"]) == (None, None, 37.446)
        assert "王五" not in json.dumps(row, ensure_ascii=False)


def test_a_key_may_come_as_the_apis_token(case):
    [row] = ask("requests.json", HTTP_AUTHORIZATION=f"Token {key_of(case.reporter)}")
    assert row["description"] == case.description


def test_what_a_key_shows_is_kept_in_no_cache(case):
    path = f"{ROOT}/requests.json"
    assert Client().get(f"{path}?api_key={key_of(case.reporter)}")["Cache-Control"] == "private, no-store"
    assert "Cache-Control" not in Client().get(path)


def test_a_session_opens_nothing_here(case):
    client = Client()
    client.force_login(case.reporter)
    [row] = client.get(f"{ROOT}/requests.json").json()
    assert row["description"] is None


def test_a_wrong_key_is_refused_with_403(city):
    [error] = ask("requests.json?api_key=cs_wrong", status=403, HTTP_ACCEPT_LANGUAGE="en")
    assert error == {"code": 403, "description": "This api_key is unknown or was revoked."}


def test_updates_are_told_by_state_without_anybodys_words(case):
    [row] = ask("requests.json?extensions=true", HTTP_ACCEPT_LANGUAGE="en")

    assert [(note["type"], note["description"]) for note in row["notes"]] == [
        ("reported", "Reported"),
        ("accepted", "Accepted"),
        ("dispatched", "Dispatched"),
        ("accepted", "Accepted"),
    ]
    assert row["extended_attributes"]["state"] == "accepted"
    root = ask_xml("requests.xml?extensions=true")
    assert [note.findtext("type") for note in root.findall("request/notes/note")] == [n["type"] for n in row["notes"]]
    assert root.findtext("request/extended_attributes/overdue") == "false"


def test_what_xml_cannot_hold_is_left_out_and_the_rest_escaped(city):
    reporter = person("grid_worker")
    file_hazard(reporter, at=timezone.now(), description="<b>A & B</b>\x0b\x1f ]]> \ufffe终")
    root = ask_xml(f"requests.xml?api_key={key_of(reporter)}")

    assert root.findtext("request/description") == "<b>A & B</b> ]]> 终"


# -- promises --------------------------------------------------------------------------------
def test_the_promise_is_the_present_stage_and_those_to_come_by_the_same_clock(city):
    hazard = file_hazard(person("grid_worker"), at=timezone.now())
    days = calendar()
    matter = city.matters["XF-001"]
    rectified = worktime.due(hazard.due_at, matter.rectify_amount, matter.rectify_unit, days).at
    verified = worktime.due(rectified, matter.verify_amount, matter.verify_unit, days).at
    [row] = ask("requests.json")
    assert row["expected_datetime"] == timezone.localtime(verified).isoformat(timespec="seconds")

    boss = person("dispatcher")
    step(hazard, "accept", boss)
    hazard = step(hazard, "dispatch", boss, department="fire-02")
    [row] = ask("requests.json")
    verified = worktime.due(hazard.due_at, matter.verify_amount, matter.verify_unit, days).at
    assert row["expected_datetime"] == timezone.localtime(verified).isoformat(timespec="seconds")
    assert row["agency_responsible"] == "东营区消防大队"


def test_a_promise_that_needs_a_missing_calendar_is_not_made_and_the_reason_told(city):
    CalendarYear.objects.filter(year__gte=timezone.localtime().year).delete()
    calendars.forget()
    file_hazard(person("grid_worker"), at=timezone.now())
    [row] = ask("requests.json", HTTP_ACCEPT_LANGUAGE="en")

    assert "expected_datetime" not in row
    reason = f"The calendar of {timezone.localtime().year} is missing."
    assert row["status_notes"] == f"Reported · No time can be promised: {reason}"


def test_what_is_overdue_says_so_and_keeps_its_promise(city):
    hazard = file_hazard(person("grid_worker"), at=timezone.now())
    [before] = ask("requests.json")
    Hazard.objects.filter(pk=hazard.pk).update(overdue=True)
    [row] = ask("requests.json?extensions=true", HTTP_ACCEPT_LANGUAGE="en")

    assert row["status_notes"] == "Reported · Overdue"
    assert row["extended_attributes"]["overdue"] is True
    assert row["expected_datetime"] == before["expected_datetime"]


@pytest.fixture
def three_ends(city):
    """A written-off case, a refused one, and one that goes on as another; and that other, which is open."""
    worker, now = person("grid_worker"), timezone.now()
    made = {name: file_hazard(worker, at=now) for name in ("written_off", "refused", "merged", "open")}
    ended = {"due_at": None, "due_stage": "", "overdue": False}
    Hazard.objects.filter(pk=made["written_off"].pk).update(state="written_off", written_off_at=now, **ended)
    Hazard.objects.filter(pk=made["refused"].pk).update(state="refused", **ended)
    Hazard.objects.filter(pk=made["merged"].pk).update(state="merged", merged_into=made["open"], **ended)
    return made


def test_every_end_is_closed_and_says_in_words_which(three_ends):
    rows = {row["service_request_id"]: row for row in ask("requests.json", HTTP_ACCEPT_LANGUAGE="en")}
    told = {name: rows[hazard.number] for name, hazard in three_ends.items()}

    assert {name: row["status"] for name, row in told.items()} == {
        "written_off": "closed", "refused": "closed", "merged": "closed", "open": "open",
    }  # fmt: skip
    assert told["written_off"]["status_notes"] == "Written off"
    assert told["refused"]["status_notes"] == "Refused"
    assert told["merged"]["status_notes"] == f"Goes on as {three_ends['open'].number}"
    assert ["expected_datetime" in row for row in told.values()] == [False, False, False, True]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("open", {"open"}),
        ("closed", {"written_off", "refused", "merged"}),
        ("open,closed", {"open", "written_off", "refused", "merged"}),
        ("closed&status=open", {"open", "written_off", "refused", "merged"}),
        ("", {"open", "written_off", "refused", "merged"}),
    ],
)
def test_status_finds_open_and_closed(three_ends, asked, found):
    names = {hazard.number: name for name, hazard in three_ends.items()}
    assert {names[row["service_request_id"]] for row in ask(f"requests.json?status={asked}")} == found


# -- filters ---------------------------------------------------------------------------------
@pytest.fixture
def hourly(city):
    """Two hazards: of today and of a hundred days ago, of different matters."""
    worker, now = person("grid_worker"), timezone.now()
    return file_hazard(worker, at=now), file_hazard(worker, at=now - timedelta(days=100), matter="SZ-001")


def numbers(path):
    return [row["service_request_id"] for row in ask(path)]


def test_without_dates_the_last_ninety_days_are_meant(hourly):
    new, old = hourly
    assert numbers("requests.json") == [new.number]
    start = (timezone.now() - timedelta(days=120)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert numbers(f"requests.json?start_date={start}") == [old.number]
    end = (timezone.now() - timedelta(days=50)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert numbers(f"requests.json?end_date={end}") == [old.number]
    assert numbers(f"requests.json?start_date={start}&end_date={end}") == [old.number]


def test_ids_are_found_wherever_they_lie_and_override_the_rest(hourly):
    new, old = hourly
    both = f"{new.pk},{old.number.lower()} , YH-19990101-00001"
    assert numbers(f"requests.json?service_request_id={both}&status=closed&start_date=") == [new.number, old.number]
    assert numbers(f"requests/{old.number}.json") == numbers(f"requests/{old.pk}.json") == [old.number]
    ask("requests/YH-19990101-00001.json", status=404)


def test_service_codes_come_with_commas_or_several_times(hourly):
    new, _old = hourly
    assert numbers("requests.json?service_code=XF-001") == [new.number]
    assert numbers("requests.json?service_code=SZ-001,XF-001") == [new.number]
    assert numbers("requests.json?service_code=SZ-001&service_code=XF-002") == []
    ask("requests.json?service_code=XF-001,NO", status=404)


def test_what_was_changed_is_found_however_old_it_is(hourly):
    new, old = hourly
    Hazard.objects.filter(pk=old.pk).update(changed_at=timezone.now())
    since = (timezone.now() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert numbers(f"requests.json?updated_after={since}") == [old.number, new.number]
    assert numbers(f"requests.json?updated_after={since}&service_code=SZ-001") == [old.number]
    assert numbers(f"requests.json?updated_before={since}") == []
    start = (timezone.now() - timedelta(days=10)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert numbers(f"requests.json?updated_after={since}&start_date={start}") == [new.number]


def test_pages_follow_each_other_without_gap(city):
    worker, now = person("grid_worker"), timezone.now()
    filed = [file_hazard(worker, at=now - timedelta(minutes=n)).number for n in range(5)]

    assert [numbers(f"requests.json?page_size=2&page={page}") for page in (1, 2, 3, 4)] == [
        filed[:2], filed[2:4], filed[4:], [],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("start_date=2026-01-01", "start_date"),
        ("start_date=2026-01-01T00:00:00", "start_date"),
        ("start_date=yesterday", "start_date"),
        ("end_date=0001-01-01T00:00:00%2B14:00", "end_date"),
        ("start_date=2026-01-01T00:00:00Z&end_date=2026-06-01T00:00:00Z", "end_date"),
        ("start_date=2026-03-01T00:00:00Z&end_date=2026-01-01T00:00:00Z", "end_date"),
        ("updated_after=2026-01-01T00:00:00Z&updated_before=2026-06-01T00:00:00Z", "updated_before"),
        ("status=solved", "status"),
        ("page_size=1001", "page_size"),
        ("page_size=0", "page_size"),
        ("page=0", "page"),
        ("page=11", "page"),
        ("page_size=10&page=1001", "page"),
        ("page=x", "page"),
        ("extensions=perhaps", "extensions"),
        ("lat=37&long=118", "lat"),
        ("service_request_id=" + ",".join(f"YH-{n}" for n in range(201)), "service_request_id"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(city, query, field):
    errors = ask(f"requests.json?{query}", status=400)
    assert field in [error["description"].partition(":")[0] for error in errors]
    assert {error["code"] for error in errors} == {400}


def test_no_nonsense_breaks_a_list(city):
    key = key_of(person("leader", area="3705"))
    names = (*FILTERS, *EXTENSIONS, "jurisdiction_id", "locale", "api_key")
    for name in names:
        for value in NONSENSE:
            text = quote(value, errors="surrogatepass")
            answer = Client().get(f"{ROOT}/requests.xml?api_key={key}&{name}={text}")
            assert answer.status_code in (200, 400, 403, 404), (name, value)
            if "\0" not in value:  # which no address of the site may hold
                ElementTree.fromstring(answer.content)


def test_a_plus_sign_that_was_not_encoded_is_read(hourly):
    new, _old = hourly
    start = timezone.localtime(timezone.now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S+08:00")
    assert numbers(f"requests.json?start_date={start}") == [new.number]


def test_a_lost_answer_is_found_by_the_id_that_the_client_made(city):
    hazard = file_hazard(person("grid_worker"))
    assert ask(f"tokens/{hazard.pk}.json") == [{"service_request_id": hazard.number, "token": str(hazard.pk)}]
    root = ask_xml(f"tokens/{hazard.pk}.xml")
    assert (root.tag, texts(root[0])["service_request_id"]) == ("service_requests", hazard.number)
    ask(f"tokens/{uuid.uuid4()}.json", status=404)
    ask("tokens/12345.json", status=404)


# -- cost ------------------------------------------------------------------------------------
@pytest.mark.parametrize("rows", [1, 3])
def test_a_list_costs_the_same_for_one_row_and_for_three(city, rows, django_assert_num_queries):
    worker = person("grid_worker")
    hazards = [file_hazard(worker, at=timezone.now()) for _ in range(rows)]
    key = key_of(worker)
    with django_assert_num_queries(4) as asked:  # the rows, what they name, limits, places
        assert len(ask("requests.json")) == rows
    page = asked.captured_queries[0]["sql"]
    assert " JOIN " not in page
    assert not any(name in page for name in ("description", "criterion", "reporter", "party"))
    with django_assert_num_queries(5):  # and the steps
        ask("requests.json?extensions=true")
    with django_assert_num_queries(7):  # the key, what it may see, photos
        assert len(ask(f"requests.json?api_key={key}")) == rows
    Hazard.objects.filter(pk=hazards[0].pk).update(
        state="merged", merged_into=file_hazard(worker, at=timezone.now()), due_at=None, due_stage=""
    )
    with django_assert_num_queries(5):  # and the numbers of those that go on
        ask("requests.json")


def test_other_doors_cost_one_query(city, django_assert_num_queries):
    for path in ("services.json", "services/XF-001.json", "discovery.json", f"tokens/{uuid.uuid4()}.json"):
        with django_assert_num_queries(1):
            Client().get(f"{ROOT}/{path}")


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ("", "hazard_newest"),
        ("?status=open", "hazard_open"),
        ("?status=closed", "hazard_newest"),
        ("?service_code=XF-001", "hazard_matter"),
        ("?updated_after=2020-01-01T00:00:00Z", "hazard_last_changed"),
        ("?page_size=10&page=9", "hazard_newest"),
    ],
)
def test_a_page_is_read_in_the_order_of_an_index(city, asked, index):
    Hazard.objects.bulk_create(past(person("dispatcher"), city, 2000))
    newest = Hazard.objects.latest("received_at").received_at
    if "updated" in asked:
        asked = f"?updated_after={(newest - timedelta(days=80)).strftime('%Y-%m-%dT%H:%M:%SZ')}"
    else:
        joint = "&" if asked else "?"
        asked += f"{joint}end_date={(newest + timedelta(hours=1)).strftime('%Y-%m-%dT%H:%M:%SZ')}"
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE hazards_hazard")
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        with CaptureQueriesContext(connection) as seen:
            assert ask(f"requests.json{asked}")
        [page] = [query["sql"] for query in seen.captured_queries if 'FROM "hazards_hazard"' in query["sql"]]
        cursor.execute(f"EXPLAIN {page}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert f"using {index}" in plan, plan
    assert not re.search(r"(?<!Incremental )Sort  \(", plan), plan


# -- how often -------------------------------------------------------------------------------
def test_an_address_asks_so_often_without_a_key_and_is_told_when_again(city):
    most = int(PublicThrottle.rate.partition("/")[0])
    client, path = Client(REMOTE_ADDR="203.0.113.7"), f"{ROOT}/tokens/1.json"
    assert {client.get(path).status_code for _ in range(most - 1)} == {404}
    assert client.get(f"{ROOT}/requests.json?api_key=cs_wrong").status_code == 403  # a wrong key counts too

    answer = client.get(path, HTTP_X_FORWARDED_FOR="198.51.100.9")
    assert (answer.status_code, answer.json()[0]["code"]) == (429, 429)
    assert 1 <= int(answer["Retry-After"]) <= 61
    assert Client(REMOTE_ADDR="203.0.113.8").get(path).status_code == 404
    assert client.get(f"{path}?api_key={key_of(person('leader'))}").status_code == 404
