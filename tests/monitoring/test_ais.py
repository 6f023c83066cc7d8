"""AIS: sentences, parts, messages, positions in bulk. The first sentences stand in many public manuals of AIS."""

import contextlib
import math

import numpy as np
import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from monitoring.intake import ais
from monitoring.intake.ais_words import NAVIGATION_STATUS, country_digits, is_chinese, ship_words, station_kind
from monitoring.intake.wire import Malformed

ONE = b"!AIVDM,1,1,,B,15M67FC000G?ufbE`FepT@3n00Sa,0*5C"
TWO = [
    b"!AIVDM,2,1,1,A,55?MbV02;H;s<HtKR20EHE:0@T4@Dn2222222216L961O5Gf0NSQEp6ClRp8,0*1C",
    b"!AIVDM,2,2,1,A,88888888880,2*25",
]
SHIP, BOAT, BUOY = 413_000_111, 412_345_678, 994_136_001
PLACE = (118.512345, 37.441235)


def sentence(body: bytes) -> bytes:
    """Put the check sum of the standard to a sentence: the exclusive or of what stands between ! and *."""
    check = 0
    for byte in body[1:]:
        check ^= byte
    return body + b"*%02X" % check


def stream_of(*lines: bytes) -> list[ais.Message | Malformed]:
    stream = ais.Stream()
    return [*stream.feed(b"".join(line + b"\r\n" for line in lines), at=0), *stream.close(at=0)]


# --- what is said


def test_a_published_position_is_read():
    message = ais.decode(ONE)

    assert (message.type, message.mmsi, message.status, message.speed) == (1, 366_053_209, 3, 0.0)
    assert message.place == pytest.approx((-122.341618, 37.802118), abs=1e-6)
    assert (message.course, message.heading, message.second, message.turn) == (219.3, 1, 59, 0.0)


def test_a_published_message_of_two_parts_is_read():
    message = ais.decode(*TWO)

    assert (message.type, message.mmsi, message.imo) == (5, 351_759_000, 9_134_270)
    assert (message.callsign, message.shipname, message.destination) == ("3FOF8", "EVER DIADEM", "NEW YORK")
    assert (message.shiptype, message.draught, message.eta) == (70, 12.2, "05-15T14:00")
    assert (message.to_bow, message.to_stern, message.to_port, message.to_starboard) == (225, 70, 1, 31)


def test_what_is_not_available_is_none():
    [line] = ais.encode_position(SHIP, None)

    message = ais.decode(line.strip())

    assert message.place is None
    assert [message.speed, message.course, message.heading, message.turn, message.status, message.second] == [None] * 6


def test_a_heading_that_is_no_direction_gives_way_to_the_course():
    [line] = ais.encode_position(SHIP, PLACE, course=90.5, heading=472)

    message = ais.decode(line.strip())

    assert (message.heading, message.points_to) == (472, 90.5)


def test_what_stations_send_is_read_as_it_was_meant():
    position = ais.encode_position(SHIP, PLACE, speed=12.3, course=224.1, heading=215, status=7, second=33)
    class_b = ais.encode_class_b(BOAT, PLACE, speed=0.1, course=0.0)
    static = ais.encode_static(
        SHIP, shipname="LU DONG YING YU 1", callsign="BXYZ", imo=9_134_270, shiptype=81, draught=4.3, size=(30, 8, 3, 4)
    )
    who = ais.encode_class_b_static(BOAT, shipname="XIAO YU", callsign="B1", shiptype=30, size=(5, 5, 1, 1))
    help_ = ais.encode_safety(972_412_001, "MOB ACTIVE")
    buoy = ais.encode_aid(BUOY, PLACE, name="HUANG HE KOU LIGHT NO 27", aid_type=30, off_position=True, second=5)

    assert [len(said) for said in (position, class_b, static, who, help_)] == [1, 1, 2, 2, 1]
    told = [said for said in stream_of(*(line.strip() for line in position + class_b + static + who + help_ + buoy))]

    first, second, third, name, sign, cry, aid = told
    assert (first.place, first.speed, first.course, first.heading, first.status) == (
        pytest.approx(PLACE, abs=2e-6),
        *(12.3, 224.1, 215, 7),
    )
    assert (second.type, second.speed, second.course, second.heading) == (18, 0.1, 0.0, None)
    assert (third.shipname, third.callsign, third.imo, third.shiptype) == ("LU DONG YING YU 1", "BXYZ", 9_134_270, 81)
    assert (third.draught, third.to_bow, third.eta, third.destination) == (4.3, 30, None, None)
    assert (name.shipname, sign.shipname, sign.callsign, sign.shiptype, sign.to_bow) == ("XIAO YU", None, "B1", 30, 5)
    assert (cry.text, cry.in_distress) == ("MOB ACTIVE", True)
    assert (aid.shipname, aid.aid_type, aid.off_position, aid.virtual) == ("HUANG HE KOU LIGHT NO 27", 30, True, False)


