"""JT/T 808, what vehicle terminals and platforms say to each other (道路运输车辆卫星定位系统 终端通讯协议), 2011, 2013 and 2019.

``decode`` reads one frame, ``positions`` many frames of 0x0200 at once, as columns. A message in sub-packages is joined by
`Joiner`, and read by ``whole`` then.
"""

from typing import Any, NamedTuple

from monitoring.intake.jt808.bodies import (
    Answer,
    Authentication,
    Batch,
    Body,
    DriverCard,
    Empty,
    Found,
    MediaAnswer,
    Parameters,
    Registered,
    Registration,
    Resend,
    Text,
    Tracking,
    Unread,
    Waybill,
)
from monitoring.intake.jt808.bodies import read as _read
from monitoring.intake.jt808.columns import Columns, positions
from monitoring.intake.jt808.encode import (
    encode_answer,
    encode_auth,
    encode_batch,
    encode_driver_card,
    encode_found,
    encode_heartbeat,
    encode_logout,
    encode_media_answer,
    encode_parameters,
    encode_position,
    encode_query,
    encode_register,
    encode_registered,
    encode_resend,
    encode_terminal_answer,
    encode_text,
    encode_tracking,
    encode_waybill,
    terminal_of,
)
from monitoring.intake.jt808.framing import Edition, Header, Splitter, Terminal, frame, frames, unframe
from monitoring.intake.jt808.joining import Joiner, Missing
from monitoring.intake.jt808.position import Position, make
from monitoring.intake.jt808.safety import Safety, Tyre

__all__ = [
    "Answer",
    "Authentication",
    "Batch",
    "Body",
    "Columns",
    "DriverCard",
    "Edition",
    "Empty",
    "Found",
    "Header",
    "Joiner",
    "MediaAnswer",
    "Message",
    "Missing",
    "Parameters",
    "Position",
    "Registered",
    "Registration",
    "Resend",
    "Safety",
    "Splitter",
    "Terminal",
    "Text",
    "Tracking",
    "Tyre",
    "Unread",
    "Waybill",
    "decode",
    "encode_answer",
    "encode_auth",
    "encode_batch",
    "encode_driver_card",
    "encode_found",
    "encode_heartbeat",
    "encode_logout",
    "encode_media_answer",
    "encode_parameters",
    "encode_position",
    "encode_query",
    "encode_register",
    "encode_registered",
    "encode_resend",
    "encode_terminal_answer",
    "encode_text",
    "encode_tracking",
    "encode_waybill",
    "frame",
    "frames",
    "make",
    "positions",
    "tell",
    "terminal_of",
    "unframe",
    "whole",
]


class Message(NamedTuple):
    """One message: its header, its bytes, and what these say."""

    header: Header
    raw: bytes  # the body
    body: Body


def decode(frame: bytes) -> Message:
    """Return the message of one frame; the body of a sub-package stays bytes. :raises Malformed: it is damaged."""
    header, body = unframe(frame)
    return Message(header, body, Unread(body) if header.is_part else _read(header, body))


def whole(header: Header, body: bytes) -> Message:
    """Return the message that `Joiner` put together."""
    return Message(header, body, _read(header, body))


def tell(message: Message) -> dict[str, Any]:
    """Return the message as plain values."""
    header = message.header
    told: dict[str, Any] = {
        "msg_id": f"0x{header.msg_id:04X}",
        "phone": header.phone,
        "serial": header.serial,
        "edition": int(header.edition),
    }
    if header.is_part:
        told["package"] = {"total": header.total, "number": header.number}
    if header.encrypted:
        told["encrypted"] = True
    return told | {"body": message.body.tell()}
