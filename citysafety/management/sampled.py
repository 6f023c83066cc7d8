"""Re-checks in each state and write-off lists at each stop, for the demo; drawn and made by their own services."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from citysafety.accounts.demo import LABEL
from citysafety.accounts.models import Role, User
from citysafety.evidence.models import Attachment
from hazards.rechecks.models import Recheck
from hazards.rechecks.seeds import seed_rechecks
from hazards.rechecks.services import RecheckInput, draw_days, draw_due, take_recheck_step
from hazards.writeoffs import services as writeoffs
from hazards.writeoffs.models import WriteOffList
from hazards.writeoffs.seeds import seed_signatures

FAIL, HOLD, LEFT, LATE = 2, 6, 3, 2  # re-checks: does not hold, holds, still to do at least, of those late
DAYS = 7  # of a list
LISTS = (
    ("近七日验收销号清单（草稿）", "SZ"),
    ("近七日消防验收销号清单", "XF"),
    ("近七日市政验收销号清单", "SZ"),
)  # title, class


def sample(at: datetime) -> int:
    """Draw re-checks of the weeks that are over, record some, leave some late; make one list of each kind. Return the re-checks."""
    seed_rechecks(since=timezone.localdate(at) - timedelta(days=14))
    seed_signatures()
    if Recheck.objects.exists():
        return 0
    made = draw_due(at=at)
    if made < FAIL + HOLD + LEFT:  # a past of some days has no whole week
        day = timezone.localdate(at)
        made += draw_days(day - timedelta(days=DAYS), day - timedelta(days=1), at=at)
    _check(at)
    _list(at)
    return made


def _check(at: datetime) -> None:
    rows = list(Recheck.objects.due().filter(checker__isnull=False).select_related("hazard").order_by("hazard__number"))
    shots = list(
        Attachment.objects.filter(kind="hazard", role="after").order_by("-pk").values_list("photo_id", flat=True)[: FAIL + HOLD]
    )  # fmt: skip
    fails = min(FAIL, max(0, len(rows) - LEFT) // 2)
    for n, (one, photo) in enumerate(zip(rows[: max(0, len(rows) - LEFT)], shots, strict=False)):
        Attachment.objects.get_or_create(
            kind="recheck", subject_id=str(one.pk), role="after", photo_id=photo, defaults={"by": one.checker, "at": at}
        )
        place = one.hazard.location
        action, words = (
            ("fails", "现场复核，隐患又出现，整改未到位。") if n < fails else ("holds", "现场复核，整改到位。")
        )
        given = RecheckInput(
            id=uuid.uuid4(), version=one.version, words=words, lon=place.x, lat=place.y, accuracy_m=6.0
        )
        take_recheck_step(recheck_id=one.pk, action=action, given=given, actor=one.checker, at=at)
    late = Recheck.objects.due().order_by("hazard__number").values("pk")[:LATE]
    Recheck.objects.filter(pk__in=list(late.values_list("pk", flat=True))).update(
        due_on=timezone.localdate(at) - timedelta(days=2)
    )


def _list(at: datetime) -> None:
    """Make a draft, a frozen list and a signed one of what was closed in the last days, one class of matters each."""
    people = User.objects.filter(access_tokens__label=LABEL, is_active=True, area_code=settings.CITY_CODE)
    boss = people.filter(role=Role.SUPERVISOR).order_by("pk").first()
    maker = people.filter(role=Role.DISPATCHER).order_by("pk").first()
    if WriteOffList.objects.exists() or maker is None or boss is None:
        return
    last = timezone.localdate(at)
    closed = f"counted=closed:{last - timedelta(days=DAYS - 1)}..{last}"
    for title, category in LISTS:
        wish = writeoffs.Wish(
            id=uuid.uuid4(), title=title, area=maker.area_code, query=f"{closed}&category={category}"
        )  # fmt: skip
        row = writeoffs.make_list(wish=wish, by=maker, at=at)
        if title == LISTS[0][0] or not writeoffs.cases_of(row).exists():
            continue
        row = writeoffs.freeze(list_id=row.pk, by=maker, at=at)
        if title == LISTS[-1][0]:
            heads = User.objects.filter(role=Role.DEPARTMENT_HANDLER, may_sign=True, is_active=True)
            head = heads.filter(department__in=row.departments).order_by("pk").first()
            for by in filter(None, (head, boss)):
                writeoffs.sign(list_id=row.pk, sha256=row.sha256, by=by, at=at)
