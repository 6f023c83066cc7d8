"""Files of components → lines: CSV (UTF-8 or GB 18030) and GeoJSON, titles in Chinese or English, slips told with their line."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _

from citysafety.coordinates import BadPosition, to_wgs84

from .words import COLUMN_OF, COLUMNS, MOST_BYTES, MOST_ROWS, REQUIRED, STATES

LENGTHS = {"name_zh": 120, "name_en": 160, "owner": 120, "maintainer": 120, "note": 200}
DIGITS = 7  # of degrees kept: a centimetre
DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d")
HEAD_ROWS = 8  # in which the titles are looked for
SHOWN = 60  # characters of a wrong value


class NotRead(ValueError):
    """The file as a whole cannot be read; the message says what was seen and expected."""


@dataclass(slots=True)
class Line:
    """One component of a file. ``errors``: column, what was seen, key of what was expected, more about it."""

    number: int
    values: dict[str, Any]
    errors: list[tuple[str, str, str, str]] = field(default_factory=list)

    def wrong(self, column: str, seen: Any, key: str, more: object = "") -> None:
        self.errors.append((column, str(seen)[:SHOWN], key, str(more)))


@dataclass(frozen=True, slots=True)
class Known:
    """What codes and names the lines may refer to."""

    counties: frozenset[str]
    classes: dict[str, tuple[str, str]]  # active minor classes: names
    departments: dict[str, int | None]  # codes and names; None: the name of several
    today: date


@dataclass(slots=True)
class Source:
    """A file whose titles were understood: which columns it has, and its lines."""

    columns: list[str]
    lines: Iterator[Line]


def source_of(name: str, data: bytes) -> Source:
    """Open a file by its name's ending. :raises NotRead: another kind of file, other columns, unreadable text."""
    if len(data) > MOST_BYTES:
        words = _("The file has %(seen)s MB; at most %(most)s MB are read at once.")
        raise NotRead(words % {"seen": len(data) // 1024**2, "most": MOST_BYTES // 1024**2})
    ending = name.rpartition(".")[2].lower()
    if ending in ("geojson", "json"):
        return _geojson(data)
    if ending == "csv":
        return _csv(data)
    raise NotRead(_("“%(seen)s” is no file of a kind that is read; expected .csv or .geojson.") % {"seen": name[:80]})


def _text(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise NotRead(_("The text is neither UTF-8 nor GB 18030."))


def _columns(titles: list[str]) -> list[str]:
    """Return the column of each title, empty for one that is not read."""
    columns = [COLUMN_OF.get(title.strip().lower(), "") for title in titles]
    for column in COLUMNS:
        if columns.count(column) > 1:
            words = _("Several columns are called %(label)s; expected one.")
            raise NotRead(words % {"label": COLUMNS[column][0]})
    if missing := [column for column in REQUIRED if column not in columns]:
        raise NotRead(
            _("Columns are missing: %(missing)s. The first row of the file says: %(seen)s.")
            % {
                "missing": "; ".join(" / ".join(COLUMNS[column][1][:2]) for column in missing),
                "seen": ", ".join(title for title in titles if title)[:200] or "–",
            }
        )
    return columns


def _csv(data: bytes) -> Source:
    reader = csv.reader(io.StringIO(_text(data), newline=""))
    try:
        columns = _columns(_titles(reader))
    except csv.Error as error:
        raise NotRead(str(error)) from error

    def lines() -> Iterator[Line]:
        count = 0
        before = reader.line_num
        try:
            for values in reader:
                number, before = before + 1, reader.line_num
                if not any(values):
                    continue
                count = _one_more(count)
                line = Line(
                    number, {column: _clean(text) for column, text in zip(columns, values, strict=False) if column}
                )
                if len(values) != len(columns):
                    line.wrong("code", len(values), "columns", len(columns))
                yield line
        except csv.Error as error:
            raise NotRead(_("Line %(line)s: %(error)s") % {"line": reader.line_num, "error": error}) from error

    return Source([column for column in columns if column], lines())


def _titles(reader: Iterator[list[str]]) -> list[str]:
    """Return the row of titles: the first, or one below what a list that was exported says of itself."""
    first: list[str] = []
    for row in islice(reader, HEAD_ROWS):
        first = first or row
        if sum(title.strip().lower() in COLUMN_OF for title in row) >= len(REQUIRED):
            return row
    return first


def _geojson(data: bytes) -> Source:
    try:
        whole = json.loads(_text(data))
        features = whole["features"]
        titles = list(
            dict.fromkeys(title for one in features for title in one["properties"] or {} if not _is_place(title))
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotRead(_("This is no GeoJSON FeatureCollection.")) from error
    columns = dict(zip([*titles, "lon", "lat"], _columns([*titles, "lon", "lat"]), strict=True))

    def lines() -> Iterator[Line]:
        for number, one in enumerate(features, 1):
            _one_more(number - 1)
            properties = one["properties"] or {}
            values = {columns[title]: _plain(value) for title, value in properties.items() if columns.get(title)}
            line = Line(number, values)
            try:
                kind, (lon, lat, *_height) = one["geometry"]["type"], one["geometry"]["coordinates"]
            except (KeyError, TypeError, ValueError):
                kind, lon, lat = "", None, None
            if kind == "Point":
                values |= {"lon": lon, "lat": lat}
            else:
                line.wrong("location", kind or "–", "point")
            yield line

    return Source([column for column in columns.values() if column], lines())


def _is_place(title: str) -> bool:
    return COLUMN_OF.get(title.strip().lower()) in ("lon", "lat")  # the geometry says it


def _plain(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else _clean(str(value))


def _clean(text: str) -> str:
    """Return a value without what surrounds it; empty for what databases export where there is none."""
    text = text.replace("\x00", "").strip()
    return "" if text == "\\N" else text


def _one_more(count: int) -> int:
    if count >= MOST_ROWS:
        words = _("The file has more than %(most)s components; split it, for example by county.")
        raise NotRead(words % {"most": MOST_ROWS})
    return count + 1


class Checker:
    """Checks lines one by one: each value is turned into what the table holds, or told as wrong."""

    def __init__(self, known: Known, datum: str) -> None:
        self.known, self.datum = known, datum
        self.seen: dict[str, int] = {}  # codes, and in which line they stood first

    def check(self, line: Line) -> None:
        self._code(line)
        self._department(line)
        self._words(line)
        self._day(line)
        if not any(column == "location" for column, *_more in line.errors):
            self._place(line)

    def _code(self, line: Line) -> None:
        values, known = line.values, self.known
        code = values.get("code", "")
        if len(code) != 16 or not (code.isascii() and code.isdigit()):
            return line.wrong("code", code or "–", "digits")
        if first := self.seen.get(code):
            line.wrong("code", code, "once", first)
        self.seen.setdefault(code, line.number)
        if code[:6] not in known.counties:
            line.wrong("code", code[:6], "division")
        kind = code[6:10]
        names = known.classes.get(kind)
        if names is None:
            return line.wrong("code", kind, "class")
        said = values.get("kind", "")
        if said and said not in (kind, *names):
            line.wrong("kind", said, "same_class", f"{kind} {names[0]}")
        values["kind_id"] = kind
        if not values.get("name_zh"):
            values["name_zh"], english = names
            values["name_en"] = values.get("name_en") or english
        return None

    def _department(self, line: Line) -> None:
        said = line.values.get("department", "")
        found = self.known.departments.get(said)
        if found is None:
            line.wrong("department", said or "–", "department")
        line.values["department_id"] = found

    def _words(self, line: Line) -> None:
        for column, most in LENGTHS.items():
            if len(text := line.values.get(column, "")) > most:
                line.wrong(column, text, "short", most)
        said = line.values.get("state", "") or "intact"
        line.values["state"] = STATES.get(said.lower())
        if line.values["state"] is None:
            line.wrong("state", said, "state", ", ".join(STATES))

    def _day(self, line: Line) -> None:
        said = line.values.get("surveyed_on", "")
        line.values["surveyed_on"] = day = _day_of(said)
        if said and (day is None or day > self.known.today):
            line.wrong("surveyed_on", said, "day")

    def _place(self, line: Line) -> None:
        numbers = []
        for column in ("lon", "lat"):
            try:
                numbers.append(float(line.values.get(column, "")))
            except (TypeError, ValueError):
                line.wrong(column, line.values.get(column) or "–", "degrees")
        if len(numbers) < 2:
            return
        try:
            lon, lat = to_wgs84(*numbers, self.datum)
        except BadPosition:
            line.wrong("location", ", ".join(map(str, numbers)), "city")
            return
        line.values["place"] = round(lon, DIGITS), round(lat, DIGITS)


def _day_of(text: str) -> date | None:
    for form in DAYS:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007  a day has no zone
        except ValueError:
            continue
    return None
