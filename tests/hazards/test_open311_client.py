"""GeoReport v2, the client: what servers answer in the wild, our own server on a real socket, and where requests may go."""

import json
import re
import threading
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command

from grid.models import Matter
from hazards.models import Hazard
from hazards.open311.answers import Attribute, Endpoint, Fault, NotUnderstood, Request, Service, Value, understand
from hazards.open311.client import GeoReport, Refused, Unreachable
from tests.factories import make_city, person

from .test_open311 import key_of

SAMPLES = Path(__file__).parent / "open311"


def read(name):
    return understand((SAMPLES / name).read_bytes())


# -- understanding ---------------------------------------------------------------------------
def test_codes_that_are_no_json_numbers_stay_as_they_are_written():
    found = read("services_numbers.json")

    assert (found.kind, found.well_formed) == ("service", False)
    assert found.rows == (
        Service(
            service_code="007", service_name="Street lamp dark", description="A lamp that does not burn after dusk.",
            metadata=True, type="realtime", keywords=("lamp", "light", "dark"), group="street",
        ),
        Service(
            service_code="010", service_name="Café terrace blocks the pavement", metadata=False, type="batch", group="street"
        ),
    )  # fmt: skip


def test_dates_with_and_without_offset_and_what_is_no_date():
    found = read("requests_dates.json")
    [row] = found.rows

    assert (row.service_request_id, row.service_code, row.address_id) == ("40017", "006", "00042")
    assert row.requested_datetime == datetime(2012, 5, 9, 10, 11, 12)  # noqa: DTZ001  no offset came with it
    assert row.updated_datetime == datetime(2012, 5, 9, 10, 11, 12, 345000, tzinfo=UTC)
    assert (row.expected_datetime, row.unread) == (None, {"expected_datetime": "soon"})
    assert (row.lat, row.long, row.media_url) == (37.05, -122.4651145, "http://pictures.example/40017.jpg")
    assert (row.service_name, row.status, row.more) == ("Sidewalk & curb", "Closed", {"channel": "phone"})


def test_xml_with_names_of_html_bare_ampersands_and_blank_elements():
    found = read("requests_entities.xml")

    assert (found.kind, found.well_formed) == ("request", False)
    assert found.rows == (
        Request(
            service_request_id="A-2201", status="open", service_code="001", service_name="Fußweg & Rinne",
            description="Glas & Scherben, 3 < 5 \xa0 Stück", agency_responsible="Tiefbau",
            requested_datetime=datetime(2021, 3, 28, 2, 30, tzinfo=timezone(timedelta(hours=2))),
            media_url="https://pictures.example/a.jpg?x=1&y=2",
        ),
    )  # fmt: skip


def test_a_definition_is_the_same_from_both_formats():
    [from_xml], [from_json] = read("definition.xml").rows, read("definition_keys.json").rows

    assert from_xml.service_code == from_json.service_code == "L07"
    pole, colour = from_xml.attributes
    assert (pole.code, pole.required, pole.order, pole.values) == ("POLE", False, 2, ())
    assert (colour.values, colour.order, colour.unread) == ((Value(key="01", name="White"),), None, {"order": "first"})
    assert from_json.attributes == (
        Attribute(
            code="COLOUR", variable=True, datatype="singlevaluelist", required=True, order=1,
            description="Colour of the light", values=(Value(key="1", name="White"),),
        ),
    )  # fmt: skip


def test_json_in_a_call_and_under_the_roots_of_xml():
    found = read("wrapped.json")
    assert (found.well_formed, found.rows) == (False, (Request(service_request_id="9", status="open"),))


def test_discovery_and_errors():
    [told] = read("discovery.json").rows
    assert told.endpoints == (
        Endpoint(
            specification="http://wiki.open311.org/GeoReport_v2", url="http://city.example/v2",
            changeset="2010-11-23 09:01", type="test", formats=("text/xml",),
        ),
    )  # fmt: skip
    assert read("errors.xml").rows == (Fault(code="403", description="Invalid api_key received - can't go on."),)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(b"[]", ""), (b"<service_requests/>", "request"), (b"<services></services>", "service"), (b"<errors />", "error")],
)
def test_an_empty_list_is_one(answer, kind):
    assert (understand(answer).kind, understand(answer).rows) == (kind, ())


def test_a_declared_encoding_is_read():
    told = '<?xml version="1.0" encoding="GB18030"?><services><service><group>消防</group></service></services>'
    assert understand(told.encode("gb18030")).rows == (Service(group="消防"),)


