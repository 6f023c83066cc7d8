"""CAP: warnings read, refused, written and ended. The first is made after the examples in the standard's appendix."""

import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from monitoring.intake import cap
from monitoring.intake.wire import Malformed

STORM = """<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>DY-2026-0042</identifier>
  <sender>weather@dongying.example</sender>
  <sent>2026-11-23T14:03:00+08:00</sent>
  <status>Actual</status>
  <msgType>Update</msgType>
  <source>东营市气象台</source>
  <scope>Public</scope>
  <code>profile:1</code>
  <references>weather@dongying.example,DY-2026-0040,2026-11-23T12:00:00+08:00
    weather@dongying.example,DY-2026-0041,2026-11-23T05:00:00-00:00</references>
  <info>
    <language>zh-CN</language>
    <category>Met</category>
    <category>Safety</category>
    <event>大风</event>
    <responseType>Shelter</responseType>
    <urgency>Expected</urgency>
    <severity>Severe</severity>
    <certainty>Likely</certainty>
    <eventCode><valueName>12379</valueName><value>11B05</value></eventCode>
    <effective>2026-11-23T14:00:00+08:00</effective>
    <onset>2026-11-23T18:00:00+08:00</onset>
    <expires>2026-11-24T06:00:00+08:00</expires>
    <senderName>东营市气象台</senderName>
    <headline>大风橙色预警</headline>
    <description>沿海 10 级 &amp; 阵风 11 级</description>
    <instruction>停止高空作业</instruction>
    <web>https://dongying.example/42</web>
    <contact>12379</contact>
    <parameter><valueName>colour</valueName><value>orange</value></parameter>
    <resource><resourceDesc>图</resourceDesc><mimeType>image/png</mimeType><size>1024</size><uri>map.png</uri></resource>
    <area>
      <areaDesc>东营港</areaDesc>
      <polygon>37.0,118.0 37.0,119.0 38.0,119.0 37.0,118.0</polygon>
      <circle>37.5,118.5 12.5</circle>
      <geocode><valueName>GB2260</valueName><value>370502</value></geocode>
      <altitude>0</altitude><ceiling>3000.5</ceiling>
    </area>
  </info>
</alert>
"""
CHINA = timezone(timedelta(hours=8))


def refused(text: str) -> str:
    with pytest.raises(Malformed) as refusal:
        cap.decode(text.encode())
    return str(refusal.value)


def test_every_element_is_read():
    alert = cap.decode(STORM.encode())
    [info] = alert.infos
    [area] = info.areas

    assert alert.key == ("weather@dongying.example", "DY-2026-0042", datetime(2026, 11, 23, 14, 3, tzinfo=CHINA))
    assert (alert.status, alert.msg_type, alert.scope, alert.source) == ("Actual", "Update", "Public", "东营市气象台")
    assert [key.identifier for key in alert.references] == ["DY-2026-0040", "DY-2026-0041"]
    assert alert.references[1].sent == datetime(2026, 11, 23, 5, tzinfo=UTC)
    assert (info.language, info.categories, info.event, info.responses) == (
        "zh-CN",
        ("Met", "Safety"),
        "大风",
        ("Shelter",),
    )
    assert (info.urgency, info.severity, info.certainty) == ("Expected", "Severe", "Likely")
    assert (info.event_codes, info.parameters) == ((("12379", "11B05"),), (("colour", "orange"),))
    assert (info.onset, info.expires) == (
        datetime(2026, 11, 23, 18, tzinfo=CHINA),
        datetime(2026, 11, 24, 6, tzinfo=CHINA),
    )
    assert info.description == "沿海 10 级 & 阵风 11 级"
    assert info.resources == (cap.Resource(description="图", mime_type="image/png", size=1024, uri="map.png"),)
    assert area.polygons == (((118.0, 37.0), (119.0, 37.0), (119.0, 38.0), (118.0, 37.0)),)
    assert area.circles == (((118.5, 37.5), 12.5),)
    assert (area.geocodes, area.altitude, area.ceiling) == ((("GB2260", "370502"),), 0.0, 3000.5)


