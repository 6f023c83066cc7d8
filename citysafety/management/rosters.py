"""The rosters of the demo city: posts of the city and its counties, shifts from a week ago to two weeks ahead, invented.

Made anew at each start of the demo, so that they roll forward: what stands is left alone, what a planner called off stays
called off. One night ahead has nobody, so that the pages show what a gap looks like.
"""

import random
import secrets
import uuid
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import pairwise

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import transaction

from citysafety.accounts.models import Level, Role, User
from citysafety.calendars.models import Handover, HandoverReceipt, Leave, Post, Shift
from citysafety.calendars.patterns import Draft, Pattern, slots_in
from citysafety.calendars.presence import Span, without
from citysafety.calendars.rosters import candidates
from citysafety.management.staff import FAMILY, GIVEN
from citysafety.workdays import CITY_TIME
from grid.models import Division

BEFORE, AFTER = timedelta(days=7), timedelta(days=14)
EPOCH = date(2024, 1, 1)  # where every turn begins, so that a later start goes on where an earlier one ended
NAMES = uuid.UUID("6f5b8c1e-2b63-4f7e-9d0a-3b7a5c9e1d42")
HALVES, WHOLE = "08:00-20:00 20:00-08:00", "08:00-08:00"
CITY_POSTS = (  # role, Chinese and English name, slots, people in turn, last digits of the phone
    (Role.LEADER, "带班领导", "Leader of the day", WHOLE, 4, "0001"),
    (Role.OPERATOR, "指挥中心值班台", "Command centre desk", HALVES, 4, "0110"),
    (Role.DISPATCHER, "指挥中心派遣台", "Dispatch desk", HALVES, 4, "0120"),
)
COUNTY_POST = (Role.DISPATCHER, "值班派遣台", "Dispatch desk", HALVES, 3, "0120")
REASONS = {True: "参加应急培训", False: "公休"}  # alone, and with a deputy
NOTES = (
    "{n} 起案件待派遣,均已电话通知责任单位。大风蓝色预警持续到明晨，注意海上网格回报。",
    "无未了事项。夜间接报 {n} 起，均已处置。",
    "重大隐患 1 起在整改，要求每 4 小时回报一次；下次回报 {n} 时。",
)


@transaction.atomic
def seed_rosters(*, city: str, at: datetime) -> int:
    """Make the posts that are missing and roll their rosters forward; return how many shifts are new.

    Queries: a few for each post, whatever is there.
    """
    posts = list(_posts(city))
    first, last = (at - BEFORE).astimezone(CITY_TIME).date(), (at + AFTER).astimezone(CITY_TIME).date()
    drawn = [shift for post, slots, crew in posts for shift in _shifts(post, slots, crew, first, last)]
    fresh = Shift.objects.bulk_create(_not_there(drawn))
    _leave(posts[-1][0], at)
    for post, _slots, _crew in posts[1:3]:
        _handovers(post, at)
    return len(fresh)


def _not_there(drawn: list[Shift]) -> list[Shift]:
    """Return the shifts that are not in the roster, standing or called off, and not in the way of one that is."""
    start, end = min(shift.begins for shift in drawn), max(shift.ends for shift in drawn)
    known = set(Shift.objects.filter(begins__gte=start, begins__lt=end).values_list("pk", flat=True))
    standing: dict[tuple[int, int], list[Span]] = defaultdict(list)
    for post, person, *span in Shift.objects.during(start, end).values_list("post", "person", "begins", "ends"):
        standing[post, person].append((span[0], span[1]))
    return [
        shift
        for shift in drawn
        if shift.pk not in known
        and not without((shift.begins, shift.ends), standing[shift.post_id, shift.person_id])[1]
    ]


def _posts(city: str) -> Iterable[tuple[Post, str, list[User]]]:
    """Yield the posts with their slots and the people who take turns; the county with demo accounts comes last."""
    rnd = random.Random(city)
    for role, zh, en, slots, people, phone in CITY_POSTS:
        yield _post(city, Level.CITY, role, zh, en, phone), slots, _crew(city, role, Level.CITY, people, rnd)
    role, zh, en, slots, people, phone = COUNTY_POST
    counties = Division.objects.filter(level="county", code__startswith=city).order_by("-code")
    for county in counties:
        post = _post(
            county.code, Level.COUNTY, role, f"{county.name_zh}{zh}", f"{en}, {county.name_en or county.name_zh}",
            f"{county.code[4:]}{phone[2:]}",
        )  # fmt: skip
        yield post, slots, _crew(county.code, role, Level.COUNTY, people, rnd)


