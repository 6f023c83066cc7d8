"""A list as a sheet for a spreadsheet program: exactly what was shown, with the filter and the time in it."""

import csv
import io
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

BYTE_ORDER_MARK = "\ufeff"  # without it Excel takes Chinese for another alphabet
BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
log = logging.getLogger(__name__)


def sheet(
    request: HttpRequest, title: str, filters: str, header: Sequence[Any], rows: Iterable[Sequence[Any]], at: datetime
) -> HttpResponse:
    """Answer with a CSV of rows under what they are, by which filter, as of when; the log keeps who took it.

    Words that a spreadsheet would take for a formula come with an apostrophe before them (OWASP, CSV injection).
    """
    out = io.StringIO()
    out.write(BYTE_ORDER_MARK)
    writer = csv.writer(out)
    writer.writerow([plain(title)])
    writer.writerow([_("Filter"), plain(filters or _("none"))])
    writer.writerow([_("As of"), f"{localtime(at):%Y-%m-%d %H:%M:%S}"])
    writer.writerow([plain(cell) for cell in header])
    cells = [[plain(cell) for cell in row] for row in rows]
    writer.writerows(cells)
    log.info("list exported", extra={"user": request.user.pk, "path": request.get_full_path(), "rows": len(cells)})
    answer = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    name = quote(f"{title} {localtime(at):%Y%m%d-%H%M%S}.csv")
    answer["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    answer["Cache-Control"] = "private, no-store"
    return answer


def plain(cell: Any) -> str:
    """Return a cell as text that no spreadsheet program computes."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(BEGINS_A_FORMULA) else text
