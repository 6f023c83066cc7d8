"""When a rule holds: windows of the year, of the week, of working days. Pure; times are those of the city.

Windows are data: ``{"from": "05-01 12:00", "to": "09-01 12:00"}`` holds every year between these moments;
``{"days": "workdays", "from": "07:00", "to": "08:30"}`` on these days between these times. Days are ``all``,
``workdays``, ``restdays`` or numbers of weekdays parted by commas, 1 being Monday.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

OF_YEAR = re.compile(r"(\d\d)-(\d\d) (\d\d):(\d\d)")
OF_DAY = re.compile(r"(\d\d):(\d\d)")
DAYS = ("all", "workdays", "restdays")
LEAP_YEAR = 2024  # every day of a year is one of its days

Moment = tuple[int, int, int, int]  # month, day, hour, minute


class WrongSchedule(ValueError):
    """Windows that cannot be read; says what was seen and what was expected."""


@dataclass(frozen=True, slots=True)
class Season:
    """A part of every year, from one moment to another; over the turn of the year where it ends before it begins."""

    begins: Moment
    ends: Moment

    def holds(self, at: datetime, is_workday: Callable[[date], bool]) -> bool:
        now = (at.month, at.day, at.hour, at.minute)
        if self.begins <= self.ends:
            return self.begins <= now < self.ends
        return now >= self.begins or now < self.ends


@dataclass(frozen=True, slots=True)
class Hours:
    """Some hours of some days; past midnight where they end before they begin."""

    days: str
    begins: time
    ends: time

    def holds(self, at: datetime, is_workday: Callable[[date], bool]) -> bool:
        now = at.time()
        if self.begins < self.ends:
            return self.begins <= now < self.ends and self._is_on(at.date(), is_workday)
        if now >= self.begins:
            return self._is_on(at.date(), is_workday)
        return now < self.ends and self._is_on(date.fromordinal(at.toordinal() - 1), is_workday)

    def _is_on(self, day: date, is_workday: Callable[[date], bool]) -> bool:
        if self.days in ("workdays", "restdays"):
            return is_workday(day) == (self.days == "workdays")
        return self.days == "all" or str(day.isoweekday()) in self.days.split(",")


Window = Season | Hours


def read(given: Sequence[Mapping[str, Any]]) -> list[Window]:
    """Return the windows of a schedule. :raises WrongSchedule: what was seen and what was expected."""
    if not isinstance(given, list):
        raise WrongSchedule(f"{given!r} is no list of windows")
    return [_window(one) for one in given]


def _window(given: Any) -> Window:
    if not isinstance(given, dict) or not {"from", "to"} <= set(given) <= {"from", "to", "days"}:
        raise WrongSchedule(f"{given!r}: expected from, to and, for hours of a day, days")
    begins, ends = str(given["from"]), str(given["to"])
    if "days" in given:
        days = str(given["days"])
        if days not in DAYS and not re.fullmatch(r"[1-7](,[1-7])*", days):
            raise WrongSchedule(f"days {days!r}: expected {', '.join(DAYS)} or numbers from 1 to 7")
        return Hours(days, _time(begins), _time(ends))
    return Season(_moment(begins), _moment(ends))


def _time(text: str) -> time:
    if not (parts := OF_DAY.fullmatch(text)):
        raise WrongSchedule(f"{text!r} is no time such as 07:00")
    try:
        return time(int(parts[1]), int(parts[2]))
    except ValueError:
        raise WrongSchedule(f"{text!r} is no time of a day") from None


def _moment(text: str) -> Moment:
    if not (parts := OF_YEAR.fullmatch(text)):
        raise WrongSchedule(f"{text!r} is no moment of a year such as 05-01 12:00")
    month, day, hour, minute = (int(part) for part in parts.groups())
    try:
        datetime(LEAP_YEAR, month, day, hour, minute)  # noqa: DTZ001  only whether there is such a moment
    except ValueError:
        raise WrongSchedule(f"{text!r} is no moment of a year") from None
    return month, day, hour, minute


def holds(windows: Sequence[Window], at: datetime, is_workday: Callable[[date], bool]) -> bool:
    """Test whether one of the windows holds at a moment of the city; without windows it always does."""
    return not windows or any(window.holds(at, is_workday) for window in windows)
