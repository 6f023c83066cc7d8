"""OGC SensorThings API 1.1 (18-088): observations as they are posted, and the query options of its addresses.

`read_observation` and `read_data_array` take bodies of `POST …/Observations` and `POST …/CreateObservations`;
`read_options` makes of `$filter`, `$orderby`, `$expand` … a small tree that a store can follow. Of OData's language
this is what observations need: comparisons, `and`, `or`, `not`, parentheses, `st_within` and `geo.distance`.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple, NoReturn

from .wire import Malformed

MOST_ROWS = 100_000  # of one body
LONGEST_QUERY = 2000  # characters of one option
DEEPEST = 20  # parentheses and `not` in one another
DEEPEST_EXPAND = 4
MOST_TOP = 10**9

Result = float | int | str | bool


class Interval(NamedTuple):
    """A time with a beginning and an end."""

    start: datetime
    end: datetime


Time = datetime | Interval


# --- observations ----------------------------------------------------------------------------------------------------


class Observation(NamedTuple):
    """One observation; None where the body leaves it to the server."""

    datastream: int | str | None
    result: Result
    phenomenon_time: Time | None = None  # what it was observed of
    result_time: datetime | None = None  # when the result was made
    valid_time: Interval | None = None
    quality: str | None = None  # `resultQuality`, else `quality` among the parameters; units belong to the datastream


def read_observation(body: bytes, datastream: int | str | None = None) -> Observation:
    """Return the observation that a body holds.

    :param datastream: the one that the address names, as in `Datastreams(7)/Observations`.
    :raises Malformed: it holds none, or one of another datastream.
    """
    said = _json(body)
    if not isinstance(said, dict):
        raise Malformed(f"{_kind(said)}, expected an object with a result")
    if "Datastream" in said:
        named = _datastream(said["Datastream"])
        if datastream is not None and named != datastream:
            raise Malformed(f"Datastream {named!r} under the address of {datastream!r}")
        datastream = named
    return _observation(datastream, said)


def read_data_array(body: bytes) -> list[Observation | Malformed]:
    """Return the rows of a `CreateObservations` body in their order, a refusal in the place of each bad one.

    :raises Malformed: the body as a whole is none.
    """
    groups = _json(body)
    if not isinstance(groups, list):
        raise Malformed(f"{_kind(groups)}, expected an array of datastreams with components and dataArray")
    rows: list[Observation | Malformed] = []
    for number, group in enumerate(groups, start=1):
        rows += _group(group, f"group {number}", MOST_ROWS - len(rows))
    return rows


_COMPONENTS = ("phenomenonTime", "result", "resultTime", "validTime", "parameters", "resultQuality")


def _group(group: Any, where: str, room: int) -> list[Observation | Malformed]:
    if not isinstance(group, dict):
        raise Malformed(f"{where}: {_kind(group)}, expected an object")
    datastream = _datastream(group.get("Datastream"), where)
    components, array = group.get("components"), group.get("dataArray")
    if not isinstance(components, list) or not all(isinstance(name, str) for name in components):
        raise Malformed(f"{where}: components {_kind(components)}, expected an array of names")
    if "result" not in components or len(set(components)) != len(components):
        raise Malformed(f"{where}: components {components!r:.80}, expected each once and result among them")
    if unknown := [name for name in components if name not in _COMPONENTS and name != "FeatureOfInterest/id"]:
        raise Malformed(
            f"{where}: component {unknown[0]!r:.40}, expected {', '.join(_COMPONENTS)}, FeatureOfInterest/id"
        )
    if not isinstance(array, list):
        raise Malformed(f"{where}: dataArray {_kind(array)}, expected an array of rows")
    if group.get("dataArray@iot.count", len(array)) != len(array):
        raise Malformed(f"{where}: dataArray@iot.count {group['dataArray@iot.count']!r:.20}, counted {len(array)}")
    if len(array) > room:
        raise Malformed(f"more than {MOST_ROWS} rows in one body")
    return [_row(datastream, components, row) for row in array]


def _row(datastream: int | str, components: list[str], row: Any) -> Observation | Malformed:
    if not isinstance(row, list) or len(row) != len(components):
        seen = f"{len(row)} values" if isinstance(row, list) else _kind(row)
        return Malformed(f"row: {seen}, expected {len(components)} values")
    try:
        return _observation(datastream, dict(zip(components, row, strict=True)))
    except Malformed as error:
        return error


def _observation(datastream: int | str | None, said: dict[str, Any]) -> Observation:
    if "result" not in said:
        raise Malformed("no result")
    get = said.get
    return Observation(
        datastream,
        _result(said["result"]),
        None if get("phenomenonTime") is None else read_time(get("phenomenonTime"), "phenomenonTime"),
        None if get("resultTime") is None else _instant(get("resultTime"), "resultTime"),
        None if get("validTime") is None else _interval(get("validTime"), "validTime"),
        _quality(said),
    )


def _result(value: Any) -> Result:
    if isinstance(value, (bool, str, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise Malformed(f"result: {_kind(value)}, expected a number, a text, true or false")


def _quality(said: dict[str, Any]) -> str | None:
    parameters = said.get("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        raise Malformed(f"parameters: {_kind(parameters)}, expected an object")
    quality = said.get("resultQuality")
    if quality is None and parameters:
        quality = parameters.get("quality")
    if quality is not None and not isinstance(quality, str):
        raise Malformed(f"quality: {_kind(quality)}, expected a text")
    return quality


def _datastream(entity: Any, where: str = "Datastream") -> int | str:
    identity = entity.get("@iot.id") if isinstance(entity, dict) else None
    if isinstance(identity, bool) or not isinstance(identity, (int, str)):
        raise Malformed(f'{where}: no Datastream, expected {{"@iot.id": a number or a text}}')
    return identity


_OFFSET = r"(?:Z|[+-]\d\d(?::?\d\d)?)"
_INSTANT = re.compile(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{{1,9}})?)?{_OFFSET}", re.ASCII)


def read_time(text: Any, where: str) -> Time:
    """Return an instant or, with a slash, an interval of ISO 8601 with offsets from UTC. :raises Malformed: it is none."""
    return _interval(text, where) if isinstance(text, str) and "/" in text else _instant(text, where)


def _instant(text: Any, where: str) -> datetime:
    try:
        if isinstance(text, str) and _INSTANT.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise Malformed(f"{where}: {text!r:.60}, expected a time with its offset such as 2026-11-23T14:03:00+08:00")


def _interval(text: Any, where: str) -> Interval:
    if not isinstance(text, str) or text.count("/") != 1:
        raise Malformed(f"{where}: {text!r:.60}, expected two times with a slash between them")
    start, end = (_instant(part, where) for part in text.split("/"))
    if end < start:
        raise Malformed(f"{where}: {text!r:.60} ends before it begins")
    return Interval(start, end)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"no JSON: {error}") from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "an array", str: "a text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), f"the number {value!r:.20}")


# --- the tree --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Path:
    """A property, such as `result` or `Datastream/id`."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return "/".join(self.names)


