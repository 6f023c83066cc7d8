"""Long messages of JT/T 808: sub-packages that come late, twice, in another order, or never."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.intake import jt808
from monitoring.intake.wire import Malformed

TERMINAL = jt808.Terminal("13812345678", jt808.Edition.E2013)
CONTENT = bytes(range(256)) * 12  # four sub-packages


def parts(serial: int = 65_534, content: bytes = CONTENT, terminal: jt808.Terminal = TERMINAL):
    """Return headers and bodies of a waybill's sub-packages; the serial numbers begin again within them."""
    return [jt808.unframe(frame) for frame in jt808.encode_waybill(terminal, serial, content)]


def fed(joiner: jt808.Joiner, sent, at: float = 0):
    whole = [found for part in sent if (found := joiner.feed(*part, at=at))]
    return [jt808.whole(*one) for one in whole]


@given(st.permutations(range(4)), st.lists(st.integers(0, 3), max_size=4))
def test_any_order_and_any_repeat_gives_the_same_message(order, again):
    sent = parts()
    (message,) = fed(jt808.Joiner(), [sent[n] for n in (*[n for n in again if n != order[-1]], *order)])

    assert message.body == jt808.Waybill(CONTENT)
    assert (message.header.serial, message.header.is_part) == (65_534, False)


def test_a_message_in_one_piece_passes_through():
    joiner = jt808.Joiner()
    (message,) = fed(joiner, parts(content=b"ok"))

    assert (message.body, joiner.held) == (jt808.Waybill(b"ok"), 0)


def test_what_is_lost_is_asked_for_after_a_while_and_joined_when_it_comes():
    joiner, sent = jt808.Joiner(quiet_s=10), parts()
    fed(joiner, [sent[0], sent[3]], at=0)

    assert joiner.missing(9) == []
    assert joiner.missing(10) == [jt808.Missing(TERMINAL, jt808.Resend(65_534, (2, 3)))]
    assert joiner.missing(11) == []
    (message,) = fed(joiner, [sent[2], sent[1]], at=12)
    assert message.body == jt808.Waybill(CONTENT)
    assert joiner.missing(1000) == []


def test_the_question_is_bytes_that_the_terminal_understands():
    joiner, sent = jt808.Joiner(quiet_s=0), parts()
    fed(joiner, sent[1:2])
    (missing,) = joiner.missing(0)
    frame = jt808.encode_resend(missing.terminal, 1, missing.resend.serial, missing.resend.numbers)

    assert jt808.decode(frame).body == jt808.Resend(65_534, (1, 3, 4))


def test_what_comes_again_under_new_serial_numbers_finds_its_message_when_it_was_asked_for():
    joiner, sent = jt808.Joiner(quiet_s=0), parts()
    fed(joiner, [sent[0], sent[2], sent[3]])
    assert joiner.missing(0)
    header, body = sent[1]
    (message,) = fed(joiner, [(header._replace(serial=700), body)])

    assert message.body == jt808.Waybill(CONTENT)


def test_two_messages_and_two_terminals_are_kept_apart():
    joiner = jt808.Joiner()
    other = TERMINAL._replace(phone="13900000000")
    sets = [parts(10), parts(30, CONTENT[::-1]), parts(10, CONTENT[1:], other)]
    messages = fed(joiner, [sent[n] for n in range(4) for sent in sets])

    assert [message.body.content for message in messages] == [CONTENT, CONTENT[::-1], CONTENT[1:]]


def test_what_never_comes_is_asked_for_a_few_times_and_forgotten():
    joiner = jt808.Joiner(age_s=180, quiet_s=10, times=3)
    fed(joiner, parts()[:1])

    assert [len(joiner.missing(at)) for at in range(10, 181, 10)] == [1, 1, 1] + [0] * 15
    assert (joiner.missing(181), joiner.held, joiner.given_up) == ([], 0, 1)


def test_no_more_than_so_many_messages_are_kept():
    joiner = jt808.Joiner(messages=8)
    for serial in range(100):
        fed(joiner, parts(serial * 10)[:1])

    assert joiner.given_up == 92
    assert joiner.held <= 8 * 2000


@given(st.lists(st.tuples(st.integers(2, 65_535), st.integers(0, 65_535), st.integers(0, 1023)), max_size=200))
def test_no_more_than_so_many_bytes_are_kept_whatever_comes(sent):
    joiner = jt808.Joiner(messages=5, size=5_000)
    for total, serial, size in sent:
        header = jt808.Header(0x0801, 1 << 13, 0, "1", serial, total, 1 + serial % total)
        joiner.feed(header, bytes(size), at=0)
        assert joiner.held <= 5_000


def test_one_message_that_is_more_than_that_is_refused():
    joiner = jt808.Joiner(size=3_000)
    with pytest.raises(Malformed, match="sub-packages of more than 3000 bytes"):
        fed(joiner, parts(content=bytes(10_000))[:5])

    assert (joiner.held, joiner.given_up) == (0, 1)
