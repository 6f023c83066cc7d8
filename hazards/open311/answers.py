"""Understand what servers of GeoReport v2 answer, as they answer in the wild (pure).

XML and JSON lead to the same values: plain rows first, then dataclasses. What is not well formed is mended where it is
plain what was meant: numbers such as ``001``, HTML's named characters and bare ampersands in XML, commas before a
bracket, a call around JSON. A document type or an entity of its own is refused, never expanded. Codes and ids stay text.
A value that is not understood is kept beside as it came, never guessed.
"""

import html
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from html.entities import html5
from math import isfinite
from typing import Any, TypeVar
from xml.etree import ElementTree

MOST_BYTES = 10_000_000
DEEPEST = 12  # elements within elements; the standard needs five
OF_XML = ("amp", "lt", "gt", "quot", "apos")
LISTS = ("services", "service_requests", "errors", "attributes", "values", "endpoints", "formats", "notes")
KIND_OF_ROOT = {
    "services": "service",
    "service_definition": "definition",
    "service_requests": "request",
    "errors": "error",
    "discovery": "discovery",
}


class NotUnderstood(ValueError):
    """The answer is none of GeoReport v2; the message says what was seen."""


@dataclass(frozen=True, slots=True)
class Row:
    """What every row keeps beside: ``unread`` values that were not understood, and what the standard does not know."""

    unread: dict[str, Any] = field(default_factory=dict, kw_only=True)
    more: dict[str, Any] = field(default_factory=dict, kw_only=True)


@dataclass(frozen=True, slots=True)
class Service(Row):
    """A kind of request that may be made."""

    service_code: str = ""
    service_name: str = ""
    description: str = ""
    metadata: bool | None = None
    type: str = ""
    keywords: tuple[str, ...] = ()
    group: str = ""


@dataclass(frozen=True, slots=True)
class Value(Row):
    """One choice of an attribute."""

    key: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Attribute(Row):
    """What a report of a service may or must say besides."""

    code: str = ""
    variable: bool | None = None
    datatype: str = ""
    required: bool | None = None
    datatype_description: str = ""
    order: int | None = None
    description: str = ""
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Definition(Row):
    """The attributes of a service."""

    service_code: str = ""
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True)
class Request(Row):
    """A service request; of a POST or a token only what was answered. A time without an offset stays without one."""

    service_request_id: str = ""
    token: str = ""
    status: str = ""
    status_notes: str = ""
    service_name: str = ""
    service_code: str = ""
    description: str = ""
    agency_responsible: str = ""
    service_notice: str = ""
    account_id: str = ""
    requested_datetime: datetime | None = None
    updated_datetime: datetime | None = None
    expected_datetime: datetime | None = None
    address: str = ""
    address_id: str = ""
    zipcode: str = ""
    lat: float | None = None
    long: float | None = None
    media_url: str = ""


@dataclass(frozen=True, slots=True)
class Fault(Row):
    """One error as a server tells it."""

    code: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint(Row):
    """Where a version of the interface is."""

    specification: str = ""
    url: str = ""
    changeset: str = ""
    type: str = ""
    formats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Discovery(Row):
    """What a provider says of itself."""

    changeset: str = ""
    contact: str = ""
    key_service: str = ""
    endpoints: tuple[Endpoint, ...] = ()


SHAPES: dict[str, type[Row]] = {
    "service": Service,
    "definition": Definition,
    "request": Request,
    "error": Fault,
    "discovery": Discovery,
}


@dataclass(frozen=True, slots=True)
class Understood:
    """An answer: its kind (see SHAPES; "" for an empty list of JSON), its rows, whether a strict parser takes it."""

    kind: str
    rows: tuple[Any, ...]
    well_formed: bool


def understand(answer: bytes | str) -> Understood:
    """Return what an answer says. :raises NotUnderstood: it is none of the standard's, or holds a document type."""
    text = (answer if isinstance(answer, str) else _decoded(answer)).lstrip("\ufeff \t\r\n")
    kind, rows, well_formed = _xml(text) if text.startswith("<") else _json(text)
    if any(not isinstance(row, dict) for row in rows):
        raise NotUnderstood(f"rows that are no objects: {str(rows)[:80]}")
    kind = kind or (_kind_of(rows[0]) if rows else "")
    if rows and not kind:
        raise NotUnderstood(f"a row of no kind that the standard knows: {str(rows[0])[:80]}")
    return Understood(kind, tuple(_made(SHAPES[kind], row) for row in rows), well_formed)


