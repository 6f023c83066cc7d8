"""The arithmetic of working time over whole columns: what ``worktime`` says of one limit, for many at once. Pure.

Moments are whole milliseconds since 1 January 1970 (UTC), 0 is none; units are indices of ``worktime.UNITS``.
"""

from datetime import date, datetime, timedelta
from typing import Any

import numpy

from .workdays import DAY_US, WORK_DAY_S, Calendar
from .worktime import UNITS

Column = Any  # a numpy array

URGENT, HOURS, DAYS = (UNITS.index(unit) for unit in ("urgent_hours", "work_hours", "work_days"))
A_UNIT_MS = numpy.array([WORK_DAY_S * 1000 if unit == "work_days" else 3_600_000 for unit in UNITS])
WORK_DAY_MS = WORK_DAY_S * 1000
EPOCH_US = date(1970, 1, 1).toordinal() * DAY_US


def ms_of(moment: datetime) -> int:
    """Return an aware moment in milliseconds, cut off."""
    return int(moment.timestamp() * 1000)


class WorkColumns:
    """A calendar's sessions of all its years in columns, with both working clocks running through."""

    def __init__(self, calendar: Calendar, at: datetime) -> None:
        self.offset = (at.astimezone(calendar.zone).utcoffset() or timedelta()) // timedelta(milliseconds=1)
        self.last_year = max(calendar.years)
        rows, hours, days = [], 0, 0
        for year in range(min(calendar.years), self.last_year + 1):
            run = calendar.run(year)
            rows += [
                (piece.begin - EPOCH_US, piece.end - EPOCH_US, piece.hours_before + hours, piece.days_before + days,
                 piece.worked_before, piece.worked_that_day)
                for piece in run.pieces
            ]  # fmt: skip
            hours, days = hours + run.total("work_hours"), days + run.total("work_days")
        columns = numpy.array(rows, dtype="i8").T // 1000
        self.begin, self.end, self.hours, self.days, self.worked, self.whole = columns
        self.after_hours = self.hours + self.end - self.begin
        self.after_days = self.days + (self.worked + self.end - self.begin) * WORK_DAY_MS // self.whole

    def due(self, start: Column, unit: Column, amount: Column, used: Column) -> Column:
        """Return when limits end that begin at ``start`` with ``used`` ms used up; 0 where no calendar says."""
        left, wall = amount * A_UNIT_MS[unit] - used, start + self.offset
        ends = wall + numpy.maximum(left, 0)
        for kind in (HOURS, DAYS):
            rows = numpy.flatnonzero(unit == kind)
            ends[rows] = self._reach(wall[rows], left[rows], kind)
        return numpy.where(ends > 0, ends - self.offset, 0)

    def used(self, start: Column, end: Column, unit: Column) -> Column:
        """Return the ms of each unit's clock between two moments."""
        passed = end - start
        for kind in (HOURS, DAYS):
            rows = numpy.flatnonzero(unit == kind)
            shown = self._shows(end[rows] + self.offset, kind) - self._shows(start[rows] + self.offset, kind)
            passed[rows] = shown
        return numpy.maximum(passed, 0)

    def _shows(self, wall: Column, kind: int) -> Column:
        at = numpy.maximum(numpy.searchsorted(self.begin, wall, "right") - 1, 0)
        passed = numpy.clip(wall, self.begin[at], self.end[at]) - self.begin[at]
        if kind == HOURS:
            return self.hours[at] + passed
        return self.days[at] + (self.worked[at] + passed) * WORK_DAY_MS // self.whole[at]

    def _reach(self, wall: Column, left: Column, kind: int) -> Column:
        shown = self._shows(wall, kind) + numpy.maximum(left, 0)
        after, side = (self.after_hours, "left") if kind == HOURS else (self.after_days, "right")
        at = numpy.searchsorted(after, shown, side)
        unknown, at = at == len(after), numpy.minimum(at, len(after) - 1)
        if kind == HOURS:
            found = self.begin[at] + shown - self.hours[at]
        else:
            worked = -(-(shown - self.days[at]) * self.whole[at] // WORK_DAY_MS)
            found = numpy.maximum(self.begin[at], self.begin[at] + worked - self.worked[at])
        over = left < 0 if kind == DAYS else left <= 0
        return numpy.where(over, wall, numpy.where(unknown, 0, numpy.maximum(wall, found)))
