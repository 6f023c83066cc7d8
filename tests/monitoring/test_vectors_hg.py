"""HJ 212 and GB/T 26875.3 against frames that others made, from the folder that CITYSAFETY_VECTORS names."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from monitoring.intake import gb26875, hj212
from monitoring.intake.wire import Malformed

FOLDER = os.environ.get("CITYSAFETY_VECTORS", "")
pytestmark = pytest.mark.skipif(not FOLDER, reason="CITYSAFETY_VECTORS names no folder of vectors")


def vectors(protocol: str) -> list[Any]:
    if not FOLDER:
        return [None]
    return [pytest.param(v, id=v["id"]) for v in json.loads((Path(FOLDER) / f"{protocol}.json").read_text())["vectors"]]


@pytest.mark.parametrize("vector", vectors("hj212"))
def test_a_station_is_read_in_the_way_it_checks_and_in_no_other(vector):
    status, line = vector["crc_status"], vector["line"].encode()
    right = "standard" if status.startswith("valid") else "modbus_le" if "Modbus" in status else None

    for crc in ("standard", "modbus_le"):
        if crc != right:
            with pytest.raises(Malformed):
                hj212.decode(line, crc)
    if right:
        told = hj212.tell(hj212.decode(line, right))
        for pair in filter(None, vector["line"][6:].split("CP=&&")[0].split(";")):
            name, _, value = pair.partition("=")
            assert told[name] == value
        for public in vector["public_asserts"]:
            assert told["CP"] == public.get("CP", told["CP"])


def held(got: Any, want: Any) -> bool:
    """Compare a value with one that may be written in hexadecimal digits or as the fields of a time."""
    if isinstance(want, dict):
        return (got.year, got.month, got.day, got.hour, got.minute, got.second) == tuple(
            want[part] for part in ("year", "month", "day", "hour", "minute", "second")
        )
    if isinstance(want, str) and want.startswith("0x"):
        return got == int(want.split()[0], 16)
    return got == want


@pytest.mark.parametrize("vector", vectors("gb26875"))
def test_a_device_is_read_as_others_read_it(vector):
    want = vector["expected"]
    if vector["kind"] == "frame":
        packet = bytes.fromhex(vector["hex"])
    else:  # application data alone
        packet = gb26875.frames.frame(gb26875.Header(0, 0, 0, 2, None), bytes.fromhex(vector["hex"]))
    if "error" in want:
        with pytest.raises(Malformed):
            gb26875.decode(packet)
        return
    message = gb26875.decode(packet)
    assert held(message.type_flag, want.get("type_flag", message.type_flag))
    assert held(message.header.serial, want.get("serial", message.header.serial))
    objects = want.get("objects")
    for mine, theirs in zip(message.objects, objects if isinstance(objects, list) else [], strict=False):
        for name, value in theirs.items():
            if name in mine:
                assert held(mine[name], value), name