@pytest.mark.parametrize("code", [38, 66, 99, 101, 255])
def test_a_ship_type_without_a_name_keeps_its_number(code):
    assert (
        ais.decode(
            *(line.strip() for line in ais.encode_class_b_static(BOAT, shipname="A", shiptype=code)[1:])
        ).shiptype
        == code
    )


@given(
    mmsi=st.integers(200_000_000, 799_999_999),
    lon=st.integers(-108_000_000, 108_000_000),
    lat=st.integers(-54_000_000, 54_000_000),
    speed=st.none() | st.integers(0, 1022),
    course=st.none() | st.integers(0, 3599),
    heading=st.none() | st.integers(0, 359),
    status=st.integers(0, 14),
)
def test_any_position_comes_back(mmsi, lon, lat, speed, course, heading, status):
    place = (lon / 600_000, lat / 600_000)
    said = {"speed": speed and speed / 10, "course": course and course / 10, "heading": heading}

    for line in (ais.encode_position(mmsi, place, status=status, **said), ais.encode_class_b(mmsi, place, **said)):
        message = ais.decode(line[0].strip())

        assert message.place == pytest.approx(place, abs=1e-6)
        assert (message.mmsi, message.speed, message.course, message.heading) == (mmsi, *said.values())
        assert message.status == (status if message.type == 1 else None)


# --- damage


@pytest.mark.parametrize("position", range(1, ONE.index(b"*")))
@pytest.mark.parametrize("mask", [0x01, 0x20, 0x80])
def test_any_single_changed_byte_is_noticed(position, mask):
    damaged = bytearray(ONE)
    damaged[position] ^= mask

    with pytest.raises(Malformed):
        ais.decode(bytes(damaged))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (ONE[:-2] + b"5D", "check sum '5D', expected 5C"),
        (ONE[:-3], "no AIS sentence"),
        (b"$GPGGA,1*00", "no AIS sentence"),
        (sentence(b"!AIVDM,1,2,,A,15M67FC000G?ufbE`FepT@3n00Sa,0"), "part 2 of 1"),
        (sentence(b"!AIVDM,1,1,,A,15M67FC000G?uf~E`FepT@3n00Sa,0"), "seven fields"),
        (sentence(b"!AIVDM,1,1,,A,15M67FC000G?ufbE`Fep,0"), "type 1 of 120 bits, expected at least 143"),
        (sentence(b"!AIVDM,1,1,,A,15M6,0"), "a payload of 24 bits"),
        (sentence(b"!AIVDM,1,1,,A,05M67FC000G?ufbE`FepT@3n00Sa,0"), "message type 0, expected 1 to 27"),
        (sentence(b"!AIVDM,1,1,,A,w5M67FC000G?ufbE`FepT@3n00Sa,0"), "message type 63"),
        (TWO[0], "incomplete"),
    ],
)
def test_a_refusal_says_what_was_seen(line, words):
    with pytest.raises(Malformed, match=words.replace("$", r"\$")):
        ais.decode(line)


@given(st.binary(max_size=120))
def test_no_bytes_raise_anything_but_malformed(data):
    for line in (data, sentence(b"!AIVDM,1,1,,A," + data + b",0"), b"\\" + data + b"\\" + ONE):
        with contextlib.suppress(Malformed):
            ais.decode(line)


