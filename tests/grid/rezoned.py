"""What tests of re-zoning share: a city with people and cases, and the way from a drawing to a grid in force."""

import uuid
from datetime import timedelta
from typing import Any

from django.contrib.gis.geos import Point
from django.db import connection, transaction

from citysafety.accounts.models import User
from citysafety.outbox.relay import relay_waiting
from citysafety.subscriptions import LISTENERS, PROJECTIONS
from citysafety.tallies import reconciling
from grid.models import Cell, Centre, Posting, Premises, PremisesKind, Rezoning, Worker
from grid.rezoning.sketch import Drawing
from grid.services import draft_rezoning, take_rezoning_step
from grid.services.counting import count_changed
from grid.services.register import activate_version
from grid.services.rezoning import StepInput
from tests.factories import HOME, NOON, SmallCity, make_city, person

FIRST, SECOND = f"{HOME}001001001", f"{HOME}001001002"
SCHOOL = f"{HOME}001001501"
# Across the first cell from south to north, at its middle.
CUT = Drawing(operation="split", cells=(FIRST,), line=((118.525, 37.4), (118.525, 37.5)))
LATER = NOON + timedelta(hours=1)


def make_people(city: SmallCity) -> dict[str, User]:
    """Post a worker to each cell of the first county and make the people who draft and approve."""
    centre = Centre.objects.create(
        code="ZX1", level="township", division_id=f"{HOME}001", name_zh="中心", name_en="Centre"
    )
    for number, code in enumerate((FIRST, SECOND, SCHOOL), 1):
        user = person("grid_worker", area=f"{HOME}001")
        worker = Worker.objects.create(user=user, number=f"W{number}", centre=centre, area_code=code)
        Posting.objects.create(
            worker=worker, cell=city.cells[code], role="primary", since=(NOON - timedelta(days=99)).date()
        )
    Posting.objects.create(
        worker=Worker.objects.get(number="W2"), cell=city.cells[FIRST], role="backup",
        since=(NOON - timedelta(days=99)).date(),
    )  # fmt: skip
    PremisesKind.objects.create(code="shop", name_zh="小商店", name_en="Small shop", nine_small=True)
    for n, lon in enumerate((118.505, 118.54, 118.56)):
        code = FIRST if lon < 118.55 else SECOND
        Premises.objects.create(
            code=f"CS{n}", kind_id="shop", cell=city.cells[code], area_code=code, location=Point(lon, 37.42, srid=4326),
            name_zh=f"超市{n}", name_en=f"Shop {n}",
        )  # fmt: skip
    return {
        "drafter": person("dispatcher", area=f"{HOME}001"),
        "approver": person("supervisor", area=HOME),
        "dispatcher": person("dispatcher", area=HOME),
    }


def make_grid() -> tuple[SmallCity, dict[str, User]]:
    """Return a city whose cells, workers and premises are in the figures."""
    city = make_city()
    people = make_people(city)
    with transaction.atomic():
        _version, entry = activate_version(at=NOON - timedelta(days=90), city_code="3705", note="test")
        for kind in ("cell", "worker", "premises"):
            count_changed(entry, kind=kind, at=NOON - timedelta(days=90))
    return city, people


def relay() -> None:
    """Deal all waiting facts to everybody who listens, until nothing waits."""
    while relay_waiting(listen=LISTENERS, project=PROJECTIONS):
        pass


def differences() -> list[str]:
    """Return what reconciling finds between rows, periods and tallies."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return list(reconciling.differences())


def draft(actor: User, drawing: Drawing = CUT, *, at: Any = NOON, **more: Any) -> Rezoning:
    given = {"reason": "负荷不均", "basis": "GB/T 30428.2", "effective_at": None, **more}
    return draft_rezoning(id=uuid.uuid4(), drawing=drawing, actor=actor, at=at, **given)


def step(rezoning: Rezoning, action: str, actor: User, *, at: Any = NOON, **given: Any) -> Rezoning:
    version = given.pop("version", Rezoning.objects.values_list("version", flat=True).get(pk=rezoning.pk))
    return take_rezoning_step(
        rezoning_id=rezoning.pk, action=action, given=StepInput(id=uuid.uuid4(), version=version, **given), actor=actor,
        at=at,
    )  # fmt: skip


def staffed(rezoning: Rezoning, people: dict[str, User], **workers: str) -> Rezoning:
    """Name a worker for each drafted cell: those given by code, W1 else kept, the rest nobody yet."""
    rows = [
        {
            "code": one.code,
            "worker": workers.get(one.code) or (one.worker.number if one.worker else ""),
            "nobody_yet": True,
        }
        for one in rezoning.draws.select_related("worker")
    ]
    return step(rezoning, "settle", people["drafter"], cells=rows)


def in_force(people: dict[str, User], drawing: Drawing = CUT, *, at: Any = NOON, **workers: str) -> Rezoning:
    """Draft, name people, check and approve, so that it is in force at once."""
    rezoning = staffed(draft(people["drafter"], drawing), people, **workers)
    step(rezoning, "check", people["drafter"], at=at)
    return step(rezoning, "approve", people["approver"], at=at)


def halves() -> list[str]:
    """Return the codes of the cells that a split of the first cell began, in order."""
    return [code for code in Cell.objects.filter(active=True).order_by("code").values_list("code", flat=True)
            if code.startswith(FIRST[:12]) and code not in (FIRST, SECOND, SCHOOL)]  # fmt: skip