def _post(area: str, level: str, role: str, zh: str, en: str, phone: str) -> Post:
    post = Post.objects.filter(area_code=area, role=role, department=None).order_by("pk").first()
    return post or Post.objects.create(
        area_code=area, role=role, name_zh=zh, name_en=en, phone=f"0546-555{phone}"
    )  # numbers of an exchange that has none


def _crew(area: str, role: str, level: str, count: int, rnd: random.Random) -> list[User]:
    """Return so many people of a role in an area, the demo's accounts first; who is lacking is hired, without a way in."""
    here = list(User.objects.filter(area_code=area, role=role, is_active=True, department=None).order_by("pk")[:count])
    fresh = [
        User(
            username=f"{area}-{role}-duty-{n}", password=UNUSABLE_PASSWORD_PREFIX + secrets.token_hex(20), role=role,
            area_code=area, level=level, name_zh=rnd.choice(FAMILY) + rnd.choice(GIVEN),
        )
        for n in range(len(here) + 1, count + 1)
    ]  # fmt: skip
    return [*here, *User.objects.bulk_create(fresh)]


def _shifts(post: Post, slots: str, crew: list[User], first: date, last: date) -> list[Shift]:
    """Return the shifts of a post by its turn, under ids that do not change from start to start."""
    hours = slots_in(slots)
    pattern = Pattern(hours, tuple((one,) for one in crew), first, last, start=(first - EPOCH).days)
    return [_shift(post, draft, crew) for draft in pattern.drafts(CITY_TIME)]


def _shift(post: Post, draft: Draft, crew: list[User]) -> Shift:
    turn = crew.index(draft.person)
    is_covered = turn % 2 == 0  # every other one has a deputy
    return Shift(
        pk=uuid.uuid5(NAMES, f"{post.pk} {draft.begins.isoformat()}"), post=post, person=draft.person,
        deputy=crew[(turn + 2) % len(crew)] if is_covered and len(crew) > 2 else None,
        begins=draft.begins, ends=draft.ends,
    )  # fmt: skip


def _leave(post: Post, at: datetime) -> None:
    """Let the next nights have one person on leave with a deputy, and one without: the gap that the pages show."""
    ahead = Shift.objects.standing().filter(
        post=post, begins__gt=at + timedelta(hours=12), begins__lt=at + timedelta(days=6)
    )
    for alone in (True, False):
        away = Leave.objects.standing().filter(ends__gt=at, person__in=candidates(post), reason=REASONS[alone])
        if away.exists():
            continue
        shift = ahead.filter(deputy__isnull=alone).order_by("begins").first()
        if shift:
            Leave.objects.create(
                pk=uuid.uuid5(NAMES, f"leave {shift.pk}"), person=shift.person, begins=shift.begins, ends=shift.ends,
                reason=REASONS[alone], entered_by=shift.person, entered_at=at,
            )  # fmt: skip


def _handovers(post: Post, at: datetime) -> None:
    """Write the handovers of the last two days' changes, each signed ten minutes later but for the newest."""
    rows = list(
        Shift.objects.standing().filter(post=post, begins__gt=at - timedelta(days=2), begins__lte=at)
        .select_related("person").order_by("begins", "pk")
    )  # fmt: skip
    for before, after in pairwise(rows):
        if before.ends != after.begins:
            continue
        id, signed_at = uuid.uuid5(NAMES, f"handover {before.pk}"), after.begins + timedelta(minutes=10)
        words = NOTES[after.begins.toordinal() % len(NOTES)].format(n=2 + after.begins.day % 5)
        Handover.objects.bulk_create(
            [
                Handover(
                    pk=id, post=post, given_by=before.person, given_at=after.begins, matters=words, equipment_ok=True
                )
            ],
            ignore_conflicts=True,
        )
        if after != rows[-1] and signed_at < at:
            HandoverReceipt.objects.bulk_create(
                [
                    HandoverReceipt(
                        pk=uuid.uuid5(id, "receipt"), handover_id=id, received_by=after.person, received_at=signed_at
                    )
                ],
                ignore_conflicts=True,
            )
