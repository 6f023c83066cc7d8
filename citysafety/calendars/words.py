"""The arithmetic of a time limit in the reader's language, for the doors."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from citysafety import worktime
from citysafety.names import chosen


def reason_words(reason: str) -> str:
    """Return why there is no due time, in words; "" for none."""
    year = worktime.missing_year(reason)
    return _("not computable: the calendar of %(year)s is missing") % {"year": year} if year else reason


def limit_words(amount: worktime.Amount, unit: str) -> str:
    """Return a limit such as "4 working hours"."""
    number = 1 if amount == 1 else 2
    words = {
        "urgent_hours": ngettext("%(n)s urgent hour", "%(n)s urgent hours", number),
        "work_hours": ngettext("%(n)s working hour", "%(n)s working hours", number),
        "work_days": ngettext("%(n)s working day", "%(n)s working days", number),
    }[unit]
    return words % {"n": f"{amount:g}"}


def length_words(seconds: float, unit: str) -> str:
    """Return a stretch of a unit's clock such as "18 working days 1 h 47 min", without the parts that are nought."""
    days, hours, minutes = worktime.parts(seconds, unit)
    a_day = _("%(n)s days") if unit == "urgent_hours" else _("%(n)s working days")
    told = [words % {"n": n} for words, n in ((a_day, days), (_("%(n)s h"), hours), (_("%(n)s min"), minutes)) if n]
    return " ".join(told) or _("%(n)s min") % {"n": 0}


def why_words(span: worktime.Span) -> str:
    """Return why a span counts or not: the holiday's or make-up day's name, or the kind of pause."""
    kinds = {
        "": _("counted"),
        "make-up": _("make-up working day"),
        "summary": _("summed up"),
        "lunch": _("midday break"),
        "night": _("outside working hours"),
        "weekend": _("weekend"),
        "holiday": _("holiday"),
    }
    return chosen(span.name_zh, span.name_en) or kinds[span.why]


def days_words(days: worktime.Days) -> str:
    """Return days of a kind such as "National Day 7"."""
    kinds = {
        "worked": _("working days"),
        "make-up": _("make-up working day"),
        "weekend": _("weekend"),
        "holiday": _("holiday"),
    }
    return f"{chosen(days.name_zh, days.name_en) or kinds[days.kind]} {days.count}"


def explain(sums: worktime.Arithmetic) -> dict[str, Any]:
    """Return the arithmetic as a page shows it: limit, spans with their length and reason, days, calendars used."""
    return {
        "limit": limit_words(sums.amount, sums.unit),
        "used_before": length_words(sums.used_before_s, sums.unit) if sums.used_before_s else "",
        "start": sums.start,
        "due": sums.due,
        "spans": [
            {
                "start": span.start,
                "end": span.end,
                "counts": span.counted_s > 0,
                "length": length_words(span.counted_s, sums.unit) if span.counted_s else "",
                "why": why_words(span),
            }
            for span in sums.spans
        ],
        "days": [days_words(days) for days in sums.days],
        "calendars": [
            *(f"{year} · {row.source}" for year, row in sums.years),
            *(f"{day:%m-%d} {chosen(row.name_zh, row.name_en)} · {row.source}" for day, row in sums.edited),
        ],
        "provisional": sums.provisional,
    }
