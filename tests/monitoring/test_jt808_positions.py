"""Positions of JT/T 808: bits, items, active safety, batches; and many at once as columns."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.intake import jt808
from monitoring.intake.jt808 import position, safety
from monitoring.intake.jt808.fields import BEIJING
from monitoring.intake.wire import Malformed
from tests.monitoring.jt808_frames import (
    BODY,
    HEARTBEAT,
    ITEMS,
    POSITION,
    of_2013,
    of_2019,
    positions,
    sealed,
    terminals,
    words,
)

TERMINAL = jt808.Terminal("13812345678", jt808.Edition.E2013)


def told(items: str) -> dict:
    return jt808.tell(jt808.decode(of_2013(0x0200, BODY + items)))["body"]


def with_status(status: int, latitude: int = 37_434_210, longitude: int = 118_674_660) -> jt808.Position:
    return jt808.Position(0, status, latitude, longitude, 0, 0, 0, bytes.fromhex("261123140305"))


def test_a_position_is_told_in_the_numbers_of_the_standard_and_in_what_they_mean():
    assert told(ITEMS) == {
        "alarm": 3,
        "status": 0xC0303,
        "latitude": 37434306,
        "longitude": 118674340,
        "altitude": 12,
        "speed": 615,
        "course": 271,
        "time": "2026-11-23T14:03:05+08:00",
        "items": {"0x01": "0001e240", "0x30": "1f", "0x31": "0c"},
        "lat": 37.434306,
        "lon": 118.67434,
        "alarms": ["emergency", "overspeed"],
        "states": ["acc_on", "located", "gps", "beidou"],
        "load": "full",
        "values": {"mileage": 123456, "signal_strength": 31, "satellites": 12},
    }


@given(terminals, words, positions)
def test_a_position_arrives_as_it_was_sent(terminal, serial, where):
    message = jt808.decode(jt808.encode_position(terminal, serial, where))

    assert (message.body, message.header.serial) == (where, serial)
    json.dumps(jt808.tell(message))


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_any_place_on_earth_is_found_again_to_a_millionth_of_a_degree(lat, lon):
    where = jt808.make(lat, lon, datetime(2026, 1, 1, tzinfo=UTC))

    assert where.lat == pytest.approx(lat, abs=6e-7)
    assert where.lon == pytest.approx(lon, abs=6e-7)


@pytest.mark.parametrize(
    ("status", "latitude", "lat"),
    [
        (0b000, 12_222_222, 12.222222),
        (0b100, 12_222_222, -12.222222),
        (0b100, 0xFF4580F2, -12.222222),  # the sign in the number as well
        (0b000, 0xFF4580F2, -12.222222),  # in the number only
        (0b000, 90_000_000, 90.0),
        (0b000, 116_307_629, None),  # latitude and longitude changed about
    ],
)
def test_degrees_have_the_sign_of_the_status_or_of_the_number(status, latitude, lat):
    assert with_status(status, latitude).lat == lat


@pytest.mark.parametrize(("status", "load"), [(0, "empty"), (0x100, "half"), (0x200, None), (0x300, "full")])
def test_the_load_is_read_bit_9_first(status, load):
    assert with_status(status).load == load


@pytest.mark.parametrize("bit", range(32))
def test_every_alarm_bit_has_a_name_of_its_own(bit):
    assert len(jt808.Position(1 << bit, 0, 0, 0, 0, 0, 0, bytes(6)).alarms) == 1
    assert len(jt808.Position(0xFFFFFFFF, 0, 0, 0, 0, 0, 0, bytes(6)).alarms) == len(set(position.ALARMS)) == 32


@pytest.mark.parametrize("stamp", ["000000000000", "261323140305", "26112314030a", "260230000000", "ff0101000000"])
def test_a_time_that_is_none_costs_the_time_and_not_the_position(stamp):
    where = jt808.decode(of_2013(0x0200, BODY[:-12] + stamp)).body

    assert (where.time, where.speed) == (None, 615)


class TestItems:
    @pytest.mark.parametrize(
        ("item", "name", "value"),
        [
            ("01 04 0001e240", "mileage", 123456),
            ("02 02 0190", "fuel", 400),
            ("03 02 0267", "recorder_speed", 615),
            ("04 02 0001", "alarm_to_confirm", 1),
            ("05 1e" + "20" * 4 + "ff" * 26, "0x05", [32] * 4 + [None] * 26),
            ("06 02 800c", "cabin_temperature", -12),
            ("06 02 0019", "cabin_temperature", 25),
            ("11 01 00", "0x11", {"overspeed": 0, "area": None}),
            ("11 05 02 00000007", "0x11", {"overspeed": 2, "area": 7}),
            ("12 06 01 00000007 01", "0x12", {"place": 1, "id": 7, "direction": "out"}),
            ("13 07 00000007 0258 01", "0x13", {"section": 7, "seconds": 600, "result": "long"}),
            ("25 04 00000003", "signals", 3),
            ("2a 02 0001", "io", 1),
            ("2b 04 00010002", "analog", 0x10002),
            ("30 01 1f", "signal_strength", 31),
            ("31 01 0c", "satellites", 12),
        ],
    )
    def test_the_standard_s(self, item, name, value):
        assert told(item)["values"] == {name: value}

    @pytest.mark.parametrize("item", ["01 03 000001", "06 01 64", "12 01 00", "31 00", "e1 02 abcd", "64 03 000000"])
    def test_of_another_id_or_length_stay_bytes(self, item):
        key, value = item[:2].upper(), item[6:].replace(" ", "")
        body = told(item)

        assert body["items"] == {f"0x{key}": value}
        assert "values" not in body and "safety" not in body

    @pytest.mark.parametrize("rest", ["01", "01 04 0000", "e0 ff 00"])
    def test_one_that_is_cut_off_is_told_as_rest(self, rest):
        body = told("30 01 1f" + rest)

        assert (body["items"], body["rest"]) == ({"0x30": "1f"}, rest.replace(" ", ""))

    def test_zeros_behind_the_last_one_do_not_matter(self):
        assert told("30 01 1f 0000 0000")["values"] == {"signal_strength": 31}


PLACE = "3c 000c 023b33c2 0712d3a4 261123140305 0401" + b"0001234".hex() + "261123140305 01 02 00"


class TestSafety:
    def test_driver_assistance(self):
        alarm = told("64 2f 00000007 01 01 02 28 05 00 00 00" + PLACE)["safety"][0]

        assert (alarm["system"], alarm["type_name"], alarm["level"]) == ("driver_assistance", "forward_collision", 2)
        assert (alarm["alarm_id"], alarm["state"], alarm["speed"]) == (7, "begin", 60)
        assert (alarm["speed_ahead"], alarm["distance_ahead"]) == (40, 5)
        assert (alarm["latitude"], alarm["longitude"]) == (37434306, 118674340)
        assert (alarm["time"], alarm["vehicle"]) == ("2026-11-23T14:03:05+08:00", ["acc_on", "located"])
        assert alarm["identity"] == b"0001234".hex() + "261123140305010200"

    def test_the_driver_s_state(self):
        alarm = told("65 2f 00000007 00 01 01 08 00000000" + PLACE)["safety"][0]

        assert (alarm["type_name"], alarm["level"], alarm["fatigue"], alarm["state"]) == ("fatigue", 1, 8, None)

    def test_tyres(self):
        alarm = told("66 3b 00000007 01" + PLACE + "02 00 0002 0384 0041 0050 03 0041 00fa 0019 0050")["safety"][0]

        assert [tyre["types"] for tyre in alarm["tyres"]] == [["pressure_high"], ["pressure_report", "slow_leak"]]
        assert (alarm["tyres"][0]["pressure_kpa"], alarm["tyres"][0]["temperature_c"]) == (900, 65)

    @pytest.mark.parametrize(("item", "level"), [("67 29 00000007 02 03", None), ("67 2a 00000007 02 03 01", 1)])
    def test_blind_spot_with_a_level_and_without(self, item, level):
        alarm = told(item + PLACE)["safety"][0]

        assert (alarm["type_name"], alarm["state"], alarm["level"]) == ("right_rear_approach", "end", level)
        assert (alarm["speed"], alarm["time"]) == (60, "2026-11-23T14:03:05+08:00")

    def test_a_type_of_the_maker_s_own_has_no_name(self):
        assert told("65 2f 00000007 00 0c 01 08 00000000" + PLACE)["safety"][0]["type_name"] is None

    @given(
        st.sampled_from([safety.ASSISTANCE, safety.DRIVER, safety.TYRES, safety.BLIND_SPOT]),
        st.integers(0, 255),
        st.integers(1, 2),
        st.lists(st.builds(jt808.Tyre, st.integers(0, 255), words, words, words, words), max_size=5),
        st.binary(min_size=16, max_size=16),
    )
    def test_what_a_terminal_says_arrives(self, item, kind, level, tyres, identity):
        details = {safety.ASSISTANCE: bytes(5), safety.DRIVER: bytes(4)}.get(item, b"")
        alarm = jt808.Safety(
            item,
            7,
            1,
            kind if item != safety.TYRES else None,
            level if details else None,
            8 if item == safety.DRIVER else None,
            details,
            60,
            12,
            37434306,
            118674340,
            datetime(2026, 11, 23, 14, 3, 5, tzinfo=BEIJING),
            1,
            identity,
            tuple(tyres) if item == safety.TYRES else (),
        )
        where = jt808.make(37.4, 118.6, alarm.time, items=[(item, safety.encode(alarm)), (0x31, b"\x0c")])

        assert jt808.decode(jt808.encode_position(TERMINAL, 1, where)).body.safety() == [alarm]


class TestBatches:
    def test_from_the_bytes(self):
        body = jt808.decode(of_2013(0x0704, "0002 01 001c" + BODY + "0022" + BODY + "01 04 0001e240")).body

        assert (body.is_late, len(body.positions)) == (True, 2)
        assert body.positions[1].item(0x01) == bytes.fromhex("0001e240")

    @given(terminals, st.lists(positions, min_size=1, max_size=5), st.sampled_from([0, 1]))
    def test_what_a_terminal_says_arrives(self, terminal, taken, kind):
        joiner, found = jt808.Joiner(), None
        for frame in jt808.encode_batch(terminal, 3, taken, kind):
            found = joiner.feed(*jt808.unframe(frame), at=0) or found

        assert found is not None
        assert jt808.whole(*found).body == jt808.Batch(kind, tuple(taken))

    @pytest.mark.parametrize("body", ["0002 01 001c" + BODY, "0001 01 001c" + BODY + "00", "0001 00 0005 0000000000"])
    def test_whose_lengths_do_not_fit_is_told_with_its_bytes(self, body):
        read = jt808.decode(of_2013(0x0704, body)).body

        assert isinstance(read, jt808.Unread)
        assert read.error

    def test_the_answer_to_a_question_names_it(self):
        found = jt808.decode(jt808.encode_found(TERMINAL, 3, 77, jt808.decode(POSITION).body)).body

        assert (found.serial, found.position) == (77, jt808.decode(POSITION).body)


class TestColumns:
    def test_rows_say_what_one_by_one_says(self):
        frames = [POSITION, HEARTBEAT, of_2019(0x0200, BODY), of_2013(0x0200, BODY + "e1 02 7e7d"), POSITION[:-2]]
        columns = jt808.positions(frames)

        assert (columns.index.tolist(), columns.rest) == ([0, 2, 3], [1, 4])
        assert columns.phones() == ["13812345678"] * 3
        assert columns.serial.tolist() == [1, 1, 1]
        assert columns.time.tolist() == [datetime(2026, 11, 23, 6, 3, 5)] * 3  # noqa: DTZ001  numpy's are UTC
        assert columns.lat.tolist() == [37.434306] * 3
        assert columns.has_items().tolist() == [True, False, True]
        assert columns.position(2).item(0xE1) == b"\x7e\x7d"

    def test_nothing_is_nothing(self):
        assert len(jt808.positions([])) == 0

    @pytest.mark.parametrize(
        "frame",
        [
            b"",
            b"\x7e",
            b"\x7e\x7e",
            b"\x7d",
            POSITION[1:],
            POSITION[:-1],
            POSITION[:-1] + b"\x7d",
            b"\x01" + POSITION[1:],
            sealed("0200 201c 013812345678 0007 0002 0001" + BODY),
            sealed("0200 041c 013812345678 0007" + BODY),
            of_2013(0x0200, BODY[:-2]),
            POSITION[:20] + b"\x7e" + POSITION[20:],
            POSITION + POSITION,
            b"\x7e" + bytes(5000) + b"\x7e",
        ],
        ids=lambda frame: f"{len(frame)} {frame[:6].hex()}",
    )
    def test_what_is_none_of_them_is_left_for_one_by_one_and_harms_no_neighbour(self, frame):
        columns = jt808.positions([POSITION, frame, POSITION])

        assert (columns.index.tolist(), columns.rest) == ([0, 2], [1])
        assert [columns.position(row) for row in (0, 1)] == [jt808.decode(POSITION).body] * 2

    @given(st.data(), st.lists(st.tuples(terminals, words, positions), max_size=8))
    def test_columns_and_one_by_one_never_differ(self, data, sent):
        frames = [jt808.encode_position(*one) for one in sent]
        for place, frame in enumerate(frames):
            if data.draw(st.integers(0, 3)) == 0:
                at = data.draw(st.integers(0, len(frame) - 1))
                value = data.draw(st.sampled_from([0x00, 0x01, 0x02, 0x7D, 0x7E, 0xFF]))
                frames[place] = frame[:at] + bytes([value]) * data.draw(st.integers(0, 3)) + frame[at + 1 :]
        columns = jt808.positions(frames)
        phones = columns.phones()

        assert sorted([*columns.index.tolist(), *columns.rest]) == list(range(len(frames)))
        for row, place in enumerate(columns.index):
            message = jt808.decode(frames[place])
            assert columns.position(row) == message.body
            assert (phones[row], columns.serial[row]) == (message.header.phone, message.header.serial)
            body = message.body
            assert tuple(getattr(columns, name)[row] for name in body._fields[:7]) == body[:7]
            for name in ("lat", "lon"):
                column, value = getattr(columns, name)[row], getattr(body, name)
                assert np.isnan(column) if value is None else column == value
            at = body.time.astimezone(UTC).replace(tzinfo=None) if body.time else None
            assert columns.time[row].item() == at
        for place in columns.rest:
            try:
                message = jt808.decode(frames[place])
            except Malformed:
                continue
            assert (
                not isinstance(message.body, jt808.Position) or b"\x7e" in frames[place][1:-1] or _stray(frames[place])
            )

    @pytest.mark.parametrize("day", ["000101", "000229", "260228", "261231", "991231", "240229"])
    def test_days_of_the_calendar(self, day):
        frame = of_2013(0x0200, BODY[:-12] + day + "235959")

        at = jt808.decode(frame).body.time.astimezone(UTC).replace(tzinfo=None)
        assert jt808.positions([frame]).time[0].item() == at

    @pytest.mark.parametrize("stamp", ["000000000000", "261323140305", "26112314030a", "260230000000", "ff0101000000"])
    def test_a_time_that_is_none(self, stamp):
        assert np.isnat(jt808.positions([of_2013(0x0200, BODY[:-12] + stamp)]).time[0])


def _stray(frame: bytes) -> bool:
    """Test for a 7D that begins no escape: one by one it is forgiven."""
    return frame.count(b"\x7d") != frame.count(b"\x7d\x01") + frame.count(b"\x7d\x02")
