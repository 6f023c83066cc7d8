"""What a list of requests is asked for: the arguments of the standard and of its published extensions, read and bounded."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import QueryDict
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from citysafety.api import number_in
from citysafety.filtering import SWITCH

SPAN = timedelta(days=90)  # the standard, GET Service Requests: "may not span more than 90 days"
MOST_ROWS = 1000  # the standard, Response Volume: "first 1000 requests returned"
FARTHEST = 10_000  # rows that pages lead to; what lies beyond is asked by narrower dates
MOST_IDS = 200
OF_EVERY_CALL = ("api_key", "jurisdiction_id", "locale", "format")
FILTERS = ("service_request_id", "service_code", "start_date", "end_date", "status")
EXTENSIONS = ("updated_after", "updated_before", "page", "page_size", "extensions")
STATUSES = ("open", "closed")
Between = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Asked:
    """A list as it is asked for. ``is_open``: None for both; ``received`` or ``changed`` is always there without ids."""

    ids: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    is_open: bool | None = None
    received: Between | None = None
    changed: Between | None = None
    page: int = 1
    size: int = MOST_ROWS
    extensions: bool = False


def asked_of(query: QueryDict, at: datetime) -> Asked:
    """Return what a query asks for; a blank argument is none (the standard, "Optional Arguments").

    :raises ValidationError: an argument that is unknown, not understood, or asks for too much; all of them are named.
    """
    faults: dict[str, list[str]] = {}
    known = (*FILTERS, *EXTENSIONS, *OF_EVERY_CALL)
    for name in query:
        if name not in known:
            faults[name] = [_("There is no such filter; expected one of %(known)s.") % {"known": ", ".join(known)}]
    read = _Reader(query, faults)
    ids, codes = read.several("service_request_id"), read.several("service_code")
    if len(ids) > MOST_IDS:
        faults["service_request_id"] = [_("At most %(most)s at once.") % {"most": MOST_IDS}]
    changed = read.span("updated_after", "updated_before", at)
    received = read.span("start_date", "end_date", at)
    size = read.number("page_size", MOST_ROWS, most=MOST_ROWS)
    page = read.number("page", 1, most=max(1, FARTHEST // size))
    asked = Asked(
        ids=ids,
        codes=codes,
        is_open=read.status(),
        received=received or (None if changed else (at - SPAN, at)),
        changed=changed,
        page=page,
        size=size,
        extensions=read.switch("extensions"),
    )
    if faults:
        raise ValidationError(faults)
    return asked


class _Reader:
    """Reads arguments one by one and notes what is wrong with each."""

    def __init__(self, query: QueryDict, faults: dict[str, list[str]]) -> None:
        self.query, self.faults = query, faults

    def several(self, name: str) -> tuple[str, ...]:
        """Return the values of an argument that may come several times, and hold several with commas."""
        parts = (part.strip() for value in self.query.getlist(name) for part in value.split(","))
        return tuple(dict.fromkeys(part for part in parts if part))

    def fault(self, name: str, seen: str, expected: Any) -> None:
        words = _("“%(seen)s” was not understood; expected %(expected)s.")
        self.faults[name] = [words % {"seen": seen[:40], "expected": expected}]

    def status(self) -> bool | None:
        asked = {value.lower() for value in self.several("status")}
        if unknown := sorted(asked - set(STATUSES)):
            self.fault("status", unknown[0], ", ".join(STATUSES))
        return "open" in asked if len(asked) == 1 else None

    def switch(self, name: str) -> bool:
        text = self.query.get(name, "").strip().lower()
        if text and text not in SWITCH:
            self.fault(name, text, _("true or false"))
        return SWITCH.get(text, False)

    def number(self, name: str, default: int, *, most: int) -> int:
        text = self.query.get(name, "").strip()
        found = number_in(text) if text else default
        if found is None or not 1 <= found <= most:
            self.fault(name, text, _("a whole number from 1 to %(most)s") % {"most": most})
            return default
        return found

    def moment(self, name: str) -> datetime | None:
        """Return a moment with its zone; a plus sign that was not encoded arrives as a blank."""
        text = self.query.get(name, "").strip()
        if not text:
            return None
        try:
            found = parse_datetime(text.upper().replace(" ", "+" if "T" in text.upper() else " "))
        except ValueError:
            found = None
        if found is None or is_naive(found) or not 1900 < found.year < 2900:
            self.fault(name, text, _("a time with its zone, such as 2026-01-01T00:00:00+08:00"))
            return None
        return found

    def span(self, first: str, last: str, at: datetime) -> Between | None:
        """Return the moments between two arguments, None without either. One alone is one end of 90 days."""
        start, end = self.moment(first), self.moment(last)
        if start is None and end is None:
            return None
        start = start or (end or at) - SPAN
        end = end or start + SPAN
        if end < start:
            self.faults[last] = [_("The end lies before the beginning.")]
        elif end - start > SPAN:
            self.faults[last] = [_("At most %(days)s days at once.") % {"days": SPAN.days}]
        return start, end
