"""Frames, headers and bodies of JT/T 808, from the layout of the standard: the numbers are in sight."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.intake import jt808
from monitoring.intake.jt808 import framing
from monitoring.intake.jt808.fields import BEIJING
from monitoring.intake.wire import Malformed
from tests.monitoring.jt808_frames import (
    BODY,
    HEARTBEAT,
    POSITION,
    editions,
    of_2013,
    of_2019,
    sealed,
    terminals,
    words,
    words_of,
)

TERMINAL = jt808.Terminal("13812345678", jt808.Edition.E2013)


def test_the_example_of_the_standard_is_escaped_and_read_back():
    plain, sent = bytes.fromhex("30 7e 08 7d 55"), bytes.fromhex("30 7d02 08 7d01 55")

    assert framing.escape(plain) == sent
    assert framing.unescape(sent) == plain


def test_a_heartbeat_is_read_from_its_bytes_and_made_of_them():
    message = jt808.decode(HEARTBEAT)

    assert message.header == jt808.Header(0x0002, 0, 0, "13812345678", 1)
    assert message.body == jt808.Empty()
    assert jt808.encode_heartbeat(TERMINAL, 1) == HEARTBEAT


def test_the_header_of_2019_has_a_version_and_twenty_digits():
    message = jt808.decode(bytes.fromhex("7e 0002 4000 01 00000000013812345678 0001 73 7e"))

    assert (message.header.edition, message.header.version) == (jt808.Edition.E2019, 1)
    assert message.header.phone == "13812345678"


def test_a_terminal_that_says_2019_and_sends_the_layout_of_2013_is_read_all_the_same():
    message = jt808.decode(sealed("0200 401c 013812345678 0007" + BODY))

    assert (message.header.phone, message.header.serial, message.header.edition) == ("13812345678", 7, 2013)
    assert message.body.speed == 615


def test_a_number_of_hexadecimal_digits_stays_what_it_is():
    assert jt808.decode(of_2013(0x0002, "", phone="4f07788ef676")).header.phone == "4f07788ef676"


@pytest.mark.parametrize("frame", [HEARTBEAT, POSITION, of_2019(0x0200, BODY + "2a 02 7e7d")], ids=len)
def test_any_single_changed_byte_is_noticed(frame):
    for place in range(len(frame)):
        for value in range(256):
            if value != frame[place]:
                with pytest.raises(Malformed):
                    jt808.decode(frame[:place] + bytes([value]) + frame[place + 1 :])


@pytest.mark.parametrize("frame", [HEARTBEAT, POSITION], ids=len)
def test_any_byte_that_is_lost_or_doubled_is_noticed(frame):
    for place in range(1, len(frame) - 1):
        for damaged in (frame[:place] + frame[place + 1 :], frame[: place + 1] + frame[place:]):
            with pytest.raises(Malformed):
                jt808.decode(damaged)


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (b"", "no 7E … 7E"),
        (b"\x7e", "no 7E … 7E"),
        (HEARTBEAT[:-1], "no 7E … 7E: 7e … 32, 14 bytes"),
        (bytes.fromhex("7e 0002 7e"), "2 bytes between the flags, a message has at least 13"),
        (bytes.fromhex("7e 0002 0000 013812345678 0001 33 7e"), "check byte 33, expected 32"),
        (sealed("0002 0005 013812345678 0001"), "body of 5 bytes declared, 0 seen"),
        (sealed("0002 2000 013812345678 0001 0003 0004"), "sub-package 4 of 3"),
        (sealed("0002 2000 013812345678 0001 0003 0000"), "sub-package 0 of 3"),
        (b"\x7e" + bytes(3000) + b"\x7e", "3002 bytes, the longest frame has 2092"),
    ],
)
def test_what_is_no_frame_says_what_was_seen_and_what_was_expected(frame, said):
    with pytest.raises(Malformed) as refused:
        jt808.decode(frame)

    assert said in str(refused.value)


def test_a_flag_that_the_terminal_forgot_to_escape_is_a_byte_like_others_in_a_datagram():
    whole = of_2013(0x0900, "01 7e 02")

    assert jt808.decode(whole.replace(b"\x7d\x02", b"\x7e")).raw == bytes.fromhex("017e02")


class TestSplitter:
    def test_frames_glued_split_and_with_a_shared_flag(self):
        splitter = jt808.Splitter()

        assert splitter.feed(HEARTBEAT + POSITION[:20]) == [HEARTBEAT]
        assert splitter.feed(POSITION[20:] + HEARTBEAT[1:]) == [POSITION, HEARTBEAT]
        assert splitter.held == 0

    def test_bytes_before_the_first_flag_are_told_once_and_left_out(self):
        splitter = jt808.Splitter()
        first, *others = splitter.feed(b"GET / HTTP/1.1\r\n") + splitter.feed(b"Host: x\r\n" + HEARTBEAT)

        assert str(first) == "bytes before the first 7E"
        assert others == [HEARTBEAT]

    def test_a_stretch_longer_than_any_frame_is_told_once_and_the_next_frame_is_read(self):
        splitter = jt808.Splitter()
        found = splitter.feed(b"\x7e")
        for _ in range(100):
            found += splitter.feed(bytes(1000))
            assert splitter.held <= framing.LONGEST
        found += splitter.feed(HEARTBEAT)

        assert [str(one) for one in found[:-1]] == ["no 7E within 2090 bytes, the longest frame"]
        assert found[-1] == HEARTBEAT

    def test_the_longest_frame_of_all_passes(self):
        body = b"\x7e" * framing.MAX_BODY
        frame = jt808.frame(0x0900, body, jt808.Terminal("7" * 20), 0x7D7E, (0x7E7E, 0x7D7E))

        assert jt808.Splitter().feed(frame) == [frame]
        assert jt808.decode(frame).raw == body


class TestRegistration:
    # 37 Shandong, 0502; plate 鲁EA1234 in GBK
    PLATE = "c2b3454131323334"

    def test_of_2011(self):
        body = "0025 01f6 3730313131 544b313233343500 30303031323334 02" + self.PLATE
        read = jt808.decode(of_2013(0x0100, body)).body

        assert read == jt808.Registration(37, 502, "70111", "TK12345", "0001234", 2, "鲁EA1234", jt808.Edition.E2011)

    def test_of_2013(self):
        body = "0025 01f6 3730313131" + b"BSJ-A6-BD".ljust(20, b"\0").hex() + "30303031323334 02" + self.PLATE
        read = jt808.decode(of_2013(0x0100, body)).body

        assert read == jt808.Registration(37, 502, "70111", "BSJ-A6-BD", "0001234", 2, "鲁EA1234", jt808.Edition.E2013)

    def test_of_2019(self):
        fields = [b"70111".ljust(11, b"\0"), b"BSJ-A6-BD".ljust(30, b"\0"), b"0001234".rjust(30, b"\0")]
        read = jt808.decode(of_2019(0x0100, "0025 01f6" + b"".join(fields).hex() + "02" + self.PLATE)).body

        assert read == jt808.Registration(37, 502, "70111", "BSJ-A6-BD", "0001234", 2, "鲁EA1234")

    @given(terminals, words, words, words_of(5), words_of(8), words_of(7), st.integers(0, 9), words_of(17))
    def test_what_a_terminal_says_arrives(self, terminal, province, city, maker, model, number, colour, plate):
        # 2011 and 2013 share a header; the standard tells them by their length, which a long VIN of 2011 defeats.
        plate = plate[:4]
        who = jt808.Registration(province, city, maker, model, number, colour, plate, terminal.edition)

        assert jt808.decode(jt808.encode_register(terminal, 3, who)).body == who


class TestAuthentication:
    def test_of_2013_is_the_code(self):
        assert jt808.decode(of_2013(0x0102, b"17299841738")).body == jt808.Authentication("17299841738")

    def test_of_2019_has_imei_and_version(self):
        body = b"\x06123456" + b"861234567890123" + b"V1.2.3".ljust(20, b"\0")
        read = jt808.decode(of_2019(0x0102, body)).body

        assert read == jt808.Authentication("123456", "861234567890123", "V1.2.3")

    @given(terminals, words_of(30), words_of(15), words_of(20))
    def test_what_a_terminal_says_arrives(self, terminal, code, imei, software):
        read = jt808.decode(jt808.encode_auth(terminal, 3, jt808.Authentication(code, imei, software))).body

        newer = terminal.edition == jt808.Edition.E2019
        assert read == jt808.Authentication(code, imei if newer else "", software if newer else "")


class TestDriverCard:
    AT = datetime(2026, 11, 23, 14, 3, 5, tzinfo=BEIJING)

    def test_of_2013(self):
        # in, time, read, 张三, certificate of 20, 东营, valid to 2030-12-31
        body = "01 261123140305 00 04 d5c5c8fd" + b"370502199001011234".ljust(20, b"\0").hex() + "04 b6abd3aa 20301231"
        read = jt808.decode(of_2013(0x0702, body)).body

        assert read == jt808.DriverCard(1, self.AT, 0, "张三", "370502199001011234", "东营", date(2030, 12, 31))

    def test_taken_out_says_when_and_no_more(self):
        assert jt808.decode(of_2013(0x0702, "02 261123140305")).body == jt808.DriverCard(2, self.AT)

    def test_that_could_not_be_read_says_why(self):
        assert jt808.decode(of_2013(0x0702, "01 261123140305 02")).body == jt808.DriverCard(1, self.AT, 2)

    @given(
        editions, words_of(20), words_of(20), words_of(20), words_of(20), st.dates(date(2000, 1, 1), date(2099, 1, 1))
    )
    def test_what_a_terminal_says_arrives(self, edition, name, certificate, issuer, person, valid_to):
        card = jt808.DriverCard(1, self.AT, 0, name, certificate, issuer, valid_to, person)
        read = jt808.decode(jt808.encode_driver_card(TERMINAL._replace(edition=edition), 3, card)).body

        assert (
            read
            == {
                jt808.Edition.E2011: card._replace(status=0, time=None, valid_to=None),
                jt808.Edition.E2013: card._replace(person=""),
                jt808.Edition.E2019: card,
            }[edition]
        )


@given(terminals, words, st.binary(max_size=5000))
def test_a_waybill_of_any_length_arrives_whole(terminal, serial, content):
    joiner, whole = jt808.Joiner(), None
    for frame in jt808.encode_waybill(terminal, serial, content):
        whole = joiner.feed(*jt808.unframe(frame), at=0) or whole

    assert whole is not None
    assert jt808.whole(*whole).body == jt808.Waybill(content)
    assert (whole[0].serial, joiner.held) == (serial, 0)


def test_a_waybill_is_read_as_chinese():
    assert jt808.decode(of_2013(0x0701, "00000006 d2bad0c2c6f8")).body.text == "液新气"


class TestAnswers:
    HEADER = jt808.Header(0x0200, 0, 0, "13812345678", 0x0102)

    def test_bytes_of_the_general_answer(self):
        assert jt808.encode_answer(self.HEADER, 5, 2) == sealed("8001 0005 013812345678 0005 0102 0200 02")

    def test_an_answer_speaks_the_edition_of_the_terminal(self):
        frame = jt808.encode_answer(self.HEADER._replace(version=1), 5)

        assert frame == sealed("8001 4005 01 00000000013812345678 0005 0102 0200 00")

    def test_bytes_of_the_registration_s_answer(self):
        assert jt808.encode_registered(self.HEADER, 5, 0, "AB12") == sealed(
            "8100 0007 013812345678 0005 0102 00 41423132"
        )
        assert jt808.encode_registered(self.HEADER, 5, 3, "AB12") == sealed("8100 0003 013812345678 0005 0102 03")

    def test_bytes_of_the_question_for_lost_sub_packages(self):
        assert jt808.encode_resend(TERMINAL, 9, 4, [2, 3]) == sealed("8003 0007 013812345678 0009 0004 02 0002 0003")
        newer = TERMINAL._replace(edition=jt808.Edition.E2019)
        assert jt808.encode_resend(newer, 9, 4, [2, 3]) == sealed(
            "8003 4008 01 00000000013812345678 0009 0004 0002 0002 0003"
        )

    def test_bytes_of_the_media_s_answer(self):
        assert jt808.encode_media_answer(self.HEADER, 5, 1) == sealed("8800 0004 013812345678 0005 00000001")
        assert jt808.encode_media_answer(self.HEADER, 5, 1, [7]) == sealed(
            "8800 0007 013812345678 0005 00000001 01 0007"
        )

    @given(terminals, words, words, st.sampled_from(range(5)))
    def test_terminals_read_what_the_platform_says(self, terminal, serial, asked, result):
        header = jt808.decode(jt808.encode_logout(terminal, asked)).header
        said = {
            jt808.encode_answer(header, serial, result): jt808.Answer(asked, 0x0003, result),
            jt808.encode_terminal_answer(terminal, serial, header, result): jt808.Answer(asked, 0x0003, result),
            jt808.encode_registered(header, serial, 0, "鉴权1"): jt808.Registered(asked, 0, "鉴权1"),
            jt808.encode_resend(terminal, serial, asked, [1, 9]): jt808.Resend(asked, (1, 9)),
            jt808.encode_media_answer(header, serial, 77, [1, 2]): jt808.MediaAnswer(77, (1, 2)),
            jt808.encode_query(terminal, serial): jt808.Empty(),
            jt808.encode_tracking(terminal, serial, 10, 600): jt808.Tracking(10, 600),
            jt808.encode_tracking(terminal, serial, 0, 0): jt808.Tracking(0),
            jt808.encode_parameters(terminal, serial, [(0x29, b"\0\0\0\x0a")]): jt808.Parameters(
                ((0x29, b"\0\0\0\x0a"),)
            ),
        }
        for frame, body in said.items():
            message = jt808.decode(frame)
            assert (message.body, message.header.serial, message.header.phone) == (body, serial, terminal.phone)

    @given(terminals)
    def test_words_for_the_driver_arrive(self, terminal):
        (frame,) = jt808.encode_text(terminal, 1, "前方积水，请绕行", kind=1)
        kind = 1 if terminal.edition == jt808.Edition.E2019 else 0

        assert jt808.decode(frame).body == jt808.Text(0b1101, "前方积水，请绕行", kind)


class TestKept:
    @pytest.mark.parametrize("msg_id", [0x0800, 0x0801, 0x0900, 0x0705, 0x1210, 0x6006])
    def test_what_is_not_read_here_stays_bytes(self, msg_id):
        told = jt808.tell(jt808.decode(of_2013(msg_id, "0102ff")))

        assert told["body"] == {"hex": "0102ff"}

    def test_what_is_encrypted_stays_bytes(self):
        told = jt808.tell(jt808.decode(sealed("0200 0402 013812345678 0001 aabb")))

        assert (told["body"], told["encrypted"]) == ({"hex": "aabb"}, True)

    def test_a_body_that_is_too_short_is_told_with_its_bytes(self):
        told = jt808.tell(jt808.decode(of_2013(0x0200, "0001")))

        assert told["body"] == {"hex": "0001", "error": "a position of 2 bytes, it has at least 28"}

    def test_a_sub_package_is_told_as_a_part(self):
        first, _second = jt808.encode_waybill(TERMINAL, 5, bytes(1500))
        told = jt808.tell(jt808.decode(first))

        assert (told["package"], told["msg_id"]) == ({"total": 2, "number": 1}, "0x0701")
        assert told["body"] == {"hex": "000005dc" + "00" * 1019}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: jt808.frame(2, bytes(1024), TERMINAL, 1), "a body of 1024 bytes; a frame takes 1023"),
        (lambda: jt808.frame(2, b"", TERMINAL._replace(phone="1" * 13), 1), "1111111111111 has more than 12 digits"),
        (
            lambda: jt808.encode_register(TERMINAL, 1, jt808.Registration(0, 0, "7011111", "", "", 1, "")),
            "'7011111' takes 7 bytes, the field has 5",
        ),
        (lambda: jt808.encode_driver_card(TERMINAL, 1, jt808.DriverCard(1, None)), "at no time"),
    ],
)
def test_what_no_frame_can_say_is_refused_with_its_reason(make, said):
    with pytest.raises(ValueError, match=said):
        make()
