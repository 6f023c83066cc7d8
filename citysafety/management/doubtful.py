"""Patterns in the demo's last minutes that give reason to ask; invented, so that each detector has something to show.

Who they are told of is chosen by number, not by merit. Cells without reports come about by themselves in a past of thirty
days; the office of the last hour is told of there (past.Teller).
"""

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Q

from citysafety.accounts.demo import LABEL
from citysafety.accounts.models import Role, User
from citysafety.evidence.services import attach
from grid.models import Matter, Worker
from hazards.evaluation.seeds import seed_evaluation
from hazards.evaluation.services import seek
from hazards.lifecycle import HazardState
from hazards.models import Hazard
from hazards.services import report_hazard, take_step
from hazards.services.given import StepInput
from hazards.services.reporting import Filing

from .pictures import SCENES, picture

ON_THE_SPOT, BATCH, AGAIN, FAR, PAUSES = 12, 9, 4, 3, 6
FOUND = ("灭火器被杂物遮挡", "楼梯间堆放纸箱", "安全出口指示灯不亮", "电线私拉乱接", "消火栓门打不开", "垃圾桶占道")
SAME_WORDS = "巡查发现隐患，已提醒整改。"
FAR_AWAY, ALLOWED_M = 0.008, 800  # degrees, about 700 m; from where only some matters let somebody verify


def cheat(at: datetime) -> int:
    """Let a few people do what a detector looks for, and look; return how many doubts there are.

    Nothing where the demo has no supervisor to show them to.
    """
    seed_evaluation()
    if not User.objects.filter(role=Role.SUPERVISOR, access_tokens__label=LABEL).exists():
        return 0
    quick, busy = _workers(2)
    matter = Matter.objects.filter(active=True, severity="general", photos_after__lte=1).order_by("code").first()
    if quick and matter:
        _on_the_spot(quick, matter, at)
    if busy and matter:
        _batch(busy, matter, at)
    _verify_from_afar(at)
    _pause_often(at)
    return seek(at=at)


def _workers(number: int) -> list[Worker | None]:
    """Return workers of a base cell who report little otherwise: what they do now is most of what they do."""
    rows = Worker.objects.filter(state="on_duty", postings__until=None, postings__cell__kind="base")
    rows = rows.annotate(reports=Count("user__reported_hazards", distinct=True)).order_by("reports", "number")
    found: list[Worker | None] = list(rows.select_related("user")[:number])
    return found + [None] * (number - len(found))


def _filed(worker: Worker, matter: Matter, words: str, at: datetime, *, step: int) -> Hazard:
    centre = worker.postings.filter(until=None, cell__kind="base").select_related("cell")[0].cell.centre
    filing = Filing(
        id=uuid.uuid4(), matter=matter.code, severity="general", description=words, lon=centre.x + step * 0.00013,
        lat=centre.y, accuracy_m=9, occurred_at=at,
    )  # fmt: skip
    return report_hazard(filing=filing, reporter=worker.user, at=at)[0]


def _shots(matter: Matter, first: int) -> Iterator[bytes]:
    """Yield pictures of the matter's class that no other case has."""
    category = matter.matter_class.code if matter.matter_class.code in SCENES else next(iter(SCENES))
    for n in range(first, first + 100):
        yield picture(category, n, mended=False)
        yield picture(category, n, mended=True)


def _show(hazard: Hazard, roles: Sequence[str], shots: Iterator[bytes], by: User, at: datetime) -> None:
    for role in roles:
        data = next(shots)
        attach(
            kind="hazard", subject_id=str(hazard.pk), role=role, sha256=hashlib.sha256(data).hexdigest(), data=data,
            by_id=by.pk, at=at, step_id=None,
        )  # fmt: skip


def _on_the_spot(worker: Worker, matter: Matter, at: datetime) -> None:
    """Report one hazard after the other and handle each at once."""
    shots = _shots(matter, 500)
    for n in range(ON_THE_SPOT):
        moment = at - timedelta(minutes=9) + timedelta(seconds=40 * n)
        hazard = _filed(worker, matter, FOUND[n % len(FOUND)], moment, step=n)
        _show(hazard, ("before", "after"), shots, worker.user, moment)
        _step(hazard, "handle_on_spot", worker.user, moment + timedelta(seconds=20), words="已当场整改。")


def _batch(worker: Worker, matter: Matter, at: datetime) -> None:
    """Report many hazards with the same words, some with the same photo."""
    shot = next(_shots(matter, 700))
    for n in range(BATCH):
        moment = at - timedelta(minutes=5) + timedelta(seconds=15 * n)
        hazard = _filed(worker, matter, SAME_WORDS, moment, step=n)
        if n < AGAIN:
            _show(hazard, ("scene",), iter([shot]), worker.user, moment)


def _dispatcher() -> User | None:
    rows = User.objects.filter(role=Role.DISPATCHER, is_active=True, area_code=settings.CITY_CODE)
    return rows.order_by("pk").first()


def _verify_from_afar(at: datetime) -> None:
    """Verify some cases from a place 700 m away, where their matter allows that, and write them off."""
    dispatcher = _dispatcher()
    allowed = Q(matter__verify_within_m__isnull=True) | Q(matter__verify_within_m__gte=ALLOWED_M)
    waiting = Hazard.objects.filter(allowed, state=HazardState.RECTIFIED)
    waiting = waiting.exclude(Q(rectified_by=dispatcher) | Q(handled_on_spot=True, reporter=F("rectified_by")))
    for hazard in waiting.order_by("-received_at", "number")[:FAR] if dispatcher else ():
        place = {"lon": hazard.location.x - FAR_AWAY, "lat": hazard.location.y, "accuracy_m": 10}
        moment = max(at - timedelta(minutes=2), hazard.changed_at)
        _step(hazard, "verify", dispatcher, moment, words="复查合格。", **place)
        _step(hazard, "write_off", dispatcher, moment)


def _pause_often(at: datetime) -> None:
    """Pause several cases of one department."""
    dispatcher = _dispatcher()
    work = Hazard.objects.filter(
        state=HazardState.TAKEN, paused_at=None, pause_asked_at=None, extension_asked_at=None, severity="general",
        department__isnull=False,
    )  # fmt: skip
    most = work.values("department").annotate(n=Count("pk")).order_by("-n", "department").first()
    if dispatcher and most and most["n"] >= PAUSES:
        for hazard in work.filter(department=most["department"]).order_by("-received_at", "number")[:PAUSES]:
            _step(
                hazard,
                "pause",
                dispatcher,
                max(at - timedelta(minutes=1), hazard.changed_at),
                cause="other",
                words="协调中。",
            )


def _step(hazard: Hazard, action: str, by: User | None, at: datetime, **given: Any) -> None:
    hazard.refresh_from_db(fields=["version"])
    step = StepInput(id=uuid.uuid4(), version=hazard.version, **given)
    take_step(hazard_id=hazard.pk, action=action, given=step, actor=by, at=at)
