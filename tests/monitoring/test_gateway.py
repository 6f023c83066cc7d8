"""What devices send over sockets is in the tables as they said it, and they are answered after that and not before."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO
from urllib.parse import quote

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections

from monitoring.gateway.jt808 import code_of
from monitoring.gateway.lines import Limits
from monitoring.gateway.server import Gateway, PortTaken
from monitoring.intake import ais, gb26875, hj212, jt808, jt809
from monitoring.known import KnownDevice
from monitoring.models import (
    Alarm,
    Datastream,
    Device,
    DeviceStatus,
    Fix,
    GatewayProcess,
    Quantity,
    RawMessage,
    Reading,
    UnknownDevice,
)  # fmt: skip
from tests.running import ROOT, free_port, until

from .gateways import PROTOCOLS, Caller, Running, device, running
from .worlds import limits, station

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = "13800000001"
TERMINAL = jt808.Terminal(PHONE)
MN = "010000A8900016F000169DC0"
PANEL = 0x0000_0A0B_0C0D


@pytest.fixture(autouse=True)
def _closed():
    yield
    connections.close_all()


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def code(of: Device) -> str:
    return code_of(KnownDevice(of.pk, of.protocol, of.address, "", of.options, of.area_code))


def let_in(gateway: Running, of: Device) -> Caller:
    line = gateway.line("jt808")
    line.say(jt808.encode_auth(TERMINAL, 1, jt808.Authentication(code(of))))
    [answer] = line.hears(jt808.Splitter(), 1)
    assert jt808.decode(answer).body == jt808.Answer(1, 0x0102, 0)
    return line


def results(frames: list[bytes]) -> list[tuple[int, int]]:
    return [(body.serial, body.result) for body in (jt808.decode(frame).body for frame in frames)]


def positions(many: int, since: datetime) -> list[jt808.Position]:
    return [
        jt808.make(37.4 + n / 1000, 118.5, since + timedelta(seconds=n), speed_kmh=40, course=90, alarm=n % 2)
        for n in range(many)
    ]


class Lock:
    """Another session that holds a table until it is released."""

    def __init__(self, table: str) -> None:
        self.table, self.go, self.has = table, threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._hold)

    def _hold(self) -> None:
        from django.db import transaction  # noqa: PLC0415

        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {self.table} IN EXCLUSIVE MODE")
            self.has.set()
            self.go.wait(30)
        connection.close()

    def __enter__(self) -> "Lock":
        self.thread.start()
        assert self.has.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.go.set()
        self.thread.join()


def test_a_vehicle_is_registered_let_in_and_its_positions_are_answered_when_they_are_in_the_table():
    vehicle, began = device("jt808", PHONE, "speed", "alarms"), now()
    with running() as gateway:
        line = gateway.line("jt808")
        who = jt808.Registration(37, 5, "MAKER", "MODEL", "T1", 2, "鲁E12345")
        line.say(jt808.encode_register(TERMINAL, 7, who))
        registered = jt808.decode(line.hears(jt808.Splitter(), 1)[0]).body
        assert registered == jt808.Registered(7, 0, code(vehicle))
        line.say(jt808.encode_auth(TERMINAL, 8, jt808.Authentication(registered.code)))
        assert results(line.hears(jt808.Splitter(), 1)) == [(8, 0)]
        sent = positions(20, began)
        with Lock("monitoring_fix"):
            line.say(*(jt808.encode_position(TERMINAL, 100 + n, one) for n, one in enumerate(sent)))
            assert line.hear(0.7) == b""  # nothing is stored: nothing is answered
        assert results(line.hears(jt808.Splitter(), 20)) == [(100 + n, 0) for n in range(20)]
        assert Fix.objects.count() == 20

    rows = list(
        Fix.objects.order_by("measured_at").values_list("measured_at", "lon", "lat", "speed_kmh", "course", "alarms")
    )
    assert rows == [(one.time, one.lon, one.lat, one.speed / 10, one.course, one.alarm) for one in sent]
    speeds = Reading.objects.filter(datastream__channel="speed")
    assert speeds.count() == 20 and {row.value for row in speeds} == {40.0}
    status = DeviceStatus.objects.get()
    assert (status.lat, status.more) == (sent[-1].lat, {"plate": "鲁E12345", "model": "MODEL"})


def test_chopped_and_glued_bytes_are_the_same_messages_and_a_batch_from_the_tunnel_is_late():
    vehicle, began = device("jt808", PHONE), now()
    with running() as gateway:
        line = let_in(gateway, vehicle)
        many = positions(100, began - timedelta(hours=1))
        stream = b"".join(jt808.encode_batch(TERMINAL, 10, many, kind=1)) + jt808.encode_heartbeat(TERMINAL, 50)
        for at in range(0, len(stream), 700):
            line.say(stream[at : at + 700])
            time.sleep(0.002)
        assert results(line.hears(jt808.Splitter(), 2)) == [(10, 0), (50, 0)]
    assert Fix.objects.count() == 100
    assert set(Fix.objects.values_list("late", flat=True)) == {True}


def test_who_has_not_said_the_code_is_refused_and_a_wrong_code_is_hung_up_on():
    device("jt808", PHONE)
    with running() as gateway:
        line = gateway.line("jt808")
        line.say(jt808.encode_position(TERMINAL, 3, positions(1, now())[0]))
        assert results(line.hears(jt808.Splitter(), 1)) == [(3, 1)]
        line.say(jt808.encode_auth(TERMINAL, 4, jt808.Authentication("wrong")))
        assert results(line.hears(jt808.Splitter(), 1)) == [(4, 1)]
        assert line.is_hung_up()
    assert not Fix.objects.exists()


def test_a_terminal_that_registers_as_another_gets_no_code():
    device("jt808", PHONE, options={"plate": "鲁E00001", "terminal_id": "T1"})
    with running() as gateway:
        line = gateway.line("jt808")
        for serial, terminal, plate in ((1, "T1", "鲁E12345"), (2, "T2", "鲁E00001"), (3, "T1", "鲁E00001")):
            who = jt808.Registration(37, 5, "M", "M", terminal, 2, plate)
            line.say(jt808.encode_register(TERMINAL, serial, who))
        told = [jt808.decode(frame).body for frame in line.hears(jt808.Splitter(), 3)]
    assert [(one.serial, one.result, bool(one.code)) for one in told] == [(1, 2, False), (2, 4, False), (3, 0, True)]


def test_addresses_that_nobody_knows_are_counted_and_told_as_their_protocol_says():
    with running() as gateway:
        line = gateway.line("jt808")
        line.say(jt808.encode_register(TERMINAL, 7, jt808.Registration(37, 5, "M", "M", "T1", 2, "鲁E12345")))
        assert jt808.decode(line.hears(jt808.Splitter(), 1)[0]).body == jt808.Registered(7, 4, "")
        line.say(jt808.encode_position(TERMINAL, 8, positions(1, now())[0]))
        assert line.hear(0.5) == b""
        panel = gateway.line("gb26875")
        panel.say(gb26875.encode_data(gb26875.Link(PANEL), 21, [{"state": 3, "time": now()}], serial=9, at=now()))
        assert gb26875.decode(panel.hears(gb26875.Splitter(), 1)[0]).header.command == 6
        frames = hj212_frames(now())
        broken = frames[0][:-6] + b"0000\r\n"
        gas = gateway.line("hj212")
        gas.say(broken, *frames)
        assert gas.hear(0.5) == b""
    met = dict(UnknownDevice.objects.values_list("address", "count"))
    assert met == {PHONE: 2, f"{PANEL:012x}": 1, MN: 1}
    assert not RawMessage.objects.exists()


def hj212_frames(at: datetime, value: float = 0.4, *, crc: hj212.CrcMode = "standard", cn: str = "2011") -> list[bytes]:
    said = [
        hj212.Measured("a21028", {"Rtd": value}, "N"),
        hj212.Measured("a21005", {"Rtd": 1.5}, "T"),
        hj212.Measured("a21004", {"Rtd": 9.9}, "D"),
    ]
    return hj212.encode_data(hj212.Station(MN, crc=crc), cn, at, said, qn=at)


def test_a_station_is_stored_with_the_quality_of_its_flags_and_answered_9014_and_raises_alarms():
    channels = ("a21028-Rtd", "a21005-Rtd", "a21004-Rtd")
    limits(station(MN, channels=channels, options={"crc_mode": "modbus_le"}))
    at = now()
    with running() as gateway:
        line = gateway.line("hj212")
        with Lock("monitoring_reading"):
            line.say(*hj212_frames(at, 12.5, crc="modbus_le"))
            assert line.hear(0.7) == b""
        [answer] = line.hears(hj212.Splitter(), 1)
        assert hj212.decode(answer, "modbus_le").cn == "9014"
        line.say(*hj212_frames(at + timedelta(seconds=30), 99))  # the usual check word is not this station's
        assert line.hear(0.5) == b""
    rows = Reading.objects.order_by("datastream_id").values_list(
        "datastream__channel", "measured_at", "value", "quality"
    )
    assert list(rows) == [
        ("a21028-Rtd", at, 12.5, "g"), ("a21005-Rtd", at, 1.5, "d"), ("a21004-Rtd", at, 9.9, "b"),
    ]  # fmt: skip
    assert [alarm.state for alarm in Alarm.objects.all()] == ["unack"]
    [dead] = RawMessage.objects.all()
    assert "check word" in dead.reason


def test_a_latched_rule_that_somebody_resets_begins_anew_in_every_gateway():
    gas = station(MN)
    rule = limits(gas, latching=True)
    with running() as gateway:
        line = gateway.line("hj212")
        for seconds, value in ((0, 30.0), (1, 1.0)):
            line.say(*hj212_frames(now() + timedelta(seconds=seconds), value))
            line.hears(hj212.Splitter(), 1)
        slots = gateway.gateway.keeper.store.known.slots
        assert slots.zone[0] != 0  # it came back, and stands all the same
        with connection.cursor() as cursor:
            subject = f"datastream:{gas.datastreams.get().pk}"
            cursor.execute("SELECT pg_notify('monitoring', %s)", [f"reset {rule.pk} {subject}"])
        until(lambda: gateway.gateway.keeper.store.known.slots.zone[0] == 0, 10)


def test_what_lacks_a_channel_is_a_dead_letter_and_taken_again_once_the_channel_is_there():
    gas = station(MN, channels=("a21028-Rtd", "a21005-Rtd"))
    with running() as gateway:
        line = gateway.line("hj212")
        line.say(*hj212_frames(now()))
        assert len(line.hears(hj212.Splitter(), 1)) == 1
    [dead] = RawMessage.objects.all()
    assert dead.reason == "no channel a21004-Rtd"
    assert Reading.objects.count() == 2

    with pytest.raises(CommandError, match="a21004-Rtd"):
        call_command("replay_dead", stdout=StringIO())
    quantity = Quantity.objects.create(code="a21004", name_zh="二氧化氮")
    Datastream.objects.create(device=gas, quantity=quantity, channel="a21004-Rtd")
    said = StringIO()
    call_command("replay_dead", "--protocol", "hj212", stdout=said)
    assert said.getvalue() == "1 taken, 0 still cannot be taken\n"
    assert Reading.objects.count() == 3
    call_command("replay_dead", stdout=said)
    assert said.getvalue().endswith("0 taken, 0 still cannot be taken\n")


def test_a_device_that_may_open_channels_gets_them_when_their_quantity_is_known():
    gas = station(MN, channels=("a21028-Rtd",), options={"open_channels": True})
    Quantity.objects.create(code="a21005", name_zh="一氧化碳")
    with running() as gateway:
        line = gateway.line("hj212")
        line.say(*hj212_frames(now()))
        until(lambda: Reading.objects.count() == 2, 10)
        until(lambda: RawMessage.objects.get().reason == "no channel a21004-Rtd", 10)  # of no quantity that is known
    assert set(gas.datastreams.values_list("channel", flat=True)) == {"a21028-Rtd", "a21005-Rtd"}


def test_a_new_device_is_known_within_seconds_of_its_being_written():
    with running() as gateway:
        line = gateway.line("hj212")
        line.say(*hj212_frames(now()))
        until(lambda: UnknownDevice.objects.count() == 1, 10)
        station(MN, channels=("a21028-Rtd", "a21005-Rtd", "a21004-Rtd"))
        time.sleep(1.5)
        line.say(*hj212_frames(now()))
        assert len(line.hears(hj212.Splitter(), 1)) == 1
    assert Reading.objects.count() == 3


def test_a_fire_panel_is_stored_by_its_components_and_confirmed():
    device(
        "gb26875", f"{PANEL:012x}", "state:1:1", "state:1:1:40:17", "analog:1:1:40:17:3", "operation:1:1", "transmitter"
    )
    at, link = now(), gb26875.Link(PANEL)
    system, part = {"system_type": 1, "system_addr": 1}, {"component_type": 40, "component_addr": 17}
    sent = {
        1: {**system, "state": 0b11, "time": at},
        2: {**system, **part, "state": 0b11, "description": "三楼走廊烟感", "time": at},
        3: {**system, **part, "analog_type": 3, "analog_value_raw": 655, "time": at},
        4: {**system, "operation": 1, "operator": 2, "time": at},
        21: {"state": 1, "time": at},
    }
    with running() as gateway:
        line = gateway.line("gb26875")
        packets = [gb26875.encode_data(link, kind, [one], serial=kind, at=at) for kind, one in sent.items()]
        with Lock("monitoring_reading"):
            line.say(*packets)
            assert line.hear(0.7) == b""
        answers = [gb26875.decode(one).header for one in line.hears(gb26875.Splitter(), 5)]
        assert [(one.command, one.serial) for one in answers] == [(3, kind) for kind in sent]
        damaged = bytearray(packets[0])
        damaged[-3] ^= 1
        line.say(bytes(damaged))
        assert gb26875.decode(line.hears(gb26875.Splitter(), 1)[0]).header.command == 6
    rows = dict(Reading.objects.values_list("datastream__channel", "value"))
    assert rows == {
        "state:1:1": 3, "state:1:1:40:17": 3, "analog:1:1:40:17:3": 65.5, "operation:1:1": 1, "transmitter": 1,
    }  # fmt: skip


def test_ships_are_stored_once_however_many_receivers_hear_them_and_say_their_names():
    device("ais", "412345678", "speed")
    at = now()
    sentences = ais.encode_position(412345678, (118.9, 37.9), speed=10.0, course=45.5, second=at.second, status=0)
    with running() as gateway:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for _ in range(2):
            udp.sendto(b"".join(sentences).rstrip(), ("127.0.0.1", gateway.port("ais")))
        line = gateway.line("ais")
        line.say(*sentences, *ais.encode_static(412345678, shipname="LU YU 1", callsign="BABC", shiptype=30))
        line.say(*ais.encode_position(999999999, (118.0, 37.0)))
        until(lambda: UnknownDevice.objects.exists(), 10)
        until(lambda: (DeviceStatus.objects.get().more or {}).get("shipname") == "LU YU 1", 10)
    [fix] = Fix.objects.all()
    message = ais.decode(*(one.strip() for one in sentences))
    assert (fix.lon, fix.lat, fix.course) == (message.lon, message.lat, 45)
    assert fix.speed_kmh == pytest.approx(18.52)
    assert abs((fix.measured_at - at).total_seconds()) < 1
    assert DeviceStatus.objects.get().more["callsign"] == "BABC"


def test_a_platform_logs_in_before_its_vehicles_are_taken():
    device("jt809", "1001", options={"user": 9, "password": "secret"})
    device("jt809", "鲁E12345-2")
    head, car = jt809.Header(1, 0, 1001), jt809.Vehicle("鲁E12345", 2)
    [where] = positions(1, now())
    with running() as gateway:
        line = gateway.line("jt809")
        line.say(jt809.encode_position(head, car, where))
        line.say(jt809.encode_login(head, 9, "wrong", "127.0.0.1", 7810))
        assert jt809.decode(line.hears(jt809.Splitter(), 1)[0]).body["result_name"] == "wrong_password"
        assert line.is_hung_up()
        line = gateway.line("jt809")
        line.say(jt809.encode_login(head, 9, "secret", "127.0.0.1", 7810))
        assert jt809.decode(line.hears(jt809.Splitter(), 1)[0]).body["result_name"] == "done"
        line.say(jt809.encode_position(head, car, where), jt809.encode_bare(head, 0x1005))
        assert jt809.decode(line.hears(jt809.Splitter(), 1)[0]).header.msg_id == 0x1006
    [fix] = Fix.objects.all()
    assert (fix.measured_at, fix.lon, fix.lat) == (where.time, where.lon, where.lat)


def test_udp_terminals_are_answered_too():
    vehicle = device("jt808", PHONE)
    with running() as gateway:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.settimeout(10)
        udp.connect(("127.0.0.1", gateway.port("jt808")))
        udp.send(jt808.encode_auth(TERMINAL, 1, jt808.Authentication(code(vehicle))))
        assert results([udp.recv(2000)]) == [(1, 0)]
        udp.send(jt808.encode_position(TERMINAL, 2, positions(1, now())[0]))
        assert results([udp.recv(2000)]) == [(2, 0)]
    assert Fix.objects.count() == 1


def test_while_the_database_is_away_nothing_is_answered_and_afterwards_everything_is():
    vehicle, began = device("jt808", PHONE), now()
    with running() as gateway:
        line = let_in(gateway, vehicle)
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_database()")
            [name] = cursor.fetchone()
        with database_away(name):
            until(lambda: sessions_of(name) == 0, 20)
            line.say(*(jt808.encode_position(TERMINAL, n, one) for n, one in enumerate(positions(50, began))))
            assert line.hear(1.0) == b""
            until(lambda: gateway.gateway.is_paused, 10)
        assert results(line.hears(jt808.Splitter(), 50, 30)) == [(n, 0) for n in range(50)]
        until(lambda: not gateway.gateway.is_paused, 10)
        line.say(jt808.encode_heartbeat(TERMINAL, 60))
        assert results(line.hears(jt808.Splitter(), 1)) == [(60, 0)]
    assert Fix.objects.count() == 50


class database_away:
    """The database takes no connections, and those it had are ended: told from the server's other database."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        connections.close_all()
        elsewhere(f'ALTER DATABASE "{self.name}" ALLOW_CONNECTIONS false')
        elsewhere(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.name}'")

    def __exit__(self, *_: object) -> None:
        elsewhere(f'ALTER DATABASE "{self.name}" ALLOW_CONNECTIONS true')