@pytest.mark.parametrize(
    "document",
    [
        STORM.replace("cap:1.2", "cap:1.1").encode(),
        STORM.replace("<", "<c:").replace("<c:/", "</c:").replace("<c:?", "<?").replace("xmlns=", "xmlns:c=").encode(),
        b"\xef\xbb\xbf" + STORM.encode(),
        STORM.replace("UTF-8", "GBK").encode("gbk"),
        STORM.replace("UTF-8", "gb2312").encode("gb18030"),
        STORM.replace("UTF-8", "UTF-16").encode("utf-16"),
    ],
    ids=["1.1", "prefix", "byte order mark", "GBK", "GB 2312", "UTF-16"],
)
def test_namespaces_prefixes_and_encodings_are_read_alike(document):
    assert cap.decode(document) == cap.decode(STORM.encode())


def test_latin_1_is_read():
    document = (
        STORM.replace("UTF-8", "ISO-8859-1")
        .encode("ascii", "xmlcharrefreplace")
        .replace(b"12379</contact>", b"M\xfcller</contact>")
    )

    assert cap.decode(document).infos[0].contact == "Müller"


def test_what_may_be_left_out_is_left_out():
    bare = "".join(line for line in STORM.splitlines(True) if line.strip().startswith(("<?xml", "<alert", "</alert")))
    for tag, text in (("identifier", "1"), ("sender", "a"), ("sent", "2026-11-23T14:03:00-00:00")):
        bare = bare.replace("</alert>", f"<{tag}>{text}</{tag}></alert>")
    bare = bare.replace(
        "</alert>", "<status>Test</status><msgType>Ack</msgType><scope>Private</scope><references/></alert>"
    )

    alert = cap.decode(bare.encode())

    assert (alert.infos, alert.references, cap.tell(alert)["sent"]) == ((), (), "2026-11-23T14:03:00-00:00")


@pytest.mark.parametrize("tag", ["identifier", "sender", "sent", "status", "msgType", "scope"])
def test_an_element_that_an_alert_lacks_is_named(tag):
    assert refused(STORM.replace(f"<{tag}>", "<x>").replace(f"</{tag}>", "</x>")) == f"alert: no <{tag}>"


@pytest.mark.parametrize("tag", ["category", "event", "urgency", "severity", "certainty"])
def test_an_element_that_an_info_lacks_is_named(tag):
    assert refused(STORM.replace(f"<{tag}>", "<x>").replace(f"</{tag}>", "</x>")) == f"info 1: no <{tag}>"


@pytest.mark.parametrize(
    ("seen", "instead", "words"),
    [
        ("<areaDesc>东营港</areaDesc>", "", "info 1 area 1: no <areaDesc>"),
        ("<resourceDesc>图</resourceDesc>", "", "info 1 resource 1: no <resourceDesc>"),
        ("<scope>Public", "<scope>All</scope><scope>Public", "alert: 2 <scope>, expected one"),
        (">Actual<", ">actual<", "alert: <status> 'actual', expected Actual, Exercise, System, Test, Draft"),
        (">Severe<", ">High<", "info 1: <severity> 'High', expected Extreme, Severe, Moderate, Minor, Unknown"),
        ("14:03:00+08:00", "14:03:00Z", "alert: <sent> '2026-11-23T14:03:00Z', expected a time such as"),
        ("14:03:00+08:00", "14:03:00", "alert: <sent> '2026-11-23T14:03:00', expected a time such as"),
        ("2026-11-23T18:00", "2026-13-23T18:00", "info 1: <onset> '2026-13-23T18:00:00+08:00', expected a time"),
        (" 37.0,118.0</polygon>", "</polygon>", "<polygon> of 3 points, not closed, expected at least 4"),
        ("37.0,119.0 38.0,119.0 ", "", "<polygon> of 2 points, closed, expected at least 4"),
        ("38.0,119.0", "38.0;119.0", "<polygon> longitude '', expected a number"),
        ("38.0,119.0", "119.0,38.0", "<polygon> '119.0,38.0', expected latitude within 90"),
        ("37.5,118.5 12.5", "37.5,118.5", "info 1 area 1: radius of <circle> '', expected a number"),
        ("37.5,118.5 12.5", "37.5,118.5 -1", "<circle> of radius -1.0 km, expected 0 or more"),
        ("<size>1024", "<size>big", "info 1 resource 1: <size> 'big', expected a number"),
        (",DY-2026-0041,", ",", "alert: <references>"),
        ("cap:1.2", "cap:9", "<alert> in namespace 'urn:oasis:names:tc:emergency:cap:9', expected <alert> in"),
        ("</alert>", "", "no XML"),
        ("UTF-8", "no-such-code", "no XML"),
    ],
)
def test_a_refusal_names_the_element(seen, instead, words):
    assert seen in STORM
    assert words in refused(STORM.replace(seen, instead))