@dataclass(frozen=True, slots=True)
class Geography:
    """A point or the rings of a polygon, as (lon, lat) in WGS-84."""

    kind: Literal["POINT", "POLYGON"]
    rings: tuple[tuple[tuple[float, float], ...], ...]  # of a point: one of one


Operator = Literal["eq", "ne", "gt", "ge", "lt", "le"]
Constant = Result | Time | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """`property operator value`; what was written the other way round is turned."""

    left: "Path | Distance"
    operator: Operator
    value: Constant


@dataclass(frozen=True, slots=True)
class Distance:
    """`geo.distance(place, geography'POINT(…)')`."""

    place: Path
    point: Geography


@dataclass(frozen=True, slots=True)
class Within:
    """`st_within(place, geography'POLYGON((…))')`."""

    place: Path
    polygon: Geography


@dataclass(frozen=True, slots=True)
class Not:
    term: "Expression"


@dataclass(frozen=True, slots=True)
class And:
    terms: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    terms: "tuple[Expression, ...]"


Expression = Comparison | Within | Not | And | Or


@dataclass(frozen=True, slots=True)
class Order:
    by: Path
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    """The query options of one address, or of one expanded entity."""

    filter: Expression | None = None
    orderby: tuple[Order, ...] = ()
    top: int | None = None
    skip: int = 0
    count: bool = False
    select: tuple[str, ...] = ()
    expand: "tuple[Expand, ...]" = ()
    data_array: bool = False  # $resultFormat=dataArray


@dataclass(frozen=True, slots=True)
class Expand:
    """An entity, or entities, that are to come along, such as `Thing/Locations`."""

    path: Path
    options: Options = field(default_factory=Options)


