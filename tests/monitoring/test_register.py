"""The register: what may be read of it and by whom, what administrators do, what a city's tables bring."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.gis.geos import Point
from django.db import connection
from django.db.models import Count
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from citysafety.management.devices import seed_devices
from citysafety.outbox.models import OutboxEntry
from grid.models import Premises, PremisesKind
from monitoring.models import (
    ConnectionStep,
    Datastream,
    Device,
    DeviceKind,
    DeviceStatus,
    Fence,
    Latest,
    Quantity,
    RiskField,
    Rule,
    Schedule,
    System,
    UnknownDevice,
)
from monitoring.register import services
from monitoring.register.seeds import seed_register
from tests.factories import AWAY, HOME, NOON, make_city, person

from .worlds import station

pytestmark = pytest.mark.django_db
TABLES = Path(settings.BASE_DIR) / "demo" / "dongying"


@pytest.fixture
def city():
    return make_city()


@pytest.fixture
def keeper(city):
    return person("administrator", area="3705")


def given(kind: DeviceKind, **more) -> services.Given:
    said = {
        "code": "QT-1", "name_zh": "东城站", "kind": kind, "protocol": "hj212", "address": "A1", "lon": 118.53, "lat": 37.45,
    }  # fmt: skip
    return services.Given(**(said | more))


def signed_in(client, user):
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    client.cookies["django_language"] = "en"
    return client


def heard(device: Device, at) -> DeviceStatus:
    return DeviceStatus.objects.create(device=device, seen_at=at, measured_at=at - timedelta(seconds=2), clock_s=-2.0)


# -- services ----------------------------------------------------------------------------------------------------------
def test_a_device_gets_cell_and_area_of_its_place_and_a_step(city, keeper):
    kind = station().kind
    device = services.register_device(given(kind), by=keeper, at=NOON)
    assert (device.area_code, device.cell.code) == ("370502001001001", "370502001001001")
    step = device.steps.get()
    assert (step.action, step.actor, step.at) == ("register", keeper, NOON)
    news = OutboxEntry.objects.get(topic="device.changed")
    assert (news.area_code, news.subject_id) == (device.area_code, str(device.pk))


def test_numbers_and_addresses_are_one_devices_only(city, keeper):
    kind = station(address="A1").kind
    with pytest.raises(services.Refused) as refusal:
        services.register_device(given(kind), by=keeper, at=NOON)
    assert refusal.value.field == "address"
    assert "A1" in str(refusal.value)
    services.register_device(given(kind, address="A2"), by=keeper, at=NOON)
    with pytest.raises(services.Refused) as refusal:
        services.register_device(given(kind, address="A3"), by=keeper, at=NOON)
    assert refusal.value.field == "code"


def test_a_retired_device_leaves_its_address(city, keeper):
    old = station(address="A1")
    services.move_device(old.pk, "retire", by=keeper, at=NOON, words="worn out")
    assert services.register_device(given(old.kind), by=keeper, at=NOON).address == "A1"
    with pytest.raises(services.Refused):
        services.move_device(old.pk, "put_back", by=keeper, at=NOON)


def test_a_place_outside_the_city_is_refused(city, keeper):
    with pytest.raises(services.Refused) as refusal:
        services.register_device(given(station().kind, lon=10.0, lat=10.0), by=keeper, at=NOON)
    assert refusal.value.field == "lon"


def test_administrators_keep_devices_of_their_area_only(city):
    device = station()  # of 370502
    for user in (
        person("administrator", area=AWAY),
        person("supervisor", area="3705"),
        person("operator", area="3705"),
    ):
        with pytest.raises(services.NotAllowed):
            services.register_device(given(device.kind, code="QT-2", address="A2"), by=user, at=NOON)
        with pytest.raises(services.NotAllowed):
            services.move_device(device.pk, "take_out", by=user, at=NOON, words="x")
    own = person("administrator", area=HOME)
    services.register_device(given(device.kind, code="QT-3", address="A3"), by=own, at=NOON)


def test_out_of_service_and_back_with_the_reason_kept(city, keeper):
    device = station()
    with pytest.raises(services.Refused) as refusal:
        services.move_device(device.pk, "take_out", by=keeper, at=NOON, words=" ")
    assert refusal.value.field == "words"
    services.move_device(device.pk, "take_out", by=keeper, at=NOON, words="calibration")
    services.move_device(device.pk, "put_back", by=keeper, at=NOON + timedelta(hours=1))
    device.refresh_from_db()
    assert device.state == "in_service"
    assert [(step.action, step.words) for step in device.steps.all()] == [("put_back", ""), ("take_out", "calibration")]


def test_a_change_keeps_what_was(city, keeper):
    device = services.register_device(given(station().kind), by=keeper, at=NOON)
    services.change_device(device.pk, given(device.kind, company="海科"), by=keeper, at=NOON)
    services.change_device(device.pk, given(device.kind, company="海科"), by=keeper, at=NOON)  # changes nothing
    assert [step.changes for step in device.steps.filter(action="change")] == [{"company": ["", "海科"]}]


def test_an_unknown_address_becomes_a_device_with_the_channels_of_its_kind(city, keeper):
    kind = station(channels=("a21028-Rtd", "a21005-Rtd")).kind
    stranger = UnknownDevice.objects.create(protocol="hj212", address="B7", count=3, first_at=NOON, last_at=NOON)
    device = services.register_unknown(stranger.pk, kind=kind, by=keeper, at=NOON)
    assert (device.protocol, device.address, device.area_code) == ("hj212", "B7", "3705")
    assert sorted(device.datastreams.values_list("channel", flat=True)) == ["a21005-Rtd", "a21028-Rtd"]
    assert not UnknownDevice.objects.exists()
    with pytest.raises(UnknownDevice.DoesNotExist):
        services.register_unknown(stranger.pk, kind=kind, by=keeper, at=NOON)


def test_a_system_moves_with_words_and_for_the_whole_city(city, keeper):
    system = station().kind.system
    with pytest.raises(services.NotAllowed):
        services.move_system(system.pk, "agreed", by=person("administrator", area=HOME), at=NOON, words="x")
    with pytest.raises(services.Refused):
        services.move_system(system.pk, "agreed", by=keeper, at=NOON, words="")
    services.move_system(system.pk, "agreed", by=keeper, at=NOON, words="HJ 212, 30 s")
    with pytest.raises(services.Refused):
        services.move_system(system.pk, "agreed", by=keeper, at=NOON, words="again")
    step = ConnectionStep.objects.get()
    assert (step.source, step.target, step.words, step.actor) == ("surveyed", "agreed", "HJ 212, 30 s", keeper)


# -- the API -----------------------------------------------------------------------------------------------------------
def test_lists_are_cut_to_the_area_and_agree_with_their_count(city, client):
    own = station()
    away = station(address="X2", code="QT-X2", area_code=AWAY)
    signed_in(client, person("supervisor"))
    listed = client.get("/api/v1/devices/").json()["results"]
    assert [row["code"] for row in listed] == [own.code]
    assert client.get("/api/v1/devices/count/").json() == {"count": 1}
    assert client.get(f"/api/v1/devices/{away.code}/").status_code == 404
    assert client.get(f"/api/v1/devices/?area={AWAY}").status_code == 404


def test_handlers_see_the_devices_of_their_department_wherever(city, client):
    fire = city.departments["fire-02"]
    mine = station(department=fire)
    shared = station(address="S", code="QT-S", area_code=AWAY)
    shared.owners.add(fire)
    station(address="N", code="QT-N")
    signed_in(client, person("department_handler", department=fire))
    codes = {row["code"] for row in client.get("/api/v1/devices/").json()["results"]}
    assert codes == {mine.code, shared.code}
    assert client.get(f"/monitoring/devices/{shared.code}/").status_code == 200


def test_online_is_what_was_heard_of_in_time(city, client):
    now = timezone.now()
    fresh, stale, never = (station(address=name, code=f"QT-{name}") for name in "FSN")
    DeviceKind.objects.update(offline_after_s=60)
    heard(fresh, now - timedelta(seconds=20))
    heard(stale, now - timedelta(seconds=90))
    signed_in(client, person("supervisor"))
    online = client.get("/api/v1/devices/?online=true").json()["results"]
    offline = client.get("/api/v1/devices/?online=false").json()["results"]
    assert [row["code"] for row in online] == [fresh.code]
    assert online[0]["online"] is True
    assert [row["code"] for row in offline] == [never.code, stale.code]
    [system] = client.get("/api/v1/systems/").json()["results"]
    assert (system["devices"], system["online"]) == (3, 1)
    assert system["online_ratio"] == pytest.approx(1 / 3)


def test_a_device_tells_its_latest_values(city, client):
    device = station()
    stream = device.datastreams.get()
    Latest.objects.create(datastream=stream, measured_at=NOON, value=3.5, quality="g", received_at=NOON)
    signed_in(client, person("supervisor"))
    told = client.get(f"/api/v1/devices/{device.code}/").json()
    assert told["datastreams"][0]["latest"]["value"] == 3.5
    assert told["status"] is None
    assert told["online"] is False


def test_unknown_addresses_are_for_those_who_watch_the_whole(city, client):
    UnknownDevice.objects.create(protocol="jt808", address="013", first_at=NOON, last_at=NOON, sample=b"~\x01")
    for role, status in (("operator", 200), ("auditor", 200), ("dispatcher", 403), ("kiosk", 403)):
        signed_in(client, person(role))
        assert client.get("/api/v1/devices/unknown/").status_code == status
    signed_in(client, person("administrator"))
    assert client.get("/api/v1/devices/unknown/").json()["results"][0]["sample"] == "7e01"
    assert client.get("/api/v1/devices/unknown/count/").json() == {"count": 1}


def queries(client, path: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        answer = client.get(path)
    assert answer.status_code == 200, answer.content[:300]
    return len(seen)


def test_lists_ask_the_same_however_many_rows(city, client):
    def more(first: int, last: int) -> None:
        for n in range(first, last):
            heard(station(address=f"M{n}", code=f"QT-M{n}", department=city.departments["fire-02"]), NOON)

    signed_in(client, person("supervisor"))
    more(0, 1)
    paths = (
        "/api/v1/devices/", "/api/v1/systems/", "/monitoring/", "/monitoring/devices/", "/monitoring/register/",
        "/monitoring/unknown/", "/monitoring/systems/toxic-gas/",
    )  # fmt: skip
    [queries(client, path) for path in paths]  # what is asked once a process
    few = {path: queries(client, path) for path in paths}
    more(1, 6)
    assert {path: queries(client, path) for path in paths} == few
    assert few["/api/v1/devices/"] <= 4
    assert few["/api/v1/systems/"] <= 8
    assert few["/monitoring/"] <= 9
    assert few["/monitoring/devices/"] <= 14
    assert few["/monitoring/register/"] <= 12


# -- pages -------------------------------------------------------------------------------------------------------------
def test_an_administrator_registers_and_moves_a_device_on_pages(client, keeper):
    kind = station().kind
    signed_in(client, keeper)
    form = {"code": "QT-9", "name_zh": "九号站", "kind": kind.pk, "protocol": "hj212", "address": "A9"}
    wrong = client.post("/monitoring/devices/new/", form)
    assert wrong.status_code == 400
    assert "A place or an area is expected." in wrong.content.decode()
    made = client.post("/monitoring/devices/new/", form | {"area_code": "370502"})
    assert made["Location"] == "/monitoring/devices/QT-9/"
    client.post("/monitoring/devices/QT-9/move/", {"action": "take_out", "words": "works"})
    assert Device.objects.get(code="QT-9").state == "out"
    edited = client.post("/monitoring/devices/QT-9/edit/", form | {"area_code": "370502", "company": "科宏"})
    assert edited.status_code == 302
    assert Device.objects.get(code="QT-9").company == "科宏"
    assert client.get("/monitoring/devices/QT-9/edit/").status_code == 200


def test_an_unknown_address_is_registered_with_one_click(client, keeper):
    kind = station().kind
    signed_in(client, keeper)
    stranger = UnknownDevice.objects.create(protocol="hj212", address="B8", count=3, first_at=NOON, last_at=NOON)
    page = client.get("/monitoring/unknown/").content.decode()
    assert reverse("monitoring-unknown-settle", args=[stranger.pk, "register"]) in page
    client.post(f"/monitoring/unknown/{stranger.pk}/ignore/")
    assert "B8" not in client.get("/monitoring/unknown/").content.decode()
    assert "B8" in client.get("/monitoring/unknown/?ignored=true").content.decode()
    made = client.post(f"/monitoring/unknown/{stranger.pk}/register/", {"kind": kind.pk})
    assert made["Location"] == "/monitoring/devices/hj212-B8/"


def test_others_look_and_do_not_touch(city, client):
    device = station()
    stranger = UnknownDevice.objects.create(protocol="hj212", address="B8", first_at=NOON, last_at=NOON)
    signed_in(client, person("supervisor", area="3705"))
    for path in ("devices/new/", f"devices/{device.code}/edit/"):
        assert client.get(f"/monitoring/{path}").status_code == 403
    assert (
        client.post(f"/monitoring/devices/{device.code}/move/", {"action": "retire", "words": "x"}).status_code == 403
    )
    assert client.post(f"/monitoring/unknown/{stranger.pk}/register/", {"kind": device.kind_id}).status_code == 403
    moved = client.post("/monitoring/systems/toxic-gas/move/", {"target": "live", "words": "x"})
    assert moved.status_code == 403


def test_what_could_not_be_read_stands_in_the_register_by_reason(city, client):
    station()
    now = timezone.now()
    with connection.cursor() as cursor:
        for reason in ("bad CRC", "bad CRC", "", "no DataTime"):
            cursor.execute(
                "INSERT INTO monitoring_rawmessage (received_at, protocol, address, peer, data, reason)"
                " VALUES (%s, 'hj212', 'A', '', 'x', %s)",
                [now, reason],
            )
    signed_in(client, person("supervisor"))
    page = client.get("/monitoring/register/").content.decode()
    assert page.count("bad CRC") == 1
    assert "no DataTime" in page
    assert page.index("bad CRC") < page.index("no DataTime")


def test_the_exported_list_is_the_list(city, client):
    device = station()
    station(address="F", code="QT-F", area_code=AWAY)
    signed_in(client, person("supervisor"))
    text = b"".join(client.get("/monitoring/devices/export.csv").streaming_content).decode("utf-8-sig")
    assert device.code in text
    assert "QT-F" not in text


# -- what a city's tables bring ----------------------------------------------------------------------------------------
def test_the_tables_of_the_city_are_whole_and_read_once(city):
    assert seed_register(TABLES, at=NOON) > 100
    assert seed_register(TABLES, at=NOON) == 0
    assert list(System.objects.values_list("position", flat=True)) == list(range(1, 13))
    for model in (RiskField, System, DeviceKind, Quantity, Rule, Schedule):
        assert not model.objects.filter(name_zh="").exists()
        assert not model.objects.filter(name_en="").exists()
    assert not Rule.objects.filter(source="").exists()
    h2s = Rule.objects.get(code="oel-a21028")
    assert (h2s.settings["high"], h2s.settings["high_high"]) == (10, 20)
    assert ConnectionStep.objects.count() == System.objects.exclude(connection="surveyed").count()


def test_what_people_changed_stays(city):
    seed_register(TABLES, at=NOON)
    Rule.objects.filter(code="oel-a21028").update(settings={"high": 8, "high_high": 16})
    Rule.objects.filter(code="fire").delete()
    assert seed_register(TABLES, at=NOON) == 1
    assert Rule.objects.get(code="oel-a21028").settings["high"] == 8


def test_the_same_seed_makes_the_same_devices(city, settings):
    settings.CITY_FOLDER, settings.DEMO_DEVICES = TABLES, 0.05
    _places(city)
    _rows, made = seed_devices(at=NOON)
    assert made == Device.objects.count() > 80
    assert seed_devices(at=NOON) == (0, 0)
    first = list(Device.objects.order_by("code").values_list("code", "address", "company", "area_code", "name_zh"))
    Datastream.objects.all().delete()
    Device.objects.all().delete()
    seed_devices(at=NOON)
    assert (
        list(Device.objects.order_by("code").values_list("code", "address", "company", "area_code", "name_zh")) == first
    )
    assert not Device.objects.filter(synthetic=False).exists()
    assert not Device.objects.filter(kind__system__connection="surveyed").exists()
    with_place = Device.objects.exclude(location=None)
    assert with_place.exists()
    assert not with_place.filter(kind__moves=True).exists()
    ports = Fence.objects.values_list("group").annotate(n=Count("pk"))
    assert dict(ports)["fishing-ports"] == 7
    sea = Fence.objects.get(code="moratorium-sea")
    assert not any(sea.shape.contains(port.shape.centroid) for port in Fence.objects.filter(group="fishing-ports"))


def _places(city) -> None:
    PremisesKind.objects.create(code="school", name_zh="学校", name_en="School")
    Premises.objects.create(
        code="CS1", name_zh="第一小学", name_en="First Primary School", kind_id="school", location=Point(118.515, 37.445, srid=4326),
        cell=city.cells["370502001001001"], area_code="370502001001001",
    )  # fmt: skip
