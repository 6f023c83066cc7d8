"""GB/T 26875.3: packets made by hand from the standard's layout, damaged ones, streams, states and both directions."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.intake.gb26875 import (
    Damaged,
    Header,
    Link,
    Splitter,
    answer,
    confirm,
    decode,
    deny,
    edges,
    encode_data,
    links,
    tell,
)
from monitoring.intake.gb26875.frames import CHINA_TIME, LONGEST, checksum, frame, unframe
from monitoring.intake.gb26875.messages import LAYOUTS, encode_objects
from monitoring.intake.gb26875.states import conditions, keys, operations
from monitoring.intake.gb26875.tables import ANALOGS, DATA
from monitoring.intake.wire import Malformed

AT = datetime(2026, 11, 27, 9, 30, 15, tzinfo=CHINA_TIME)
LINK = Link(device=0x0379, centre=0x5B38, version=(1, 1))

# Clause 7, byte by byte: an optical smoke detector (42) of system 1 at address 2 is in fire, and normally running (state 3).
FIRE = bytes.fromhex(
    "4040"  # @@
    "0100"  # serial number 1
    "0101"  # version 1, the user's 1
    "0f1e091b0b1a"  # 15 s, 30 min, 9 h, the 27th of November 2026
    "790300000000"  # source
    "385b00000000"  # target
    "3000"  # 48 bytes of application data
    "02"  # data are sent
    "0201"  # type 2, one component
    "01022a"  # system type 1, system address 2, component type 42
    "0a000300"  # component address
    "0300"  # state: bit 0 normal running, bit 1 fire
    "33b2e3d7dfc0c8"
    + "00"
    * 24  # 3层走廊, in 31 bytes
    + "0e1e091b0b1a"  # a second earlier
    "75"  # the low eight bits of the sum
    "2323"  # ##
)


def test_the_packet_of_a_fire_is_read():
    message = decode(FIRE)

    assert message.header == Header(serial=1, source=0x0379, target=0x5B38, command=DATA, at=AT, version=(1, 1))
    assert (message.type_flag, message.count, message.remarks) == (2, 1, [])
    assert message.objects == (
        {
            "system_type": 1,
            "system_addr": 2,
            "component_type": 42,
            "component_addr": 0x0003000A,
            "state": 3,
            "description": "3层走廊",
            "time": AT.replace(second=14),
        },
    )


def test_the_packet_of_a_fire_is_written():
    assert encode_data(LINK, 2, decode(FIRE).objects, serial=1, at=AT) == FIRE


def test_it_is_told_in_words_of_both_languages():
    told = tell(decode(FIRE))

    assert (told["time"], told["source"]) == ("2026-11-27T09:30:15+08:00", "000000000379")
    [component] = told["objects"]
    assert component["component_means"] == {"zh": "点型光电感烟火灾探测器", "en": "point optical smoke detector"}
    assert component["conditions"] == [{"key": "fire", "kind": "fire", "zh": "火警", "en": "fire"}]


@pytest.mark.parametrize("position", range(len(FIRE)))
@pytest.mark.parametrize("bit", [0x01, 0x80])
def test_any_single_changed_byte_is_noticed(position, bit):
    damaged = bytearray(FIRE)
    damaged[position] ^= bit

    with pytest.raises(Malformed):
        decode(bytes(damaged))


@pytest.mark.parametrize(
    ("packet", "said"),
    [
        (b"", "starts with nothing, expected 4040"),
        (FIRE[1:], "starts with 4001"),
        (FIRE[:29], "29 bytes, expected at least 30"),
        (FIRE[:-1], "length field 48, application data of 47 bytes"),
        (FIRE[:24] + b"\xff\xff" + FIRE[26:], "length field 65535"),
        (FIRE[:-2] + b"#\x13", "ends with 2313, expected 2323"),
        (FIRE[:-3] + b"\x00##", "checksum 00, expected 75"),
    ],
    ids=["nothing", "start", "short", "cut", "too long", "end", "sum"],
)
def test_a_refusal_says_what_was_seen_and_what_was_expected(packet, said):
    with pytest.raises(Malformed) as refusal:
        decode(packet)
    assert said in str(refusal.value)


def test_the_sum_runs_from_the_serial_number_to_the_last_object():
    assert FIRE[-3] == checksum(FIRE[2:-3]) == sum(FIRE[2:-3]) % 256


# the stream

BEAT = links.encode_heartbeat(LINK, serial=2, at=AT)


def cut(stream: bytes, at: list[int]) -> list[bytes | Malformed]:
    splitter, found, marks = Splitter(), [], sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in at)})
    for start, end in zip(marks, marks[1:], strict=False):
        found += splitter.feed(stream[start:end])
    return found


def packets(found: list[bytes | Malformed]) -> list[bytes]:
    return [each for each in found if isinstance(each, bytes)]


@given(
    st.lists(st.sampled_from([FIRE, BEAT, b"@@", b"@", b"##", b"junk", FIRE[:40], FIRE[:-3] + b"\0##"]), max_size=8),
    st.lists(st.integers(0, 3000)),
)
def test_the_same_stream_gives_the_same_packets_however_it_is_cut(pieces, at):
    stream = b"".join(pieces) + bytes(LONGEST) + BEAT  # so much that nothing is waited for

    assert packets(cut(stream, at)) == packets(Splitter().feed(stream))
    assert packets(cut(stream, at))[-1] == BEAT


def test_glued_packets_come_apart_and_split_ones_together():
    assert Splitter().feed(FIRE + BEAT + FIRE[:30]) == [FIRE, BEAT]
    assert cut(FIRE + BEAT, list(range(200))) == [FIRE, BEAT]


def test_a_packet_that_begins_inside_a_broken_one_is_found():
    assert packets(Splitter().feed(FIRE[:50] + FIRE + bytes(60))) == [FIRE]
    assert packets(Splitter().feed(b"@@@" + FIRE + BEAT)) == [FIRE, BEAT]


def test_what_announces_much_and_breaks_off_does_not_hold_back_the_fire_behind_it():
    begun = FIRE[:24] + b"\xe8\x03" + FIRE[26:40]  # a thousand bytes, it says

    assert packets(Splitter().feed(begun + FIRE)) == [FIRE]
    assert packets(cut(begun + FIRE, list(range(200)))) == [FIRE]


def test_a_damaged_packet_is_told_once_and_can_be_denied():
    [error, good] = Splitter().feed(FIRE[:45] + b"\x7f" + FIRE[46:] + BEAT)

    assert isinstance(error, Damaged)
    assert (error.header.serial, good) == (1, BEAT)
    assert decode(deny(error.header, AT)).header == Header(1, 0x5B38, 0x0379, 6, AT, (1, 1))


def test_a_damaged_packet_inside_a_damaged_one_is_not_told_again():
    inner = FIRE[:-3] + b"\0##"
    outer = frame(Header(5, 1, 2, DATA, AT), inner)

    assert [type(each) for each in Splitter().feed(outer[:-3] + b"\xee##" + inner)] == [Damaged, Damaged]


def test_what_is_no_packet_is_told_once_with_its_beginning():
    [junk, good] = Splitter().feed(b"\x16\x17junk" + FIRE)

    assert (str(junk), good) == ("6 bytes that are no packet, beginning with 16176a756e6b", FIRE)


@settings(max_examples=200)
@given(st.lists(st.one_of(st.binary(max_size=300), st.sampled_from([FIRE, FIRE[:28], b"@@" * 20])), max_size=30))
def test_whatever_comes_nothing_but_malformed_is_raised_and_little_is_held(chunks):
    splitter = Splitter()
    for chunk in chunks:
        for each in splitter.feed(chunk):
            if isinstance(each, bytes):
                tell(decode(each))
        assert len(splitter._held) < LONGEST


def test_a_megabyte_without_a_packet_is_not_held():
    splitter = Splitter()
    for chunk in (b"@" * 300_000, b"@@" + bytes(300_000), b"x" * 500_000):
        splitter.feed(chunk)
        assert len(splitter._held) < LONGEST


# what it says


@settings(max_examples=300)
@given(st.integers(0, 255), st.binary(max_size=200), st.binary(min_size=6, max_size=6))
def test_any_application_data_in_a_whole_packet_are_told(command, data, time):
    message = decode(frame(Header(7, 1, 2, command, None), data))

    assert bytes.fromhex(tell(message)["app_data"]) == data
    assert all(
        set(one) <= {name for name, _ in LAYOUTS[message.type_flag].fields} | {"time"} for one in message.objects
    )


@pytest.mark.parametrize("data", ["", "16", "17"])
def test_a_heart_beat_and_a_vendors_handshake_are_data_without_objects(data):
    message = decode(frame(Header(7, 1, 2, DATA, AT), bytes.fromhex(data)))

    assert (message.type_flag, message.objects) == (None, ())
    assert decode(answer(message, AT)).header.command == 3


@pytest.mark.parametrize(
    ("data", "found", "remarks"),
    [
        ("150109" + "0e1e091b0b1a", 1, []),
        ("150109", 1, []),  # without the time
        ("150209" + "0e1e091b0b1a", 1, ["2 objects announced, 1 found"]),
        ("150109" + "0e1e091b0b1a" + "00", 1, ["1 bytes after the last object"]),
        ("1501", 0, ["1 objects announced, 0 found"]),
        ("1500", 0, []),
        ("0501" + "01020304" + "0e1e091b0b1a", 1, []),  # a time where the standard has none
        ("0601" + "0102ff41", 0, ["1 objects announced, 0 found", "4 bytes after the last object"]),
        ("8001aabb", 0, ["type 128 is not of the standard"]),
    ],
)
def test_what_differs_from_the_standard_is_read_as_far_as_it_goes_and_remarked(data, found, remarks):
    message = decode(frame(Header(7, 1, 2, DATA, AT), bytes.fromhex(data)))

    assert (len(message.objects), message.remarks) == (found, remarks)


@pytest.mark.parametrize("time", ["000000000000", "ffffffffffff", "591d093a0b1a", "0e1e091f0b1a"])
def test_six_bytes_that_are_no_time_are_none(time):
    [state] = decode(frame(Header(7, 1, 2, DATA, AT), bytes.fromhex("150101" + time))).objects
    assert state == {"state": 1, "time": None}


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("一层大厅".encode("gb18030").ljust(31, b"\0"), "一层大厅"),
        ("一层大厅".encode("gb18030").ljust(31, b" "), "一层大厅"),
        ("一二三四五六七八九十甲乙丙丁戊己".encode("gb18030")[:31], "一二三四五六七八九十甲乙丙丁戊"),
        (b"A\0\xff\xfegarbage".ljust(31, b"\xcc"), "A"),
        (b"\x01\x02\x1b[31mred".ljust(31, b"\0"), "[31mred"),
        ("㐀𠀀".encode("gb18030").ljust(31, b"\0"), "㐀𠀀"),
        (bytes(31), ""),
    ],
)
def test_words_are_read_as_far_as_they_are_words(field, words):
    body = bytes.fromhex("070101022a0a000300") + field
    assert decode(frame(Header(7, 1, 2, DATA, AT), body)).objects[0]["description"] == words


# analog values, table 6


@pytest.mark.parametrize(
    ("analog_type", "raw", "value", "unit", "valid"),
    [
        (1, 32000, 32000, "", True),
        (2, 250, 2.5, "m", True),
        (3, -55, -5.5, "°C", True),
        (3, -2731, -273.1, "°C", False),
        (4, 16, 1.6, "MPa", True),
        (5, 1013, 101.3, "kPa", True),
        (6, 255, 25.5, "%LEL", True),
        (6, 1001, 100.1, "%LEL", False),
        (8, 2205, 220.5, "V", True),
        (12, 21, 21, "m/s", False),
    ],
)
def test_analog_values_have_their_unit_and_scale(analog_type, raw, value, unit, valid):
    one = {"system_type": 1, "system_addr": 2, "component_type": 99, "component_addr": 3, "time": AT}
    [told] = tell(
        decode(encode_data(LINK, 3, [{**one, "analog_type": analog_type, "analog_value_raw": raw}], serial=1, at=AT))
    )["objects"]

    assert (told["analog_value_raw"], told["analog_value"], told["unit"], told["valid"]) == (raw, value, unit, valid)


def test_an_analog_type_that_is_not_of_the_standard_has_no_unit():
    one = {"system_type": 1, "system_addr": 2, "component_type": 99, "component_addr": 3, "time": AT}
    [told] = tell(decode(encode_data(LINK, 3, [{**one, "analog_type": 13, "analog_value_raw": 5}], serial=1, at=AT)))[
        "objects"
    ]
    assert "unit" not in told and 13 not in ANALOGS


# states, figures 6, 7 and 13


@pytest.mark.parametrize(
    ("type_flag", "state", "named"),
    [
        (1, 0x0001, set()),
        (1, 0x0000, {"test"}),
        (1, 0x0203, {"fire", "standby_power_fault"}),
        (1, 0x3D01, {"main_power_fault", "bus_fault", "manual", "configuration_changed", "reset"}),
        (1, 0xC001, set()),
        (2, 0x00FF, {"fire", "fault", "shielded", "supervised", "started", "feedback", "delayed"}),
        (2, 0x0101, {"power_fault"}),
        (2, 0xFE01, set()),
        (21, 0x7E, {"test", "fire", "fault", "main_power_fault", "standby_power_fault", "channel_fault", "line_fault"}),
        (21, 0x41, {"line_fault"}),
        (21, 0x81, set()),
    ],
)
def test_the_bits_of_a_state_name_conditions(type_flag, state, named):
    assert keys(type_flag, state) == named


def test_conditions_tell_what_follows_from_them():
    kinds = {bit.key: bit.kind for type_flag in (1, 2, 21) for bit in conditions(type_flag, 0xFFFE)}

    assert {key for key, kind in kinds.items() if kind == "fire"} == {"fire"}
    assert {key for key, kind in kinds.items() if kind == "shield"} == {"shielded"}
    assert {key for key, kind in kinds.items() if kind == "fault"} == {
        *("fault", "main_power_fault", "standby_power_fault", "bus_fault", "power_fault", "channel_fault", "line_fault")
    }


@pytest.mark.parametrize(
    ("before", "now", "rising", "falling"),
    [
        (None, 0x0003, {"fire"}, set()),
        (None, 0x0001, set(), set()),
        (0x0001, 0x0003, {"fire"}, set()),
        (0x0003, 0x0003, set(), set()),
        (0x0003, 0x0005, {"fault"}, {"fire"}),
        (0x0007, 0x0001, set(), {"fire", "fault"}),
        (0x0001, 0x0000, {"test"}, set()),
        (0x0000, 0x0002, {"fire"}, set()),  # a device that never sets bit 0 is heard all the same
    ],
)
def test_only_what_begins_or_ends_between_two_states_is_an_edge(before, now, rising, falling):
    assert edges(2, before, now) == (rising, falling)


@given(st.sampled_from([1, 2, 21]), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
def test_edges_lead_from_one_state_to_the_next(type_flag, before, now):
    rising, falling = edges(type_flag, before, now)

    assert (keys(type_flag, before) - falling) | rising == keys(type_flag, now)
    assert not rising & falling


def test_operations_are_named_by_who_sent_them():
    assert [bit.key for bit in operations(24, 0x21)] == ["reset", "post_answered"]
    assert [bit.key for bit in operations(4, 0x24)] == ["manual_alarm", "confirmed"]
    assert [bit.kind for bit in operations(24, 0x04)] == ["fire"]
    assert operations(24, 0x80) == []


# both directions


@pytest.mark.parametrize(
    ("command", "answered"),
    [(0, 6), (1, 6), (2, 3), (3, None), (4, 6), (5, None), (6, None), (7, 6), (127, 6), (128, 6), (255, 6)],
)
def test_data_are_confirmed_and_what_the_centre_does_not_know_is_denied(command, answered):
    sent = answer(decode(frame(Header(9, 1, 2, command, AT))), AT)

    assert (None if sent is None else decode(sent).header.command) == answered


def test_a_confirmation_has_the_serial_number_the_addresses_exchanged_and_no_data():
    header, data = unframe(confirm(decode(FIRE).header, AT))

    assert header == Header(serial=1, source=0x5B38, target=0x0379, command=3, at=AT, version=(1, 1))
    assert data == b""
    assert len(confirm(header, AT)) == 30


@pytest.mark.parametrize(
    ("packet", "command", "data"),
    [
        (links.set_clock(LINK, AT, serial=1, at=AT), 1, "5a010f1e091b0b1a"),
        (links.check_post(LINK, serial=1, at=AT), 1, "5b0100"),
        (links.initialise(LINK, serial=1, at=AT), 1, "590100"),
        (links.read(LINK, 61, [{"system_type": 1, "system_addr": 2}], serial=1, at=AT), 4, "3d010102"),
        (links.read(LINK, 81, serial=1, at=AT), 4, "510100"),
        (links.read(LINK, 84, [{"count": 5, "since": AT}], serial=1, at=AT), 4, "5401050f1e091b0b1a"),
    ],
)
def test_what_the_centre_sends(packet, command, data):
    header, sent = unframe(packet)

    assert (header.command, header.source, header.target, sent.hex()) == (command, 0x5B38, 0x0379, data)
    assert decode(packet).remarks == []


def test_a_device_answers_what_it_was_asked():
    asked = decode(links.read(LINK, 81, serial=77, at=AT))
    told = decode(links.encode_answer(asked.header, 21, [{"state": 9, "time": AT}], at=AT))

    assert (told.header.command, told.header.serial, told.header.source) == (5, 77, LINK.device)
    assert told.objects == ({"state": 9, "time": AT},)


def test_a_heart_beat_is_thirty_bytes():
    assert (len(BEAT), decode(BEAT).objects, decode(BEAT).remarks) == (30, (), [])


START_OF_TIME = datetime(2000, 1, 1, tzinfo=CHINA_TIME)  # six bytes reach to 2255
VALUES = {
    "time": st.integers(0, 8_000_000_000).map(lambda seconds: START_OF_TIME + timedelta(seconds=seconds)),
    "since": st.just(AT),
    "state": st.integers(0, 255),
    "component_addr": st.integers(0, 2**32 - 1),
    "analog_value_raw": st.integers(-32768, 32767),
    "description": st.text("一二三ABC12", max_size=15),
    "text": st.text("一二三ABC12", max_size=127),
}


@pytest.mark.parametrize("type_flag", LAYOUTS)
def test_what_is_written_is_what_is_read(type_flag):
    layout = LAYOUTS[type_flag]

    @settings(max_examples=20)
    @given(
        st.lists(
            st.fixed_dictionaries({name: VALUES.get(name, st.integers(0, 255)) for name, _ in layout.fields}),
            min_size=1,
            max_size=min(3, layout.most),
        )
    )
    def round_trip(objects):
        message = decode(encode_data(LINK, type_flag, objects, serial=65535, at=AT))

        assert list(message.objects) == objects
        assert (message.type_flag, message.remarks, message.header.serial) == (type_flag, [], 65535)

    round_trip()


@pytest.mark.parametrize("type_flag", LAYOUTS)
def test_as_many_objects_as_the_standard_allows_fit_into_a_packet(type_flag):
    layout = LAYOUTS[type_flag]
    values = {"time": AT, "since": AT, "description": "一" * 15, "text": "一" * 127}
    objects = [{name: values.get(name, 1) for name, _ in layout.fields}] * layout.most

    assert len(decode(encode_data(LINK, type_flag, objects, serial=1, at=AT)).objects) == layout.most
    with pytest.raises(ValueError, match=f"expected at most {layout.most}"):
        encode_objects(type_flag, [*objects, objects[0]])


@pytest.mark.parametrize(
    ("type_flag", "one", "said"),
    [
        (9, {}, "type 9 is not of the standard"),
        (21, {"state": 256, "time": AT}, "state=256 does not fit"),
        (21, {"time": AT}, "state=None does not fit"),
        (21, {"state": "on", "time": AT}, "state='on' does not fit"),
        (
            7,
            {"system_type": 1, "system_addr": 1, "component_type": 1, "component_addr": 1, "description": "一" * 16},
            "takes 32 bytes",
        ),
        (26, {"text": "一" * 128}, "256 bytes"),
    ],
)
def test_what_does_not_fit_is_not_sent(type_flag, one, said):
    with pytest.raises(ValueError, match=said):
        encode_objects(type_flag, [one])


def test_application_data_that_are_too_long_are_not_sent():
    with pytest.raises(ValueError, match="1025 bytes"):
        frame(Header(1, 1, 2, DATA, AT), bytes(1025))


def test_reading_what_is_no_reading_is_refused():
    with pytest.raises(ValueError, match="type 90 reads nothing"):
        links.read(LINK, 90, serial=1, at=AT)
