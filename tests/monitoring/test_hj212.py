"""HJ 212: the standard's example first, then frames made by hand, damaged ones, streams, parts, and both directions."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.intake import units
from monitoring.intake.hj212 import (
    Joiner,
    Measured,
    Splitter,
    Station,
    answer,
    centre,
    decode,
    encode_data,
    period,
    station,
    tell,
)
from monitoring.intake.hj212.codes import may_alarm
from monitoring.intake.hj212.factors import FACTORS, factor_of
from monitoring.intake.hj212.frames import LONGEST_FRAME, MAX_DATA_LENGTH, crc16, crc16_modbus_le, frame, unframe
from monitoring.intake.hj212.messages import CHINA_TIME, moment, number_of, parse
from monitoring.intake.wire import Malformed

# The worked example of HJ 212-2017, appendix A.
DATA = "QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&"
FRAME = b"##0101" + DATA.encode() + b"1C80\r\n"

AT = datetime(2026, 11, 27, 9, 30, 0, 123_000, tzinfo=CHINA_TIME)
GATE = Station(mn="GAS37050200000000000001A", st="27")


def segment(area: str, head: str = "CN=2011;MN=A") -> str:
    return f"{head};CP=&&{area}&&"


# the frame


def test_the_example_of_the_standard_is_read():
    assert unframe(FRAME) == DATA
    assert decode(FRAME).area == {"RtdInterval": "30"}


def test_the_example_of_the_standard_is_written():
    assert frame(DATA) == FRAME


@pytest.mark.parametrize("position", range(len(FRAME)))
@pytest.mark.parametrize("bit", [0x01, 0x40])
def test_any_single_changed_byte_is_noticed(position, bit):
    damaged = bytearray(FRAME)
    damaged[position] ^= bit

    with pytest.raises(Malformed):
        unframe(bytes(damaged))


def test_the_check_word_is_not_that_of_modbus():
    assert f"{crc16(DATA.encode()):04X}" == "1C80"
    assert (
        f"{crc16_modbus_le(b'123456789'):04X}" == "374B"
    )  # CRC-16/MODBUS of these digits is 4B37, low byte first 37 4B


def test_a_check_word_in_small_letters_is_the_same():
    assert unframe(FRAME.replace(b"1C80", b"1c80")) == DATA


@pytest.mark.parametrize("crc", ["standard", "modbus_le"])
def test_a_station_that_checks_in_its_own_way_is_read_in_that_way_only(crc):
    other = {"standard": "modbus_le", "modbus_le": "standard"}[crc]

    assert unframe(frame(DATA, crc), crc) == DATA
    assert unframe(frame(DATA, crc), "off") == DATA
    with pytest.raises(Malformed, match=f"expected .* \\({other}\\)"):
        unframe(frame(DATA, crc), other)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (b"", "expected b'##'"),
        (b"##", "length field b''"),
        (b"##00", "length field b'00'"),
        (b"##0000", "length field b'0000'"),
        (FRAME.replace(b"0101", b"0102"), "length field 0102, data segment of 101 bytes"),
        (FRAME.replace(b"0101", b"+101"), "expected four digits"),
        (FRAME.replace(b"1C80", b"1C8G"), "expected four hexadecimal digits"),
        (FRAME.replace(b"1C80", b"1C81"), "check word 1C81, expected 1C80"),
        (b"##00030\x00&0000", "control character 0x00 at byte 1"),
        (b"##0003\xff\xff\xff0000", "neither UTF-8 nor GB 18030"),
    ],
)
def test_a_refusal_says_what_was_seen_and_what_was_expected(message, said):
    with pytest.raises(Malformed) as refusal:
        unframe(message, "off" if b"1C8" not in message else "standard")
    assert said in str(refusal.value)


def test_a_log_may_be_in_chinese_by_either_encoding():
    text = segment("i11001-Info=//泵停;再启,运行=1//;i12001-Info=0")
    for data in (text.encode(), text.encode("gb18030")):
        message = decode(b"##%04d" % len(data) + data + b"%04X" % crc16(data))
        assert message.area == {"i11001-Info": "//泵停;再启,运行=1//", "i12001-Info": "0"}


# the stream

whole = frame(segment("DataTime=20261127093000;a21028-Rtd=1.5,a21028-Flag=N", "CN=2011;MN=B"))


def cut(stream: bytes, at: list[int]) -> list[bytes | Malformed]:
    splitter, found, edges = Splitter(), [], sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in at)})
    for start, end in zip(edges, edges[1:], strict=False):
        found += splitter.feed(stream[start:end])
    return found


def frames(found: list[bytes | Malformed]) -> list[bytes]:
    return [each for each in found if isinstance(each, bytes)]


@given(
    st.lists(st.sampled_from([FRAME, whole, FRAME.strip(), b"\r\n", b"junk\r\n", b"#", b"##01"]), max_size=8),
    st.lists(st.integers(0, 2000)),
)
def test_the_same_stream_gives_the_same_frames_however_it_is_cut(pieces, at):
    stream = b"".join(pieces) + b"\r\n" + FRAME

    assert frames(cut(stream, at)) == frames(Splitter().feed(stream))
    assert frames(cut(stream, at))[-1] == FRAME.strip()


def test_glued_frames_come_apart_and_split_ones_together():
    assert Splitter().feed(FRAME + whole + FRAME[:50]) == [FRAME.strip(), whole.strip()]
    assert cut(FRAME + whole, list(range(400))) == [FRAME.strip(), whole.strip()]


def test_what_is_no_frame_is_told_once_with_its_beginning():
    [junk, good] = Splitter().feed(b"AT+CSQ\r\nOK\r\n" + FRAME)

    assert str(junk) == "10 bytes that are no frame, beginning with b'AT+CSQ\\r\\nOK'"
    assert good == FRAME.strip()


@pytest.mark.parametrize("length", [b"0000", b"0050", b"0105", b"0999", b"9999"])
def test_a_wrong_length_costs_no_frame_but_its_own(length):
    found = frames(Splitter().feed(FRAME.replace(b"0101", length) + whole + FRAME))

    assert found[-2:] == [whole.strip(), FRAME.strip()]
    for extra in found[:-2]:
        with pytest.raises(Malformed):
            decode(extra)


def test_a_frame_that_begins_inside_a_broken_one_is_found():
    assert frames(Splitter().feed(b"##0500QN=2016" + FRAME)) == [FRAME.strip()]


@settings(max_examples=200)
@given(
    st.lists(st.one_of(st.binary(max_size=300), st.sampled_from([FRAME, FRAME[:30], b"##9999", b"####"])), max_size=30)
)
def test_whatever_comes_nothing_but_malformed_is_raised_and_little_is_held(chunks):
    splitter = Splitter()
    for chunk in chunks:
        for each in splitter.feed(chunk):
            if isinstance(each, bytes):
                try:
                    tell(decode(each, "off"))
                except Malformed:
                    continue
        assert len(splitter._held) <= LONGEST_FRAME


def test_a_megabyte_without_a_frame_is_not_held():
    splitter = Splitter()
    for chunk in (b"#" * 500_000, b"##9999" * 100_000, b"x" * 500_000):
        splitter.feed(chunk)
        assert len(splitter._held) <= LONGEST_FRAME


# what it says


@given(st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=300))
def test_any_text_is_read_or_refused(text):
    for each in (text, segment(text), f"{text};CN=2011;CP=&&{text}&&"):
        try:
            message = parse(each)
            tell(message)
            message.measured()
        except Malformed:
            continue


@pytest.mark.parametrize(
    ("flag", "version", "answered", "split"),
    [
        ("0", 0, False, False),
        ("1", 0, True, False),
        ("3", 0, True, True),
        ("4", 1, False, False),
        ("5", 1, True, False),
        ("7", 1, True, True),
        ("8", 2, False, False),
        ("", 0, False, False),
        ("x", 0, False, False),
    ],
)
def test_the_bits_of_flag(flag, version, answered, split):
    message = parse(segment("", f"CN=2011;MN=A;Flag={flag};PNUM=2;PNO=1" if split else f"CN=2011;MN=A;Flag={flag}"))

    assert (message.version, message.wants_answer, message.part is not None) == (version, answered, split)


def test_each_quantity_is_read_with_its_values_flag_and_time():
    message = parse(
        segment(
            "DataTime=20261127093000;a21028-SampleTime=20261127092955,a21028-Rtd=6.50,a21028-ZsRtd=7.1,a21028-Flag=T;"
            "a21005-Avg=-,a21005-Max=NaN,a21005-Flag=B;SB1-RS=1;w01018-Cou=1e2"
        )
    )

    sulphide, monoxide, pump, demand = message.measured()
    assert (
        message.data_time
        == datetime(2026, 11, 27, 9, 30, tzinfo=CHINA_TIME)
        == datetime(2026, 11, 27, 1, 30, tzinfo=UTC)
    )
    assert sulphide == Measured(
        "a21028", {"Rtd": 6.5, "ZsRtd": 7.1}, "T", datetime(2026, 11, 27, 9, 29, 55, tzinfo=CHINA_TIME)
    )
    assert (monoxide.values, monoxide.details, monoxide.may_alarm) == ({}, {"Avg": "-", "Max": "NaN"}, False)
    assert (pump.code, pump.values) == ("SB1", {"RS": 1.0})
    assert demand.values == {"Cou": 100.0}


@pytest.mark.parametrize("text", ["", "-", "NaN", "inf", "1e999", "1_0", "0x10", "１", "1 2", "--1"])
def test_what_is_no_decimal_number_is_none(text):
    assert number_of(text) is None


@pytest.mark.parametrize(
    "text", ["2026112709300", "20261127093060", "20261332000000", "00010101000000", "２０２６1127093000", "x"]
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(Malformed):
        moment(text)
    assert tell(parse(segment(f"DataTime={text}")))["time"] is None


def test_data_time_is_a_moment_or_the_beginning_of_a_period():
    assert period("2011", AT) is None
    assert period("2021", AT) is None
    assert period("2061", AT) == (AT, AT + timedelta(hours=1))
    assert period("2031", AT) == (AT, AT + timedelta(days=1))
    assert period("2051", AT) == (AT, AT + timedelta(minutes=10))
    assert period("2051", AT, minutes=5) == (AT, AT + timedelta(minutes=5))


def test_only_normal_and_over_range_may_alarm():
    assert {flag for flag in "NFMSDCTBP" if may_alarm(flag)} == {"N", "T"}
    assert may_alarm(None)
    assert not may_alarm("Z")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("CN=2011;MN=A", "no data area"),
        ("CN=2011;CP=&&a=1", "no data area"),
        ("MN=A;CP=&&&&", "CN=''"),
        ("CN=x;CP=&&&&", "CN='x'"),
        ("CN=2011;MN=A;MN=B;CP=&&&&", "MN twice: 'A' and 'B'"),
    ],
)
def test_a_data_segment_without_its_parts_is_refused(text, said):
    with pytest.raises(Malformed) as refusal:
        parse(text)
    assert said in str(refusal.value)


# the tables


def test_codes_of_both_editions_name_one_quantity():
    assert factor_of("05") is factor_of("a21028") is FACTORS["a21028"]
    assert (FACTORS["a21028"].zh, FACTORS["a21028"].en, FACTORS["a21028"].unit) == (
        "硫化氢",
        "hydrogen sulphide",
        "mg/m³",
    )
    assert factor_of("011") is FACTORS["w01018"]
    assert factor_of("a00") is None
    assert len({factor.old for factor in FACTORS.values() if factor.old}) == sum(bool(f.old) for f in FACTORS.values())


def test_units_that_the_standard_misprints_are_not_believed():
    assert {code: factor.unit for code, factor in FACTORS.items() if factor.printed} == {
        "a21001": "mg/m³",
        **dict.fromkeys(["a05002", "a20007", "a20026", "a20044", "a20058", "a34001", "a34002", "a34004", "a34005"], ""),
    }


@pytest.mark.parametrize(
    ("code", "grams"),
    [("a21028", 34.08), ("a21005", 28.01), ("a21022", 70.90), ("a21001", 17.03), ("a25002", 78.11), ("a99049", 98.91)],
)
def test_molar_masses_follow_from_the_formula(code, grams):
    assert FACTORS[code].molar_mass == pytest.approx(grams, abs=0.02)


def test_every_formula_can_be_weighed():
    assert all(factor.molar_mass for factor in FACTORS.values() if factor.formula)


# GB/T 50493 and the handbooks give these volumes: 24.06 L at 20 °C, 24.47 L at 25 °C.
@pytest.mark.parametrize(("celsius", "litres"), [(0, 22.414), (20, 24.055), (25, 24.465)])
def test_ten_ppm_of_hydrogen_sulphide_weigh_by_their_temperature(celsius, litres):
    assert units.mg_per_m3(10, mass=34.08, celsius=celsius) == pytest.approx(10 * 34.08 / litres, rel=1e-4)


@given(st.floats(0, 1e6), st.floats(-60, 200), st.floats(16, 300))
def test_ppm_there_and_back(value, celsius, mass):
    there = units.mg_per_m3(value, mass=mass, celsius=celsius)
    assert units.ppm(there, mass=mass, celsius=celsius) == pytest.approx(value)


@pytest.mark.parametrize("formula", ["", "h2s", "H2S-", "Xy2", "(CH3)2"])
def test_what_is_no_formula_is_refused(formula):
    with pytest.raises(ValueError, match=r"formula|atomic weight"):
        units.molar_mass(formula)


# parts


def parts(count: int, minute: int = 30, mn: str = "A") -> list:
    head = f"ST=27;CN=2051;MN={mn};Flag=7;PNUM={count}"
    return [
        parse(segment(f"DataTime=202611270900{minute:02};a{n}-Avg={n}", f"{head};PNO={n}")) for n in range(1, count + 1)
    ]


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 2, 3, 1), (3, 2, 1)])
def test_a_message_in_parts_is_whole_when_the_last_has_come(order):
    three, joiner = parts(3), Joiner()
    answers = [joiner.add(three[number - 1], AT) for number in order]

    *before, [message] = answers
    assert before == [[]] * (len(order) - 1)
    assert message.items == (("DataTime", "20261127090030"), ("a1-Avg", "1"), ("a2-Avg", "2"), ("a3-Avg", "3"))
    assert (message.missing, message.part) == ((), None)
    assert joiner._open == {} and joiner._characters == 0


def test_a_part_that_was_lost_costs_nothing_but_itself():
    one, _, three = parts(3)
    joiner = Joiner(patience=timedelta(minutes=1))
    assert joiner.add(one, AT) == joiner.add(three, AT) == joiner.late(AT + timedelta(seconds=60)) == []

    [message] = joiner.late(AT + timedelta(seconds=61))

    assert message.missing == (2,)
    assert message.area == {"DataTime": "20261127090030", "a1-Avg": "1", "a3-Avg": "3"}
    assert joiner._characters == 0


def test_a_part_that_comes_too_late_is_told_by_itself():
    one, two = parts(2)
    joiner = Joiner(patience=timedelta(minutes=1))
    joiner.add(one, AT)
    [first] = joiner.add(two, AT + timedelta(minutes=2))
    [second] = joiner.late(AT + timedelta(minutes=4))

    assert (first.missing, second.missing) == ((2,), (1,))


def test_messages_of_two_stations_and_two_times_are_not_mixed():
    joiner = Joiner()
    a, b, later = parts(2), parts(2, mn="B"), parts(2, minute=40)
    for message in (a[0], b[0], later[0]):
        assert joiner.add(message, AT) == []

    assert [joiner.add(message, AT)[0].mn for message in (b[1], a[1], later[1])] == ["B", "A", "A"]


def test_open_messages_are_bounded_in_number_and_size_and_the_oldest_is_handed_over():
    joiner = Joiner(most=3)
    given_up = [joiner.add(parts(2, mn=str(n))[0], AT) for n in range(5)]
    assert [[message.mn for message in each] for each in given_up] == [[], [], [], ["0"], ["1"]]

    joiner = Joiner(most_characters=1000)
    for n in range(500):
        joiner.add(parts(2, mn=str(n))[0], AT)
        assert joiner._characters <= 1000
    assert joiner._characters == sum(waiting.size() for waiting in joiner._open.values())


@pytest.mark.parametrize(
    ("of", "number"), [("2", "3"), ("2", "0"), ("2", ""), ("x", "1"), ("101", "1"), ("99999", "1")]
)
def test_part_numbers_without_sense_are_refused(of, number):
    with pytest.raises(Malformed):
        Joiner().add(parse(segment("", f"CN=2051;MN=A;Flag=7;PNUM={of};PNO={number}")), AT)


# what goes down


def test_data_that_want_an_answer_get_9014_with_their_own_number():
    [sent] = encode_data(GATE, "2011", AT, [], qn=AT)

    assert answer(decode(sent)) == frame(
        "QN=20261127093000123;ST=91;CN=9014;PW=123456;MN=GAS37050200000000000001A;Flag=4;CP=&&&&"
    )
    assert station.accepted(decode(answer(decode(sent))), sent="20261127093000123")


def test_a_request_for_the_time_is_a_notice():
    assert decode(answer(decode(station.encode_clock_request(GATE, qn=AT)))).cn == "9013"


def test_the_edition_of_2005_is_answered_in_its_own_way():
    old = decode(frame("QN=20040516010101001;ST=32;CN=2051;PW=123456;MN=88888880000001;Flag=1;CP=&&&&"))

    assert answer(old) == frame("ST=91;CN=9014;CP=&&QN=20040516010101001;CN=2051&&")


@pytest.mark.parametrize("head", ["CN=2011;MN=A;Flag=4", "CN=2011;MN=A", "CN=9014;MN=A;Flag=5"])
def test_what_wants_no_answer_gets_none(head):
    assert answer(parse(segment("", head))) is None


def test_requests_carry_a_number_that_comes_back():
    asked = decode(centre.set_clock(GATE, AT + timedelta(seconds=2), qn=AT))

    assert (asked.cn, asked.wants_answer, asked.area) == ("1012", True, {"SystemTime": "20261127093002"})
    ready, result = decode(station.encode_ready(GATE, asked)), decode(station.encode_result(GATE, asked, 100))
    assert (ready.cn, ready.qn, ready.area) == ("9011", asked.qn, {"QnRtn": "1"})
    assert (result.cn, result.qn, result.area) == ("9012", asked.qn, {"ExeRtn": "100"})


def test_each_request_has_its_command():
    asked = {
        "1011": centre.ask_clock(GATE, qn=AT),
        "1061": centre.ask_interval(GATE, qn=AT),
        "1062": centre.set_interval(GATE, 30, qn=AT),
        "1063": centre.ask_minute_interval(GATE, qn=AT),
        "1064": centre.set_minute_interval(GATE, 10, qn=AT),
        "2011": centre.ask_real_time(GATE, qn=AT),
        "2012": centre.stop_real_time(GATE, qn=AT),
        "2061": centre.ask_history(GATE, "2061", AT - timedelta(hours=2), AT, qn=AT),
    }
    assert {decode(sent).cn for sent in asked.values()} == set(asked)
    assert decode(asked["1062"]).area == {"RtdInterval": "30"}
    assert decode(asked["2061"]).area == {"BeginTime": "20261127073000", "EndTime": "20261127093000"}
    assert decode(station.encode_interval(GATE, decode(asked["1061"]), 30)).area == {"RtdInterval": "30"}
    assert decode(station.encode_clock(GATE, decode(asked["1011"]), AT)).area == {"SystemTime": "20261127093000"}
    assert decode(station.encode_notice_answer(GATE, decode(asked["2012"]))).cn == "9013"
    assert decode(station.encode_start_up(GATE, AT, qn=AT)).area["RestartTime"] == "20261127093000"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: centre.set_interval(GATE, 29, qn=AT),
        lambda: centre.set_interval(GATE, 3601, qn=AT),
        lambda: centre.set_minute_interval(GATE, 7, qn=AT),
        lambda: centre.ask_history(GATE, "2011", AT, AT, qn=AT),
        lambda: encode_data(GATE, "9014", AT, [], qn=AT),
        lambda: station.encode_ready(GATE, decode(FRAME), 10),
        lambda: frame("x" * 1025),
    ],
)
def test_what_the_standard_does_not_allow_is_not_sent(wrong):
    with pytest.raises(ValueError, match=r"\d"):
        wrong()


# what a station sends

codes = st.sampled_from(sorted(FACTORS))
values = st.dictionaries(
    st.sampled_from(["Rtd", "Min", "Avg", "Max", "Cou", "ZsAvg"]),
    st.decimals(-9999, 99999, places=3).map(float),
    min_size=1,
)
measurements = st.lists(
    st.builds(
        Measured,
        codes,
        values,
        st.sampled_from([None, *"NFMSDCTB"]),
        st.sampled_from([None, AT.replace(microsecond=0)]),
    ),
    max_size=80,
    unique_by=lambda measured: measured.code,
)


@given(
    measurements,
    st.sampled_from(["2011", "2031", "2051", "2061"]),
    st.booleans(),
    st.sampled_from(["standard", "modbus_le"]),
)
def test_what_a_station_sends_is_what_the_centre_reads(measured, cn, answered, crc):
    sender = Station(mn="A1", crc=crc)
    sent = encode_data(sender, cn, AT, measured, qn=AT, answered=answered)

    received, joiner = [], Joiner()
    for each in Splitter().feed(b"".join(sent)):
        assert isinstance(each, bytes) and len(each) <= 6 + MAX_DATA_LENGTH + 4
        message = decode(each, crc)
        assert message.wants_answer is answered
        received += joiner.add(message, AT)
    [message] = received
    assert (message.cn, message.mn, message.data_time) == (cn, "A1", AT.replace(microsecond=0))
    assert message.measured() == measured


def test_parts_count_up_and_repeat_the_time():
    sent = [
        decode(each)
        for each in encode_data(GATE, "2011", AT, [Measured(code, {"Rtd": 1.5}, "N") for code in FACTORS], qn=AT)
    ]

    assert len(sent) > 2
    assert [message.part for message in sent] == [(n + 1, len(sent)) for n in range(len(sent))]
    assert [int(message.qn) - int(sent[0].qn) for message in sent] == list(range(len(sent)))
    assert {message.area["DataTime"] for message in sent} == {"20261127093000"}
    assert {message.flag for message in sent} == {7}


@given(st.binary(min_size=1, max_size=5), st.integers(0, 500))
def test_a_frame_that_was_overwritten_somewhere_is_read_or_refused(patch, at):
    damaged = whole[: at % len(whole)] + patch + whole[at % len(whole) + len(patch) :]
    for each in Splitter().feed(damaged + FRAME):
        if isinstance(each, bytes):
            try:
                tell(decode(each))
            except Malformed:
                continue
