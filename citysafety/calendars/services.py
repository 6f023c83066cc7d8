"""The calendar as a value, and the rows it is made of."""

import threading
import time as clock
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from chinese_calendar import constants as announced
from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from citysafety import worktime
from citysafety.outbox.services import announce

from .facts import CalendarChanged
from .models import CalendarYear, Day, Hours

KEPT_FOR_S = 2.0  # an edit is seen by every process within this time
FIRST_YEAR = 2004  # what the seed package knows, from …
LAST_YEAR = max(announced.holidays).year  # … to
SOURCE = gettext_noop("State Council General Office, arrangement of holidays")
PROVISIONAL_SOURCE = gettext_noop("illustrative, until the State Council General Office announces the year")
WARN_FROM_MONTH = 11  # next year's holidays are announced in the first half of November
HOLIDAYS_ZH = {  # every name that the seed package uses
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "National Day": "国庆节",
    "Mid-autumn Festival": "中秋节",
    "Anti-Fascist 70th Day": "抗战胜利70周年",
}
FIXED_HOLIDAYS = {  # 全国年节及纪念日放假办法, as amended in 2024: those of fixed date
    (1, 1): "New Year's Day",
    (5, 1): "Labour Day",
    (5, 2): "Labour Day",
    (10, 1): "National Day",
    (10, 2): "National Day",
    (10, 3): "National Day",
}
# A row's xmin names the transaction that wrote it, so that this changes with every insert, update and delete, and
# a rolled-back state is never taken for the one that comes next. About 900 rows, half a millisecond.
FINGERPRINT = " UNION ALL ".join(
    f"SELECT md5(string_agg(xmin::text || ctid::text, ',' ORDER BY ctid)) FROM {model._meta.db_table}"
    for model in (CalendarYear, Day, Hours)
)


@dataclass(frozen=True, slots=True)
class Calendars:
    """The city's calendar, and those of departments that work other hours, by their keys; days off are the same for all."""

    city: worktime.Calendar
    of_department: Mapping[int, worktime.Calendar]


@dataclass(frozen=True, slots=True)
class _Kept:
    value: Calendars
    fingerprint: list[tuple[str | None]]
    looked_at: float  # monotonic


_kept: _Kept | None = None
_lock = threading.Lock()


def calendar(department_id: int | None = None) -> worktime.Calendar:
    """Return the calendar in force, a department's where it works other hours than the city.

    Queries: none, but every two seconds one, and four more after an edit.

    It is the same value as long as no row changed, so that what it has laid out for search stays laid out.
    """
    global _kept
    kept, now = _kept, clock.monotonic()
    if kept is not None and now - kept.looked_at < KEPT_FOR_S:
        return kept.value.of_department.get(department_id, kept.value.city) if department_id else kept.value.city
    with _lock:
        kept = _kept
        if kept is None or now - kept.looked_at >= KEPT_FOR_S:
            fingerprint = _fingerprint()
            value = load() if kept is None or kept.fingerprint != fingerprint else kept.value
            kept = _kept = _Kept(value, fingerprint, now)
    return kept.value.of_department.get(department_id, kept.value.city) if department_id else kept.value.city


def forget() -> None:
    """Drop the kept calendar, for the process that has just edited it."""
    global _kept
    _kept = None


def _fingerprint() -> list[tuple[str | None]]:
    with connection.cursor() as cursor:
        cursor.execute(FINGERPRINT)
        return cursor.fetchall()


def load() -> Calendars:
    """Read the calendars from their rows. Queries: 3."""
    years = {row.year: worktime.Year(row.status, row.source) for row in CalendarYear.objects.all()}
    days = {row.date: worktime.Day(row.working, row.name_zh, row.name_en, row.source) for row in Day.objects.all()}
    seasons: dict[int | None, list[worktime.Season]] = defaultdict(list)
    for h in Hours.objects.order_by("month", "day"):
        sessions = ((h.morning_begins, h.morning_ends), (h.afternoon_begins, h.afternoon_ends))
        seasons[h.department_id].append(worktime.Season(h.month, h.day, sessions))
    city = seasons.pop(None, None)
    return Calendars(
        worktime.Calendar(years, days, tuple(city)) if city else worktime.Calendar(years, days),
        {key: worktime.Calendar(years, days, tuple(rows)) for key, rows in seasons.items() if key},
    )


