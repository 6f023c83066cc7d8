"""Whatever comes over a wire: the same frames however it is cut, `Malformed` at worst, and bounded memory."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.intake import jt808, jt809
from monitoring.intake.jt808.bodies import READERS
from monitoring.intake.wire import Malformed
from tests.monitoring.jt808_frames import HEARTBEAT, POSITION, of_2013, of_2019
from tests.monitoring.test_jt809 import LOGIN, PLACED

PROTOCOLS = pytest.mark.parametrize(
    ("protocol", "good", "longest"), [(jt808, [HEARTBEAT, POSITION], 2_090), (jt809, [LOGIN, PLACED], 1 << 17)]
)
MARKS = b"\x7e\x7d\x5b\x5d\x5a\x5e\x01\x02\x00"
pieces = st.one_of(st.binary(max_size=60), st.lists(st.sampled_from(MARKS), max_size=20).map(bytes))


def read(protocol, frame: bytes) -> None:
    """Decode and tell: it gives plain values, or is `Malformed`; anything else is an error of ours."""
    with suppress(Malformed):
        json.dumps(protocol.tell(protocol.decode(frame)), allow_nan=False)


@PROTOCOLS
@given(st.data())
def test_a_stream_gives_the_same_frames_however_it_is_cut(protocol, good, longest, data):
    stretch = st.one_of(st.sampled_from(good), pieces, st.integers(0, 3).map(lambda n: bytes(n * 1000)))
    stream = b"".join(data.draw(st.lists(stretch, max_size=8)))
    at_once = [str(one) for one in protocol.Splitter().feed(stream)]
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=12)))
    splitter, found = protocol.Splitter(), []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += [str(one) for one in splitter.feed(stream[begin:end])]
        assert splitter.held <= longest

    assert found == at_once


@PROTOCOLS
def test_a_stream_that_comes_byte_by_byte(protocol, good, longest):
    splitter, stream = protocol.Splitter(), b"".join(good * 3)
    found = [one for n in range(len(stream)) for one in splitter.feed(stream[n : n + 1])]

    assert found == good * 3


@PROTOCOLS
@given(junk=st.lists(pieces, max_size=3))
def test_frames_behind_junk_are_found(protocol, good, longest, junk):
    splitter = protocol.Splitter()
    for piece in junk:
        splitter.feed(piece)
    # What stands open at the end of the junk may swallow one frame, never two.
    found = splitter.feed(good[0] + good[1] + good[0])

    assert found[-2:] == [good[1], good[0]]


@PROTOCOLS
@given(data=st.binary(max_size=300))
def test_arbitrary_bytes(protocol, good, longest, data):
    read(protocol, data)
    for frame in protocol.Splitter().feed(data):
        if isinstance(frame, bytes):
            read(protocol, frame)


@PROTOCOLS
@given(st.data())
def test_good_frames_with_some_bytes_changed(protocol, good, longest, data):
    frame = bytearray(data.draw(st.sampled_from(good)))
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    read(protocol, bytes(frame))


@pytest.mark.parametrize("msg_id", [*READERS, 0x0900])
@given(body=st.binary(max_size=120), make=st.sampled_from([of_2013, of_2019]))
@settings(max_examples=50)
def test_any_body_in_a_good_frame_of_808_is_a_message(msg_id, body, make):
    message = jt808.decode(make(msg_id, body))

    assert message.raw == body
    json.dumps(jt808.tell(message), allow_nan=False)


@pytest.mark.parametrize("msg_id", [*jt809.READERS, *jt809.VEHICLE_MESSAGES, 0x1700])
@given(body=st.binary(max_size=120))
@settings(max_examples=50)
def test_any_body_in_a_good_frame_of_809_is_a_message(msg_id, body):
    json.dumps(jt809.tell(jt809.decode(jt809.encode(jt809.Header(1, msg_id, 7), body))), allow_nan=False)


@pytest.mark.parametrize("sub_id", [*jt809.SUB_READERS, 0x1202, 0x1203, 0x9203])
@given(data=st.binary(max_size=400), sent=st.sampled_from([b"", (1_795_000_000).to_bytes(8, "big")]))
@settings(max_examples=50)
def test_any_data_about_a_vehicle_is_a_message(sub_id, data, sent):
    body = sent + bytes(22) + sub_id.to_bytes(2, "big") + len(data).to_bytes(4, "big") + data
    message = jt809.decode(jt809.encode(jt809.Header(1, sub_id & 0xFF00, 7), body))

    assert message.sub_id == sub_id
    json.dumps(jt809.tell(message), allow_nan=False)