@given(
    st.text("0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVW`abcdefghijklmnopqrstuvw", min_size=1, max_size=75),
    st.integers(0, 5),
)
def test_no_payload_raises_anything_but_malformed(payload, fill):
    try:
        message = ais.decode(sentence(b"!AIVDM,1,1,,A,%s,%d" % (payload.encode(), fill)))
    except Malformed:
        return
    assert ais.tell(message)["mmsi"] == message.mmsi


# --- lines and parts


def test_a_tag_block_tells_who_received_it_and_when():
    block = sentence(b"\\s:2573535,c:1671533231")

    message = ais.decode(block + b"\\" + ONE)

    assert (message.station, message.received) == ("2573535", 1_671_533_231.0)


def test_a_damaged_tag_block_does_no_harm_to_the_sentence():
    message = ais.decode(b"\\s:2573535,c:1671533231*00\\" + ONE)

    assert (message.mmsi, message.station, message.received) == (366_053_209, None, None)


@given(st.data())
def test_lines_are_the_same_however_they_arrive(data):
    log = b"junk\r\n" + ONE + b"\n\n" + b"\r\n".join(TWO) + b"\r\n\x00\xff\n" + ONE
    cuts = sorted(data.draw(st.lists(st.integers(0, len(log)), max_size=20)))
    whole, pieces = ais.Splitter(), ais.Splitter()

    expected = [*whole.feed(log), *whole.close()]
    arrived = [
        line for start, end in zip([0, *cuts], [*cuts, len(log)], strict=True) for line in pieces.feed(log[start:end])
    ]

    assert arrived + pieces.close() == expected
    assert [line for line in expected if line == ONE] == [ONE, ONE]


def test_a_line_without_end_is_told_once_and_never_held():
    splitter = ais.Splitter()

    told = [line for _ in range(1000) for line in splitter.feed(b"x" * 1000)]

    assert [type(line) for line in told] == [Malformed]
    assert len(splitter._held) <= ais.LONGEST_LINE
    assert splitter.feed(b"x\r\n" + ONE + b"\r\n") == [ONE]


def test_parts_of_two_messages_that_cross_are_kept_apart():
    other = [sentence(line[:-3].replace(b",1,A,", b",2,B,")) for line in TWO]

    told = stream_of(TWO[0], other[0], ONE, TWO[1], other[1])

    assert [message.type for message in told] == [1, 5, 5]


def test_parts_may_arrive_in_any_order():
    assert [message.shipname for message in stream_of(TWO[1], TWO[0])] == ["EVER DIADEM"]


def test_a_part_whose_others_never_come_is_told_as_incomplete():
    assert [str(told) for told in stream_of(TWO[0])] == ["incomplete"]
    again = stream_of(TWO[0], TWO[0], TWO[1])
    assert [told if isinstance(told, ais.Message) else str(told) for told in again] == ["incomplete", ais.decode(*TWO)]


@pytest.mark.parametrize(("later", "kinds"), [(10.0, [ais.Message]), (10.1, [Malformed])])
def test_parts_wait_ten_seconds_for_one_another(later, kinds):
    stream = ais.Stream()
    stream.feed(TWO[0] + b"\n", at=100)

    assert [type(told) for told in stream.feed(TWO[1] + b"\n", at=100 + later)] == kinds


def test_the_parts_that_are_awaited_are_bounded_in_number():
    parts = ais.Parts()
    lost = 0
    for first in "ABCDEFGHIJ":
        for second in "ABCDEFGHIJ":
            for number in range(20):
                line = sentence(b"!%s%sVDM,2,1,%d,A,5,0" % (first.encode(), second.encode(), number))
                lost += len(parts.add(ais.read_sentence(line), at=0))

    assert lost == 1000
    assert len(parts.close()) == ais.MOST_OPEN


@given(st.lists(st.binary(max_size=200), max_size=10))
def test_a_stream_of_anything_raises_nothing(chunks):
    stream = ais.Stream()
    for chunk in chunks:
        stream.feed(chunk, at=0)
    stream.close(at=0)


# --- in bulk


