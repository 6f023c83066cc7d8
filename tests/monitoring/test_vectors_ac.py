"""AIS and CAP against messages of others, from the folder that CITYSAFETY_VECTORS names."""

import json
import os
from pathlib import Path

import pytest

from monitoring.intake import ais, cap
from monitoring.intake.wire import Malformed

FOLDER = os.environ.get("CITYSAFETY_VECTORS")
pytestmark = pytest.mark.skipif(not FOLDER, reason="CITYSAFETY_VECTORS names no folder of vectors")
FIELDS = ("identifier", "sender", "sent", "status", "msgType", "scope")
INFO_FIELDS = ("language", "event", "urgency", "severity", "certainty")


def vectors(*path: str) -> list:
    return json.loads(Path(FOLDER, *path).read_text("utf-8"))["vectors"] if FOLDER else []


@pytest.mark.parametrize("vector", vectors("ais.json"), ids=lambda vector: vector["id"])
def test_ais(vector):
    told = ais.tell(ais.decode(*(line.encode() for line in vector["sentences"])))
    expected = vector["expected_scaled"]

    assert (told["type"], told["mmsi"]) == (expected["type"], int(expected["mmsi"]))
    if told["type"] not in ais._KINDS and told["type"] != 24:
        return
    for field, limit in (("lon", 180), ("lat", 90)):
        value = expected.get(field)
        if isinstance(value, (int, float)):
            assert told[field] == (pytest.approx(value, abs=2e-4) if abs(value) <= limit else None)


@pytest.mark.parametrize("vector", vectors("cap", "expected.json"), ids=lambda vector: vector["file"])
def test_cap(vector):
    document = Path(FOLDER, "cap", vector["file"]).read_bytes()
    expected = vector.get("fields_read_here")
    if not expected:
        with pytest.raises(Malformed):
            cap.decode(document)
        return
    told = cap.tell(cap.decode(document))

    assert {name: told[name] for name in FIELDS} == {name: expected[name] for name in FIELDS}
    for info, wanted in zip(told["info"], expected["info"], strict=True):
        assert {name: info[name] for name in INFO_FIELDS if name in wanted} == {
            name: wanted[name] for name in INFO_FIELDS if name in wanted
        }
    assert cap.decode(cap.encode(cap.decode(document))) == cap.decode(document)
