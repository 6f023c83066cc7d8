"""Frames on the wire are those that the websockets library makes itself."""

import pytest
from websockets.frames import Frame as Reference
from websockets.frames import Opcode

from citysafety.live import frames
from citysafety.live.wire import Frame, Wire


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65_535, 65_536, 200_000])
def test_a_frame_is_what_the_library_would_send(length):
    frame = Frame("x" * length)
    reference = Reference(Opcode.TEXT, frame.encode()).serialize(mask=False)
    assert frame.wire == reference


def test_characters_are_counted_in_bytes():
    frame = frames.facts(7, [(7, ["3705"], '{"名":"隐患"}')])
    assert frame.wire == Reference(Opcode.TEXT, str(frame).encode()).serialize(mask=False)
    assert frame.wire is frame.wire  # spelled once, however many screens


def test_another_servers_send_is_used_as_it_is():
    async def send(message): ...

    assert Wire.behind(send) is None