def announce_change(years: Iterable[int] = (), *, at: datetime | None = None) -> None:
    """Tell the city that the calendar was edited. Belongs into the transaction of the edit."""
    forget()
    named = tuple(sorted(set(years)))
    subject = str(named[0]) if len(named) == 1 else ""
    announce(CalendarChanged(area_code=settings.CITY_CODE, subject_id=subject, years=named), at=at)


@transaction.atomic
def seed_years(first: int = FIRST_YEAR, last: int = LAST_YEAR, *, at: datetime | None = None) -> list[int]:
    """Write the announced years that have no rows yet or provisional ones; return which.

    Announced years already there keep their edits; of a provisional one the days entered by hand stay.
    """
    done = set(CalendarYear.objects.filter(status=CalendarYear.Status.ANNOUNCED).values_list("year", flat=True))
    new = [year for year in range(first, last + 1) if year not in done]
    for year in new:
        Day.objects.filter(date__year=year, source=PROVISIONAL_SOURCE).delete()
        Day.objects.bulk_create(_announced_days(year), ignore_conflicts=True)
        CalendarYear.objects.update_or_create(
            year=year, defaults={"status": CalendarYear.Status.ANNOUNCED, "source": SOURCE}
        )
    if new:
        announce_change(new, at=at)
    return new


def _announced_days(year: int) -> list[Day]:
    """Return the rows of a year: holidays with their weekend days, and make-up days."""
    off = [
        Day(date=day, working=False, name_zh=HOLIDAYS_ZH.get(name, name), name_en=name, source=SOURCE)
        for day, name in announced.holidays.items()
        if day.year == year
    ]
    made_up = [
        Day(
            date=day,
            working=True,
            name_zh=f"{HOLIDAYS_ZH.get(name, name)}调休上班",
            name_en=f"Make-up day for {name}",
            source=SOURCE,
        )
        for day, name in announced.workdays.items()
        if day.year == year
    ]
    return off + made_up


@transaction.atomic
def seed_provisional(year: int, *, at: datetime | None = None) -> bool:
    """Write a year that is not announced yet, marked so: the week and the holidays of fixed date only.

    Return whether it was missing. For demonstrations; in service a missing year stays missing.
    """
    _year, created = CalendarYear.objects.get_or_create(
        year=year, defaults={"status": CalendarYear.Status.PROVISIONAL, "source": PROVISIONAL_SOURCE}
    )
    if created:
        rows = [
            Day(
                date=date(year, month, day),
                working=False,
                name_zh=HOLIDAYS_ZH[name],
                name_en=name,
                source=PROVISIONAL_SOURCE,
            )
            for (month, day), name in FIXED_HOLIDAYS.items()
        ]
        Day.objects.bulk_create(rows, ignore_conflicts=True)
        announce_change([year], at=at)
    return created


def missing_year(at: datetime) -> int | None:
    """Return this year while its working days are missing or, from 1 November, the next; else None."""
    local = at.astimezone(worktime.CITY_TIME)
    needed = [local.year, local.year + 1] if local.month >= WARN_FROM_MONTH else [local.year]
    return next((year for year in needed if year not in calendar().years), None)


def missing_year_warning(at: datetime) -> str:
    """Return a sentence while this year's working days are missing or, from 1 November, next year's; else nothing."""
    year = missing_year(at)
    if year is None:
        return ""
    return _("The working days of %(year)s are missing: time limits that reach into it cannot be computed.") % {
        "year": year
    }