def _decoded(answer: bytes) -> str:
    """Return the text of an answer: UTF-8, as the standard demands, or what its XML declaration names."""
    if len(answer) > MOST_BYTES:
        raise NotUnderstood(f"more than {MOST_BYTES} bytes")
    try:
        return answer.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        named = re.match(rb"\s*<\?xml[^>]*encoding=[\"']([A-Za-z0-9._-]{1,20})[\"']", answer)
        try:
            return answer.decode(named[1].decode("ascii") if named else "utf-8")
        except (LookupError, UnicodeDecodeError):
            raise NotUnderstood(f"not UTF-8: {error.reason} at byte {error.start}") from error


# -- XML ---------------------------------------------------------------------------------------
def _xml(text: str) -> tuple[str, list[Any], bool]:
    if re.search(r"<!\s*(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise NotUnderstood("a document type; expected none")
    try:
        root, well_formed = ElementTree.fromstring(text), True
    except ElementTree.ParseError as error:
        try:
            root, well_formed = ElementTree.fromstring(_mended_xml(text)), False
        except ElementTree.ParseError:
            raise NotUnderstood(f"no XML: {error}") from error
    name = _local(root)
    if name not in KIND_OF_ROOT:
        raise NotUnderstood(f"an element <{name}>; expected one of {', '.join(KIND_OF_ROOT)}")
    plain = _plain(root, 0)
    rows = plain if isinstance(plain, list) else [plain if isinstance(plain, dict) else {}]
    return KIND_OF_ROOT[name], rows, well_formed


def _mended_xml(text: str) -> str:
    """Return XML with HTML's names as the characters they stand for, bare ampersands escaped, stray controls left out."""

    def named(found: re.Match[str]) -> str:
        name = found[1]
        if not name:
            return "&amp;"
        return f"&{name};" if name in OF_XML or name[0] == "#" else html5.get(f"{name};", f"&amp;{name};")

    parts = re.split(r"(<!\[CDATA\[.*?(?:\]\]>|\Z))", text, flags=re.DOTALL)
    parts[::2] = [re.sub(r"&(?:(#\d+|#x[0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);)?", named, part) for part in parts[::2]]
    return re.sub("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", "".join(parts))


def _local(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _plain(element: ElementTree.Element, depth: int) -> Any:
    """Return an element as JSON would have it (the Spark convention): lists by their names, dicts, texts."""
    if depth > DEEPEST:
        raise NotUnderstood(f"elements more than {DEEPEST} deep")
    inner = [(_local(child), _plain(child, depth + 1)) for child in element]
    if _local(element) in LISTS:
        return [value for _name, value in inner]
    if not inner:
        return (element.text or "").strip() or None
    found: dict[str, Any] = {}
    for name, value in inner:
        if name in found:
            found[name] = [*(found[name] if isinstance(found[name], list) else [found[name]]), value]
        else:
            found[name] = value
    return found


# -- JSON --------------------------------------------------------------------------------------
def _json(text: str) -> tuple[str, list[Any], bool]:
    """Read JSON with every number as the text it is: a code is no number, and 006 is not 6."""
    try:
        data, well_formed = _loaded(text), True
    except ValueError as error:
        try:
            data, well_formed = _loaded(_mended_json(text)), False
        except ValueError:
            raise NotUnderstood(f"neither XML nor JSON: {error}") from error
    if isinstance(data, list):
        return "", data, well_formed
    if not isinstance(data, dict):
        raise NotUnderstood(f"JSON that is neither a list nor an object: {str(data)[:80]}")
    for root, kind in KIND_OF_ROOT.items():
        if root in data:
            return kind, _listed(data[root]), well_formed
    return "", [data], well_formed


def _loaded(text: str) -> Any:
    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=str, strict=False)
    except RecursionError as error:
        raise NotUnderstood("JSON that is nested too deeply") from error


def _mended_json(text: str) -> str:
    """Return JSON with numbers such as 001 as texts, without commas before a bracket, without a call around it."""
    text = text.rstrip(" \t\r\n;")
    if text.endswith(")") and (call := re.match(r"[\w.$]+\s*\(", text)):
        text = text[call.end() : -1]
    parts = re.split(r'("(?:[^"\\]|\\.)*+"?)', text, flags=re.DOTALL)  # one that does not end is one to the end
    parts[::2] = [re.sub(r"(?<![\w.+-])(0\d+)(?![\w.])", r'"\1"', part) for part in parts[::2]]
    parts[::2] = [re.sub(r",(\s*[\]}])", r"\1", part) for part in parts[::2]]
    return "".join(parts)


def _listed(value: Any) -> list[Any]:
    """Return the rows under a root that was kept from XML: a list, or an object around one row or several."""
    if isinstance(value, dict) and len(value) == 1 and isinstance(inner := next(iter(value.values())), list | dict):
        return _listed(inner) if isinstance(inner, list) else [inner]
    return value if isinstance(value, list) else [value]


def _kind_of(row: dict[str, Any]) -> str:
    """Return the kind of a row by what it has; JSON names no root."""
    has = row.keys()
    if has & {"service_request_id", "token", "requested_datetime"}:
        return "request"
    if "attributes" in has:
        return "definition"
    if "endpoints" in has:
        return "discovery"
    if has & {"service_code", "service_name"}:
        return "service"
    return "error" if "description" in has and "code" in has else ""


# -- rows --------------------------------------------------------------------------------------
def text_in(value: Any) -> str:
    """Return a value's text, trimmed; characters that were escaped twice are read. :raises ValueError: it has parts."""
    if value is None:
        return ""
    if isinstance(value, list | dict):
        raise ValueError("parts")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return re.sub(r"&(?:#\d+|#x[0-9a-fA-F]+|[A-Za-z]\w*);", lambda found: html.unescape(found[0]), text).strip()


def truth_in(value: Any) -> bool | None:
    words = text_in(value).lower()
    return {"": None, "true": True, "1": True, "false": False, "0": False}[words]


def whole_in(value: Any) -> int | None:
    words = text_in(value)
    return int(words) if words else None


def degrees_in(value: Any) -> float | None:
    words = text_in(value)
    found = float(words) if words else None
    if found is not None and not (isfinite(found) and abs(found) <= 180):
        raise ValueError(words)
    return found


def moment_in(value: Any) -> datetime | None:
    words = text_in(value)
    return datetime.fromisoformat(words) if words else None


def words_in(value: Any) -> tuple[str, ...]:
    """Return the words of a list, or of a text with commas."""
    parts: Sequence[Any] = value if isinstance(value, list) else text_in(value).split(",")
    return tuple(word for part in parts if (word := text_in(part)))


T = TypeVar("T", bound=Row)


def _rows_in(shape: type[T]) -> Callable[[Any], tuple[T, ...]]:
    def read(value: Any) -> tuple[T, ...]:
        rows = [] if value is None else _listed(value)
        if any(not isinstance(row, dict) for row in rows):
            raise ValueError(value)
        return tuple(_made(shape, row) for row in rows)

    return read


READERS: dict[str, Callable[[Any], Any]] = {
    "metadata": truth_in,
    "variable": truth_in,
    "required": truth_in,
    "order": whole_in,
    "keywords": words_in,
    "formats": words_in,
    "lat": degrees_in,
    "long": degrees_in,
    "requested_datetime": moment_in,
    "updated_datetime": moment_in,
    "expected_datetime": moment_in,
    "values": _rows_in(Value),
    "attributes": _rows_in(Attribute),
    "endpoints": _rows_in(Endpoint),
}


def _made(shape: type[T], row: dict[str, Any]) -> T:
    """Return a row as its dataclass."""
    names = {one.name for one in fields(shape)} - {"unread", "more"}
    read: dict[str, Any] = {}
    unread: dict[str, Any] = {}
    for name in names & row.keys():
        try:
            read[name] = READERS.get(name, text_in)(row[name])
        except (ValueError, KeyError, OverflowError):
            unread[name] = row[name]
    return shape(**read, unread=unread, more={name: row[name] for name in row if name not in names})