class BadQuery(Malformed):
    """A query option that is not understood, with the place in it where understanding ends."""

    def __init__(self, option: str, position: int, seen: str, expected: str) -> None:
        super().__init__(f"{option}, character {position + 1}: {seen}, expected {expected}")
        self.option, self.position = option, position


# --- reading options -------------------------------------------------------------------------------------------------

_TIMES, _IDS, _TEXTS, _ANY, _PLACES = (
    "a time",
    "a number or a text",
    "a text",
    "a number, a text, true or false",
    "a place",
)
PROPERTIES = {  # by the last name of a path: what it may be compared with
    "phenomenonTime": _TIMES,
    "resultTime": _TIMES,
    "validTime": _TIMES,
    "result": _ANY,
    "id": _IDS,
    "@iot.id": _IDS,
    "name": _TEXTS,
    "description": _TEXTS,
    "location": _PLACES,
    "feature": _PLACES,
}
ENTITIES = frozenset(
    [
        "Thing",
        "Things",
        "Datastream",
        "Datastreams",
        "Location",
        "Locations",
        "Observations",
        "Sensor",
        "ObservedProperty",
        "FeatureOfInterest",
    ]
)
_ORDERED = (_TIMES, _IDS, _TEXTS, _ANY)
_TURNED: dict[str, Operator] = {"eq": "eq", "ne": "ne", "gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}

_TOKEN = re.compile(
    rf"""\s*(?:
      (?P<geography>geography'[^']*')
    | (?P<text>'(?:[^']|'')*')
    | (?P<time>\d{{4}}-\d\d-\d\dT[\d:.]+{_OFFSET}(?:/\d{{4}}-\d\d-\d\dT[\d:.]+{_OFFSET})?)
    | (?P<number>[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d{{1,3}})?)
    | (?P<name>[@$A-Za-z_][\w@.]*(?:/[@A-Za-z_][\w@.]*)*)
    | (?P<mark>[(),;=])
    )""",
    re.VERBOSE | re.ASCII,
)


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def read_options(query: Mapping[str, str]) -> Options:
    """Return the options that a query string holds, its names and values decoded. Names without `$` are passed over.

    :raises BadQuery: one of them is unknown or not understood.
    """
    said: dict[str, Any] = {}
    for name, text in query.items():
        if name.startswith("$"):
            parser = _Parser(name, text)
            said |= parser.option(name, 0)
            parser.end()
    return Options(**said)


def read_filter(text: str) -> Expression:
    """Return what a `$filter` asks. :raises BadQuery: it is not understood."""
    parser = _Parser("$filter", text)
    expression = parser.either()
    parser.end()
    return expression


class _Parser:
    """Reads one option by recursive descent, one token ahead."""

    def __init__(self, option: str, text: str) -> None:
        self._option, self._text, self._next, self._depth = option[:40], text, 0, 0
        if len(text) > LONGEST_QUERY:
            self._refuse(LONGEST_QUERY, f"{len(text)} characters", f"at most {LONGEST_QUERY}")
        self._tokens = self._cut(text)

    def _cut(self, text: str) -> list[_Token]:
        tokens, at = [], 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if not found or not found.lastgroup:
                start = at + len(text[at:]) - len(text[at:].lstrip())
                self._refuse(
                    start, f"{text[start : start + 20]!r}", "a property, a value, an operator or a parenthesis"
                )
            tokens.append(_Token(found.lastgroup, found[found.lastgroup], found.start(found.lastgroup)))
            at = found.end()
        tokens.append(_Token("end", "", len(text)))
        return tokens

    def _refuse(self, at: int, seen: str, expected: str) -> NoReturn:
        raise BadQuery(self._option, at, seen, expected)

    def _unexpected(self, expected: str, token: _Token | None = None) -> NoReturn:
        token = token or self._peek()
        self._refuse(token.at, "the end" if token.kind == "end" else f"{token.text[:40]!r}", expected)

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _taken(self, text: str) -> bool:
        """Take the next token if it is this word or mark."""
        token = self._peek()
        if token.kind in ("name", "mark") and token.text == text:
            self._take()
            return True
        return False

    def _need(self, mark: str) -> None:
        if not self._taken(mark):
            self._unexpected(repr(mark))

    def end(self) -> None:
        if self._peek().kind != "end":
            self._unexpected("the end" if self._option != "$filter" else "and, or, or the end")

    # --- options

    def option(self, name: str, depth: int) -> dict[str, Any]:
        match name:
            case "$filter":
                return {"filter": self.either()}
            case "$orderby":
                return {"orderby": self._many(self._order)}
            case "$top":
                return {"top": self._whole()}
            case "$skip":
                return {"skip": self._whole()}
            case "$count":
                return {"count": self._flag()}
            case "$select":
                return {"select": self._many(self._selected)}
            case "$expand":
                return {"expand": self._many(lambda: self._expand(depth + 1))}
            case "$resultFormat":
                return {"data_array": self._data_array()}
        self._refuse(
            0, f"the option {name[:40]!r}", "$filter, $orderby, $top, $skip, $count, $select, $expand, $resultFormat"
        )

    def _many(self, read: Any) -> tuple[Any, ...]:
        found = [read()]
        while self._taken(","):
            found.append(read())
        return tuple(found)

    def _order(self) -> Order:
        path = self._property(_ORDERED)
        descending = self._taken("desc")
        if not descending:
            self._taken("asc")
        return Order(path, descending)

    def _whole(self) -> int:
        token = self._take()
        if token.kind != "number" or not token.text.isdigit() or len(token.text) > 10 or int(token.text) > MOST_TOP:
            self._unexpected(f"a whole number from 0 to {MOST_TOP}", token)
        return int(token.text)

    def _flag(self) -> bool:
        token = self._take()
        if token.text not in ("true", "false"):
            self._unexpected("true or false", token)
        return token.text == "true"

    def _data_array(self) -> bool:
        token = self._take()
        if token.text != "dataArray":
            self._unexpected("dataArray", token)
        return True

    def _selected(self) -> str:
        token = self._take()
        if token.kind != "name" or "/" in token.text or token.text.startswith("$"):
            self._unexpected("the name of a property", token)
        return token.text

    def _expand(self, depth: int) -> Expand:
        token = self._take()
        names = tuple(token.text.split("/"))
        if token.kind != "name" or any(name not in ENTITIES for name in names):
            self._unexpected(f"one of {', '.join(sorted(ENTITIES))}", token)
        if depth > DEEPEST_EXPAND or len(names) > DEEPEST_EXPAND:
            self._unexpected(f"at most {DEEPEST_EXPAND} entities in one another", token)
        if not self._taken("("):
            return Expand(Path(names))
        said: dict[str, Any] = {}
        while True:
            name = self._take()
            if name.kind != "name" or not name.text.startswith("$"):
                self._unexpected("an option such as $select", name)
            self._need("=")
            said |= self.option(name.text, depth)
            if not self._taken(";"):
                break
        self._need(")")
        return Expand(Path(names), Options(**said))

    # --- $filter: or, and, not, comparison, from the loosest to the tightest

    def either(self) -> Expression:
        terms = [self._both()]
        while self._taken("or"):
            terms.append(self._both())
        return terms[0] if len(terms) == 1 else Or(tuple(terms))

    def _both(self) -> Expression:
        terms = [self._term()]
        while self._taken("and"):
            terms.append(self._term())
        return terms[0] if len(terms) == 1 else And(tuple(terms))

    def _term(self) -> Expression:
        self._depth += 1
        if self._depth > DEEPEST:
            self._unexpected(f"at most {DEEPEST} levels")
        term = self._deeper()
        self._depth -= 1
        return term

    def _deeper(self) -> Expression:
        if self._taken("not"):
            return Not(self._term())
        if self._taken("("):
            inside = self.either()
            self._need(")")
            return inside
        if self._taken("st_within"):
            place, polygon = self._place_and("POLYGON")
            return Within(place, polygon)
        return self._comparison()

    def _comparison(self) -> Comparison:
        turned = self._peek().kind in ("text", "time", "number") or self._peek().text in ("true", "false", "null")
        value = self._value() if turned else None
        left_at = self._peek()
        if not turned:
            left = self._left()
        operator = self._take()
        if operator.text not in _TURNED:
            self._unexpected(f"one of {', '.join(_TURNED)}", operator)
        value_at = self._peek()
        if turned:
            value_at, left = left_at, self._left()
        else:
            value = self._value()
        self._compare(left, operator, value, value_at)
        said: Any = _TURNED[operator.text] if turned else operator.text
        return Comparison(left, said, value)

    def _left(self) -> Path | Distance:
        if self._taken("geo.distance"):
            return Distance(*self._place_and("POINT"))
        return self._property(_ORDERED)

    def _compare(self, left: Path | Distance, operator: _Token, value: Constant, at: _Token) -> None:
        """Refuse values that such a property never has."""
        if value is None:
            if operator.text not in ("eq", "ne") or isinstance(left, Distance):
                self._unexpected("eq or ne before null", operator)
            return
        wanted = "a number" if isinstance(left, Distance) else PROPERTIES[left.names[-1]]
        fits = {
            "a number": isinstance(value, (int, float)) and not isinstance(value, bool),
            _TIMES: isinstance(value, (datetime, Interval)),
            _IDS: isinstance(value, (int, str)) and not isinstance(value, bool),
            _TEXTS: isinstance(value, str),
            _ANY: isinstance(value, (int, float, str)),
        }
        if not fits[wanted]:
            self._refuse(at.at, f"a value of another kind, {value!r:.40}", wanted)

    def _value(self) -> Constant:
        token = self._take()
        match token.kind:
            case "text":
                return token.text[1:-1].replace("''", "'")
            case "number":
                return self._number(token)
            case "time":
                try:
                    return read_time(token.text, "")
                except Malformed:
                    self._unexpected("a time such as 2026-11-23T14:03:00Z", token)
            case "name" if token.text in ("true", "false", "null"):
                return {"true": True, "false": False, "null": None}[token.text]
        self._unexpected("a number, a 'text', a time, true, false or null", token)

    def _number(self, token: _Token) -> float | int:
        if token.text.lstrip("+-").isdigit() and len(token.text) <= 20:
            return int(token.text)
        number = float(token.text)
        if not math.isfinite(number):
            self._unexpected("a finite number", token)
        return number

    def _property(self, kinds: tuple[str, ...]) -> Path:
        token = self._take()
        *entities, last = token.text.split("/")
        known = token.kind == "name" and PROPERTIES.get(last) in kinds and all(name in ENTITIES for name in entities)
        if not known or len(entities) > DEEPEST_EXPAND:
            names = [name for name, kind in PROPERTIES.items() if kind in kinds]
            self._unexpected(f"{', '.join(names)}, or one of them after an entity such as Datastream/", token)
        return Path(tuple([*entities, last]))

    def _place_and(self, kind: Literal["POINT", "POLYGON"]) -> tuple[Path, Geography]:
        self._need("(")
        place = self._property((_PLACES,))
        self._need(",")
        token = self._take()
        geography = _geography(token.text) if token.kind == "geography" else None
        if geography is None or geography.kind != kind:
            example = "POINT(118.5 37.4)" if kind == "POINT" else "POLYGON((118 37, 119 37, 119 38, 118 37))"
            self._unexpected(f"geography'{example}'", token)
        self._need(")")
        return place, geography


_NUMBER = r"[+-]?\d{1,3}(?:\.\d{1,15})?"
_PAIR = rf"\s*{_NUMBER}\s+{_NUMBER}\s*"
_RING = rf"\s*\({_PAIR}(?:,{_PAIR})*\)\s*"
_POINT = re.compile(rf"geography'\s*POINT\s*\(({_PAIR})\)\s*'", re.ASCII | re.IGNORECASE)
_POLYGON = re.compile(rf"geography'\s*POLYGON\s*\(({_RING}(?:,{_RING})*)\)\s*'", re.ASCII | re.IGNORECASE)


def _geography(text: str) -> Geography | None:
    """Return the place that a literal of well-known text names; None if it names none on Earth."""
    if found := _POINT.fullmatch(text):
        point = _pairs(found[1])
        return Geography("POINT", (point,)) if _on_earth(point) else None
    if found := _POLYGON.fullmatch(text):
        rings = tuple(_pairs(ring) for ring in re.findall(r"\(([^)]*)\)", found[1]))
        closed = all(len(ring) >= 4 and ring[0] == ring[-1] and _on_earth(ring) for ring in rings)
        return Geography("POLYGON", rings) if closed else None
    return None


def _pairs(text: str) -> tuple[tuple[float, float], ...]:
    numbers = (pair.split() for pair in text.split(","))
    return tuple((float(lon), float(lat)) for lon, lat in numbers)


def _on_earth(places: tuple[tuple[float, float], ...]) -> bool:
    return all(-180 <= lon <= 180 and -90 <= lat <= 90 for lon, lat in places)
