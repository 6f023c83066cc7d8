"""HJ 212-2017 (and HJ/T 212-2005): how stations that watch gases, dust and water speak to a centre.

``frames``: bytes and check words · ``messages``: what they say · ``joiner``: messages in parts · ``codes``, ``factors``: the
tables of the standard · ``centre``: what we send · ``station``: what stations send.
"""

from monitoring.intake.hj212.centre import Station, answer
from monitoring.intake.hj212.frames import CrcMode, Splitter
from monitoring.intake.hj212.joiner import Joiner
from monitoring.intake.hj212.messages import Measured, Message, decode, period, tell
from monitoring.intake.hj212.station import encode_data

__all__ = [
    "CrcMode",
    "Joiner",
    "Measured",
    "Message",
    "Splitter",
    "Station",
    "answer",
    "decode",
    "encode_data",
    "period",
    "tell",
]