@pytest.mark.parametrize(
    "answer",
    [
        (SAMPLES / "bomb.xml").read_bytes(),
        b"<!doctype html><html></html>",
        (SAMPLES / "bomb.xml").read_text().encode("utf-16"),
        b"",
        b"\xff\xfe\x00",
        b"null",
        b"7",
        b'"services"',
        b"[1, 2]",
        b"[null]",
        b'[{"colour": "red"}]',
        b"<html><body>Bad gateway</body></html>",
        b"<services><service>",
        b"<?xml version='1.0' encoding='no-such'?><services>\xff</services>",
        b"[" * 200_000 + b"]" * 200_000,
        b"<services>" * 5_000 + b"</services>" * 5_000,
        b"told(" + b"[" * 200_000 + b"]" * 200_000 + b")",
        b'["' + b'\\"' * 2_000_000,
        b"<services>&nbsp;" + b"<![CDATA[" * 500_000,
        b"x(" + b")" * 1_000_000 + b" " * 1_000_000 + b"y",
        b'{"services": [[]]}',
        b"{" * 50,
        b"x" * 10_000_001,
    ],
    ids=lambda answer: repr(answer[:24]),
)
def test_what_is_no_answer_of_the_standard_is_refused_in_words(answer):
    with pytest.raises(NotUnderstood) as refused:
        understand(answer)
    assert str(refused.value)


VALUES = ["null", "true", "-1", "1e999", "NaN", '""', '"\\u0000"', "[]", "{}", "[[]]", '{"a": [1]}', '"９"']


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(
    "name", ["service_code", "metadata", "keywords", "lat", "requested_datetime", "attributes", "order", "endpoints"]
)
def test_no_value_breaks_a_row(name, value):
    [row] = understand(f'[{{"service_request_id": "1", "service_name": "x", "{name}": {value}}}]').rows
    assert row.service_request_id == "1"


# -- against our own server --------------------------------------------------------------------
@pytest.fixture
def server(live_server, settings):
    cache.clear()
    settings.EGRESS_ALLOW = ["localhost"]
    make_city()
    return f"{live_server.url}/open311/v2"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("form", ["xml", "json"])
def test_a_report_goes_to_our_own_server_and_comes_back_as_it_was(server, form):
    Matter.objects.filter(code="XF-002").update(severity="major")
    worker = person("grid_worker")
    client = GeoReport(server, key=key_of(worker), form=form, jurisdiction_id="3705")

    [endpoint] = client.discovery().endpoints
    assert (endpoint.url, endpoint.formats) == (server, ("text/xml", "application/json"))
    services = {service.service_code: service for service in client.services()}
    assert {code: service.metadata for code, service in services.items()} == {
        "SZ-001": False, "XF-001": False, "XF-002": True,
    }  # fmt: skip
    [attribute] = client.definition("XF-002").attributes
    assert (attribute.code, attribute.required) == ("CRITERION", True)

    claimed, words = str(uuid.uuid4()), "<楼道> & “门口”\n二楼"
    filed = client.file(
        "XF-002", lat="37.45", long="118.53", description=words, id=claimed, attributes={"CRITERION": "第五条"}
    )
    hazard = Hazard.objects.get()
    assert (filed.service_request_id, str(hazard.pk), hazard.criterion) == (hazard.number, claimed, "其他：第五条")
    assert client.file("XF-002", lat="37.45", long="118.53", description=words, id=claimed,
                       attributes={"CRITERION": "第五条"}) == filed  # fmt: skip
    assert client.token(claimed).service_request_id == hazard.number

    [row] = client.requests(status="open", service_code="XF-002")
    assert row == client.request(hazard.number)
    assert (row.description, row.lat, row.long, row.status) == (words, 37.45, 118.53, "open")
    assert (row.requested_datetime, row.updated_datetime) == (hazard.received_at.replace(microsecond=0),) * 2
    assert row.expected_datetime > hazard.due_at
    assert (row.unread, row.more) == ({}, {})
    assert GeoReport(server, form=form).request(hazard.number).description == ""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("form", ["xml", "json"])
