"""CSV tables: UTF-8 with or without a mark, a row at a time, each slip told with its line."""

import csv
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from .report import Problems

NAME_LENGTHS = {"name_zh": 120, "name_en": 160}


class Row:
    """One line of a table. A value that cannot be read is told to the problems and given as its default."""

    def __init__(self, file: str, line: int, values: dict[str, str], problems: Problems) -> None:
        self.file, self.line, self.values, self.problems = file, line, values, problems

    def wrong(self, message: str) -> None:
        self.problems.add(self.file, self.line, message)

    def text(self, column: str, *, required: bool = False, most: int = 0) -> str:
        value = (self.values.get(column) or "").strip()
        most = most or NAME_LENGTHS.get(column, 0)
        if required and not value:
            self.wrong(_("column %(column)s is empty") % {"column": column})
        if most and len(value) > most:
            self.wrong(_("%(column)s is longer than %(most)s characters") % {"column": column, "most": most})
            return value[:most]
        return value

    def number(self, column: str, *, default: Any = 0, low: float | None = None, whole: bool = True) -> Any:
        value = self.text(column)
        if not value:
            return default
        try:
            found = int(value) if whole else float(value)
        except ValueError:
            self.wrong(_("%(column)s: “%(value)s” is not a number") % {"column": column, "value": value})
            return default
        if found != found or (low is not None and found < low):
            self.wrong(_("%(column)s: %(value)s is less than %(low)s") % {"column": column, "value": value, "low": low})
            return default
        return found

    def day(self, column: str, default: date | None = None) -> date | None:
        value = self.text(column)
        if not value:
            return default
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.wrong(_("%(column)s: “%(value)s” is not a day (YYYY-MM-DD)") % {"column": column, "value": value})
            return default

    def choice(self, column: str, allowed: Iterable[str], default: str = "") -> str:
        value = self.text(column) or default
        allowed = list(allowed)
        if value not in allowed:
            self.wrong(
                _("%(column)s: “%(value)s” is none of %(allowed)s")
                % {"column": column, "value": value, "allowed": ", ".join(allowed)}
            )
        return value

    def flag(self, column: str, default: bool = False) -> bool:
        value = self.text(column).lower()
        return value in ("1", "true", "yes", "是") if value else default

    def list(self, column: str) -> list[str]:
        return [part.strip() for part in self.text(column).split(";") if part.strip()]


class Table:
    """A table of the folder; absent tables are empty. ``unique`` names the column that may not repeat."""

    def __init__(self, folder: Path, name: str, problems: Problems, *, columns: str, unique: str) -> None:
        self.file = name
        self.rows: list[Row] = []
        self.is_present = (folder / name).exists()
        if not self.is_present:
            return
        lines = self._lines(folder / name, problems)
        head = next(lines, (1, []))[1]
        head = [title.strip() for title in head]
        missing = [column for column in columns.split() if column not in head]
        if missing:
            problems.add(name, 1, _("missing column: %(columns)s") % {"columns": ", ".join(missing)})
            return
        seen: dict[str, int] = {}
        for line, values in lines:
            if not any(values):
                continue
            row = Row(name, line, dict(zip(head, values, strict=False)), problems)
            key = row.text(unique, required=True)
            if first := seen.get(key):
                row.wrong(
                    _("duplicate %(column)s %(value)s, first in line %(line)s")
                    % {"column": unique, "value": key, "line": first}
                )
                continue
            seen[key] = line
            self.rows.append(row)

    def _lines(self, path: Path, problems: Problems) -> Iterator[tuple[int, list[str]]]:
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.reader(file)
                for values in reader:
                    yield reader.line_num, values
        except UnicodeDecodeError:
            problems.add(self.file, 1, _("the file is not UTF-8"))
        except csv.Error as error:
            problems.add(self.file, reader.line_num, str(error))

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)
