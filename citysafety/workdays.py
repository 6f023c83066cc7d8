"""Which days are worked, which hours of them, and the clocks that run in these hours. Pure.

A calendar is a value: the years it knows, the days that differ from the week, the sessions by season. Inside, moments
are whole microseconds of local wall time since 1 January of year 1, so that what is counted adds up without loss.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from functools import cached_property
from zoneinfo import ZoneInfo

CITY_TIME = ZoneInfo("Asia/Shanghai")
MICRO = 1_000_000
DAY_US = 86_400 * MICRO
WORK_DAY_S = 8 * 3_600  # what a working day counts as in seconds of the clock, also where its sessions are shorter
WORK_DAY_US = WORK_DAY_S * MICRO

Session = tuple[time, time]
DEFAULT_SESSIONS: tuple[Session, ...] = ((time(8), time(12)), (time(14), time(18)))


class MissingYear(LookupError):
    """The calendar has no rows of a year."""

    def __init__(self, year: int) -> None:
        super().__init__(f"calendar {year} missing")
        self.year = year


@dataclass(frozen=True, slots=True)
class Season:
    """Sessions from a day of the year on, until the next season begins."""

    month: int
    day: int
    sessions: tuple[Session, ...]


@dataclass(frozen=True, slots=True)
class Year:
    """What is known of a year: whether its days off are announced or provisional, and by whom."""

    status: str = "announced"
    source: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """A day that differs from the week: a weekday off or a weekend day worked; also a weekend day inside a holiday."""

    working: bool
    name_zh: str = ""
    name_en: str = ""
    source: str = ""


@dataclass(frozen=True)
class Calendar:
    """Which days are worked and when: the years known, the days that differ from the week, the sessions by season.

    :raises ValueError: seasons or sessions that do not follow each other.
    """

    years: Mapping[int, Year]
    days: Mapping[date, Day] = field(default_factory=dict)
    seasons: tuple[Season, ...] = (Season(1, 1, DEFAULT_SESSIONS),)
    zone: tzinfo = CITY_TIME
    _runs: dict[int, "Run"] = field(default_factory=dict, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        begins = [(season.month, season.day) for season in self.seasons]
        if not begins or begins != sorted(set(begins)):
            raise ValueError(f"seasons {begins}: expected at least one, each later in the year than the one before")
        for season in self.seasons:
            edges = [edge for session in season.sessions for edge in session]
            if not edges or edges != sorted(set(edges)):
                raise ValueError(f"sessions {edges}: expected at least one, each ending after its begin, in order")

    def works(self, day: date) -> bool:
        """Test whether a day is worked. :raises MissingYear: the calendar lacks its year."""
        if day.year not in self.years:
            raise MissingYear(day.year)
        special = self.days.get(day)
        return day.weekday() < 5 if special is None else special.working

    def sessions_of(self, day: date) -> tuple[Session, ...]:
        """Return the sessions of a day, none if it is not worked. :raises MissingYear: the calendar lacks its year."""
        if not self.works(day):
            return ()
        at = bisect_right(self._begins, (day.month, day.day)) - 1
        return self.seasons[at].sessions  # before the first season of a year, the last one of the year before goes on

    @cached_property
    def _begins(self) -> list[tuple[int, int]]:
        return [(season.month, season.day) for season in self.seasons]

    def run(self, year: int) -> "Run":
        """Return the sessions of a year in a form made for search, kept. :raises MissingYear: the calendar lacks it."""
        known = self._runs.get(year)
        if known is None:
            known = self._runs[year] = Run(self, year)
        return known


def wall_of(moment: datetime, zone: tzinfo) -> int:
    """Return an aware moment as wall time, in µs. :raises ValueError: if it is naive."""
    if moment.utcoffset() is None:
        raise ValueError(f"{moment} has no time zone; expected an aware moment")
    local = moment.astimezone(zone)
    seconds = (local.hour * 60 + local.minute) * 60 + local.second
    return local.toordinal() * DAY_US + seconds * MICRO + local.microsecond


def moment_of(wall: int, zone: tzinfo) -> datetime:
    """Return the aware moment of a wall time in µs."""
    day, rest = divmod(wall, DAY_US)
    return datetime.combine(date.fromordinal(day), time(), zone) + timedelta(microseconds=rest)


def since_midnight(at: time) -> int:
    """Return a time of day in µs."""
    return ((at.hour * 60 + at.minute) * 60 + at.second) * MICRO + at.microsecond


@dataclass(slots=True)
class Piece:
    """One session of a year, with what both clocks show at its begin."""

    begin: int  # wall µs
    end: int
    hours_before: int  # µs of work_hours since the year's begin
    days_before: int  # µs of work_days at the begin of the session's day
    worked_before: int  # µs worked that day before this session
    worked_that_day: int  # µs that day's sessions have together


class Run:
    """The sessions of one year and the two working clocks over them, zero at the year's begin."""

    def __init__(self, calendar: Calendar, year: int) -> None:
        self.pieces = list(self._cut(calendar, year))
        self.begins = [piece.begin for piece in self.pieces]
        self.after = {  # what the clock shows at the end of each session
            "work_hours": [piece.hours_before + piece.end - piece.begin for piece in self.pieces],
            "work_days": [self._days(piece, piece.end) for piece in self.pieces],
        }

    @staticmethod
    def _cut(calendar: Calendar, year: int) -> Iterator[Piece]:
        hours = days = 0
        day = date(year, 1, 1)
        for ordinal in range(day.toordinal(), date(year, 12, 31).toordinal() + 1):
            sessions = calendar.sessions_of(date.fromordinal(ordinal))
            edges = [(since_midnight(begin), since_midnight(end)) for begin, end in sessions]
            whole, worked = sum(end - begin for begin, end in edges), 0
            for begin, end in edges:
                midnight = ordinal * DAY_US
                yield Piece(midnight + begin, midnight + end, hours, days, worked, whole)
                worked += end - begin
                hours += end - begin
            days += WORK_DAY_US if edges else 0

    @staticmethod
    def _days(piece: Piece, wall: int) -> int:
        worked = piece.worked_before + wall - piece.begin
        return piece.days_before + worked * WORK_DAY_US // piece.worked_that_day

    def total(self, unit: str) -> int:
        """Return what the clock shows at the year's end, in µs."""
        return self.after[unit][-1] if self.pieces else 0

    def shows(self, unit: str, wall: int) -> int:
        """Return what the clock shows at a moment of this year, in µs."""
        at = bisect_right(self.begins, wall) - 1
        if at < 0:
            return 0
        piece = self.pieces[at]
        wall = min(wall, piece.end)
        return self._days(piece, wall) if unit == "work_days" else piece.hours_before + wall - piece.begin

    def when(self, unit: str, shown: int) -> int | None:
        """Return when the clock shows so much, or None if not this year.

        While it stands still it shows the same for hours: a limit in hours ends as soon as it is used up, one in
        days when the next moment of work begins, since a day begun at 08:00 is over at 08:00.
        """
        days = unit == "work_days"
        at = (bisect_right if days else bisect_left)(self.after[unit], shown)
        if at == len(self.pieces):
            return None
        piece = self.pieces[at]
        if not days:
            return piece.begin + shown - piece.hours_before
        worked = -(-(shown - piece.days_before) * piece.worked_that_day // WORK_DAY_US)  # rounded up
        return max(piece.begin, piece.begin + worked - piece.worked_before)