def test_refusals_of_our_server_are_told_with_their_words(server, form):
    worker = person("grid_worker")
    with pytest.raises(Refused, match="api_key") as refused:
        GeoReport(server, key="cs_wrong", form=form).file("XF-001", lat="37.45", long="118.53")
    assert (refused.value.status, [fault.code for fault in refused.value.faults]) == (403, ["403"])
    with pytest.raises(Refused, match="NO-SUCH") as refused:
        GeoReport(server, form=form).definition("NO-SUCH")
    assert refused.value.status == 404
    with pytest.raises(Refused, match="lat, long"):
        GeoReport(server, key=key_of(worker), form=form).file("XF-001")


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.django_db(transaction=True)
def test_the_command_line_asks_and_reports(server, capsys):
    key = key_of(person("grid_worker"))
    call_command("open311", "file", "XF-001", base=server, key=key, given=[("lat", "37.45"), ("long", "118.53")])
    [filed] = lines(capsys)
    assert filed["service_request_id"] == Hazard.objects.get().number
    call_command("open311", "requests", "--base", server, "--format", "json", "--with", "status=open")
    [row] = lines(capsys)
    assert (row["service_request_id"], row["lat"]) == (filed["service_request_id"], 37.45)
    call_command("open311", "services", "--base", server)
    assert [row["service_code"] for row in lines(capsys)] == ["SZ-001", "XF-001", "XF-002"]
    with pytest.raises(SystemExit):
        call_command("open311", "request", "YH-1", "--base", server)
    [told] = lines(capsys)
    assert (told["status"], told["errors"][0][0]) == (404, "404")


def test_the_command_line_reads_what_was_saved(capsys):
    call_command("open311", "understand", str(SAMPLES / "requests_dates.json"))
    head, row = lines(capsys)
    assert head == {"kind": "request", "rows": 1, "well_formed": False}
    assert (row["service_code"], row["requested_datetime"]) == ("006", "2012-05-09T10:11:12")
    for file in ("bomb.xml", "no-such.xml"):
        with pytest.raises(SystemExit):
            call_command("open311", "understand", str(SAMPLES / file))
        assert set(lines(capsys)[0]) == {"error"}
    for words in (["understand"], ["services"], ["definition", "--base", "http://x.example"]):
        with pytest.raises(CommandError):
            call_command("open311", *words)


# -- where requests may go ---------------------------------------------------------------------
@contextmanager
def foreign_server(*answers):
    """Run a server that gives the same answers in turn: (status, headers, body); yields its address and who asked."""
    asked, left = [], list(answers)

    class Door(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            status, headers, body = left.pop(0)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def test_a_private_address_is_refused_unless_it_is_allowed(settings, monkeypatch):
    body = (SAMPLES / "services_numbers.json").read_bytes()
    with foreign_server((200, {}, body)) as (address, asked):
        monkeypatch.setenv("http_proxy", "http://proxy.example:3128")  # a proxy would hide where it goes
        settings.EGRESS_ALLOW = []
        with pytest.raises(Unreachable, match="EGRESS_ALLOW"):
            GeoReport(address, form="json").services()
        assert asked == []
        settings.EGRESS_ALLOW = ["127.0.0.1"]
        assert [one.service_code for one in GeoReport(f"{address}/v2/", form="json").services()] == ["007", "010"]
        assert asked == ["/v2/services.json"]


@pytest.mark.parametrize(
    "target", ["http://localhost.localdomain:1/", "http://10.0.0.1/x", "ftp://city.example/x", "file:///etc/passwd"]
)
def test_a_redirect_leads_nowhere_else(settings, target):
    with foreign_server((302, {"Location": target}, b"")) as (address, _asked):
        settings.EGRESS_ALLOW = [address.removeprefix("http://")]
        with pytest.raises((Unreachable, Refused)):
            GeoReport(address).services()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((200, {}, (SAMPLES / "errors.xml").read_bytes()), Refused),
        ((500, {}, b"<html>broken</html>"), Refused),
        ((200, {}, (SAMPLES / "definition.xml").read_bytes()), NotUnderstood),
        ((200, {}, (SAMPLES / "bomb.xml").read_bytes()), NotUnderstood),
        ((200, {"Content-Length": "100"}, b"<services/>"), Unreachable),
    ],
)
def test_an_answer_that_cannot_be_used_is_an_error_of_its_own_kind(settings, answer, error):
    with foreign_server(answer) as (address, _asked):
        settings.EGRESS_ALLOW = ["127.0.0.1"]
        with pytest.raises(error):
            GeoReport(address).services()


@pytest.mark.parametrize("base", ["ftp://city.example", "city.example/v2", "file:///etc/passwd", ""])
def test_a_base_that_is_no_address_of_the_web_is_refused(base):
    with pytest.raises(ValueError, match=re.escape(repr(base))):
        GeoReport(base)