LAUGHS = '<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
OUTSIDE = '<!DOCTYPE alert [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
ELSEWHERE = '<!DOCTYPE alert SYSTEM "http://example.org/alert.dtd">'


@pytest.mark.parametrize("dtd", [LAUGHS, OUTSIDE, ELSEWHERE])
def test_a_document_with_dtd_or_entities_is_refused_and_nothing_is_fetched(dtd):
    text = STORM.replace("<alert ", dtd + "<alert ").replace(
        "大风橙色预警", "&x;" if "ENTITY x" in dtd else "&c;" * (dtd is LAUGHS)
    )

    assert refused(text).startswith("a DTD, an entity or an outside reference, none of which is read")


def test_a_document_that_is_too_large_or_too_deep_is_no_trouble():
    assert "expected at most" in refused(STORM + " " * cap.LARGEST)
    assert "<a> in namespace ''" in refused("<a>" * 100_000 + "</a>" * 100_000)


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_malformed(data):
    with pytest.raises(Malformed):
        cap.decode(data)


@given(st.data())
def test_no_mutation_raises_anything_but_malformed(data):
    document = bytearray(STORM.encode())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(document) - 1))
        document[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    with contextlib.suppress(Malformed):
        cap.tell(cap.decode(bytes(document)))


@given(
    st.from_regex(r"[A-Za-z][A-Za-z0-9._-]{0,15}", fullmatch=True)
    | st.sampled_from(["utf-7", "idna", "hex", "zlib", "rot13", "big5"])
)
def test_no_declared_encoding_raises_anything_but_malformed(name):
    with contextlib.suppress(Malformed):
        cap.decode(STORM.replace("UTF-8", name).encode())


# --- writing


def test_what_is_written_is_read_the_same():
    alert = cap.decode(STORM.encode())

    document = cap.encode(alert)

    assert cap.decode(document) == alert
    assert b"<polygon>37,118 37,119 38,119 37,118</polygon>" in document
    assert b"DY-2026-0041,2026-11-23T05:00:00-00:00</references>" in document


WORDS = (
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), min_size=1).map(str.strip).filter(bool)
)
NAMES = st.from_regex(r"[A-Za-z0-9@.:-]{1,20}", fullmatch=True)
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.sampled_from([UTC, CHINA])).map(  # noqa: DTZ001
    lambda time: time.replace(microsecond=0)
)
PLACES = st.tuples(st.integers(-1800000, 1800000), st.integers(-900000, 900000)).map(
    lambda p: (p[0] / 10000, p[1] / 10000)
)
RINGS = st.lists(PLACES, min_size=3, max_size=6).map(lambda ring: (*ring, ring[0]))
AREAS = st.builds(
    cap.Area,
    description=WORDS,
    polygons=st.lists(RINGS, max_size=2).map(tuple),
    circles=st.lists(st.builds(cap.Circle, PLACES, st.integers(0, 1000).map(float)), max_size=2).map(tuple),
    geocodes=st.lists(st.builds(cap.Value, WORDS, WORDS), max_size=2).map(tuple),
)
INFOS = st.builds(
    cap.Info,
    categories=st.lists(st.sampled_from(cap.CATEGORY), min_size=1, max_size=3).map(tuple),
    event=WORDS,
    urgency=st.sampled_from(cap.URGENCY),
    severity=st.sampled_from(cap.SEVERITY),
    certainty=st.sampled_from(cap.CERTAINTY),
    description=st.none() | WORDS,
    expires=st.none() | TIMES,
    areas=st.lists(AREAS, max_size=2).map(tuple),
)
ALERTS = st.builds(
    cap.Alert,
    identifier=NAMES,
    sender=NAMES,
    sent=TIMES,
    status=st.sampled_from(cap.STATUS),
    msg_type=st.sampled_from(cap.MSG_TYPE),
    scope=st.sampled_from(cap.SCOPE),
    references=st.lists(st.builds(cap.Key, NAMES, NAMES, TIMES), max_size=3).map(tuple),
    infos=st.lists(INFOS, max_size=2).map(tuple),
    sent_as_written=st.just(""),
)


