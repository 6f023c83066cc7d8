"""GB/T 26875.3-2011: how user information transmission devices tell a centre of fire alarms and of fire equipment.

``frames``: bytes and sums · ``messages``: what they say · ``states``: which conditions began and ended · ``tables``: the codes of
the standard · ``links``: what both ends send.
"""

from monitoring.intake.gb26875.frames import Damaged, Header, Splitter
from monitoring.intake.gb26875.links import Link, answer, confirm, deny, encode_data
from monitoring.intake.gb26875.messages import Message, decode, tell
from monitoring.intake.gb26875.states import edges

__all__ = [
    "Damaged",
    "Header",
    "Link",
    "Message",
    "Splitter",
    "answer",
    "confirm",
    "decode",
    "deny",
    "edges",
    "encode_data",
    "tell",
]
