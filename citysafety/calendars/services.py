"""The calendar as a value, and the rows it is made of."""

import threading
import time as clock
from datetime import date, datetime, timedelta

import chinese_calendar
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from citysafety import worktime
from citysafety.outbox.services import announce

from .facts import CalendarChanged
from .models import CalendarYear, Day, Hours

KEPT_FOR_S = 2.0  # an edit is seen by every process within this time
FIRST_YEAR, LAST_YEAR = 2004, 2026  # what the seed package knows
SOURCE = "国务院办公厅节假日安排 (chinesecalendar)"
WARN_FROM_MONTH = 11
HOLIDAYS_ZH = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "National Day": "国庆节",
    "Mid-autumn Festival": "中秋节",
    "Anti-Fascist 70th Day": "抗战胜利70周年",
}
FIXED_HOLIDAYS = {(1, 1): "元旦", (5, 1): "劳动节", (10, 1): "国庆节", (10, 2): "国庆节", (10, 3): "国庆节"}

_cache: tuple[float, worktime.Calendar] | None = None
_lock = threading.Lock()


def calendar() -> worktime.Calendar:
    """Return the calendar in force; kept for two seconds in each process, so that filing pays no query for it."""
    global _cache
    now = clock.monotonic()
    if _cache is not None and now - _cache[0] < KEPT_FOR_S:
        return _cache[1]
    with _lock:
        if _cache is None or now - _cache[0] >= KEPT_FOR_S:
            _cache = (now, load())
    return _cache[1]


def forget() -> None:
    """Drop the kept calendar, for the process that has just edited it."""
    global _cache
    _cache = None


def load() -> worktime.Calendar:
    """Read the calendar from its rows. Queries: 3."""
    days = {
        day.date: worktime.Day(day.working, day.name_zh, day.name_en, day.source) for day in Day.objects.all()
    }
    seasons = tuple(
        worktime.Season(h.month, h.day, ((h.morning_begins, h.morning_ends), (h.afternoon_begins, h.afternoon_ends)))
        for h in Hours.objects.all()
    )
    years = {row.year: worktime.Year(row.status, row.source) for row in CalendarYear.objects.all()}
    return worktime.Calendar(years, days, seasons) if seasons else worktime.Calendar(years, days)


def announce_change() -> None:
    """Tell the city that the calendar was edited. Belongs into the transaction of the edit."""
    forget()
    announce(CalendarChanged(area_code=settings.CITY_CODE, kind="calendar", subject_id="calendar"))


@transaction.atomic
def seed_years(first: int = FIRST_YEAR, last: int = LAST_YEAR) -> int:
    """Write the announced years that have no rows yet; years already there keep their edits. Return how many are new."""
    known = set(CalendarYear.objects.values_list("year", flat=True))
    new = [year for year in range(first, last + 1) if year not in known]
    for year in new:
        CalendarYear.objects.create(year=year, status=CalendarYear.Status.ANNOUNCED, source=SOURCE)
        Day.objects.bulk_create(_announced_days(year), ignore_conflicts=True)
    if new:
        announce_change()
    return len(new)


def _announced_days(year: int) -> list[Day]:
    days = []
    day = date(year, 1, 1)
    while day.year == year:
        worked = chinese_calendar.is_workday(day)
        if worked != (day.weekday() < 5):
            _on, name = chinese_calendar.get_holiday_detail(day)
            english = str(getattr(name, "value", name) or "Holiday")
            days.append(
                Day(
                    date=day,
                    working=worked,
                    source=SOURCE,
                    name_zh="调休上班" if worked else HOLIDAYS_ZH.get(english, english),
                    name_en="Make-up working day" if worked else english,
                )
            )
        day += timedelta(days=1)
    return days


@transaction.atomic
def seed_provisional(year: int) -> bool:
    """Write a year that is not announced yet, marked so: the week and the holidays of fixed date only."""
    _year, created = CalendarYear.objects.get_or_create(
        year=year, defaults={"status": CalendarYear.Status.PROVISIONAL, "source": "演示用，待国务院办公厅公布"}
    )
    if created:
        days = [
            Day(date=date(year, month, day), working=False, name_zh=name, source="演示用，待公布")
            for (month, day), name in FIXED_HOLIDAYS.items()
            if date(year, month, day).weekday() < 5
        ]
        Day.objects.bulk_create(days, ignore_conflicts=True)
        announce_change()
    return created


def missing_year_warning(at: datetime) -> str:
    """Return a sentence when, from 1 November, next year's working days are not known yet; else nothing."""
    local = at.astimezone(worktime.CITY_TIME)
    year = local.year + (1 if local.month >= WARN_FROM_MONTH else 0)
    if year in calendar().years:
        return ""
    return _("The working days of %(year)s are missing: time limits that reach into it cannot be computed.") % {
        "year": year
    }
