"""`bin/manage decode jt808|jt809`: a JSON object for each line, also for a bad one."""

import json

import pytest
from django.core.management import call_command

from tests.monitoring.jt808_frames import HEARTBEAT, POSITION
from tests.monitoring.test_jt809 import LOGIN, PLACED


@pytest.fixture
def decoded(tmp_path, capsys):
    def decode(protocol: str, lines: list[str]) -> list[dict]:
        path = tmp_path / "messages.txt"
        path.write_text("\n".join(lines) + "\n")
        call_command("decode", protocol, str(path))
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return decode


def test_a_line_of_808_is_an_object(decoded):
    position, heartbeat = decoded("jt808", [POSITION.hex(), HEARTBEAT.hex(" ").upper()])

    assert (position["ok"], position["msg_id"], position["phone"], position["serial"]) == (
        True,
        "0x0200",
        "13812345678",
        1,
    )
    assert position["body"]["items"] == {"0x01": "0001e240", "0x30": "1f", "0x31": "0c"}
    assert heartbeat == {
        "ok": True,
        "msg_id": "0x0002",
        "phone": "13812345678",
        "serial": 1,
        "edition": 2013,
        "body": {},
    }


def test_a_line_of_809_is_an_object(decoded):
    login, position = decoded("jt809", [LOGIN.hex(), PLACED.hex()])

    assert (login["ok"], login["msg_id"], login["body"]["user"]) == (True, "0x1001", 20261123)
    assert (position["plate"], position["sub_id"], position["body"]["time"]) == (
        "鲁EA1234",
        "0x1202",
        "2026-11-23T14:03:05+08:00",
    )


@pytest.mark.parametrize("protocol", ["jt808", "jt809"])
def test_bad_lines_have_an_object_each_that_says_why(decoded, protocol):
    rows = decoded(protocol, ["", "xyz", "7e7e", "7e" * 500, "zz" * 5000])

    assert [row["ok"] for row in rows] == [False] * 5
    assert all(row["error"] for row in rows)
