"""Reads what lists are exported as: the rows of a CSV and of a workbook, as a spreadsheet program would."""

import csv
import io
import re
import zipfile
from datetime import datetime, timedelta
from typing import Any
from xml.etree import ElementTree

SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
FIRST_DAY = datetime(1899, 12, 30)  # noqa: DTZ001  day 0 of a workbook, in no zone


def body_of(answer: Any) -> bytes:
    """Return the bytes of a streamed file."""
    return b"".join(answer.streaming_content)


def csv_rows(answer: Any) -> list[list[str]]:
    """Return the rows of a CSV, which begins with a byte order mark: Excel reads Chinese only so."""
    data = body_of(answer)
    assert answer["Content-Type"].startswith("text/csv")
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def xlsx_rows(answer: Any) -> list[list[str]]:
    """Return the rows of a workbook of one sheet: words as they are, moments to the minute; nothing in it is computed."""
    assert answer["Content-Type"].endswith("spreadsheetml.sheet")
    with zipfile.ZipFile(io.BytesIO(body_of(answer))) as parts:
        assert parts.testzip() is None
        sheet = ElementTree.fromstring(parts.read("xl/worksheets/sheet1.xml"))
    assert sheet.findall(f".//{SPACE}f") == []
    return [_cells(row) for row in sheet.iter(f"{SPACE}row")]


def _cells(row: ElementTree.Element) -> list[str]:
    found: list[str] = []
    for cell in row.iter(f"{SPACE}c"):
        letter = re.match("[A-Z]", cell.attrib["r"])[0]
        found += [""] * (ord(letter) - ord("A") - len(found))
        if cell.attrib.get("t") == "inlineStr":
            words = "".join(part.text or "" for part in cell.iter(f"{SPACE}t"))
            found.append(
                re.sub("_x([0-9A-F]{4})_", lambda spelled: chr(int(spelled[1], 16)), words)
            )  # ECMA-376, ST_Xstring
        else:
            moment = FIRST_DAY + timedelta(days=float(cell.find(f"{SPACE}v").text))
            found.append(f"{moment + timedelta(seconds=1):%Y-%m-%d %H:%M}")  # days of a workbook are rounded
    return found
