"""The working days of 2004–2026 as the seed package states them, for tests of time limits."""

from datetime import datetime

from chinese_calendar.constants import holidays, workdays

from citysafety.worktime import CITY_TIME, Calendar, Day, Year

FIRST, LAST = 2004, 2026
OFFICIAL = Calendar(
    years={year: Year("announced", f"State Council {year}") for year in range(FIRST, LAST + 1)},
    days={
        **{day: Day(False, "", name) for day, name in holidays.items()},
        **{day: Day(True, "", f"make-up for {name}") for day, name in workdays.items()},
    },
)


def at(text: str) -> datetime:
    """Return a moment in Asia/Shanghai from ``2026-10-09 17:30``."""
    return datetime.fromisoformat(text).replace(tzinfo=CITY_TIME)
