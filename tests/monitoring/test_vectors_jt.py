"""JT/T 808 and 809 against frames of public tests, in the folder that CITYSAFETY_VECTORS names; none of them is ours."""

import json
import os
from pathlib import Path

import pytest

from monitoring.intake import jt808, jt809
from monitoring.intake.wire import Malformed

FOLDER = os.environ.get("CITYSAFETY_VECTORS")
pytestmark = pytest.mark.skipif(not FOLDER, reason="CITYSAFETY_VECTORS names no folder of vectors")
FIELDS = {
    "alarm": "alarmSign",
    "status": "statusSign",
    "latitude": "latitude",
    "longitude": "longitude",
    "altitude": "altitude",
    "speed": "speed",
    "course": "direction",
}


def vectors(name: str) -> list:
    if not FOLDER:
        return []
    rows = json.loads((Path(FOLDER) / name).read_text())["vectors"]
    return [pytest.param(row, id=row["id"]) for row in rows if "wire_hex" in row]


@pytest.mark.parametrize("vector", vectors("jt808.json"))
def test_808_is_read_as_its_source_says(vector):
    frame = bytes.fromhex(vector["wire_hex"])
    if not vector["checksum_valid"]:
        with pytest.raises(Malformed):
            jt808.decode(frame)
        return
    reference = vector["reference_decode"]
    if "header" not in reference:
        pytest.skip(f"the source says: {reference.get('rejected')}")
    told, header = jt808.tell(jt808.decode(frame)), reference["header"]
    assert (told["msg_id"], told["serial"]) == (header["msgId"], header["serialNumber"])
    assert told["phone"].lstrip("0") == header["terminalPhoneNo"].lstrip("0")
    body = reference.get("body")
    if header["msgId"] == "0x0200" and body and not reference.get("body_parse_error"):
        assert {name: told["body"][name] for name in FIELDS} == {name: body[theirs] for name, theirs in FIELDS.items()}
        if body.get("dateTime"):
            assert (told["body"]["time"] or "")[:19].replace("T", " ") == body["dateTime"]
        for key, item in (body.get("additions") or {}).items():
            assert told["body"]["items"][key] == item["hex"]


@pytest.mark.parametrize("vector", vectors("jt809.json"))
def test_809_has_the_header_that_its_source_says(vector):
    frame = bytes.fromhex(vector["wire_hex"])
    if not vector["crc_valid"]:
        with pytest.raises(Malformed):
            jt809.decode(frame)
        return
    header, want = jt809.decode(frame).header, vector["header_read_here"]
    assert f"0x{header.msg_id:04x}" == want["msg_id"]
    assert (header.serial, header.access_code) == (want["msg_sn"], want["gnss_center_id"])
    assert (list(header.version), header.encrypted, header.key) == (
        want["version"],
        bool(want["encrypt_flag"]),
        want["encrypt_key"],
    )
