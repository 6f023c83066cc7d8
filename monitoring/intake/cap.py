"""CAP 1.1 and 1.2 (OASIS Common Alerting Protocol): warnings to the public, read from XML and written as 1.2.

CAP says latitude first; here places are (lon, lat). A message is known by sender, identifier and time sent; updates
and cancellations name the messages that they end (`in_force`). A document with a DTD, entities or outside references
is refused. Times carry a numeric offset, as 1.2 demands; no `Z`, of which the standard says that it must not be used,
while a fraction of a second, which the schema of 1.1 allowed, is read.
"""

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from .wire import Malformed

LARGEST = 2 * 1024 * 1024  # bytes; the largest public messages, of a whole state's counties, have half a megabyte
NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
NAMESPACES = (NAMESPACE, "urn:oasis:names:tc:emergency:cap:1.1")

STATUS = ("Actual", "Exercise", "System", "Test", "Draft")
MSG_TYPE = ("Alert", "Update", "Cancel", "Ack", "Error")
SCOPE = ("Public", "Restricted", "Private")
CATEGORY = (
    *("Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other"),
)
RESPONSE = ("Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None")
URGENCY = ("Immediate", "Expected", "Future", "Past", "Unknown")
SEVERITY = ("Extreme", "Severe", "Moderate", "Minor", "Unknown")
CERTAINTY = ("Observed", "Likely", "Possible", "Unlikely", "Unknown")
DEFAULT_LANGUAGE = "en-US"

Place = tuple[float, float]  # lon, lat in WGS-84
Ring = tuple[Place, ...]  # closed


class Key(NamedTuple):
    """What a message is known by."""

    sender: str
    identifier: str
    sent: datetime


class Value(NamedTuple):
    """A name and what it stands for: an event code, a parameter, a geocode."""

    name: str
    value: str


