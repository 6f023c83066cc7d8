"""The bytes that the hash of a write-off list is of: one JSON line for the list, one for each case, in its order.

Keys sorted, no spaces, UTF-8, moments in UTC to the microsecond: the same data give the same bytes on any machine.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from .models import WriteOffItem, WriteOffList

FORM = 1
HEAD = ("number", "title", "area_code", "query", "said", "made_at", "frozen_at", "demanded", "asked", "size")
ROW = (
    "position", "hazard_id", "closing_id", "number", "severity", "matter_code", "matter_zh", "matter_en", "area_code",
    "place_zh", "place_en", "found_at", "closed_at", "department_code", "department_zh", "department_en", "verifier",
    "verifier_zh", "verifier_en", "verified_at", "verified_by", "evidence",
)  # fmt: skip
READ_AT_ONCE = 1000


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value if isinstance(value, (str, int, list, type(None))) else str(value)


def _line(values: dict[str, Any]) -> bytes:
    plain = {name: _plain(value) for name, value in values.items()}
    return json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def lines(row: WriteOffList) -> Iterator[bytes]:
    """Yield the canonical bytes of a list, line by line. Queries: 2."""
    left_out = row.exclusions.order_by("hazard__number").values_list("hazard__number", "reason", "by__username", "at")
    said = [[_plain(part) for part in one] for one in left_out]
    head = {name: getattr(row, name) for name in HEAD}
    yield _line({**head, "form": FORM, "id": row.pk, "maker": row.maker.username, "left_out": said})
    rows = WriteOffItem.objects.filter(list=row).order_by("position").values(*ROW)
    for item in rows.iterator(chunk_size=READ_AT_ONCE):
        yield _line(item)


def digest(row: WriteOffList) -> str:
    """Return the SHA-256 of the canonical bytes of a list as it stands in the database. Queries: 2."""
    sha = hashlib.sha256()
    for line in lines(row):
        sha.update(line)
    return sha.hexdigest()


def still_matches(row: WriteOffList) -> bool:
    """Test whether a frozen list, and what was signed, is still what was hashed. Queries: 3."""
    return digest(row) == row.sha256 and all(one.sha256 == row.sha256 for one in row.signatures.all())
