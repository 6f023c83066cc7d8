"""A county and its city with posts and people, by plain makers."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from citysafety.accounts.models import User
from citysafety.calendars import shifts
from citysafety.calendars.models import CalendarYear, Leave, Post, Shift
from citysafety.calendars.shifts import ShiftInput
from citysafety.workdays import CITY_TIME
from tests.factories import person

CITY, COUNTY, TOWN, FOREIGN = "3705", "370502", "370502001", "370503"
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=CITY_TIME)  # a Monday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def wall(text: str) -> datetime:
    """Return a moment by the city's clock: "11-23 20:00"; "2027-01-01 08:00" in another year."""
    text = text if text.count("-") == 2 else f"2026-{text}"
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=CITY_TIME)


def make_post(area: str = COUNTY, role: str = "dispatcher", **more: Any) -> Post:
    return Post.objects.create(area_code=area, role=role, name_zh=f"{area}值班台", name_en=f"Desk {area}", **more)


def make_shift(post: Post, who: User, begins: str, ends: str, deputy: User | None = None, **more: Any) -> Shift:
    return Shift.objects.create(post=post, person=who, deputy=deputy, begins=wall(begins), ends=wall(ends), **more)


def make_leave(who: User, begins: str, ends: str) -> Leave:
    return Leave.objects.create(
        person=who, begins=wall(begins), ends=wall(ends), reason="公休", entered_by=who, entered_at=NOW
    )


@dataclass
class Desk:
    """A county's desk with three dispatchers, of whom the first plans, and one of the city."""

    post: Post
    a: User
    b: User
    c: User
    city: User

    def add(
        self, who: User, begins: str, ends: str, *, by: User | None = None, at: datetime = NOW, **more: Any
    ) -> Shift:
        given = ShiftInput(who, wall(begins), wall(ends), **more)
        return shifts.add_shift(id=uuid.uuid4(), post=self.post, given=given, by=by or self.a, at=at)


@pytest.fixture
def desk(db) -> Desk:
    for year in (2026, 2027):
        CalendarYear.objects.create(year=year, status="announced", source="test")
    people = [person("dispatcher", area=COUNTY) for _ in range(3)]
    return Desk(make_post(phone="0546-8000110"), *people, city=person("dispatcher", area=CITY))