@given(ALERTS)
def test_any_warning_comes_back(alert):
    assert cap.decode(cap.encode(alert)) == alert


def test_what_would_not_come_back_is_not_written():
    alert = cap.decode(STORM.encode())

    for bad in (
        replace(alert, sender=""),
        replace(alert, status="Real"),
        replace(alert, note=" blank"),
        replace(alert, note="\x01"),
    ):
        with pytest.raises(Malformed):
            cap.encode(bad)


# --- in force

NOON = datetime(2026, 11, 23, 12, tzinfo=CHINA)
WIND = cap.Info(categories=("Met",), event="大风", urgency="Expected", severity="Severe", certainty="Likely")


def message(identifier: str, minutes: int, msg_type: str = "Alert", *references: cap.Alert, **said) -> cap.Alert:
    said = {"status": "Actual", "scope": "Public", "infos": (WIND,), **said}
    keys = tuple(other.key for other in references)
    sent = NOON + timedelta(minutes=minutes)
    return cap.Alert(identifier=identifier, sender="a", sent=sent, msg_type=msg_type, references=keys, **said)


def standing(*messages: cap.Alert, minutes: int = 60) -> list[str]:
    return [alert.identifier for alert in cap.in_force(messages, NOON + timedelta(minutes=minutes))]


def test_an_update_takes_the_place_of_what_it_names_and_a_cancel_ends_it():
    first = message("1", 0)
    update = message("2", 10, "Update", first)
    cancel = message("3", 20, "Cancel", update)

    assert standing(first) == ["1"]
    assert standing(first, update) == standing(update, first) == ["2"]
    assert standing(first, update, cancel) == []
    assert standing(first, update, cancel, minutes=15) == ["2"]
    assert standing(first, update, cancel, minutes=5) == ["1"]
    assert standing(first, update, cancel, minutes=-1) == []


def test_only_actual_messages_count():
    first = message("1", 0)

    assert standing(first, message("2", 10, "Cancel", first, status="Test")) == ["1"]
    assert standing(message("1", 0, status="Exercise"), message("2", 0, "Ack"), message("3", 0, "Error")) == []


def test_a_cancel_that_names_another_time_names_another_message():
    first = message("1", 0)

    assert standing(first, message("2", 10, "Cancel", message("1", 1))) == ["1"]


def test_information_holds_from_effective_until_before_it_expires():
    infos = (
        replace(WIND, expires=NOON + timedelta(hours=1)),
        replace(WIND, effective=NOON + timedelta(minutes=30), event="寒潮"),
    )
    alert = message("1", 0, infos=infos)

    def events(minutes: int) -> list[str]:
        return [
            info.event for found in cap.in_force([alert], NOON + timedelta(minutes=minutes)) for info in found.infos
        ]

    assert [events(minutes) for minutes in (0, 30, 60)] == [["大风"], ["大风", "寒潮"], ["寒潮"]]
    assert standing(message("1", 0, infos=())) == []


def test_a_message_heard_twice_stands_once():
    assert standing(message("1", 0), message("1", 0)) == ["1"]


# --- the command


@pytest.mark.parametrize(
    ("text", "told"), [(STORM, '{"ok": true, "identifier": "DY-2026-0042"'), ("<a/>", '{"ok": false, "error":')]
)
def test_the_command_tells_the_warning(text, told, tmp_path: Path, capsys):
    (tmp_path / "cap.xml").write_text(text, "utf-8")

    call_command("decode", "cap", str(tmp_path / "cap.xml"))

    assert capsys.readouterr().out.startswith(told)
