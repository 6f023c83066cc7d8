"""The counts that formulas are made of, and the limits that detectors have: names and words, no database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


@dataclass(frozen=True, slots=True)
class Count:
    """A number of cases: its name, what it is called, and the rule by which a case is in it."""

    key: str
    label: Any
    rule: Any
    sql: str  # over ``b``, the bits of what happened in the days, ``late`` and ``own_late``


# What happened to a case within the days, one bit each.
BITS = {
    "received": 1, "accept": 2, "write_off": 4, "dispatch": 8, "fail": 16, "return": 32, "reopen": 64,
    "ask_extension": 128, "marked": 256, "stood": 512, "grant_extension": 1024, "returned_by": 2048, "own_marked": 4096,
}  # fmt: skip


def _has(*names: str) -> str:
    return f"b & {sum(BITS[name] for name in names)} <> 0"


COUNTS = {
    count.key: count
    for count in (
        Count(
            "received", pgettext_lazy("cases", "Received"), _("Received by the server in these days."), _has("received")
        ),
        Count("accepted", _("Accepted"), _("Accepted in these days, once however often."), _has("accept")),
        Count("dispatched", _("Dispatched"), _("Dispatched to a department in these days."), _has("dispatch")),
        Count(
            "should_close",
            _("Should be closed"),
            _("Written off in these days, or marked overdue in them, or with a clock that stood by a granted pause."),
            _has("write_off", "marked", "stood"),
        ),
        Count(
            "deferred",
            _("Deferred"),
            _(
                "The clock stood in these days by a pause granted within the year before, while the case was not overdue, and it"
                " was not written off."
            ),
            f"{_has('stood')} AND NOT ({_has('write_off')})",
        ),
        Count("closed", _("Closed"), _("Written off in these days."), _has("write_off")),
        Count(
            "closed_on_time",
            pgettext_lazy("cases", "Closed on time"),
            _("Written off in these days, and never marked overdue before they ended."),
            f"{_has('write_off')} AND NOT late",
        ),
        Count("overdue", _("Became overdue"), _("Marked overdue in these days."), _has("marked")),
        Count("reworked", _("Reworked"), _("A verification or a re-check failed in these days."), _has("fail")),
        Count("returned", _("Returned"), _("A department returned it in these days."), _has("return")),
        Count("reopened", _("Reopened"), _("Reopened in these days."), _has("reopen")),
        Count(
            "extension_asked", _("Extension asked"), _("More time was asked for in these days."), _has("ask_extension")
        ),
        Count(
            "extension_granted",
            _("Extension granted"),
            _("More time was granted in these days."),
            _has("grant_extension"),
        ),
    )
}
COUNT_KEYS = tuple(COUNTS)
# Of a department only what was late while it rectified: before the dispatch and at the verification others are at work.
OWN = {
    "should_close": ("own_should_close", _has("write_off", "own_marked", "stood")),
    "closed_on_time": ("own_closed_on_time", f"{_has('write_off')} AND NOT own_late"),
    "overdue": ("own_overdue", _has("own_marked")),
    "returned": ("returned_by", _has("returned_by")),
}
OWN_OF = {own: count for count, (own, _sql) in OWN.items()}
SHOWN = (
    "received", "accepted", "should_close", "deferred", "closed", "closed_on_time", "overdue", "reworked", "returned",
    "reopened", "extension_asked", "extension_granted",
)  # fmt: skip


def formula_words(terms: Sequence[str]) -> str:
    """Write a sum of counts as people read it."""
    parts = [("−" if term.startswith("-") else "+", str(COUNTS[term.removeprefix("-")].label)) for term in terms]
    return " ".join(f"{sign} {label}" for sign, label in parts).removeprefix("+ ")


def summed(terms: Sequence[str], counts: Mapping[str, int]) -> int:
    """Return what a formula comes to."""
    return sum(-counts[term[1:]] if term.startswith("-") else counts[term] for term in terms)


# The limits of each detector: whole numbers, with their first values.
THRESHOLDS: dict[str, dict[str, int]] = {
    "on_the_spot": {"days": 28, "within_minutes": 10, "least": 10, "percent": 80},
    "silent_cell": {"days": 28, "neighbours_each": 10},
    "last_hour": {"days": 28, "within_minutes": 60, "limit_hours": 8, "least": 10, "times": 3},
    "more_time": {"days": 28, "least": 5, "times": 3},
    "far_verified": {"days": 28, "metres": 500, "least": 3},
    "photos": {"days": 28, "least": 3},
    "batch": {"days": 28, "within_minutes": 10, "least": 8},
    "merged": {"days": 28, "metres": 100, "least": 3},
}
LIMIT_WORDS = {
    "days": _("days looked at"),
    "within_minutes": _("within (minutes)"),
    "least": _("at least (cases)"),
    "percent": _("of all (percent)"),
    "neighbours_each": _("neighbours report at least (cases each)"),
    "times": _("times what others have"),
    "limit_hours": _("only limits of at least (hours)"),
    "metres": _("farther than (m)"),
}
