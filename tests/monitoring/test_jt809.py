"""JT/T 809 from the layout of the standard: the numbers are in sight."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.intake import jt808, jt809
from monitoring.intake.wire import Malformed
from tests.monitoring.jt808_frames import positions, words_of


def sealed(inner: str | bytes) -> bytes:
    """Return the frame of a header and a body, with CRC and escapes made the long way."""
    data = bytes.fromhex(inner) if isinstance(inner, str) else inner
    register = 0xFFFF
    for byte in data:
        register ^= byte << 8
        for _ in range(8):
            register = (register << 1 ^ (0x1021 if register & 0x8000 else 0)) & 0xFFFF
    marks = {0x5B: b"\x5a\x01", 0x5A: b"\x5a\x02", 0x5D: b"\x5e\x01", 0x5E: b"\x5e\x02"}
    escaped = b"".join(marks.get(byte, bytes([byte])) for byte in (*data, *register.to_bytes(2, "big")))
    return b"\x5b" + escaped + b"\x5d"


# length 72, serial 133, 0x1001, access code 20261123, version 1.0.0, not encrypted, key 0;
# user 20261123, password 20180920, 127.0.0.1, port 809
USER, IP = "01352903", b"127.0.0.1".ljust(32, b"\0").hex()
LOGIN = sealed(f"00000048 00000085 1001 {USER} 010000 00 00000000 {USER} {b'20180920'.hex()} {IP} 0329")
# 鲁EA1234, yellow; 0x1202, 36 bytes: plain, 23 November 2026 14:03:05, 118.674340 E 37.434306 N, 61 and 60 km/h, 12345 km,
# 271°, 12 m, ACC and located, SOS
PLATE = "c2b3454131323334".ljust(42, "0") + "02"
PLACE = "00 17 0b 07ea 0e 03 05 0712d3a4 023b33c2 003d 003c 00003039 010f 000c 00000003 00000001"
PLACED = sealed(f"0000005a 00000001 1200 {USER} 010000 00 00000000 {PLATE} 1202 00000024 {PLACE}")
AT = datetime(2026, 11, 23, 6, 3, 5, tzinfo=UTC)
SENT = "000000006a1a3f99"  # as the header of 2019 says it
VEHICLE = jt809.Vehicle("鲁EA1234", 2)
HEADERS = [jt809.Header(1, 0, 20261123), jt809.Header(1, 0, 20261123, (1, 2, 15), time=AT)]
either_edition = pytest.mark.parametrize("header", HEADERS, ids=["2011", "2019"])


def test_the_crc_is_ccitt_false():
    assert jt809.crc(b"123456789") == 0x29B1


def test_marks_are_escaped_and_read_back():
    plain, sent = bytes.fromhex("5b 5a 5d 5e 01 02"), bytes.fromhex("5a01 5a02 5e01 5e02 01 02")

    assert jt809.escape(plain) == sent
    assert jt809.unescape(sent) == plain


@given(st.binary(max_size=60))
def test_whatever_is_escaped_holds_no_mark_and_comes_back(data):
    sent = jt809.escape(data)

    assert not {0x5B, 0x5D} & set(sent)
    assert jt809.unescape(sent) == data


def test_a_login_is_read_from_its_bytes_and_made_of_them():
    message = jt809.decode(LOGIN)

    assert message.header == jt809.Header(133, 0x1001, 20261123)
    assert message.body == {
        "user": 20261123,
        "password": "20180920",
        "down_link_ip": "127.0.0.1",
        "down_link_port": 809,
    }
    assert jt809.encode_login(message.header, 20261123, "20180920", "127.0.0.1", 809) == LOGIN


def test_a_login_of_2019_has_the_time_and_the_access_code():
    inner = (
        f"00000054 00000085 1001 {USER} 01020f 00 00000000 000000004b49286a {USER} {b'20180920'.hex()} {USER} {IP} 0329"
    )
    message = jt809.decode(sealed(inner))

    # The standard's own example of a time.
    assert message.header.time == datetime(2010, 1, 10, 1, 7, 54, tzinfo=UTC)
    assert (message.header.edition, message.body["access_code"], message.body["down_link_port"]) == (
        2019,
        20261123,
        809,
    )


def test_a_position_is_read_from_its_bytes():
    told = jt809.tell(jt809.decode(PLACED))

    assert (told["plate"], told["colour"], told["sub_id"]) == ("鲁EA1234", 2, "0x1202")
    assert told["body"] == {
        "lat": 37.434306,
        "lon": 118.67434,
        "shifted": False,
        "time": "2026-11-23T14:03:05+08:00",
        "speed_kmh": 61.0,
        "recorder_speed_kmh": 60.0,
        "mileage_km": 12345.0,
        "course": 271,
        "altitude": 12,
        "status": 3,
        "alarm": 1,
        "alarms": ["emergency"],
        "states": ["acc_on", "located"],
    }


def test_a_position_of_2019_holds_one_of_808():
    body = "00000001 00000003 023b33c2 0712d3a4 000c 0267 010f 261123140305 01 04 0001e240"
    data = f"00 00000022 {body}" + "00" * 45
    frame = sealed(
        f"{22 + 8 + 28 + 84 + 4:08x} 00000001 1200 {USER} 01020f 00 00000000 {SENT} {PLATE} 1202 00000054 {data}"
    )
    (place,) = jt809.decode(frame).positions

    assert (place.lat, place.lon, place.speed_kmh, place.mileage_km) == (37.434306, 118.67434, 61.5, 12345.6)
    assert place.time == AT


def test_a_position_of_2011_inside_one_of_2019_is_known_by_its_date():
    data = f"00 00000023 {PLACE[3:]}" + "00" * 45
    frame = sealed(
        f"{22 + 8 + 28 + 85 + 4:08x} 00000001 1200 {USER} 01020f 00 00000000 {SENT} {PLATE} 1202 00000055 {data}"
    )

    assert jt809.decode(frame).positions == jt809.decode(PLACED).positions


@pytest.mark.parametrize("frame", [LOGIN, PLACED], ids=["login", "position"])
def test_any_single_changed_byte_is_noticed(frame):
    for place in range(len(frame)):
        for value in range(256):
            if value != frame[place]:
                with pytest.raises(Malformed):
                    jt809.decode(frame[:place] + bytes([value]) + frame[place + 1 :])


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (b"", "no 5B … 5D"),
        (b"\x5b\x5d", "0 bytes between the marks, a message has at least 24"),
        (LOGIN[:-3] + b"\0\0\x5d", "CRC 0000, expected"),
        (sealed(f"00000049 00000085 1005 {USER} 010000 00 00000000"), "length 73 declared, 26 seen"),
        (b"\x5b" + bytes(1 << 18) + b"\x5d", "the longest frame has 131073"),
    ],
)
def test_what_is_no_frame_says_what_was_seen_and_what_was_expected(frame, said):
    with pytest.raises(Malformed) as refused:
        jt809.decode(frame)

    assert said in str(refused.value)


class TestSplitter:
    def test_glued_and_split(self):
        splitter = jt809.Splitter()

        assert splitter.feed(LOGIN + PLACED[:20]) == [LOGIN]
        assert splitter.feed(PLACED[20:] + LOGIN) == [PLACED, LOGIN]
        assert splitter.held == 0

    def test_bytes_between_frames_are_told_once_and_left_out(self):
        found = jt809.Splitter().feed(b"GET /" + LOGIN + b"\r\n" + PLACED)

        assert [str(one) if isinstance(one, Malformed) else one for one in found] == [
            "bytes before 5B",
            LOGIN,
            "bytes before 5B",
            PLACED,
        ]

    def test_a_frame_that_breaks_off_costs_that_one(self):
        found = jt809.Splitter().feed(LOGIN[:30] + PLACED)

        assert str(found[0]) == "5B inside the frame, or its 5D is missing"
        assert found[1:] == [PLACED]

    def test_a_stretch_longer_than_any_frame_is_told_once_and_the_next_frame_is_read(self):
        splitter = jt809.Splitter()
        found = splitter.feed(b"\x5b")
        for _ in range(200):
            found += splitter.feed(bytes(1000))
            assert splitter.held <= jt809.LONGEST
        found += splitter.feed(LOGIN)

        assert [str(one) for one in found[:-1]] == ["no 5D within 131072 bytes, the longest frame"]
        assert found[-1] == LOGIN


@either_edition
class TestRoundTrips:
    def test_login_and_its_answer(self, header):
        asked = jt809.decode(jt809.encode_login(header, 7, "secret", "10.0.0.1", 7809))
        answer = jt809.decode(jt809.encode_login_answer(jt809.answer_to(asked.header, 0x1002, 9, AT), 4, 0xDEADBEEF))

        assert (asked.body["user"], asked.body["down_link_ip"], asked.body["down_link_port"]) == (7, "10.0.0.1", 7809)
        assert answer.body == {"result": 4, "result_name": "wrong_password", "verify_code": 0xDEADBEEF}
        assert (answer.header.serial, answer.header.edition) == (9, header.edition)

    @pytest.mark.parametrize("msg_id", [0x1004, 0x1005, 0x1006, 0x9004, 0x9005, 0x9006])
    def test_messages_without_a_body(self, header, msg_id):
        message = jt809.decode(jt809.encode_bare(header, msg_id))

        assert (message.header.msg_id, message.body, message.header.time) == (msg_id, {}, header.time)

    def test_the_down_link(self, header):
        assert jt809.decode(jt809.encode_down_login(header, 77)).body == {"verify_code": 77}
        assert jt809.decode(jt809.encode_down_login_answer(header, 1)).body == {"result": 1}
        assert jt809.decode(jt809.encode_logout(header, 7, "secret")).body == {"user": 7, "password": "secret"}
        assert jt809.decode(jt809.encode_received(header, 10_000, AT, AT)).body == {
            "count": 10_000,
            "since": "2026-11-23T06:03:05+00:00",
            "until": "2026-11-23T06:03:05+00:00",
        }

    @given(words_of(21), words_of(11), words_of(20), words_of(7), st.from_regex(r"[1-9][0-9]{10,11}", fullmatch=True))
    def test_registration(self, header, plate, maker, model, terminal_id, phone):
        vehicle = jt809.Vehicle(plate, 2)
        said = {"platform": "3705001", "maker": maker, "model": model, "terminal_id": terminal_id, "phone": phone}
        message = jt809.decode(jt809.encode_registration(header, vehicle, **said))

        assert message.vehicle == vehicle
        assert {**message.body, "phone": message.body["phone"].lstrip("0")} == said | (
            {"imei": ""} if header.time else {}
        )

    @given(where=positions)
    def test_a_position_of_808(self, header, where):
        message = jt809.decode(jt809.encode_position(header, VEHICLE, where))
        (place,) = message.positions

        assert (message.vehicle, message.sub_id) == (VEHICLE, 0x1202)
        assert (place.lat, place.lon, place.time) == (where.lat, where.lon, where.time)
        assert (place.course, place.altitude, place.status, place.alarm) == (
            where.course,
            where.altitude,
            where.status,
            where.alarm,
        )
        assert place.shifted == where.shifted
        assert place.speed_kmh == (where.speed / 10 if header.time else round(where.speed / 10))

    @given(sent=st.lists(positions, min_size=1, max_size=5))
    def test_a_batch(self, header, sent):
        message = jt809.decode(jt809.encode_batch(header, VEHICLE, sent))

        assert (message.sub_id, message.body["count"]) == (0x1203, len(sent))
        assert [(place.lat, place.lon, place.time) for place in message.positions] == [
            (one.lat, one.lon, one.time) for one in sent
        ]

    @pytest.mark.parametrize(("asked", "sub_id"), [(True, 0x120B), (False, 0x120D)])
    def test_a_waybill(self, header, asked, sub_id):
        content = "液氯 10 吨".encode("gb18030")
        message = jt809.decode(jt809.encode_waybill(header, VEHICLE, content, asked=asked))

        assert (message.sub_id, message.body) == (sub_id, {"text": "液氯 10 吨", "hex": content.hex()})

    @pytest.mark.parametrize(("asked", "sub_id"), [(True, 0x120A), (False, 0x120C)])
    def test_a_driver(self, header, asked, sub_id):
        who = {
            "name": "张三",
            "person": "370502199001011234",
            "certificate": "3705021990",
            "issuer": "东营市交通运输局",
        }
        message = jt809.decode(jt809.encode_driver(header, VEHICLE, **who, asked=asked))

        assert (message.sub_id, message.body) == (sub_id, who)

    def test_a_warning(self, header):
        frame = jt809.encode_warning(header, VEHICLE, kind=3, at=AT, words="紧急报警", platform="3705001", warning_id=9)
        message = jt809.decode(frame)

        assert message.sub_id == 0x1402
        assert (message.body["type_name"], message.body["time"], message.body["text"]) == (
            "emergency",
            "2026-11-23T06:03:05+00:00",
            "紧急报警",
        )
        if header.time:
            assert message.vehicle is None
            assert (message.body["plate"], message.body["colour"], message.body["platform"]) == (
                "鲁EA1234",
                2,
                "3705001",
            )
        else:
            assert (message.vehicle, message.body["warning_id"]) == (VEHICLE, 9)

    def test_what_is_encrypted_stays_bytes(self, header):
        message = jt809.decode(jt809.encode(header._replace(msg_id=0x1200, encrypted=True, key=5), b"\x5b\x5d"))

        assert (message.body, message.sub_id, message.header.key) == ({"hex": "5b5d"}, None, 5)

    def test_what_is_not_read_here_stays_bytes(self, header):
        assert jt809.decode(jt809.encode(header._replace(msg_id=0x1700), b"\x01")).body == {"hex": "01"}

    def test_a_body_that_does_not_fit_is_told_with_its_bytes(self, header):
        body = jt809.decode(jt809.encode(header._replace(msg_id=0x1002), b"\x01")).body

        assert (body["hex"], "field of 4 bytes" in body["error"]) == ("01", True)


def test_a_position_without_a_time_is_sent_and_read_without_one():
    where = jt808.Position(0, 3, 37_000_000, 118_000_000, 0, 0, 0, bytes(6))

    assert jt809.decode(jt809.encode_position(HEADERS[0], VEHICLE, where)).positions[0].time is None


def test_a_frame_that_would_be_too_long_is_refused_with_its_reason():
    with pytest.raises(ValueError, match="a frame of 65562 bytes; the longest has 65536"):
        jt809.encode(jt809.Header(1, 0x1700, 1), bytes(65_536))
