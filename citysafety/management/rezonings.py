"""The re-zonings of the demo city: one split that awaits approval, and one that is in force."""

import uuid
from datetime import datetime

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Count, F
from django.utils import timezone

from citysafety.accounts.models import Level, Role, User
from grid.models import Cell, Posting, Rezoning
from grid.rezoning.sketch import Drawing
from grid.services import draft_rezoning, take_rezoning_step
from grid.services.rezoning import StepInput

COUNTIES = ("370505", "370522")  # neither of the two in which the demo's workers and tests are at home
BASIS = "GB/T 30428.2"
REASON = "该网格场所多、巡查负荷高于本乡镇均值，拟一分为二（演示）"


def seed_rezonings(*, at: datetime) -> int:
    """Draft a split in each of two townships and bring the second into force; return how many are new.

    Queries: about 60 on the first start of a demo, 1 after that.
    """
    if Rezoning.objects.exists():
        return 0
    made = 0
    for county, is_approved in zip(COUNTIES, (False, True), strict=True):
        cell = _heaviest(county)
        if cell is not None:
            _split(cell, is_approved=is_approved, at=at)
            made += 1
    return made


def _heaviest(county: str) -> Cell | None:
    """Return the base cell of one piece with the most premises in a county."""
    base = Cell.objects.active().filter(kind=Cell.Kind.BASE, code__startswith=county)
    by_load = base.annotate(n=Count("premises")).order_by(F("n").desc(), "code")
    return next(
        (cell for cell in by_load[:20] if len(cell.geometry) == 1 and cell.geometry[0].num_interior_rings == 0), None
    )


def _split(cell: Cell, *, is_approved: bool, at: datetime) -> None:
    """Split a cell from south to north through its middle, where a straight line gives two parts."""
    drafter = _person(f"rezoning.drafter.{cell.code[:6]}", Role.DISPATCHER, cell.code[:6], ("卢晓东", "Lu Xiaodong"))
    approver = _person(f"rezoning.approver.{cell.code[:6]}", Role.SUPERVISOR, cell.code[:6], ("任秀兰", "Ren Xiulan"))
    west, south, east, north = cell.geometry.extent
    x, y = cell.centre.x, cell.centre.y
    drawing = Drawing(operation="split", cells=(cell.code,), line=((x, south), (x, north)))
    try:
        rezoning = draft_rezoning(
            id=uuid.uuid4(), drawing=drawing, reason=REASON, basis=BASIS, effective_at=None, actor=drafter, at=at
        )
    except ValueError:  # a bay in its border: from west to east then
        drawing = Drawing(operation="split", cells=(cell.code,), line=((west, y), (east, y)))
        rezoning = draft_rezoning(
            id=uuid.uuid4(), drawing=drawing, reason=REASON, basis=BASIS, effective_at=None, actor=drafter, at=at
        )
    backup = (
        Posting.objects.on(timezone.localdate(at)).filter(cell=cell, role="backup").select_related("worker").first()
    )
    rows = [
        {
            "code": draft.code,
            "worker": draft.worker.number if draft.worker else (backup.worker.number if backup else ""),
            "nobody_yet": backup is None,
        }
        for draft in rezoning.draws.select_related("worker")
    ]
    _step(rezoning, "settle", drafter, at, cells=rows)
    _step(rezoning, "check", drafter, at)
    if is_approved:
        _step(rezoning, "approve", approver, at)


def _step(rezoning: Rezoning, action: str, actor: User, at: datetime, **given: object) -> None:
    version = Rezoning.objects.values_list("version", flat=True).get(pk=rezoning.pk)
    step = StepInput(id=uuid.uuid4(), version=version, **given)
    take_rezoning_step(rezoning_id=rezoning.pk, action=action, given=step, actor=actor, at=at)


def _person(username: str, role: str, area: str, name: tuple[str, str]) -> User:
    """Return an account that nobody signs in to: it stands in the history of the demo."""
    user, _fresh = User.objects.get_or_create(
        username=username,
        defaults={
            "role": role, "area_code": area, "level": Level.COUNTY, "name_zh": name[0], "name_en": name[1],
            "password": UNUSABLE_PASSWORD_PREFIX + uuid.uuid4().hex,
        },
    )  # fmt: skip
    return user
