"""The components of the demo city, brought in by an import as an administrator does it, and cases on some; invented."""

import uuid
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from citysafety.accounts.models import Role, User
from grid.models import Component, ComponentClass, Posting
from grid.services import apply_import, try_import
from hazards.services import report_hazard, take_step
from hazards.services.given import StepInput
from hazards.services.reporting import Filing

FILE = "components.csv"
DEMO_IMPORT = uuid.UUID("00000000-0000-4000-8000-000000030428")
CASES = (  # class of the component, matter, what the worker says, and how many steps the case has come
    ("0107", "SZ-008", "路灯夜间不亮，路段昏暗。", 0),
    ("0103", "SZ-001", "雨水井盖破裂，已放锥桶警示。", 0),
    ("0104", "SZ-002", "雨水箅子缺失一块。", 2),
    ("0201", "JT-001", "信号灯南向绿灯不亮。", 2),
    ("0202", "JT-002", "标志牌被行道树遮挡。", 1),
    ("0401", "SZ-035", "行道树倾斜，有倒伏危险。", 0),
    ("0108", "SZ-016", "交接箱箱门敞开、线缆外露。", 2),
    ("0203", "JT-004", "护栏被撞变形，占用车道。", 0),
)


def seed_components(*, at: datetime) -> int:
    """Import the city's components and report cases on some; return how many components are new.

    Queries: 2 where they are there or the folder has none; about 100 on the first start of a demo.
    """
    file = Path(settings.CITY_FOLDER) / FILE
    if Component.objects.exists() or not ComponentClass.objects.exists() or not file.exists():
        return 0
    keeper = User.objects.filter(role=Role.ADMINISTRATOR, area_code=settings.CITY_CODE).order_by("pk").first()
    if keeper is None:
        return 0
    load = try_import(
        id=DEMO_IMPORT, name=FILE, data=file.read_bytes(), datum="wgs84", by=keeper, at=at, synthetic=True
    )
    apply_import(load_id=load.pk, table_hash=load.table_hash, by=keeper, at=at)
    _report(at)
    return load.new


def _report(at: datetime) -> None:
    """Let workers report what they saw at components, and the city's dispatcher accept and dispatch some of it."""
    dispatcher = User.objects.filter(role=Role.DISPATCHER, area_code=settings.CITY_CODE).order_by("pk").first()
    posted = Posting.objects.on(timezone.localdate(at)).filter(role="primary").select_related("worker__user")
    for n, (kind, matter, words, steps) in enumerate(CASES):
        component = Component.objects.filter(kind=kind, cell__postings__in=posted).order_by("code").first()
        if component is None:
            continue
        reporter = posted.filter(cell=component.cell).order_by("pk")[0].worker.user
        if not component.area_code.startswith(reporter.area_code):
            continue
        moment = at - timedelta(minutes=50 - 5 * n)
        filing = Filing(
            id=uuid.uuid4(), matter=matter, description=words, lon=component.location.x + 0.00004,
            lat=component.location.y - 0.00003, accuracy_m=9, occurred_at=moment, component=component.code,
        )  # fmt: skip
        hazard, _cells = report_hazard(filing=filing, reporter=reporter, at=moment)
        for action in ("accept", "dispatch")[: steps if dispatcher else 0]:
            given = StepInput(id=uuid.uuid4(), version=hazard.version, department=component.department.code)
            moment += timedelta(minutes=2)
            hazard = take_step(hazard_id=hazard.pk, action=action, given=given, actor=dispatcher, at=moment)
