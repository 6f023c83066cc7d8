"""`bin/manage decode` for HJ 212 and GB/T 26875.3: one JSON object a line, also for what cannot be read."""

import json

from django.core.management import call_command

LINE = "##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&1C80"
BEAT = "4040 0200 0101 0f1e091b0b1a 790300000000 385b00000000 0000 02 8b 2323"


def decoded(capsys, tmp_path, protocol, text, *options):
    file = tmp_path / "messages"
    file.write_text(text)
    call_command("decode", protocol, str(file), *options)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_stations_of_hj_212_are_told_line_by_line(capsys, tmp_path):
    good, bad, empty = decoded(capsys, tmp_path, "hj212", f"{LINE}\r\n{LINE.replace('30', '31')}\n\n")

    assert (good["ok"], good["CN"], good["Flag"], good["CP"]) == (True, "1062", "5", {"RtdInterval": "30"})
    assert bad["error"].startswith("check word 1C80, expected ") and not bad["ok"]
    assert not empty["ok"]


def test_the_check_is_chosen(capsys, tmp_path):
    [other] = decoded(capsys, tmp_path, "hj212", LINE, "--crc", "modbus_le")
    [off] = decoded(capsys, tmp_path, "hj212", LINE.replace("1C80", "0000"), "--crc", "off")

    assert (other["ok"], off["ok"]) == (False, True)


def test_devices_of_gb_26875_are_told_line_by_line(capsys, tmp_path):
    good, bad, none = decoded(capsys, tmp_path, "gb26875", f"{BEAT}\n{BEAT.replace('8b', '8c')}\nxyz\n")

    assert (good["ok"], good["serial"], good["command"], good["objects"]) == (True, 2, 2, [])
    assert bad == {"ok": False, "error": "checksum 8C, expected 8B"}
    assert none["error"].startswith("no hexadecimal digits")