def same(columns: ais.Positions, n: int, message: ais.Message) -> bool:
    def as_none(value: float) -> float | None:
        return None if math.isnan(value) else float(value)

    heading = message.heading if message.heading is not None and message.heading < 360 else None
    status = None if columns.status[n] == 255 else int(columns.status[n])
    told = [as_none(getattr(columns, name)[n]) for name in ("lon", "lat", "speed", "course", "heading")]
    return (int(columns.type[n]), int(columns.mmsi[n]), *told, status) == (
        *(message.type, message.mmsi, message.lon, message.lat, message.speed, message.course),
        *(heading, message.status),
    )


@given(st.data())
def test_positions_in_bulk_equal_those_of_one_by_one(data):
    """Any payload at all, of which the first character says one of the four types."""
    armour = "0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVW`abcdefghijklmnopqrstuvw"
    payloads = data.draw(
        st.lists(st.tuples(st.sampled_from("123B"), st.text(armour, min_size=27, max_size=27)), max_size=20)
    )
    lines = [sentence(f"!AIVDM,1,1,,A,{kind}{rest},0".encode()) for kind, rest in payloads]

    columns, rest = ais.positions(lines)

    assert rest == []
    assert columns.line.tolist() == list(range(len(lines)))
    assert all(same(columns, n, ais.decode(line)) for n, line in enumerate(lines))


def test_what_is_not_of_the_usual_form_is_left_to_the_slow_way():
    tagged = b"\\s:1*72\\" + ONE
    lines = [ONE, TWO[0], b"", ONE[:-1] + b"D", tagged, b"x" * 47, ONE.replace(b"!", b"x"), b"junk" + ONE, ONE]

    columns, rest = ais.positions(lines)

    assert columns.line.tolist() == [0, 4, 8]
    assert rest == [1, 2, 3, 5, 6, 7]
    assert np.unique(columns.mmsi).tolist() == [366_053_209]
    assert ais.positions([])[1] == []


@pytest.mark.parametrize("position", range(len(ONE)))
def test_any_single_changed_byte_is_noticed_in_bulk(position):
    for mask in (0x01, 0x20, 0x80):
        damaged = bytearray(ONE)
        damaged[position] ^= mask
        columns, rest = ais.positions([bytes(damaged)])

        try:
            message = ais.decode(bytes(damaged))  # a small letter in the check sum does no harm
        except Malformed:
            assert rest == [0]
        else:
            assert same(columns, 0, message)


# --- words


@pytest.mark.parametrize(
    ("mmsi", "kind", "digits", "chinese"),
    [
        (413_000_111, "vessel", "413", True),
        (366_053_209, "vessel", "366", False),
        (970_412_001, "sart", None, False),
        (972_412_001, "mob", None, False),
        (974_412_001, "epirb", None, False),
        (111_412_001, "sar_aircraft", "412", True),
        (4_121_234, "coast", "412", True),
        (41_212_345, "group", "412", True),
        (984_141_234, "craft", "414", True),
        (994_136_001, "aton", "413", True),
        (841_212_345, "handheld", "412", True),
        (1_073_741_823, "unknown", None, False),
        (123_456_789, "unknown", None, False),
    ],
)
def test_an_mmsi_says_what_kind_of_station_it_is_and_whose(mmsi, kind, digits, chinese):
    assert (station_kind(mmsi), country_digits(mmsi), is_chinese(mmsi)) == (kind, digits, chinese)


def test_codes_have_words_in_both_languages():
    assert ship_words(30) == ("fishing vessel", "渔船")
    assert ship_words(81) == ("tanker, hazardous category X", "液货船（X类危害货物）")
    assert ship_words(70) == ("cargo ship", "货船")
    assert (ship_words(None), ship_words(0), ship_words(38), ship_words(250)) == (None,) * 4
    assert NAVIGATION_STATUS[7].zh == "从事捕鱼"


# --- the command


def test_the_command_tells_one_line_for_each_message(tmp_path, capsys):
    log = tmp_path / "log"
    log.write_bytes(b"\n".join([ONE, *TWO, b"junk", TWO[0]]))

    call_command("decode", "ais", str(log))

    lines = capsys.readouterr().out.splitlines()
    assert [line[:26] for line in lines[:3]] == [
        '{"ok": true, "type": 1, "m',
        '{"ok": true, "type": 5, "m',
        '{"ok": false, "error": "no',
    ]
    assert lines[3:] == ['{"ok": false, "error": "incomplete"}']