def elsewhere(statement: str) -> list[tuple]:
    import psycopg2  # noqa: PLC0415

    given = connection.settings_dict
    words = {"host": given["HOST"], "port": given["PORT"], "user": given["USER"], "password": given["PASSWORD"]}
    line = psycopg2.connect(dbname="postgres", **{name: value for name, value in words.items() if value})
    line.autocommit = True
    try:
        with line.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        line.close()


def sessions_of(name: str) -> int:
    return elsewhere(f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'")[0][0]


@contextmanager
def process(port: int) -> Iterator[subprocess.Popen]:
    """Yield ``bin/manage intake`` on a port for JT/T 808, with the database of the test."""
    given = connection.settings_dict
    env = os.environ | {
        "DATABASE_URL": f"postgis://{given['USER']}@{quote(given['HOST'], safe='')}/{given['NAME']}",
        "INTAKE_PORT_OFFSET": "0", "JT808_PORT": str(port),
        **{f"{name.upper()}_PORT": str(free_port()) for name in PROTOCOLS if name != "jt808"},
    }  # fmt: skip
    started = subprocess.Popen(
        [sys.executable, "manage.py", "intake"], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
    )
    try:
        assert "listens on" in started.stdout.readline()
        yield started
    finally:
        started.kill()
        started.wait()


def test_what_a_killed_gateway_answered_is_in_the_table_and_its_sibling_goes_on():
    vehicle, began, port = device("jt808", PHONE), now() - timedelta(hours=2), free_port()
    answered: set[int] = set()
    with process(port) as first, process(port) as second:
        sent, lines = 0, [Caller(port) for _ in range(8)]  # the kernel shares them out
        splitters = [jt808.Splitter() for _ in lines]
        for line in lines:
            line.say(jt808.encode_auth(TERMINAL, 0xFFFF, jt808.Authentication(code(vehicle))))
        where = positions(6000, began)
        for round_ in range(40):
            for line in lines:
                frames = [jt808.encode_position(TERMINAL, sent + n, where[sent + n]) for n in range(18)]
                sent += len(frames)
                try:
                    line.say(*frames)
                except OSError:
                    continue
            if round_ == 20:
                first.send_signal(signal.SIGKILL)
        for line, splitter in zip(lines, splitters, strict=True):
            while data := line.hear(1.0):
                answered |= {body.serial for body in (jt808.decode(one).body for one in splitter.feed(data))} - {0xFFFF}
        second.send_signal(signal.SIGTERM)
        assert second.wait(20) == 0
    stored = {int((at - began).total_seconds()) for at in Fix.objects.values_list("measured_at", flat=True)}
    assert answered <= stored
    assert 1000 < len(answered) <= len(stored) < 5761


def test_recorded_frames_are_replayed_to_the_running_gateway(tmp_path, settings):
    device("jt808", PHONE)
    file = tmp_path / "frames.txt"
    file.write_text(
        "\n".join(jt808.encode_position(TERMINAL, n, one).hex() for n, one in enumerate(positions(5, now())))
    )
    with running() as gateway:
        settings.INTAKE_PORTS = dict(gateway.gateway.ports)
        settings.VAR_DIR = tmp_path
        said = StringIO()
        call_command("replay", "jt808", str(file), stdout=said)
        assert said.getvalue().startswith("6 messages sent, ")
    assert Fix.objects.count() == 5
    with pytest.raises(CommandError, match="No gateway at"):
        call_command("replay", "jt808", str(file), stdout=said)


def test_who_floods_is_hung_up_on_and_the_others_are_heard():
    vehicle = device("jt808", PHONE)
    strict = dict.fromkeys(PROTOCOLS, Limits(idle_s=600, messages_s=10, bytes_s=100_000))
    with running(limits=strict) as gateway:
        line, other = let_in(gateway, vehicle), let_in(gateway, vehicle)
        line.say(*(jt808.encode_heartbeat(TERMINAL, n) for n in range(300)))
        assert line.is_hung_up()
        assert gateway.gateway.counts["hung up: flood"] == 1
        other.say(jt808.encode_heartbeat(TERMINAL, 5))
        assert results(other.hears(jt808.Splitter(), 1)) == [(5, 0)]


def test_datagrams_that_flood_are_dropped_until_their_sender_is_calm():
    device("ais", "412345678")
    strict = dict.fromkeys(PROTOCOLS, Limits(idle_s=600, messages_s=5, bytes_s=100_000))
    with running(limits=strict) as gateway:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for n in range(200):
            sentence = b"".join(ais.encode_position(412345678, (118.0 + n / 1000, 37.0)))
            udp.sendto(sentence, ("127.0.0.1", gateway.port("ais")))
            time.sleep(0.001)
        until(lambda: gateway.gateway.counts["hung up: flood"] >= 100, 10)


def test_who_is_silent_or_speaks_something_else_is_hung_up_on(monkeypatch):
    monkeypatch.setattr("monitoring.gateway.server.TICK_S", 0.1)
    short = dict.fromkeys(PROTOCOLS, Limits(idle_s=1, messages_s=1000, bytes_s=1e6))
    with running(limits=short) as gateway:
        silent, browser = gateway.line("jt808"), gateway.line("ais")
        browser.say(*(b"GET / HTTP/1.1\r\n" for _ in range(60)))
        assert browser.is_hung_up() and silent.is_hung_up()
        assert gateway.gateway.counts["hung up: speaks another protocol"] == 1
        assert gateway.gateway.counts["hung up: silent"] == 1


def test_one_message_that_cannot_be_stored_takes_none_of_the_others_with_it():
    gas, other = (
        station(MN, channels=("a21028-Rtd", "a21005-Rtd", "a21004-Rtd")),
        device("hj212", "B" * 24, "a21028-Rtd"),
    )
    with running() as gateway:
        line = gateway.line("hj212")
        with connection.cursor() as cursor:  # behind the back of the gateway, without a bell
            cursor.execute("ALTER TABLE monitoring_datastream DISABLE TRIGGER told")
            cursor.execute("DELETE FROM monitoring_datastream WHERE device_id = %s", [other.pk])
            cursor.execute("ALTER TABLE monitoring_datastream ENABLE TRIGGER told")
        at = now()
        bad = hj212.encode_data(
            hj212.Station("B" * 24), "2011", at, [hj212.Measured("a21028", {"Rtd": 5.0}, "N")], qn=at
        )
        line.say(*hj212_frames(at), *bad)
        assert len(line.hears(hj212.Splitter(), 2)) == 2
    assert Reading.objects.filter(datastream__device=gas).count() == 3
    [dead] = RawMessage.objects.all()
    assert (dead.address, dead.reason) == ("B" * 24, "could not be stored: IntegrityError")


def test_what_was_heard_is_stored_and_answered_when_the_process_is_asked_to_end():
    vehicle, began = device("jt808", PHONE), now()
    gateway = Running()
    line = let_in(gateway, vehicle)
    with Lock("monitoring_fix"):
        line.say(*(jt808.encode_position(TERMINAL, n, one) for n, one in enumerate(positions(30, began))))
        time.sleep(0.3)
        ending = threading.Thread(target=gateway.stop)
        ending.start()
        time.sleep(0.3)
    ending.join()
    assert len(line.hears(jt808.Splitter(), 30)) == 30
    assert Fix.objects.count() == 30


def test_a_taken_port_is_told_in_words_and_the_figures_of_a_process_are_in_its_row():
    with socket.socket() as other, running() as gateway:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(PortTaken, match=r"hj212.*INTAKE_PORT_OFFSET"):
            Running(ports=dict.fromkeys(PROTOCOLS, 0) | {"hj212": other.getsockname()[1]})
        row = until(lambda: GatewayProcess.objects.filter(name=gateway.gateway.keeper.label).first(), 10)
        assert row.figures["lines"] == 0 and "lag_s" in row.figures
    assert isinstance(gateway.gateway, Gateway)
