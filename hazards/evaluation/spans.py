"""The days that are evaluated, and the cases that are in a count: one definition for the page, the list and the API."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from citysafety.filtering import Spelled
from grid.models import Cell

from ..lifecycle import REOPENINGS
from ..models import ClockChange, Hazard, Mark, Step, inside
from ..rechecks.models import Recheck
from .models import FormerPlace
from .words import COUNTS, OWN_OF

MOST_DAYS = 366
PAUSE_REACHES = timedelta(days=366)  # an older pause is looked for no more
STEPS_OF = {
    "accepted": ("accept",), "dispatched": ("dispatch",), "closed": ("write_off",), "closed_on_time": ("write_off",),
    "reworked": ("fail",), "returned": ("return",), "reopened": REOPENINGS, "extension_asked": ("ask_extension",),
    "extension_granted": ("grant_extension",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Days:
    """Some days of the city, the first and the last one included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if not 1 <= (self.last - self.first).days + 1 <= MOST_DAYS:
            raise ValueError(f"{self}")

    def __str__(self) -> str:
        return f"{self.first}..{self.last}"

    @classmethod
    def read(cls, text: str) -> "Days":
        """Return the days of a text such as 2026-11-01..2026-11-30. :raises ValueError: it is none, or too many."""
        first, _dots, last = text.partition("..")
        return cls(date.fromisoformat(first), date.fromisoformat(last))

    @property
    def start(self) -> datetime:
        return timezone.make_aware(datetime.combine(self.first, time()))

    @property
    def end(self) -> datetime:
        """The first moment after them."""
        return timezone.make_aware(datetime.combine(self.last + timedelta(days=1), time()))


def days_of(period: str, on: date) -> Days:
    """Return the day, week, month or quarter of a day. :raises ValueError: it is no period."""
    if period == "day":
        return Days(on, on)
    if period == "week":
        monday = on - timedelta(days=on.weekday())
        return Days(monday, monday + timedelta(days=6))
    if period not in ("month", "quarter"):
        raise ValueError(period)
    months = 1 if period == "month" else 3
    first = on.replace(month=(on.month - 1) // months * months + 1, day=1)
    after = first.month + months
    return Days(first, date(first.year + (after > 12), (after - 1) % 12 + 1, 1) - timedelta(days=1))


class CountedField(Spelled):
    """A count and its days: ``closed:2026-11-01..2026-11-30``."""

    expected = _("a count and days, as closed:2026-11-01..2026-11-30, at most 366 days")

    def read(self, text: str) -> tuple[str, Days]:
        key, _colon, days = text.partition(":")
        if key not in COUNTS and key not in OWN_OF:
            raise ValueError(key)
        return key, Days.read(days)

    def say(self, text: str) -> str:
        """Return “Closed 2026-11-01 – 2026-11-30”."""
        key, days = self.read(text)
        return f"{COUNTS[OWN_OF.get(key, key)].label} {days.first} – {days.last}"


def _during(days: Days, name: str = "at") -> dict[str, Any]:
    return {f"{name}__gte": days.start, f"{name}__lt": days.end}


def steps(days: Days, *actions: str) -> QuerySet[Step]:
    """Return the steps of actions in some days, by their index."""
    return Step.objects.filter(action__in=actions, **_during(days))


def _stood(days: Days) -> QuerySet:
    pauses = ClockChange.objects.filter(
        Q(ended_at=None) | Q(ended_at__gte=days.start), kind=ClockChange.Kind.PAUSE, is_granted=True,
        decided_at__lt=days.end, decided_at__gte=days.start - PAUSE_REACHES,
    )  # fmt: skip
    late_already = Mark.objects.filter(hazard=OuterRef("hazard"), at__lt=OuterRef("decided_at"))
    return pauses.filter(~Exists(late_already)).values("hazard")


def had_by(rows: QuerySet[Hazard], departments: list[int], days: Days) -> QuerySet[Hazard]:
    """Keep what some departments had when the days ended: what came after them changes nothing of them."""
    then = Step.objects.filter(hazard=OuterRef("pk"), at__lt=days.end).order_by("-version").values("department")[:1]
    return rows.alias(department_then=Subquery(then)).filter(
        Q(changed_at__lt=days.end, department__in=departments)
        | Q(changed_at__gte=days.end, department_then__in=departments)
    )


def lay_in(rows: QuerySet[Hazard], area: str, days: Days) -> QuerySet[Hazard]:
    """Keep what lay in an area, or in the dedicated cell of that code, when the days ended. Queries: 2 for a cell, else none."""
    former = FormerPlace.objects.filter(hazard=OuterRef("pk"), until__gte=days.end).order_by("until")
    moved = FormerPlace.objects.filter(until__gte=days.end).values("hazard")
    there = Q(area_then__startswith=area)
    if len(area) == 15 and (cell := Cell.objects.filter(code=area, kind=Cell.Kind.DEDICATED).first()):
        there = Q(dedicated_then=cell.pk)
    rows = rows.alias(
        area_then=Subquery(former.values("area_code")[:1]), dedicated_then=Subquery(former.values("dedicated_cell")[:1])
    )
    return rows.filter((inside(area) & ~Q(pk__in=moved)) | (Q(pk__in=moved) & there))


def counted(rows: QuerySet[Hazard], key: str, days: Days) -> QuerySet[Hazard]:
    """Keep the cases that are in a count: the rules of ``words.COUNTS``, or of a department's own part of it."""
    if key == "received":
        return rows.filter(**_during(days, "received_at"))
    # Nothing happens to a case before it is received: where a list begins, its newest first.
    rows = rows.filter(received_at__lt=days.end)
    closed, marks = steps(days, "write_off").values("hazard"), Mark.objects.filter(**_during(days))
    late = Mark.objects.filter(hazard=OuterRef("pk"), at__lt=days.end)
    if key in OWN_OF:
        key, marks, late = OWN_OF[key], marks.filter(stage="rectify"), late.filter(stage="rectify")
    marked = marks.values("hazard")
    if key == "overdue":
        return rows.filter(pk__in=marked)
    if key == "should_close":
        return rows.filter(pk__in=closed.union(marked, _stood(days)))
    if key == "deferred":
        return rows.filter(pk__in=_stood(days)).exclude(pk__in=closed)
    happened = steps(days, *STEPS_OF[key]).values("hazard")
    if key == "reworked":
        happened = happened.union(Recheck.objects.filter(state="fails", **_during(days, "done_at")).values("hazard"))
    rows = rows.filter(pk__in=happened)
    return rows.filter(Q(late=False) | ~Exists(late)) if key == "closed_on_time" else rows
