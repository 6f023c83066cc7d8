"""MQTT messages to readings by a table of topics and paths."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.intake.mqtt import Reading, Rule, WrongRule, follow, pattern, read, steps, subscription
from monitoring.intake.wire import Malformed

AT = datetime(2026, 11, 27, 1, 30, 0, tzinfo=UTC)
GAS = Rule("city/{device}/up", value="data.ch4", datastream="methane", time="ts", time_format="ms")


def said(**message) -> bytes:
    return json.dumps(message).encode()


def test_a_message_tells_device_datastream_value_and_time():
    assert read([GAS], "city/gas-17/up", said(ts=AT.timestamp() * 1000, data={"ch4": 4.5})) == [
        Reading("gas-17", "methane", 4.5, AT)
    ]


def test_a_list_of_readings_is_read_member_by_member():
    rule = Rule("water/#", value="v", device="$.dev", datastream="level", each="list", time="t", scale=0.1)
    message = said(dev="w1", list=[{"v": 10, "t": "2026-11-27T09:30:00"}, {"v": "20", "t": "2026-11-27T01:30:00Z"}])

    assert read([rule], "water/a/b", message) == [Reading("w1", "level", 1.0, AT), Reading("w1", "level", 2.0, AT)]


def test_several_rules_read_one_message():
    rules = [Rule("m/+", value=name, device="id", datastream=name) for name in ("t", "h")]

    assert read(rules, "m/x", said(id=5, t=20.5, h=True)) == [
        Reading("5", "t", 20.5, None),
        Reading("5", "h", 1.0, None),
    ]


def test_a_topic_that_no_rule_is_about_says_nothing_whatever_its_message():
    assert read([GAS], "city/gas-17/down", b"\xff") == []


# MQTT 5.0, clause 4.7.1: the examples of the standard.
@pytest.mark.parametrize(
    ("filter_", "topic", "holds"),
    [
        ("sport/tennis/player1/#", "sport/tennis/player1", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", True),
        ("sport/#", "sport", True),
        ("#", "anything/at/all", True),
        ("sport/tennis/+", "sport/tennis/player1", True),
        ("sport/tennis/+", "sport/tennis/player1/ranking", False),
        ("sport/+", "sport", False),
        ("sport/+", "sport/", True),
        ("+/+", "/finance", True),
        ("/+", "/finance", True),
        ("+", "/finance", False),
        ("a.c", "abc", False),
        ("{device}/x", "/x", False),
    ],
)
def test_topics_are_matched_as_a_broker_does(filter_, topic, holds):
    assert bool(pattern(filter_).fullmatch(topic)) is holds


def test_a_place_is_one_level_for_the_broker():
    assert subscription(GAS) == "city/+/up"


@pytest.mark.parametrize("topic", ["", "a#", "#/a", "a/#/b", "a/b+", "{device}/{device}", "x{device}", "{other}/a"])
def test_a_topic_that_no_broker_understands_is_refused(topic):
    with pytest.raises(WrongRule, match="topic"):
        Rule(topic, value="v", device="d", datastream="s")


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("", []),
        ("$", []),
        ("a", ["a"]),
        ("$.a.b", ["a", "b"]),
        ("a[0].b[-1]", ["a", 0, "b", -1]),
        ('a["x.y z"].b', ["a", "x.y z", "b"]),
        ("$[2]", [2]),
        ("气体.浓度", ["气体", "浓度"]),
    ],
)
def test_paths_are_read_step_by_step(path, found):
    assert steps(path) == tuple(found)


@pytest.mark.parametrize("path", ["a..b", "a[", "a[x]", "a.", "a]b", '["a', "a[0]b"])
def test_a_path_that_is_none_is_refused(path):
    with pytest.raises(WrongRule, match="not understood at"):
        steps(path)


@pytest.mark.parametrize(
    ("path", "missing"),
    [("a.c", "'c'"), ("a.b[2]", "2"), ("a.b[-3]", "-3"), ("a[0]", "0"), ("a.b.c", "'c'"), ("x", "'x'")],
)
def test_what_is_not_there_is_told_with_its_path(path, missing):
    with pytest.raises(Malformed) as refusal:
        follow({"a": {"b": [1, 2]}}, path)
    assert str(refusal.value) == f"nothing at {path!r}: no {missing}"


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b'{"ts": 1, "data": {"ch4": NaN}}', "NaN is no number"),
        (b"[" * 100_000, "no JSON"),
        (b" " * 300_000, "message of 300000 bytes"),
        (said(ts=1), "nothing at 'data.ch4': no 'data'"),
        (said(ts=1, data={"ch4": "abc"}), "at 'data.ch4' stands \"abc\", expected a number"),
        (said(ts=1, data={"ch4": None}), "at 'data.ch4' stands null, expected a number"),
        (b'{"ts": 1, "data": {"ch4": 1e999}}', "expected a number"),
        (b'{"ts": 1, "data": {"ch4": ' + b"9" * 400 + b"}}", "expected a number"),
        (said(data={"ch4": 1}), "nothing at 'ts': no 'ts'"),
        (said(ts="x", data={"ch4": 1}), "at 'ts' stands \"x\", expected a time (ms)"),
        (said(ts=1e300, data={"ch4": 1}), "expected a time (ms)"),
    ],
)
def test_a_message_that_is_not_as_the_rule_says_is_refused(payload, words):
    with pytest.raises(Malformed) as refusal:
        read([GAS], "city/gas-17/up", payload)
    assert words in str(refusal.value)


@pytest.mark.parametrize("device", ['""', '" "', "true", "null", "{}", "1.5"])
def test_what_is_no_name_is_refused(device):
    with pytest.raises(Malformed, match="expected a name"):
        read([Rule("t", value="v", device="d", datastream="s")], "t", b'{"v": 1, "d": ' + device.encode() + b"}")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"value": ""}, "no path to the value"),
        ({"device": ""}, "tells the device"),
        ({"datastream": ""}, "tells the datastream"),
        ({"time_format": "unix"}, "time format 'unix'"),
        ({"scale": 0.0}, "scale 0.0"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused(wrong, words):
    with pytest.raises(WrongRule, match=words):
        Rule(**{"topic": "t", "value": "v", "device": "d", "datastream": "s", **wrong})


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["v", "d", "t", "l"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(
    anything | st.fixed_dictionaries({"v": anything, "d": anything, "t": anything, "l": anything}),
    st.sampled_from(["iso", "s", "ms"]),
)
def test_whatever_a_message_says_nothing_but_malformed_is_raised(message, time_format):
    rules = [
        Rule("t", value="v", device="d", datastream="s", time="t", time_format=time_format),
        Rule("t", value="v", device="$.d", datastream="$.l", each="l"),
    ]
    for rule in rules:
        try:
            read([rule], "t", json.dumps(message).encode())
        except Malformed:
            continue