class Circle(NamedTuple):
    centre: Place
    radius_km: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    description: str
    polygons: tuple[Ring, ...] = ()
    circles: tuple[Circle, ...] = ()
    geocodes: tuple[Value, ...] = ()
    altitude: float | None = None  # feet above mean sea level, as the standard has it
    ceiling: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    description: str
    mime_type: str | None = None  # 1.1 allowed none
    size: int | None = None  # bytes
    uri: str | None = None
    content: str | None = None  # base64
    digest: str | None = None  # SHA-1


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """What is warned of, in one language."""

    categories: tuple[str, ...]
    event: str
    urgency: str
    severity: str
    certainty: str
    language: str = DEFAULT_LANGUAGE
    responses: tuple[str, ...] = ()
    audience: str | None = None
    event_codes: tuple[Value, ...] = ()
    effective: datetime | None = None
    onset: datetime | None = None
    expires: datetime | None = None
    sender_name: str | None = None
    headline: str | None = None
    description: str | None = None
    instruction: str | None = None
    web: str | None = None
    contact: str | None = None
    parameters: tuple[Value, ...] = ()
    resources: tuple[Resource, ...] = ()
    areas: tuple[Area, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    identifier: str
    sender: str
    sent: datetime
    status: str
    msg_type: str
    scope: str
    source: str | None = None
    restriction: str | None = None
    addresses: str | None = None
    codes: tuple[str, ...] = ()
    note: str | None = None
    references: tuple[Key, ...] = ()
    incidents: str | None = None
    infos: tuple[Info, ...] = ()
    sent_as_written: str = field(default="", compare=False)

    @property
    def key(self) -> Key:
        return Key(self.sender, self.identifier, self.sent)


# --- reading ---------------------------------------------------------------------------------------------------------


def decode(data: bytes) -> Alert:
    """Return the warning that a document holds. :raises Malformed: it holds none."""
    if len(data) > LARGEST:
        raise Malformed(f"{len(data)} bytes, expected at most {LARGEST}")
    root = _parse(data)
    namespace, _, name = root.tag.removeprefix("{").rpartition("}")
    if name != "alert" or namespace not in NAMESPACES:
        raise Malformed(f"<{name}> in namespace {namespace!r}, expected <alert> in {' or '.join(NAMESPACES)}")
    return _alert(_Reader(root, namespace, "alert"))


def _parse(data: bytes) -> Element:
    try:
        document: Element = fromstring(_readable(data), forbid_dtd=True)
    except DefusedXmlException as error:
        raise Malformed(f"a DTD, an entity or an outside reference, none of which is read: {error}") from error
    except (ParseError, LookupError, ValueError) as error:
        raise Malformed(f"no XML: {error}") from error
    return document


_DECLARED = re.compile(rb"\s*<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z][A-Za-z0-9._-]*)[\"']")
_CHINESE = {"gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "big5": "big5"}


def _readable(data: bytes) -> bytes | str:
    """Return the document in a form that expat reads: it knows no encoding of several bytes but Unicode's."""
    declared = _DECLARED.match(data[:200])
    encoding = _CHINESE.get(_codec(declared[1].decode("ascii"))) if declared else None
    return data.decode(encoding) if encoding else data


def _codec(name: str) -> str:
    return codecs.lookup(name).name


class _Reader:
    """An element with the words that refusals need: `info 2 area 1: no <areaDesc>`."""

    def __init__(self, element: Element, namespace: str, name: str) -> None:
        self._element, self._namespace, self.name = element, namespace, name

    def _all(self, tag: str) -> list[Element]:
        return self._element.findall(f"{{{self._namespace}}}{tag}")

    def many(self, tag: str) -> list[str]:
        """Return the texts of these elements; an empty one says nothing."""
        return [text for element in self._all(tag) if (text := (element.text or "").strip())]

    def one(self, tag: str) -> str | None:
        texts = self.many(tag)
        if len(texts) > 1:
            raise Malformed(f"{self.name}: {len(texts)} <{tag}>, expected one")
        return texts[0] if texts else None

    def need(self, tag: str) -> str:
        text = self.one(tag)
        if text is None:
            raise Malformed(f"{self.name}: no <{tag}>")
        return text

    def word(self, tag: str, allowed: tuple[str, ...]) -> str:
        return self._word(tag, self.need(tag), allowed)

    def words(self, tag: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self._word(tag, text, allowed) for text in self.many(tag))

    def _word(self, tag: str, text: str, allowed: tuple[str, ...]) -> str:
        if text not in allowed:
            raise Malformed(f"{self.name}: <{tag}> {text[:40]!r}, expected {', '.join(allowed)}")
        return text

    def time(self, tag: str) -> datetime | None:
        text = self.one(tag)
        return None if text is None else read_time(text, f"{self.name}: <{tag}>")

    def number(self, tag: str) -> float | None:
        text = self.one(tag)
        return None if text is None else _number(text, f"{self.name}: <{tag}>")

    def values(self, tag: str) -> tuple[Value, ...]:
        """Return the pairs of name and value; CAP 1.0's other forms of them are not read."""
        return tuple(
            Value(pair.one("valueName") or "", pair.one("value") or "")
            for pair in self.children(tag)
            if pair.one("valueName") or pair.one("value")
        )

    def children(self, tag: str) -> list["_Reader"]:
        found = enumerate(self._all(tag), start=1)
        prefix = "" if self.name == "alert" else f"{self.name} "
        return [_Reader(element, self._namespace, f"{prefix}{tag} {n}") for n, element in found]


_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d", re.ASCII)


def read_time(text: str, where: str) -> datetime:
    """Return a time that carries its offset from UTC (`-00:00` is UTC). :raises Malformed: it is none."""
    try:
        if _TIME.fullmatch(text):
            return datetime.fromisoformat(re.sub(r"\.\d+", "", text))
    except ValueError:
        pass
    raise Malformed(f"{where} {text[:40]!r}, expected a time such as 2026-11-23T14:03:00+08:00")


def _number(text: str, where: str) -> float:
    if not re.fullmatch(r"[+-]?(\d{1,20}(\.\d{0,30})?|\.\d{1,30})", text, re.ASCII):
        raise Malformed(f"{where} {text[:40]!r}, expected a number")
    return float(text)


def _alert(alert: _Reader) -> Alert:
    identifier, sender, sent = alert.need("identifier"), alert.need("sender"), alert.need("sent")
    return Alert(
        identifier=identifier,
        sender=sender,
        sent=read_time(sent, "alert: <sent>"),
        status=alert.word("status", STATUS),
        msg_type=alert.word("msgType", MSG_TYPE),
        scope=alert.word("scope", SCOPE),
        source=alert.one("source"),
        restriction=alert.one("restriction"),
        addresses=alert.one("addresses"),
        codes=tuple(alert.many("code")),
        note=alert.one("note"),
        references=tuple(_references(alert.one("references") or "")),
        incidents=alert.one("incidents"),
        infos=tuple(_info(info) for info in alert.children("info")),
        sent_as_written=sent,
    )


_REFERENCE = re.compile(r"\s*([^,]+?),([^,]+?),(\S+)(?=\s|$)")


def _references(text: str) -> Iterator[Key]:
    """Yield the messages that are named, each as sender,identifier,sent; blanks stand between them."""
    at = 0
    while at < len(text):
        found = _REFERENCE.match(text, at)
        if not found:
            raise Malformed(f"alert: <references> {text[at : at + 60]!r}, expected sender,identifier,sent")
        yield Key(found[1], found[2], read_time(found[3], "alert: <references>"))
        at = found.end()


def _info(info: _Reader) -> Info:
    categories = info.words("category", CATEGORY)
    if not categories:
        raise Malformed(f"{info.name}: no <category>")
    return Info(
        language=info.one("language") or DEFAULT_LANGUAGE,
        categories=categories,
        event=info.need("event"),
        responses=info.words("responseType", RESPONSE),
        urgency=info.word("urgency", URGENCY),
        severity=info.word("severity", SEVERITY),
        certainty=_certainty(info),
        audience=info.one("audience"),
        event_codes=info.values("eventCode"),
        effective=info.time("effective"),
        onset=info.time("onset"),
        expires=info.time("expires"),
        sender_name=info.one("senderName"),
        headline=info.one("headline"),
        description=info.one("description"),
        instruction=info.one("instruction"),
        web=info.one("web"),
        contact=info.one("contact"),
        parameters=info.values("parameter"),
        resources=tuple(_resource(resource) for resource in info.children("resource")),
        areas=tuple(_area(area) for area in info.children("area")),
    )


def _certainty(info: _Reader) -> str:
    word = info.word("certainty", (*CERTAINTY, "Very Likely"))
    return "Likely" if word == "Very Likely" else word  # CAP 1.1 and 1.2 on the word of 1.0


def _resource(resource: _Reader) -> Resource:
    size = resource.number("size")
    return Resource(
        description=resource.need("resourceDesc"),
        mime_type=resource.one("mimeType"),
        size=None if size is None else int(size),
        uri=resource.one("uri"),
        content=resource.one("derefUri"),
        digest=resource.one("digest"),
    )


def _area(area: _Reader) -> Area:
    return Area(
        description=area.need("areaDesc"),
        polygons=tuple(_ring(text, area.name) for text in area.many("polygon")),
        circles=tuple(_circle(text, area.name) for text in area.many("circle")),
        geocodes=area.values("geocode"),
        altitude=area.number("altitude"),
        ceiling=area.number("ceiling"),
    )


def _ring(text: str, where: str) -> Ring:
    ring = tuple(_place(pair, f"{where}: <polygon>") for pair in text.split())
    if len(ring) < 4 or ring[0] != ring[-1]:
        closed = "closed" if ring[0] == ring[-1] else "not closed"
        raise Malformed(
            f"{where}: <polygon> of {len(ring)} points, {closed}, expected at least 4, the last as the first"
        )
    return ring


def _circle(text: str, where: str) -> Circle:
    pair, _, radius = " ".join(text.split()).partition(" ")
    radius_km = _number(radius, f"{where}: radius of <circle>")
    if radius_km < 0:
        raise Malformed(f"{where}: <circle> of radius {radius_km} km, expected 0 or more")
    return Circle(_place(pair, f"{where}: <circle>"), radius_km)


def _place(pair: str, where: str) -> Place:
    """Return (lon, lat) of CAP's `lat,lon`."""
    lat, _, lon = pair.partition(",")
    place = _number(lon, f"{where} longitude"), _number(lat, f"{where} latitude")
    if not (-180 <= place[0] <= 180 and -90 <= place[1] <= 90):
        raise Malformed(f"{where} {pair[:40]!r}, expected latitude within 90 and longitude within 180 degrees")
    return place


# --- telling ---------------------------------------------------------------------------------------------------------


def tell(alert: Alert) -> dict[str, Any]:
    """Return the warning as plain values under the names of CAP; places as [lon, lat]."""
    return {
        "identifier": alert.identifier,
        "sender": alert.sender,
        "sent": alert.sent_as_written or write_time(alert.sent),
        "status": alert.status,
        "msgType": alert.msg_type,
        "scope": alert.scope,
        "source": alert.source,
        "restriction": alert.restriction,
        "addresses": alert.addresses,
        "code": list(alert.codes),
        "note": alert.note,
        "references": [[key.sender, key.identifier, write_time(key.sent)] for key in alert.references],
        "incidents": alert.incidents,
        "info": [_tell_info(info) for info in alert.infos],
    }


def _tell_info(info: Info) -> dict[str, Any]:
    return {
        "language": info.language,
        "category": list(info.categories),
        "event": info.event,
        "responseType": list(info.responses),
        "urgency": info.urgency,
        "severity": info.severity,
        "certainty": info.certainty,
        "audience": info.audience,
        "eventCode": [value._asdict() for value in info.event_codes],
        "effective": info.effective and write_time(info.effective),
        "onset": info.onset and write_time(info.onset),
        "expires": info.expires and write_time(info.expires),
        "senderName": info.sender_name,
        "headline": info.headline,
        "description": info.description,
        "instruction": info.instruction,
        "web": info.web,
        "contact": info.contact,
        "parameter": [value._asdict() for value in info.parameters],
        "resource": [_tell_resource(resource) for resource in info.resources],
        "area": [_tell_area(area) for area in info.areas],
    }


def _tell_resource(resource: Resource) -> dict[str, Any]:
    return {
        "resourceDesc": resource.description,
        "mimeType": resource.mime_type,
        "size": resource.size,
        "uri": resource.uri,
        "digest": resource.digest,
    }


def _tell_area(area: Area) -> dict[str, Any]:
    return {
        "areaDesc": area.description,
        "polygon": [[list(place) for place in ring] for ring in area.polygons],
        "circle": [{"centre": list(circle.centre), "radius_km": circle.radius_km} for circle in area.circles],
        "geocode": [value._asdict() for value in area.geocodes],
        "altitude": area.altitude,
        "ceiling": area.ceiling,
    }


# --- what is in force ------------------------------------------------------------------------------------------------


def in_force(messages: Iterable[Alert], at: datetime) -> list[Alert]:
    """Return the warnings that hold at a time, oldest first, each with the information that holds then.

    Only messages of status Actual count, and only those that were sent by then. An Update or a Cancel ends the messages
    that it names, for good: an Update that is itself replaced gives them no second life. Information holds from
    `effective` (else from the sending) until before `expires`; without one, until a later message ends it.
    """
    sent = {message.key: message for message in messages if message.status == "Actual" and message.sent <= at}
    ended = {key for message in sent.values() if message.msg_type in ("Update", "Cancel") for key in message.references}
    standing = [
        replace(message, infos=tuple(info for info in message.infos if _holds(info, message.sent, at)))
        for key, message in sent.items()
        if message.msg_type in ("Alert", "Update") and key not in ended
    ]
    return sorted((message for message in standing if message.infos), key=lambda message: message.sent)


def _holds(info: Info, sent: datetime, at: datetime) -> bool:
    return (info.effective or sent) <= at and (info.expires is None or at < info.expires)


# --- writing ---------------------------------------------------------------------------------------------------------


def write_time(time: datetime) -> str:
    """Return the time as CAP 1.2 wants it: whole seconds, a numeric offset, `-00:00` for UTC."""
    text = time.replace(microsecond=0).isoformat()
    return text[:-6] + "-00:00" if text.endswith("+00:00") else text


def encode(alert: Alert) -> bytes:
    """Return the warning as a CAP 1.2 document, in the order of its schema.

    :raises Malformed: our own reader would not read the same from it, such as an alert without sender.
    """
    root = Element("alert", xmlns=NAMESPACE)
    _put(root, "identifier", alert.identifier)
    _put(root, "sender", alert.sender)
    _put(root, "sent", write_time(alert.sent))
    _put(root, "status", alert.status)
    _put(root, "msgType", alert.msg_type)
    _put(root, "source", alert.source)
    _put(root, "scope", alert.scope)
    _put(root, "restriction", alert.restriction)
    _put(root, "addresses", alert.addresses)
    _put(root, "code", *alert.codes)
    _put(root, "note", alert.note)
    named = (f"{key.sender},{key.identifier},{write_time(key.sent)}" for key in alert.references)
    _put(root, "references", " ".join(named) or None)
    _put(root, "incidents", alert.incidents)
    for info in alert.infos:
        _put_info(SubElement(root, "info"), info)
    data: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    if decode(data) != alert:
        raise Malformed("a warning that would not be read as it is: blanks around a text, or parts of a second")
    return data


def _put(parent: Element, tag: str, *texts: str | None) -> None:
    for text in texts:
        if text is not None:
            SubElement(parent, tag).text = text


def _put_info(element: Element, info: Info) -> None:
    _put(element, "language", info.language)
    _put(element, "category", *info.categories)
    _put(element, "event", info.event)
    _put(element, "responseType", *info.responses)
    _put(element, "urgency", info.urgency)
    _put(element, "severity", info.severity)
    _put(element, "certainty", info.certainty)
    _put(element, "audience", info.audience)
    _put_values(element, "eventCode", info.event_codes)
    for tag, time in (("effective", info.effective), ("onset", info.onset), ("expires", info.expires)):
        _put(element, tag, None if time is None else write_time(time))
    _put(element, "senderName", info.sender_name)
    _put(element, "headline", info.headline)
    _put(element, "description", info.description)
    _put(element, "instruction", info.instruction)
    _put(element, "web", info.web)
    _put(element, "contact", info.contact)
    _put_values(element, "parameter", info.parameters)
    for resource in info.resources:
        _put_resource(SubElement(element, "resource"), resource)
    for area in info.areas:
        _put_area(SubElement(element, "area"), area)


def _put_values(parent: Element, tag: str, values: tuple[Value, ...]) -> None:
    for value in values:
        pair = SubElement(parent, tag)
        _put(pair, "valueName", value.name)
        _put(pair, "value", value.value)


def _put_resource(element: Element, resource: Resource) -> None:
    _put(element, "resourceDesc", resource.description)
    _put(element, "mimeType", resource.mime_type)
    _put(element, "size", None if resource.size is None else str(resource.size))
    _put(element, "uri", resource.uri)
    _put(element, "derefUri", resource.content)
    _put(element, "digest", resource.digest)


def _put_area(element: Element, area: Area) -> None:
    _put(element, "areaDesc", area.description)
    _put(element, "polygon", *(" ".join(map(_lat_lon, ring)) for ring in area.polygons))
    _put(element, "circle", *(f"{_lat_lon(c.centre)} {_decimal(c.radius_km)}" for c in area.circles))
    _put_values(element, "geocode", area.geocodes)
    _put(element, "altitude", None if area.altitude is None else _decimal(area.altitude))
    _put(element, "ceiling", None if area.ceiling is None else _decimal(area.ceiling))


def _lat_lon(place: Place) -> str:
    return f"{_decimal(place[1])},{_decimal(place[0])}"


def _decimal(number: float) -> str:
    """Return the number without an exponent."""
    return f"{number:.7f}".rstrip("0").rstrip(".")
