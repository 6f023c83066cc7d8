"""A list as a file for a spreadsheet program: exactly what was shown, with the filter and the time in it.

The file is written whole, row by row, before its first byte leaves: who took it is recorded by then, a fault gives an
error page and no half of a list, and a slow reader holds no database connection.
"""

import csv
import io
import logging
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from datetime import datetime
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Any

from django.http import FileResponse, HttpRequest
from django.urls import register_converter
from django.utils import timezone
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from xlsxwriter import Workbook

from citysafety.accounts.models import ExportRecord

BYTE_ORDER_MARK = "\ufeff"  # without it Excel takes Chinese for another alphabet
BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
NOT_IN_XML = re.compile(
    "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)  # XML 1.0, 2.2: a reader refuses the file
NOT_IN_A_NAME = re.compile(r"[\[\]:*?/\\]")  # of a worksheet
LONGEST_NAME = 31
COLUMN_WIDTH = 18  # characters
SENT_AT_ONCE = 64 * 1024  # bytes
log = logging.getLogger(__name__)

Cells = Sequence[Any]


class Kind:
    """The part of an address that says what kind of file is asked for."""

    regex = "csv|xlsx"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(Kind, "sheet")


def sheet(
    request: HttpRequest,
    kind: str,
    *,
    title: str,
    filters: str,
    header: Cells,
    rows: Iterable[Cells],
    at: datetime,
    note: str = "",
) -> FileResponse:
    """Answer with a file of rows under what they are, by which filter, as of when and for whom; it is recorded who took it.

    ``note``: what a reader must know of its bounds. Queries: 1, and those of the rows.
    """
    head = [(title,), (_("Filter"), filters or _("none")), (_("As of"), f"{localtime(at):%Y-%m-%d %H:%M:%S}")]
    head += [(_("Exported by"), str(request.user)), *([(_("Note"), note)] if note else [])]
    with ExitStack() as on_fault:
        out = on_fault.enter_context(TemporaryFile())
        count = WRITERS[kind](out, head, header, rows)
        _record(request, kind, title, count)
        on_fault.pop_all()  # the answer closes the file
    out.seek(0)
    name = f"{title} {localtime(at):%Y%m%d-%H%M%S}.{kind}"
    answer = FileResponse(out, as_attachment=True, filename=name, content_type=TYPES[kind])
    answer.block_size = SENT_AT_ONCE
    answer["Cache-Control"] = "private, no-store"
    return answer


def _record(request: HttpRequest, kind: str, title: str, rows: int) -> None:
    query = request.META.get("QUERY_STRING", "")
    ExportRecord.objects.create(
        user=request.user, at=timezone.now(), title=title, path=request.path, query=query, format=kind, rows=rows
    )
    log.info("list exported", extra={"user": request.user.pk, "path": request.get_full_path(), "rows": rows})


def plain(cell: Any) -> str:
    """Return a cell as text that no spreadsheet program computes: an apostrophe before it (OWASP, CSV injection)."""
    text = _text(cell)
    return f"'{text}" if text.startswith(BEGINS_A_FORMULA) else text


def _text(cell: Any) -> str:
    if isinstance(cell, datetime):
        return f"{localtime(cell):%Y-%m-%d %H:%M}"
    return "" if cell is None else str(cell)


def _write_csv(out: IO[bytes], head: Iterable[Cells], header: Cells, rows: Iterable[Cells]) -> int:
    """Write rows as CSV; return how many."""
    count = 0
    text = io.TextIOWrapper(out, encoding="utf-8", newline="")
    text.write(BYTE_ORDER_MARK)
    writer = csv.writer(text)
    writer.writerows([plain(cell) for cell in row] for row in (*head, header))
    for row in rows:
        writer.writerow([plain(cell) for cell in row])
        count += 1
    text.detach()  # written out; the file stays open
    return count


def _write_xlsx(out: IO[bytes], head: Sequence[Cells], header: Cells, rows: Iterable[Cells]) -> int:
    """Write rows as a workbook, holding one at a time; return how many.

    Words are written as strings, which no program computes; moments as moments of the city, so that they can be sorted.
    """
    count = 0
    with TemporaryDirectory() as folder:  # rows wait in files there; nothing is left of them after a fault
        book = Workbook(out, {"constant_memory": True, "tmpdir": folder})
        strong, moment = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        page = book.add_worksheet(NOT_IN_A_NAME.sub(" ", str(head[0][0]))[:LONGEST_NAME])
        page.set_column(0, len(header) - 1, COLUMN_WIDTH)
        page.freeze_panes(len(head) + 1, 0)
        for at, row in enumerate((*head, header)):
            for n, cell in enumerate(row):
                page.write_string(at, n, _xml(cell), strong if at in (0, len(head)) else None)
        for at, row in enumerate(rows, start=len(head) + 1):
            for n, cell in enumerate(row):
                if isinstance(cell, datetime):
                    page.write_datetime(at, n, localtime(cell).replace(tzinfo=None), moment)
                elif cell not in (None, ""):
                    page.write_string(at, n, _xml(cell))
            count += 1
        book.close()
    return count


def _xml(cell: Any) -> str:
    return NOT_IN_XML.sub("\ufffd", _text(cell))


WRITERS: dict[str, Callable[[IO[bytes], Sequence[Cells], Cells, Iterable[Cells]], int]] = {
    "csv": _write_csv,
    "xlsx": _write_xlsx,
}
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
